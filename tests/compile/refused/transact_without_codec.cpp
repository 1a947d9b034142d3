// SPDX-License-Identifier: Apache-2.0
// says: what a transaction returns is stored, and there is no durable_mcp::codec<T> for this type
#include <durable_mcp/server.hpp>

struct Receipt {};

void work(durable_mcp::DurableContext& context) {
    context.transact("book", [](auto&) { return Receipt{}; });
}
