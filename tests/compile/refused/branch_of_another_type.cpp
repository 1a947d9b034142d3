// SPDX-License-Identifier: Apache-2.0
// says: a branch of parallel<T> returns a T
#include <string>

#include <durable_mcp/server.hpp>

void work(durable_mcp::DurableContext& context) {
    context.parallel<int>("all", {[] { return 1; }, [] { return std::string("2"); }});
}
