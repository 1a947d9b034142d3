// SPDX-License-Identifier: Apache-2.0
// says: DurableContext::ask: ask at least one question
#include <durable_mcp/server.hpp>

void work(durable_mcp::DurableContext& context) { context.ask(); }
