// SPDX-License-Identifier: Apache-2.0
// says: what a step returns is stored, and there is no durable_mcp::codec<T> for this type
#include <durable_mcp/server.hpp>

void work(durable_mcp::DurableContext& context) {
    context.at_least_once("look", [] { return static_cast<int*>(nullptr); });
}
