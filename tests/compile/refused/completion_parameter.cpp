// SPDX-License-Identifier: Apache-2.0
// says: a completion takes what the user has typed so far
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& mcp) {
    mcp.completion("travel", "city", [](int) { return std::vector<std::string>{}; });
}
