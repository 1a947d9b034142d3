// SPDX-License-Identifier: Apache-2.0
// says: a step's callable takes no arguments
#include <durable_mcp/server.hpp>

void work(durable_mcp::DurableContext& context) {
    context.at_most_once("charge", [](int n) { return n; });
}
