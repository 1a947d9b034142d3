// SPDX-License-Identifier: Apache-2.0
#pragma once

// The keys of `_meta` that the specification reserves, and ours.

#include <string_view>

namespace durable_mcp::mcp::meta_key {

// Of requests, from 2026-07-28 on: the envelope.
inline constexpr std::string_view protocol_version = "io.modelcontextprotocol/protocolVersion";
inline constexpr std::string_view client_capabilities = "io.modelcontextprotocol/clientCapabilities";
inline constexpr std::string_view client_info = "io.modelcontextprotocol/clientInfo";
inline constexpr std::string_view log_level = "io.modelcontextprotocol/logLevel";
// Of requests, in every revision.
inline constexpr std::string_view progress_token = "progressToken";
inline constexpr std::string_view idempotency_key = "durable-mcp/idempotencyKey";
// Of what we send.
inline constexpr std::string_view server_info = "io.modelcontextprotocol/serverInfo";
inline constexpr std::string_view subscription_id = "io.modelcontextprotocol/subscriptionId";
inline constexpr std::string_view related_task = "io.modelcontextprotocol/related-task";

}  // namespace durable_mcp::mcp::meta_key
