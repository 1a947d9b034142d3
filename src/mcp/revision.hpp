// SPDX-License-Identifier: Apache-2.0
#pragma once

// What differs between the revisions of the specification, as data. A new revision is a column here, not a branch elsewhere.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace durable_mcp::mcp {

/// In the order of their dates, so that `<` reads "older than".
enum class Revision : std::uint8_t { r2024_11_05, r2025_03_26, r2025_06_18, r2025_11_25, r2026_07_28 };

inline constexpr Revision latest_session_revision = Revision::r2025_11_25;
inline constexpr Revision stateless_revision = Revision::r2026_07_28;
inline constexpr std::size_t revision_count = 5;

/// What a peer of that revision may be shown, and may do.
struct RevisionTraits {
    Revision revision;
    std::string_view date;
    bool batches;             ///< a POST may be an array
    bool primes_streams;      ///< SSE streams begin with an event id and no data; the server may close and be resumed
    bool audio;               ///< audio content, tool annotations, progress.message
    bool structured;          ///< title, _meta, outputSchema, structuredContent, resource_link
    bool icons;               ///< icons, execution, Implementation.description and .websiteUrl
    bool stateless;           ///< no session, no handshake: every request says all that is needed; results have a resultType
    bool argument_errors_in_band;  ///< invalid tool arguments are an `isError` result, not -32602 (SEP-1303)
};

[[nodiscard]] const RevisionTraits& traits(Revision revision);
[[nodiscard]] std::optional<Revision> revision_from(std::string_view date);
/// What `initialize` answers: the asked revision when we speak it, else our latest one with sessions.
[[nodiscard]] Revision negotiate(std::string_view asked);

enum class Method : std::uint8_t {
    initialize, initialized, ping,
    tools_list, tools_call, prompts_list, prompts_get,
    resources_list, resources_templates_list, resources_read, resources_subscribe, resources_unsubscribe,
    completion_complete, logging_set_level,
    cancelled, progress, roots_list_changed,
    server_discover, subscriptions_listen, tasks_get, tasks_result, tasks_list, tasks_cancel, tasks_update,
};

/// The method of that name, if a client of that revision may send it.
[[nodiscard]] std::optional<Method> method_from(Revision revision, std::string_view name);

}  // namespace durable_mcp::mcp
