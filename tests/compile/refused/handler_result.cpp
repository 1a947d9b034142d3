// SPDX-License-Identifier: Apache-2.0
// says: a handler returns its kind's result
#include <durable_mcp/server.hpp>

struct Receipt {};

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [] { return Receipt{}; });
}
