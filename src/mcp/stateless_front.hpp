// SPDX-License-Identifier: Apache-2.0
#pragma once

// The HTTP and envelope rules of the stateless era (2026-07-28; protocol §1.1, §1.3): which era a POST belongs to, and whether its headers, its
// envelope and its body agree. front.hpp is the door to both eras.

#include <optional>
#include <string_view>
#include <variant>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/http_facts.hpp"
#include "mcp/revision.hpp"
#include "mcp/session.hpp"

namespace durable_mcp::mcp {

/// A request whose envelope and standard headers are right.
struct StatelessRequest {
    jsonrpc::Request request;            ///< params without `_meta`
    Revision revision = stateless_revision;
    base::Json meta;                     ///< params._meta, an object
    base::Json capabilities;             ///< ClientCapabilities of this request
    base::Json client_info;              ///< Implementation, or null
    std::optional<LogLevel> log_level;   ///< opted in to notifications/message
    HeaderLookup header;                 ///< for Mcp-Param-* and Idempotency-Key; valid while the HTTP request is
};
/// A notification of the stateless era: 202, and nothing happens.
struct StatelessNotification {};
/// It is the session era's: read it as such.
struct SessionEra {};

using Classified = std::variant<SessionEra, StatelessRequest, StatelessNotification, HttpRefusal>;

/// Classifies a POST by its parsed body, which is consumed unless the answer is SessionEra. The body decides; headers are only compared with it.
[[nodiscard]] Classified classify(const HttpFacts& facts, base::Json& body);

/// True for a revision's date from 2026-07-28 on, known to us or not: dates are ordered as texts.
[[nodiscard]] bool names_stateless_era(std::string_view date);

}  // namespace durable_mcp::mcp
