// SPDX-License-Identifier: Apache-2.0
#pragma once

// One of our example programs in a process of its own, which can be killed and started again on the same port and the same files.

#include <cstdint>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child_process.hpp"
#include "support/javascript.hpp"
#include "support/temporary_directory.hpp"

namespace durable_mcp::interop {

class ExampleServer {
public:
    /// Starts it on a free port, and waits until it listens. Throws std::runtime_error with what it said instead.
    explicit ExampleServer(const std::string& program) : program_(testing_support::server_program(program)) { start("0"); }

    /// SIGKILL, and the next one on the same port, store and ledger.
    void kill_and_restart() {
        kill();
        start(std::to_string(port()));
    }
    void kill() { process_->kill_now(); }

    /// "http://127.0.0.1:PORT/mcp"
    [[nodiscard]] const std::string& url() const { return url_; }
    [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(std::stoul(url_.substr(url_.rfind(':') + 1))); }

    /// What it has done so far, over all its lives.
    [[nodiscard]] std::vector<std::string> ledger() const {
        std::vector<std::string> lines;
        std::ifstream in(folder_ / "ledger");
        for (std::string line; std::getline(in, line);) {
            lines.push_back(line);
        }
        return lines;
    }

    [[nodiscard]] const testing_support::TemporaryDirectory& folder() const { return folder_; }

private:
    void start(const std::string& port) {
        process_ = std::make_unique<testing_support::ChildProcess>(
            std::vector<std::string>{program_, "--port", port, "--store", folder_ / "calls.db", "--ledger", folder_ / "ledger"});
        const std::string url = testing_support::url_of(*process_);
        if (url.empty() || (!url_.empty() && url != url_)) {
            throw std::runtime_error(program_ + " does not listen: " + process_->output());
        }
        url_ = url;
    }

    const std::string program_;
    const testing_support::TemporaryDirectory folder_;
    std::string url_;
    std::unique_ptr<testing_support::ChildProcess> process_;
};

/// A program of tests/support/js, run by the Node that `install` has fetched.
[[nodiscard]] inline std::vector<std::string> javascript(const std::string& script, std::vector<std::string> arguments) {
    const std::string clients = DURABLE_MCP_SOURCE_DIR "/tests/support/js/";
    arguments.insert(arguments.begin(), {clients + "run", clients + script});
    return arguments;
}

}  // namespace durable_mcp::interop
