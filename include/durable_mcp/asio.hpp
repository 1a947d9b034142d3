// SPDX-License-Identifier: Apache-2.0
#pragma once

// A server on the program's own io_context. The only public header that names Asio.

#include <boost/asio/io_context.hpp>

#include "durable_mcp/export.hpp"
#include "durable_mcp/server.hpp"

namespace durable_mcp {

/// As DurableMCP::start(), but sockets and timers live on `context`, which the program runs, with one thread or many, on another thread
/// than the one that calls this and stop(). Handlers still run on the server's own threads.
///
/// *Lifetime*: `context` must run until stop() has returned, and outlive the server.
DURABLE_MCP_EXPORT void start_on(DurableMCP& server, boost::asio::io_context& context);

}  // namespace durable_mcp
