// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/json.hpp"
#include "mcp/revision.hpp"

namespace durable_mcp::mcp {

/// RFC 5424 severities, in the order of the specification.
enum class LogLevel : std::uint8_t { debug, info, notice, warning, error, critical, alert, emergency };
[[nodiscard]] std::string_view name_of(LogLevel level);
[[nodiscard]] std::optional<LogLevel> log_level_from(std::string_view name);

/// A session of the revisions that have them. It survives every restart: what is here is what its row says.
struct Session {
    std::string id;
    std::string owner;                ///< principal; "" is the anonymous one
    Revision revision = latest_session_revision;
    base::Json client_info = base::Json::object();   ///< Implementation, without its icons
    base::Json capabilities = base::Json::object();  ///< ClientCapabilities
    bool initialized = false;         ///< notifications/initialized has arrived
    LogLevel log_level = LogLevel::info;  ///< until logging/setLevel the server decides
    std::set<std::string> subscriptions;  ///< URIs of resources/subscribe
    std::string standalone_stream;    ///< stream id of the GET stream
    bool standalone_opened = false;   ///< somebody has read it, so that there is a cursor to resume from
};

/// The row's document, and back. from_document() fails with `store_damaged`.
[[nodiscard]] std::string to_document(const Session& session);
[[nodiscard]] base::Result<Session> session_from_document(std::string id, std::string owner, std::string_view document);

}  // namespace durable_mcp::mcp
