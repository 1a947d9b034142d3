// SPDX-License-Identifier: Apache-2.0
// says: a member of this struct has a type for which there is no durable_mcp::codec<T>
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

struct Order {
    std::string item;
    std::optional<std::optional<int>> count;
};

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](Order order) { return order.item; });
}
