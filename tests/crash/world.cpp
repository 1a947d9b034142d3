// SPDX-License-Identifier: Apache-2.0
#include "crash/world.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace durable_mcp::crash {

World::World(const std::filesystem::path& directory) : address_((directory / "world").string()) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (address_.size() >= sizeof name.sun_path) {
        throw std::runtime_error("too long for a socket: " + address_);
    }
    std::memcpy(name.sun_path, address_.c_str(), address_.size());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    file_ = ::open((directory / "ledger").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (listener_ < 0 || file_ < 0 || ::bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        ::listen(listener_, 128) != 0) {
        throw std::runtime_error("the world cannot be made in " + directory.string());
    }
    thread_ = std::thread([this] { serve(); });
}

World::~World() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    ::close(file_);
}

// One connection after the other, in the order in which they were made: that is what drain() relies on.
void World::serve() {
    for (;;) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) {
            return;
        }
        std::string line;
        std::array<char, 512> buffer{};
        ssize_t got = 0;
        while (line.find('\n') == std::string::npos && (got = ::recv(socket, buffer.data(), buffer.size(), 0)) > 0) {
            line.append(buffer.data(), static_cast<std::size_t>(got));
        }
        if (line.find('\n') != std::string::npos) {
            const std::string answer = take(line);
            static_cast<void>(::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL));
        }
        ::close(socket);
    }
}

std::string World::take(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    Deed deed;
    words >> verb >> deed.call >> deed.step >> deed.idempotency_key >> deed.attempt >> deed.boot;
    if (verb == "drain") {
        return "1";
    }
    if (verb == "find") {
        const std::lock_guard lock(mutex_);
        for (const Deed& known : deeds_) {
            if (known.kind == Deed::Kind::effect && known.idempotency_key == deed.idempotency_key) {
                return std::to_string(known.order);
            }
        }
        return "0";
    }
    if (verb == "try") {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(refused_[deed.call + ' ' + deed.step], true)) {
            deed.kind = Deed::Kind::refused;
        }
    }
    const bool refused = deed.kind == Deed::Kind::refused;
    const std::uint64_t order = append(std::move(deed));
    return refused ? "0" : std::to_string(order);
}

std::uint64_t World::append(Deed deed) {
    constexpr std::array<const char*, 5> names{"effect", "refused", "seen", "answered", "withdrawn"};
    const std::lock_guard lock(mutex_);
    deed.order = deeds_.size() + 1;
    const std::string line = std::to_string(deed.order) + ' ' + names.at(static_cast<std::size_t>(deed.kind)) + ' ' + deed.call + ' ' +
                             deed.step + ' ' + deed.idempotency_key + " attempt " + std::to_string(deed.attempt) + " boot " +
                             std::to_string(deed.boot) + '\n';
    if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        (deed.kind == Deed::Kind::effect && ::fdatasync(file_) != 0)) {
        throw std::runtime_error("the ledger cannot be written");
    }
    deeds_.push_back(std::move(deed));
    return deeds_.back().order;
}

void World::note(Deed::Kind kind, std::string_view call, std::string_view step, long boot) {
    append({0, kind, std::string(call), std::string(step), {}, 0, boot});
}

void World::drain() {
    static_cast<void>(ask_world(address_, "drain - - - 0 0\n"));
}

std::vector<Deed> World::ledger() const {
    const std::lock_guard lock(mutex_);
    return deeds_;
}

}  // namespace durable_mcp::crash
