// SPDX-License-Identifier: Apache-2.0
// says: this handler has parameters without a name: write their names, in their order, in braces before the handler; or, for a tool, take one plain struct
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](durable_mcp::DurableContext&, std::int64_t cents) { return cents; });
}
