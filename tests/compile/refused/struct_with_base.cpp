// SPDX-License-Identifier: Apache-2.0
// says: this handler has parameters without a name
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

struct Named {
    std::string name;
};
struct Order : Named {
    int count;
};

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](Order order) { return order.name; });
}
