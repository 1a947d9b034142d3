// SPDX-License-Identifier: Apache-2.0
//
// A closed-loop load generator for MCP over Streamable HTTP: each of N connections has one call in flight, and every answer is checked.
//
//     load --port P [--pid PID] --connections N --seconds S --tool NAME --arguments JSON --expect TEXT [--plain]
//
// Prints one line of JSON: calls per second, p50 and p99 in microseconds, and the CPU that process PID spent per call. `--plain` skips the
// MCP session (for the floors, which answer every POST). A wrong answer ends it with exit code 1: a benchmark that checks nothing is void.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
    int port = 0;
    int pid = 0;
    int connections = 1;
    double seconds = 3;
    std::string tool = "add";
    std::string arguments = R"({"a":1,"b":2})";
    std::string expect = "3";
    bool plain = false;
};

Arguments read_arguments(int argc, char** argv) {
    Arguments arguments;
    std::map<std::string, std::string> given;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) == "--plain") {
            arguments.plain = true;
        } else if (i + 1 < argc) {
            given[argv[i]] = argv[i + 1];
            ++i;
        }
    }
    const auto number = [&](const char* name, double otherwise) { return given.contains(name) ? std::atof(given[name].c_str()) : otherwise; };
    const auto text = [&](const char* name, const std::string& otherwise) { return given.contains(name) ? given[name] : otherwise; };
    arguments.port = static_cast<int>(number("--port", 0));
    arguments.pid = static_cast<int>(number("--pid", 0));
    arguments.connections = static_cast<int>(number("--connections", 1));
    arguments.seconds = number("--seconds", 3);
    arguments.tool = text("--tool", arguments.tool);
    arguments.arguments = text("--arguments", arguments.arguments);
    arguments.expect = text("--expect", arguments.expect);
    return arguments;
}

int open_connection(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("cannot connect");
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

std::string post(int port, const std::string& session, const std::string& body) {
    std::string text = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                       "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
    if (!session.empty()) {
        text += "Mcp-Session-Id: " + session + "\r\nMCP-Protocol-Version: 2025-11-25\r\n";
    }
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The length of the complete response at the front of `text`, or 0.
std::size_t response_length(std::string_view text) {
    const auto head = text.find("\r\n\r\n");
    if (head == std::string_view::npos) {
        return 0;
    }
    const std::string_view fields = text.substr(0, head);
    const auto length = fields.find("Content-Length: ");
    if (length != std::string_view::npos) {
        const std::size_t total = head + 4 + std::strtoul(fields.data() + length + 16, nullptr, 10);
        return text.size() >= total ? total : 0;
    }
    if (fields.find("chunked") == std::string_view::npos) {
        return head + 4;
    }
    const auto end = text.find("0\r\n\r\n", head + 4);
    return end == std::string_view::npos ? 0 : end + 5;
}

std::string ask(int fd, const std::string& request) {
    if (::send(fd, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size())) {
        throw std::runtime_error("cannot send");
    }
    std::string text;
    char buffer[4096];
    while (response_length(text) == 0) {
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0) {
            throw std::runtime_error("the server closed the connection: " + text);
        }
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

std::string begin_session(int port) {
    const int fd = open_connection(port);
    const std::string answer = ask(fd, post(port, "", R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
                                                      R"("capabilities":{},"clientInfo":{"name":"load","version":"1"}}})"));
    const auto at = answer.find("Mcp-Session-Id: ");
    if (at == std::string::npos) {
        throw std::runtime_error("no session: " + answer);
    }
    const std::string session = answer.substr(at + 16, answer.find('\r', at) - at - 16);
    ask(fd, post(port, session, R"({"jsonrpc":"2.0","method":"notifications/initialized"})"));
    ::close(fd);
    return session;
}

// Seconds of CPU that a process has used.
double cpu_seconds(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto paren = text.rfind(')');
    if (paren == std::string::npos) {
        return 0;
    }
    unsigned long user = 0;
    unsigned long kernel = 0;
    std::sscanf(text.c_str() + paren + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
    return static_cast<double>(user + kernel) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct Connection {
    int fd = -1;
    std::string session;
    std::string received;
    Clock::time_point sent;
};

void send_call(const Arguments& arguments, Connection& connection, unsigned long id) {
    const std::string body = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"tools/call","params":{"name":")" + arguments.tool +
                             R"(","arguments":)" + arguments.arguments + "}}";
    const std::string request = post(arguments.port, connection.session, body);
    connection.sent = Clock::now();
    if (::send(connection.fd, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size())) {
        throw std::runtime_error("cannot send");
    }
}

void measure(const Arguments& arguments) {
    // As real clients: one session each.
    std::vector<Connection> connections(static_cast<std::size_t>(arguments.connections));
    const int poll = ::epoll_create1(0);
    for (std::size_t i = 0; i < connections.size(); ++i) {
        connections[i].session = arguments.plain ? std::string() : begin_session(arguments.port);
        connections[i].fd = open_connection(arguments.port);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }
    unsigned long id = 1;
    for (Connection& connection : connections) {
        send_call(arguments, connection, id++);
    }
    const auto warm = Clock::now() + std::chrono::milliseconds(500);
    const auto end = warm + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(arguments.seconds));
    std::vector<float> latencies;
    double cpu_before = -1;
    Clock::time_point begun;
    char buffer[65536];
    epoll_event events[64];
    for (;;) {
        const auto now = Clock::now();
        if (now >= end) {
            break;
        }
        if (cpu_before < 0 && now >= warm) {
            cpu_before = cpu_seconds(arguments.pid);
            begun = now;
            latencies.clear();
        }
        const int ready = ::epoll_wait(poll, events, 64, 100);
        for (int i = 0; i < ready; ++i) {
            Connection& connection = connections[events[i].data.u64];
            const ssize_t got = ::recv(connection.fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got <= 0) {
                throw std::runtime_error("the server closed a connection");
            }
            connection.received.append(buffer, static_cast<std::size_t>(got));
            const std::size_t length = response_length(connection.received);
            if (length == 0) {
                continue;
            }
            const auto body = connection.received.find("\r\n\r\n");
            if (connection.received.compare(9, 3, "200") != 0 || connection.received.find(arguments.expect, body) == std::string::npos) {
                throw std::runtime_error("a wrong answer: " + connection.received);
            }
            connection.received.erase(0, length);
            latencies.push_back(std::chrono::duration<float, std::micro>(Clock::now() - connection.sent).count());
            send_call(arguments, connection, id++);
        }
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    const double cpu = cpu_seconds(arguments.pid) - cpu_before;
    std::sort(latencies.begin(), latencies.end());
    const auto at = [&](double share) { return latencies.empty() ? 0.F : latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))]; };
    std::printf(R"({"connections":%d,"calls_per_second":%.0f,"p50_us":%.1f,"p99_us":%.1f,"cpu_us_per_call":%.2f,"calls":%zu})" "\n", arguments.connections,
                static_cast<double>(latencies.size()) / seconds, at(0.5), at(0.99), cpu / static_cast<double>(latencies.size()) * 1e6, latencies.size());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        measure(read_arguments(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "load: %s\n", error.what());
        return 1;
    }
    return 0;
}
