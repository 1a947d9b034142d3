// SPDX-License-Identifier: Apache-2.0
#pragma once

// The protocol as a function: what a peer said goes in, what must be done comes out. No I/O, no time, no session table. The session era has
// route(), the stateless era (2026-07-28) has route_stateless(); both yield the same StartCall.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "jsonrpc/message.hpp"
#include "mcp/catalog.hpp"
#include "mcp/server_facts.hpp"
#include "mcp/session.hpp"
#include "mcp/stateless_front.hpp"

namespace durable_mcp::mcp {

// ── What must be done ──────────────────────────────────────────────────────────────────────────────────────────────────────

struct Answer { std::string result; };             ///< answer now: the result's JSON text
struct Refuse {
    jsonrpc::Error error;
    unsigned status = 200;                         ///< of HTTP, where the revision asks for another than 200 (2026-07-28)
};                                                 ///< answer now with an error
struct Nothing {};                                 ///< a notification without an effect: 202
struct BeginSession { Session draft; std::string result; };  ///< complete but for id, owner and stream; answer when its row is durable
struct MarkInitialized {};                         ///< 202 when durable
struct SetLogLevel { LogLevel level; };            ///< `{}` when durable
struct CancelCall { jsonrpc::Id request; std::string reason; };  ///< 202 when durable
struct TakeAnswer { jsonrpc::Response response; }; ///< the client answers a question of ours: 202 when durable
/// params.task of revision 2025-11-25.
struct TaskAugmentation { std::optional<std::int64_t> ttl_ms; };

/// What params.notifications of subscriptions/listen asks for, cut down to what is on offer.
struct ListenFilter {
    bool tools = false;
    bool prompts = false;
    bool resources = false;
    std::vector<std::string> resource_uris;
    std::vector<std::string> task_ids;
};

struct StartCall {
    ItemKind kind = ItemKind::tool;
    std::shared_ptr<const Item> item;
    std::string name;                              ///< tool or prompt name, or the URI asked for
    base::Json arguments;                          ///< an object; for a resource its template variables
    std::optional<base::Json> progress_token;
    base::Json meta;                               ///< params._meta, or null

    // Tasks.
    std::optional<TaskAugmentation> augmentation;  ///< 2025-11-25: the client asks for a task, and the tool may be one
    bool may_become_task = false;                  ///< 2026-07-28: the client declared the extension, and the tool may be one
    bool must_be_task = false;                     ///< the tool is always one

    // 2026-07-28: the client comes back. inputResponses in params, or null; requestState, still sealed.
    base::Json input_responses;
    std::optional<std::string> request_state;

    std::optional<std::string> idempotency_key;    ///< of params, _meta or (stateless era) the header; the argument is the runtime's to read
};

// ── Beyond calls ───────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Subscribe { std::string uri; };             ///< session era: `{}` when durable
struct Unsubscribe { std::string uri; };           ///< session era: `{}` when durable
struct Listen { ListenFilter filter; };            ///< 2026-07-28: an event stream of notifications
struct AskTask {
    enum class Verb : std::uint8_t { get, result, list, cancel, update } verb = Verb::get;
    std::string task;                              ///< its id; "" for list
    std::string cursor;                            ///< of list; "" from the beginning
    base::Json input_responses;                    ///< of update: an object
};                                                 ///< answered by the runtime, which knows tasks

using Verdict = std::variant<Answer, Refuse, Nothing, BeginSession, MarkInitialized, SetLogLevel, CancelCall, TakeAnswer, StartCall,
                             Subscribe, Unsubscribe, Listen, AskTask>;

/// Routes one message. `session` is null only for `initialize` (and what may be said without one: nothing else).
/// Arguments are not validated here beyond "an object": the item's target does that.
[[nodiscard]] Verdict route(const ServerFacts& facts, const Catalog& catalog, const Session* session, jsonrpc::Message&& message);

/// Routes one request of the stateless era. Everything that 2026-07-28 says of params, capabilities and Mcp-Param-* headers is checked here;
/// the envelope and the standard headers have been (stateless_front.hpp). Never yields BeginSession, MarkInitialized, SetLogLevel, CancelCall,
/// TakeAnswer, Subscribe, Unsubscribe. What a Listen asks of task ids is not cut down: the runtime knows tasks.
[[nodiscard]] Verdict route_stateless(const ServerFacts& facts, const Catalog& catalog, StatelessRequest&& request);

/// The verdict for a call that is read back from the journal: the same StartCall, or Refuse when the item is no longer on offer (B23). What the
/// stateless era read from the request's capabilities (may_become_task) is not in params, and is the caller's to remember.
[[nodiscard]] std::variant<StartCall, Refuse> route_again(const Catalog& catalog, Revision revision, std::string_view method,
                                                          const base::Json& params);

/// ServerCapabilities that match what is registered (listChanged wherever there may be a list; logging and completions always).
[[nodiscard]] base::Json capabilities(const Catalog& catalog, Revision revision);

}  // namespace durable_mcp::mcp
