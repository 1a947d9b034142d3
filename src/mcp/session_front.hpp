// SPDX-License-Identifier: Apache-2.0
#pragma once

// The HTTP rules of the session era (protocol §1.2, failure table §1.2.1): from method, headers and body to what is asked of the engine.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/session.hpp"

namespace durable_mcp::mcp {

/// The headers that decide anything in this era. Null data() is "absent".
struct HttpFacts {
    std::string_view method;
    std::string_view accept;
    std::string_view content_type;
    std::string_view session_id;
    std::string_view protocol_version;
    std::string_view last_event_id;
};

/// An answer that needs no session: status, headers, JSON-RPC error text.
struct HttpRefusal {
    unsigned status = 400;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// A POST whose body is one message or a batch. Whether a batch is allowed depends on the session's revision: see admit_batch().
struct Posted {
    std::vector<jsonrpc::Message> messages;
    bool is_batch = false;
    bool is_initialize = false;      ///< a single initialize request: the one thing that needs no session
};
struct OpenStandalone {};            ///< GET
struct Resume { std::string last_event_id; };  ///< GET + Last-Event-ID
struct EndSession {};                ///< DELETE

using Asked = std::variant<HttpRefusal, Posted, OpenStandalone, Resume, EndSession>;

/// Reads a request. `body` is parsed within the wire limits. Everything but `initialize` is refused here when it names no session;
/// whether the named one exists is the caller's to find out.
[[nodiscard]] Asked read_request(const HttpFacts& facts, std::string_view body);

/// Checks what only the session can tell: a batch where its revision has none, a batch with `initialize` in it, too many messages.
[[nodiscard]] std::optional<HttpRefusal> check_against(const Session& session, const Posted& posted, std::size_t batch_messages);

[[nodiscard]] HttpRefusal unknown_session();                       ///< 404, -32001
[[nodiscard]] HttpRefusal unavailable(std::string_view sentence);  ///< 503 with Retry-After
[[nodiscard]] HttpRefusal unknown_event();                         ///< 400 for a Last-Event-ID that is not (or no longer) of this session

}  // namespace durable_mcp::mcp
