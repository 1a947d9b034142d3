// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace durable_mcp::testing_support {

/// A program that this test started, its standard output and error in one pipe. Killed and reaped when it goes out of scope.
class ChildProcess {
public:
    /// Starts `command[0]`, found as a path. Throws std::system_error.
    explicit ChildProcess(const std::vector<std::string>& command);
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess();

    /// Reads on until a line contains `words`, and returns it; nothing when the program ends, or `patience` does, first.
    [[nodiscard]] std::optional<std::string> wait_for_line(const std::string& words, std::chrono::milliseconds patience);

    /// Reads on until the program closes its output, and reaps it. Its exit code; minus the signal that ended it; nothing when `patience` ends first.
    [[nodiscard]] std::optional<int> wait_for_end(std::chrono::milliseconds patience);

    /// SIGKILL, and waits until it is dead.
    void kill_now();

    /// Everything it has said so far.
    [[nodiscard]] const std::string& output() const noexcept { return output_; }

private:
    bool read_some(std::chrono::steady_clock::time_point until);  ///< false at the end of the output or of the time

    pid_t pid_ = -1;
    int pipe_ = -1;
    bool ended_ = false;
    std::string output_;
    std::size_t seen_ = 0;  ///< how much of output_ wait_for_line has passed
};

/// A server to be started: `built`, which this build has made, or, where DURABLE_MCP_SERVERS_OF names the folder of another build, the same
/// program of that one. So one build's tests can be run against servers with sanitizers.
[[nodiscard]] std::string server_program(const std::string& built);

}  // namespace durable_mcp::testing_support
