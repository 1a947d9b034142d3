// SPDX-License-Identifier: Apache-2.0
// says: a handler must not be mutable: many threads call it at once
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [n = 0]() mutable { return ++n; });
}
