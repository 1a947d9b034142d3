// SPDX-License-Identifier: Apache-2.0
// says: this handler has parameters without a name
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](int a) { return a; });
}
