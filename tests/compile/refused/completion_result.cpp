// SPDX-License-Identifier: Apache-2.0
// says: a completion returns a std::vector<std::string> or a durable_mcp::CompletionResult
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& mcp) {
    mcp.completion("travel", "city", [](std::string typed) { return typed; });
}
