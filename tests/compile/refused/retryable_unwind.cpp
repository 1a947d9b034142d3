// SPDX-License-Identifier: Apache-2.0
// says: Unwind is not a failure of the step
#include <durable_mcp/server.hpp>

void work(durable_mcp::DurableContext& context) {
    context.at_most_once("x", [] {}, {.retryable = durable_mcp::retryable<durable_mcp::Unwind>});
}
