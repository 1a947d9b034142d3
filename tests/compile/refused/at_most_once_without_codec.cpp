// SPDX-License-Identifier: Apache-2.0
// says: what a step returns is stored, and there is no durable_mcp::codec<T> for this type
#include <durable_mcp/server.hpp>

// semantics §2: a result type without a codec does not compile.
struct Receipt {};

void work(durable_mcp::DurableContext& context) {
    context.at_most_once("charge", [] { return Receipt{}; });
}
