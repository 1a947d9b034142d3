// SPDX-License-Identifier: Apache-2.0
// says: a parameter of this handler has a type that arguments cannot be read into
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", {"a"}, [](std::string_view a) { return a; });
}
