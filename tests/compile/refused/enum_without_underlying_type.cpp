// SPDX-License-Identifier: Apache-2.0
// says: the names of this enum cannot be had: write `enum class`, give it an underlying type, or specialise durable_mcp::enum_names
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

enum Size { small, large };

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", {"size"}, [](Size size) { return size; });
}
