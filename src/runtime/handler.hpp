// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "mcp/catalog.hpp"

namespace durable_mcp::runtime {

/// How much of a call is kept when it does nothing durable itself.
enum class Durability : std::uint8_t {
    full,  ///< its answer is committed before it leaves, so that a re-sent request gets the same one
    none,  ///< nothing is written for it, ever; a step inside it is an error
};

/// What runs when an item is called. `run` is called on a handler thread, with the arguments as the peer sent them, and returns the result
/// in the newest wire form (CallToolResult, GetPromptResult or ReadResourceResult). What it throws is turned into the answer by the engine:
/// durable_mcp::InvalidArguments, ToolError and ResourceNotFound have a meaning of their own; anything else is the author's failure.
struct HandlerTarget final : mcp::CallTarget {
    std::function<base::Json(detail::CallPort& port, const mcp::Item& item, const std::string& name, const base::Json& arguments)> run;
    Durability durability = Durability::full;

    // Tools only.
    std::string idempotency_argument;      ///< the argument that is the call's idempotency key; "" is none
    bool takes_idempotency_keys = false;   ///< in params.idempotencyKey, _meta or the header
    /// How long a stateless client is kept waiting before it gets a task, or a requestState to come back with. Unset: the server's.
    std::optional<std::chrono::milliseconds> inline_wait;
    std::optional<std::chrono::milliseconds> task_ttl;       ///< unset: the server's
    std::optional<std::chrono::milliseconds> poll_interval;  ///< what task clients are told; unset: the server's
};

}  // namespace durable_mcp::runtime
