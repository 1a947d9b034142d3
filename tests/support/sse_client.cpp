// SPDX-License-Identifier: Apache-2.0
#include "support/sse_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace durable_mcp::testing_support {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

void send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            throw Lost(std::string("send: ") + std::strerror(errno));
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

}  // namespace

HttpExchange::HttpExchange(std::uint16_t port, std::string_view method, std::string_view path, const Headers& headers,
                           std::string_view body, Clock::time_point until) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) {
        throw std::runtime_error("socket");
    }
    try {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw Lost(std::string("connect: ") + std::strerror(errno));
        }
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        std::string request;
        request.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1:").append(std::to_string(port));
        request.append("\r\nConnection: close\r\n");
        for (const auto& [name, value] : headers) {
            request.append(name).append(": ").append(value).append("\r\n");
        }
        if (!body.empty()) {
            request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
        }
        request.append("\r\n").append(body);
        send_all(socket_, request);
        read_head(until);
    } catch (...) {
        ::close(socket_);
        throw;
    }
}

HttpExchange::~HttpExchange() {
    ::close(socket_);
}

std::string HttpExchange::header(const std::string& name) const {
    const auto found = headers_.find(name);
    return found == headers_.end() ? std::string() : found->second;
}

bool HttpExchange::is_stream() const {
    return header("content-type").rfind("text/event-stream", 0) == 0;
}

void HttpExchange::receive(Clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd ready{socket_, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::max<long>(0, left)));
    if (count == 0) {
        throw Silent("nothing came in time");
    }
    std::array<char, 16384> buffer{};
    const ssize_t got = count < 0 ? -1 : ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) {
        return;
    }
    if (got < 0) {
        throw Lost(std::string("recv: ") + std::strerror(errno));
    }
    if (got == 0) {
        closed_ = true;
        return;
    }
    raw_.append(buffer.data(), static_cast<std::size_t>(got));
}

void HttpExchange::read_head(Clock::time_point until) {
    std::size_t end = 0;
    while ((end = raw_.find("\r\n\r\n")) == std::string::npos) {
        if (closed_) {
            throw Lost("the connection ended before the response's head");
        }
        receive(until);
    }
    const std::string head = raw_.substr(0, end + 2);
    raw_.erase(0, end + 4);
    std::size_t at = head.find("\r\n");
    status_ = std::atoi(head.substr(9, 3).c_str());
    for (at += 2; at < head.size();) {
        const std::size_t line_end = head.find("\r\n", at);
        const std::string_view line = std::string_view(head).substr(at, line_end - at);
        const auto colon = line.find(':');
        headers_[lower(line.substr(0, colon))] = std::string(trim(line.substr(colon + 1)));
        at = line_end + 2;
    }
    is_chunked_ = header("transfer-encoding") == "chunked";
    if (!is_chunked_) {
        if (const std::string length = header("content-length"); !length.empty()) {
            left_ = std::stoul(length);
        } else if (status_ == 204 || status_ == 202) {
            left_ = 0;
        }
    }
    decode();
}

void HttpExchange::decode() {
    if (!is_chunked_) {
        const std::size_t size = left_ ? std::min(*left_, raw_.size()) : raw_.size();
        body_.append(raw_, 0, size);
        raw_.erase(0, size);
        if (left_) {
            *left_ -= size;
            complete_ = *left_ == 0;
        } else {
            complete_ = closed_;
        }
        return;
    }
    while (!complete_) {
        if (!left_) {
            const auto line_end = raw_.find("\r\n");
            if (line_end == std::string::npos) {
                return;
            }
            const std::size_t size = std::stoul(raw_.substr(0, line_end), nullptr, 16);
            if (size == 0) {
                if (raw_.size() < line_end + 4) {
                    return;
                }
                complete_ = true;
                return;
            }
            raw_.erase(0, line_end + 2);
            left_ = size + 2;
        }
        const std::size_t size = std::min(*left_, raw_.size());
        const std::size_t data = *left_ > 2 ? std::min(size, *left_ - 2) : 0;
        body_.append(raw_, 0, data);
        raw_.erase(0, size);
        *left_ -= size;
        if (*left_ > 0) {
            return;
        }
        left_.reset();
    }
}

std::string HttpExchange::read_body(Clock::time_point until) {
    while (!complete_) {
        if (closed_) {
            throw Lost("the connection ended inside the body");
        }
        receive(until);
        decode();
    }
    return std::move(body_);
}

std::optional<SseEvent> HttpExchange::next_event(Clock::time_point until) {
    for (;;) {
        const auto end = body_.find("\n\n");
        if (end == std::string::npos) {
            if (complete_) {
                return std::nullopt;
            }
            if (closed_) {
                throw Lost("the connection ended inside the stream");
            }
            receive(until);
            decode();
            continue;
        }
        const std::string block = body_.substr(0, end + 1);
        body_.erase(0, end + 2);
        SseEvent event;
        bool is_comment = true;
        for (std::size_t at = 0; at < block.size();) {
            const std::size_t line_end = block.find('\n', at);
            const std::string_view line = std::string_view(block).substr(at, line_end - at);
            at = line_end + 1;
            if (line.empty() || line.front() == ':') {
                continue;
            }
            is_comment = false;
            const auto colon = line.find(':');
            const std::string_view name = line.substr(0, colon);
            std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
            if (!value.empty() && value.front() == ' ') {
                value.remove_prefix(1);
            }
            if (name == "id") {
                event.id = std::string(value);
            } else if (name == "data") {
                if (event.data) {
                    event.data->push_back('\n');
                    event.data->append(value);
                } else {
                    event.data = std::string(value);
                }
            } else if (name == "retry") {
                event.retry_ms = std::atol(std::string(value).c_str());
            }
        }
        if (!is_comment) {
            return event;
        }
    }
}

}  // namespace durable_mcp::testing_support
