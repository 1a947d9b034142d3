// SPDX-License-Identifier: Apache-2.0
// says: a handler takes its arguments by value or by const reference
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", {"a"}, [](std::string& a) { return a; });
}
