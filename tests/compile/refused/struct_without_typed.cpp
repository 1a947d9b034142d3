// SPDX-License-Identifier: Apache-2.0
// says: whose members are the arguments (#include <durable_mcp/typed.hpp>)
#include <durable_mcp/server.hpp>

struct Order {
    std::string item;
};

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](Order order) { return order.item; });
}
