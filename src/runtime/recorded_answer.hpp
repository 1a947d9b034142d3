// SPDX-License-Identifier: Apache-2.0
#pragma once

// An answer that was recorded for one request, told to another one.

#include <string>
#include <string_view>
#include <variant>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/revision.hpp"
#include "mcp/router.hpp"

namespace durable_mcp::runtime {

/// The same response under another id, its bytes untouched; in the shape of another revision where that differs.
[[nodiscard]] std::string retell(const mcp::ServerFacts& facts, const std::string& payload, const jsonrpc::Id& from, const jsonrpc::Id& to,
                                 mcp::Revision told_in, mcp::Revision revision);
/// What it says: a result or an error.
[[nodiscard]] std::variant<base::Json, jsonrpc::Error> outcome_of(const std::string& payload);
/// Its result with the `_meta` that names the task (2025-11-25). An error stays as it is.
[[nodiscard]] std::string with_related_task(const std::string& payload, std::string_view task);
/// The HTTP status that 2026-07-28 asks for: 400 for a missing capability, else 200.
[[nodiscard]] unsigned status_of(std::string_view payload);

}  // namespace durable_mcp::runtime
