// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON-RPC 2.0 messages as MCP uses them: ids are strings or integers, never null; params are objects.

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.hpp"

namespace durable_mcp::jsonrpc {

/// A request id, kept as its JSON text: `1` and `"1"` differ, 2^53+1 survives. Ordered and hashable through `text`.
struct Id {
    std::string text;
    friend auto operator<=>(const Id&, const Id&) = default;
};

/// JSON-RPC codes, and those of MCP (revision 2025-11-25 and earlier; protocol §2.1).
enum ErrorCode : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    transport_error = -32000,     ///< legacy: what the official SDKs answer to transport faults
    session_not_found = -32001,   ///< legacy
    resource_not_found = -32002,  ///< legacy
    header_mismatch = -32020,     ///< 2026-07-28: a required header is missing, or says something else than the body
    missing_capability = -32021,  ///< 2026-07-28: the request needs a capability that its client did not declare
    unsupported_version = -32022, ///< 2026-07-28
    url_elicitation_required = -32042,  ///< 2025-11-25 only
};

struct Error {
    int code = internal_error;
    std::string message;
    std::optional<base::Json> data;
};

struct Request {
    Id id;
    std::string method;
    base::Json params;  ///< an object, or null when absent
};

struct Notification {
    std::string method;
    base::Json params;
};

struct Response {
    Id id;  ///< its `text` is empty in an error that names no request, because its sender could not read ours
    std::variant<base::Json, Error> outcome;
};

/// Not a JSON-RPC message. `id` is there when it could be read, and is echoed in the error.
struct Malformed {
    std::optional<Id> id;
    Error error;
};

using Message = std::variant<Request, Notification, Response, Malformed>;

/// The id that `value` is, if it may be one: an integer, or a string of at most `request_id_bytes`.
[[nodiscard]] std::optional<Id> id_from(const base::Json& value);

/// Reads one message (not a batch). Consumes `json`.
[[nodiscard]] Message read_message(base::Json&& json);

/// The texts of messages. `result` and `params` are JSON texts and are copied as they are; empty `params` are left out.
[[nodiscard]] std::string write_result(const Id& id, std::string_view result);
[[nodiscard]] std::string write_error(const std::optional<Id>& id, const Error& error);  ///< without id: `"id":null` is left out
[[nodiscard]] std::string write_notification(std::string_view method, std::string_view params);
[[nodiscard]] std::string write_request(const Id& id, std::string_view method, std::string_view params);

/// A response that write_result() or write_error() wrote for `from`, as the answer to `to`; not a byte behind its id is changed.
[[nodiscard]] std::string readdress(std::string_view response, const Id& from, const Id& to);

}  // namespace durable_mcp::jsonrpc
