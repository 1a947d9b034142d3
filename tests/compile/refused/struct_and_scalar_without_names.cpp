// SPDX-License-Identifier: Apache-2.0
// says: this handler has parameters without a name
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

struct Order {
    std::string item;
};

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](Order order, int count) { return order.item + std::to_string(count); });
}
