// SPDX-License-Identifier: Apache-2.0
// The side of the world that the server links: no more than one question and one answer.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "crash/world.hpp"

namespace durable_mcp::crash {

std::string ask_world(const std::string& address, const std::string& line) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, address.c_str(), sizeof name.sun_path - 1);
    if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
        ::close(socket);
        throw std::runtime_error("the world is not there");
    }
    std::string answer;
    if (::send(socket, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) {
        std::array<char, 256> buffer{};
        ssize_t got = 0;
        while ((got = ::recv(socket, buffer.data(), buffer.size(), 0)) > 0) {
            answer.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    ::close(socket);
    if (answer.empty()) {
        throw std::runtime_error("the world did not answer");
    }
    return answer;
}

std::uint64_t WorldLink::act(std::string_view call, std::string_view step, std::string_view idempotency_key, std::uint32_t attempt,
                             long boot, bool may_refuse) const {
    std::string line(may_refuse ? "try" : "act");
    line.append(" ").append(call).append(" ").append(step).append(" ").append(idempotency_key).append(" ");
    line.append(std::to_string(attempt)).append(" ").append(std::to_string(boot)).append("\n");
    return std::stoull(ask_world(address_, line));
}

std::uint64_t WorldLink::find(std::string_view idempotency_key) const {
    return std::stoull(ask_world(address_, "find - - " + std::string(idempotency_key) + " 0 0\n"));
}

}  // namespace durable_mcp::crash
