// SPDX-License-Identifier: Apache-2.0
// says: a member of this struct is const, and could not be read into
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

struct Order {
    const std::string item;
};

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](Order order) { return order.item; });
}
