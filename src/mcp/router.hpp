// SPDX-License-Identifier: Apache-2.0
#pragma once

// The protocol as a function: what a peer said goes in, what must be done comes out. No I/O, no time, no session table.
// The session era's front. The stateless era (2026-07-28) is a second front that yields the same StartCall.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "jsonrpc/message.hpp"
#include "mcp/catalog.hpp"
#include "mcp/session.hpp"

namespace durable_mcp::mcp {

/// Who we are, for initialize.
struct ServerFacts {
    base::Json implementation;           ///< name, version, title, …
    std::string instructions;            ///< "" is none
};

// ── What must be done ──────────────────────────────────────────────────────────────────────────────────────────────────────

struct Answer { std::string result; };             ///< answer now: the result's JSON text
struct Refuse { jsonrpc::Error error; };           ///< answer now with an error
struct Nothing {};                                 ///< a notification without an effect: 202
struct BeginSession { Session draft; std::string result; };  ///< complete but for id, owner and stream; answer when its row is durable
struct MarkInitialized {};                         ///< 202 when durable
struct SetLogLevel { LogLevel level; };            ///< `{}` when durable
struct CancelCall { jsonrpc::Id request; std::string reason; };  ///< 202 when durable
struct TakeAnswer { jsonrpc::Response response; }; ///< the client answers a question of ours: 202 when durable
struct StartCall {
    ItemKind kind = ItemKind::tool;
    std::shared_ptr<const Item> item;
    std::string name;                              ///< tool or prompt name, or the URI asked for
    base::Json arguments;                          ///< an object; for a resource its template variables
    std::optional<base::Json> progress_token;
    base::Json meta;                               ///< params._meta, or null
};

using Verdict = std::variant<Answer, Refuse, Nothing, BeginSession, MarkInitialized, SetLogLevel, CancelCall, TakeAnswer, StartCall>;

/// Routes one message. `session` is null only for `initialize` (and what may be said without one: nothing else).
/// Arguments are not validated here beyond "an object": the item's target does that.
[[nodiscard]] Verdict route(const ServerFacts& facts, const Catalog& catalog, const Session* session, jsonrpc::Message&& message);

/// The verdict for a call that is read back from the journal: the same StartCall, or Refuse when the item is no longer on offer (B23).
[[nodiscard]] std::variant<StartCall, Refuse> route_again(const Catalog& catalog, Revision revision, std::string_view method,
                                                          const base::Json& params);

/// ServerCapabilities that match what is registered (listChanged wherever there may be a list, logging always).
[[nodiscard]] base::Json capabilities(const Catalog& catalog, Revision revision);

}  // namespace durable_mcp::mcp
