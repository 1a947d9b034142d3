// SPDX-License-Identifier: Apache-2.0
// says: elicit<T>: there is no durable_mcp::codec<T> for this type
#include <durable_mcp/server.hpp>

struct Order {
    int count;
};

void work(durable_mcp::DurableContext& context) { static_cast<void>(context.elicit<Order>("order", "What may it be?")); }
