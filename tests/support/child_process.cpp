// SPDX-License-Identifier: Apache-2.0
#include "support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

namespace durable_mcp::testing_support {
namespace {

[[noreturn]] void fail(int error, const std::string& what) { throw std::system_error(error, std::generic_category(), what); }

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        fail(errno, "pipe2");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<char*> arguments;
    for (const auto& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    const int error = posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    pipe_ = ends[0];
    if (error != 0) {
        close(pipe_);
        fail(error, command[0]);
    }
}

ChildProcess::~ChildProcess() {
    kill_now();
    close(pipe_);
}

void ChildProcess::kill_now() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
}

bool ChildProcess::read_some(std::chrono::steady_clock::time_point until) {
    while (!ended_) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
        pollfd ready{pipe_, POLLIN, 0};
        const int count = poll(&ready, 1, static_cast<int>(std::max<long>(0, left)));
        if (count == 0) {
            return false;
        }
        std::array<char, 4096> buffer{};
        const ssize_t got = count < 0 ? -1 : read(pipe_, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            ended_ = true;
            return false;
        }
        output_.append(buffer.data(), static_cast<std::size_t>(got));
        return true;
    }
    return false;
}

std::optional<std::string> ChildProcess::wait_for_line(const std::string& words, std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        for (auto end = output_.find('\n', seen_); end != std::string::npos; end = output_.find('\n', seen_)) {
            std::string line = output_.substr(seen_, end - seen_);
            seen_ = end + 1;
            if (line.find(words) != std::string::npos) {
                return line;
            }
        }
        if (!read_some(until)) {
            return std::nullopt;
        }
    }
}

std::optional<int> ChildProcess::wait_for_end(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (read_some(until)) {
    }
    if (!ended_ || pid_ <= 0) {
        return std::nullopt;
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string server_program(const std::string& built) {
    const std::string here = DURABLE_MCP_BINARY_DIR;
    const char* const other = std::getenv("DURABLE_MCP_SERVERS_OF");
    if (other == nullptr || !built.starts_with(here)) {
        return built;
    }
    const std::string program = other + built.substr(here.size());
    if (access(program.c_str(), X_OK) != 0) {
        fail(errno, "DURABLE_MCP_SERVERS_OF: " + program);
    }
    return program;
}

}  // namespace durable_mcp::testing_support
