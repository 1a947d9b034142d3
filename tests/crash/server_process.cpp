// SPDX-License-Identifier: Apache-2.0
#include "crash/server_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/child_process.hpp"

namespace durable_mcp::crash {
namespace {

End end_of(int status) {
    return WIFSIGNALED(status) ? End{true, WTERMSIG(status)} : End{false, WEXITSTATUS(status)};
}

}  // namespace

ServerProcess::ServerProcess(std::filesystem::path directory, std::string world, std::string bug)
    : directory_(std::move(directory)), world_(std::move(world)), bug_(std::move(bug)) {}

ServerProcess::~ServerProcess() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

bool ServerProcess::start(const std::string& crash_at) {
    if (pid_ > 0) {
        throw std::logic_error("the last server is still alive");
    }
    ended_.reset();
    ++boots_;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe2");
    }
    const std::string log = (directory_ / "server.log").string();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    std::vector<std::string> arguments{testing_support::server_program(DURABLE_MCP_CRASH_SERVER), std::to_string(port_), (directory_ / "store.db").string(), world_,
                                       std::to_string(boots_)};
    std::vector<std::string> variables{"DURABLE_MCP_CRASH_AT=" + crash_at, "DURABLE_MCP_BUG=" + bug_};
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (std::string_view(*variable).rfind("DURABLE_MCP_", 0) != 0) {
            variables.emplace_back(*variable);
        }
    }
    std::vector<char*> argument_list;
    std::vector<char*> variable_list;
    for (std::string& argument : arguments) {
        argument_list.push_back(argument.data());
    }
    for (std::string& variable : variables) {
        variable_list.push_back(variable.data());
    }
    argument_list.push_back(nullptr);
    variable_list.push_back(nullptr);
    const int error = ::posix_spawn(&pid_, argument_list[0], &actions, nullptr, argument_list.data(), variable_list.data());
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
        pid_ = -1;
        ::close(ends[0]);
        throw std::runtime_error("cannot start " + arguments[0]);
    }
    // Either the line that it serves, or the end of its output.
    std::string said;
    std::array<char, 256> buffer{};
    ssize_t got = 0;
    while (said.find('\n') == std::string::npos &&
           ((got = ::read(ends[0], buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR))) {
        said.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    ::close(ends[0]);
    if (const auto at = said.find("listening on "); at != std::string::npos) {
        port_ = static_cast<std::uint16_t>(std::atoi(said.c_str() + at + 13));
        return true;
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    ended_ = end_of(status);
    return false;
}

std::optional<End> ServerProcess::wait(std::chrono::milliseconds patience) {
    if (pid_ <= 0) {
        return std::exchange(ended_, std::nullopt);
    }
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd ready{handle, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(patience.count()));
    ::close(handle);
    if (count == 0) {
        return std::nullopt;
    }
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) {
        return std::nullopt;
    }
    pid_ = -1;
    return end_of(status);
}

void ServerProcess::send(int signal) const {
    if (pid_ > 0) {
        ::kill(pid_, signal);
    }
}

}  // namespace durable_mcp::crash
