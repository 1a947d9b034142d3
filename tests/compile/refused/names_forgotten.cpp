// SPDX-License-Identifier: Apache-2.0
// says: the number of names is not the number of the handler's parameters
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](int a) { return a; });
}
