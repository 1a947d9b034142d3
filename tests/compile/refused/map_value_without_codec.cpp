// SPDX-License-Identifier: Apache-2.0
// says: SortedMap::insert: there is no durable_mcp::codec<T> for the type of this value
#include <durable_mcp/server.hpp>

struct Receipt {};

void work(durable_mcp::DurableContext& context) { context.map("m").insert("k", Receipt{}); }
