// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace durable_mcp::crash {

/// How a server process ended.
struct End {
    bool by_signal = false;
    int number = 0;  ///< of the signal, or the exit code
    [[nodiscard]] bool was_killed() const { return by_signal && number == 9; }
};

/// One store and the processes that serve it, one after the other. What they say goes to `directory`/server.log.
class ServerProcess {
public:
    ServerProcess(std::filesystem::path directory, std::string world, std::string bug);
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;
    ~ServerProcess();

    /// Starts the next one, which dies at `crash_at` ("name:nth"; "" nowhere). True when it serves; false when it died before.
    bool start(const std::string& crash_at);
    /// Its end, if it comes in time.
    std::optional<End> wait(std::chrono::milliseconds patience);
    void send(int signal) const;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool is_alive() const noexcept { return pid_ > 0; }
    [[nodiscard]] long boots() const noexcept { return boots_; }

private:
    const std::filesystem::path directory_;
    const std::string world_;
    const std::string bug_;
    pid_t pid_ = -1;
    std::optional<End> ended_;  // of the process that start() saw dying
    std::uint16_t port_ = 0;
    long boots_ = 0;
};

}  // namespace durable_mcp::crash
