// SPDX-License-Identifier: Apache-2.0
// says: Outcome
#include <string>

#include <durable_mcp/server.hpp>

void work(durable_mcp::DurableContext& context) {
    context.at_most_once("charge", [] { return 1; },
                         {.reconcile = [](std::string_view) { return durable_mcp::Outcome<std::string>::done("2"); }});
}
