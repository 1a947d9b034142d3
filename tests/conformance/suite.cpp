// SPDX-License-Identifier: Apache-2.0
#include "conformance/suite.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "support/child_process.hpp"
#include "support/javascript.hpp"
#include "support/temporary_directory.hpp"

namespace durable_mcp::conformance {
namespace {

using namespace std::chrono_literals;
using testing_support::ChildProcess;
namespace fs = std::filesystem;

/// The suite's program, with the Node that it needs in front.
std::vector<std::string> command_of(const std::string& part) {
    return {DURABLE_MCP_SOURCE_DIR "/tests/support/js/run",
            (testing_support::javascript_folder() / part / "node_modules/@modelcontextprotocol/conformance/dist/index.js").string()};
}

void read_checks(const fs::path& file, Report& report) {
    ++report.scenarios;
    std::ifstream in(file);
    for (const auto& check : nlohmann::json::parse(in)) {
        const std::string status = check.at("status");
        if (status == "SUCCESS") {
            ++report.succeeded;
        } else if (status == "FAILURE" || status == "WARNING") {
            report.complaints.push_back(check.dump(2));
        } else if (status == "SKIPPED") {
            report.skipped.push_back(check.value("id", "") + ": " + check.value("errorMessage", ""));
        }
    }
}

}  // namespace

Report run_suite(const std::string& part, const std::vector<std::string>& arguments) {
    Report report;
    const testing_support::TemporaryDirectory folder;
    ChildProcess server({testing_support::server_program(DURABLE_MCP_CONFORMANCE_SERVER), "--port", "0", "--store", folder / "calls.db"});
    const std::string url = testing_support::url_of(server);
    if (url.empty()) {
        report.output = server.output();
        return report;
    }
    const fs::path results = folder / "results";
    std::vector<std::string> command = command_of(part);
    command.insert(command.end(), {"server", "--url", url, "-o", results.string()});
    command.insert(command.end(), arguments.begin(), arguments.end());
    ChildProcess suite(command);
    report.exit_code = suite.wait_for_end(110s).value_or(-1);
    report.output = suite.output();
    if (fs::exists(results)) {
        for (const auto& entry : fs::recursive_directory_iterator(results)) {
            if (entry.path().filename() == "checks.json") {
                read_checks(entry.path(), report);
            }
        }
    }
    return report;
}

std::vector<std::string> list_scenarios(const std::string& part) {
    std::vector<std::string> command = command_of(part);
    command.insert(command.end(), {"list", "--server"});
    ChildProcess suite(command);
    if (suite.wait_for_end(60s) != 0) {
        return {};
    }
    std::vector<std::string> names;
    std::istringstream lines(suite.output());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("  - ")) {
            names.push_back(line.substr(4, line.find(' ', 4) - 4));
        }
    }
    return names;
}

}  // namespace durable_mcp::conformance
