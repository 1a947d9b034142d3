// SPDX-License-Identifier: Apache-2.0
// says: a handler must not be noexcept
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](durable_mcp::DurableContext&) noexcept {});
}
