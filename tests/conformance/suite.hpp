// SPDX-License-Identifier: Apache-2.0
#pragma once

// One run of the official suite against a server of its own, and what the suite wrote about it. Its exit code knows failures only; it also
// leaves a file of all checks, which we read: a warning is a failure here.

#include <string>
#include <vector>

namespace durable_mcp::conformance {

struct Report {
    int exit_code = -1;                   ///< of the suite; -1 where it did not end
    int scenarios = 0;                    ///< that have left a file of checks
    int succeeded = 0;                    ///< checks
    std::vector<std::string> complaints;  ///< failures and warnings
    std::vector<std::string> skipped;     ///< what was left out, and why
    std::string output;                   ///< what the suite has said, and the server, if it did not start
};

/// Starts conformance_server with a new store and lets `part` (conformance_0.1, conformance_0.2) test it: "server --url … `arguments`".
[[nodiscard]] Report run_suite(const std::string& part, const std::vector<std::string>& arguments);

/// The names of the server scenarios that `part` has, in its order.
[[nodiscard]] std::vector<std::string> list_scenarios(const std::string& part);

}  // namespace durable_mcp::conformance
