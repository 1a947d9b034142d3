// SPDX-License-Identifier: Apache-2.0
#pragma once

// The headers of the stateless era that repeat parts of the body, so that proxies can route without reading it (2026-07-28 Streamable HTTP, §Request
// Metadata). Whoever trusts a header must be able to rely on its saying what the body says.

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/http_facts.hpp"

namespace durable_mcp::mcp {

/// `value` without the white space around it (RFC 9110 §5.5); absent stays absent.
[[nodiscard]] std::string_view trim_spaces(std::string_view value);

/// What an Mcp-Name or Mcp-Param-* header says: a plain value as it is, `=?base64?…?=` decoded. Nothing for a character that a header must not have,
/// Base64 that is not canonical (padded, no stray bits), and bytes that are not UTF-8 (§Value Encoding).
[[nodiscard]] std::optional<std::string> decode_header_value(std::string_view value);

/// -32020 with that explanation.
[[nodiscard]] jsonrpc::Error header_mismatch(std::string_view explanation);

/// The member of params that Mcp-Name repeats for requests of that method; "" if there is none.
[[nodiscard]] std::string_view routed_by(std::string_view method);

/// Compares Mcp-Method with the method and, where the method has one, Mcp-Name with its source in `params`. Nothing when both are right.
/// `name_may_be_absent`: what is there is compared all the same.
[[nodiscard]] std::optional<jsonrpc::Error> check_routing_headers(const HeaderLookup& header, std::string_view method, const base::Json& params,
                                                                  bool name_may_be_absent);

}  // namespace durable_mcp::mcp
