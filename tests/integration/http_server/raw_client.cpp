// SPDX-License-Identifier: Apache-2.0
#include "integration/http_server/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace durable_mcp::http_test {

RawClient::RawClient(std::uint16_t port, int receive_buffer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0) {
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(socket_);
        throw std::runtime_error("cannot connect");
    }
}

RawClient::~RawClient() {
    close();
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::receive() {
    char buffer[65'536];
    const auto size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) {
        return false;
    }
    received_.append(buffer, static_cast<std::size_t>(size));
    return true;
}

Answer RawClient::read_answer(bool head_only) {
    Answer answer;
    answer.head = read_until("\r\n\r\n");
    if (!answer.head.ends_with("\r\n\r\n")) {
        return {};
    }
    answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
    const auto at = answer.head.find("Content-Length: ");
    const auto length = at == std::string::npos || head_only ? 0 : std::stoul(answer.head.substr(at + 16));
    while (received_.size() < length) {
        if (!receive()) {
            return {};
        }
    }
    answer.body = received_.substr(0, length);
    received_.erase(0, length);
    return answer;
}

std::string RawClient::read_until(std::string_view marker) {
    while (true) {
        const auto at = received_.find(marker);
        if (at != std::string::npos) {
            auto result = received_.substr(0, at + marker.size());
            received_.erase(0, at + marker.size());
            return result;
        }
        if (!receive()) {
            return received_;
        }
    }
}

bool RawClient::is_closed_by_server() {
    errno = 0;
    while (receive()) {}
    return errno != EAGAIN;
}

void RawClient::shut_down_sending() {
    ::shutdown(socket_, SHUT_WR);
}

void RawClient::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void RawClient::close() {
    if (socket_ >= 0) {
        ::close(socket_);
        socket_ = -1;
    }
}

std::string post(std::string_view body, std::string_view fields, std::string_view path) {
    std::string request = "POST ";
    request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ");
    request.append(std::to_string(body.size())).append("\r\n").append(fields).append("\r\n").append(body);
    return request;
}

}  // namespace durable_mcp::http_test
