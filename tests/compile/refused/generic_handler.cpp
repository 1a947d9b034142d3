// SPDX-License-Identifier: Apache-2.0
// says: a handler is a function or a lambda whose parameters have types
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", {"a"}, [](auto a) { return a; });
}
