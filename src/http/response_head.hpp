// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/head_check.hpp"
#include "runtime/exchange.hpp"

namespace durable_mcp::http {

/// Appends status line, fields and closing empty line of a response that is sent whole. Fields that hold line ends or NUL are left out:
/// a value must never become a second response.
void append_whole_head(std::string& out, const runtime::WholeResponse& response, bool keep_alive);

/// Appends the head of an event stream. `chunked`: HTTP/1.1; otherwise the stream ends with the connection.
/// `close`: the connection ends after it.
void append_stream_head(std::string& out, const runtime::HeaderList& headers, bool chunked, bool close);

/// What this layer itself answers when it refuses a request: a JSON-RPC error without id, or for 404 a plain JSON object.
[[nodiscard]] runtime::WholeResponse make_refusal_response(const Refusal& refusal);

}  // namespace durable_mcp::http
