// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crash/client.hpp"
#include "crash/world.hpp"

namespace durable_mcp::crash {

/// What the ledger and the answers say against the server: one sentence for each thing that must not be (reliability.md §2.3).
/// `final_state` is the answer of the tool `audit` after everything has ended.
[[nodiscard]] std::vector<std::string> find_violations(const std::vector<Deed>& ledger, const std::vector<Call>& calls,
                                                       const std::string& final_state);

}  // namespace durable_mcp::crash
