// SPDX-License-Identifier: Apache-2.0
#pragma once

// The HTTP rules of the session era (protocol §1.2, failure table §1.2.1): from method, headers and body to what is asked of the engine.
// front.hpp is the door to both eras.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/http_facts.hpp"
#include "mcp/session.hpp"

namespace durable_mcp::mcp {

/// A POST whose body is one message or a batch. Whether a batch is allowed depends on the session's revision: see check_against().
struct Posted {
    std::vector<jsonrpc::Message> messages;
    bool is_batch = false;
    bool is_initialize = false;      ///< a single initialize request: the one thing that needs no session
    std::optional<std::string> idempotency_key;  ///< of the Idempotency-Key header; counts for a single tools/call that says none itself
};
struct OpenStandalone {};            ///< GET
struct Resume { std::string last_event_id; };  ///< GET + Last-Event-ID
struct EndSession {};                ///< DELETE

/// Reads a POST whose body has been parsed. Refuses everything but `initialize` that names no session.
[[nodiscard]] std::variant<HttpRefusal, Posted> read_session_post(const HttpFacts& facts, base::Json&& body);
/// Reads a GET or DELETE.
[[nodiscard]] std::variant<HttpRefusal, OpenStandalone, Resume, EndSession> read_session_stream(const HttpFacts& facts);

/// Checks what only the session can tell: a batch where its revision has none, a batch with `initialize` in it, too many messages.
[[nodiscard]] std::optional<HttpRefusal> check_against(const Session& session, const Posted& posted, std::size_t batch_messages);

[[nodiscard]] HttpRefusal unknown_session();                       ///< 404, -32001
[[nodiscard]] HttpRefusal unavailable(std::string_view sentence);  ///< 503 with Retry-After
[[nodiscard]] HttpRefusal unknown_event();                         ///< 400 for a Last-Event-ID that is not (or no longer) of this session

}  // namespace durable_mcp::mcp
