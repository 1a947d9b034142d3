// SPDX-License-Identifier: Apache-2.0
// says: session_state<T>: there is no durable_mcp::codec<T> for this type
#include <durable_mcp/server.hpp>

struct Receipt {};

void work(durable_mcp::DurableContext& context) { context.session_state<Receipt>().reset(); }
