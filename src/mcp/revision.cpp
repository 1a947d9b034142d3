// SPDX-License-Identifier: Apache-2.0
#include "mcp/revision.hpp"

#include <array>
#include <cstddef>

namespace durable_mcp::mcp {
namespace {

constexpr std::array<RevisionTraits, revision_count> all_traits{{
    // revision, date, batches, primes_streams, audio, structured, icons, stateless, argument_errors_in_band
    {Revision::r2024_11_05, "2024-11-05", true, false, false, false, false, false, false},
    {Revision::r2025_03_26, "2025-03-26", true, false, true, false, false, false, false},
    {Revision::r2025_06_18, "2025-06-18", false, false, true, true, false, false, false},
    {Revision::r2025_11_25, "2025-11-25", false, true, true, true, true, false, true},
    {Revision::r2026_07_28, "2026-07-28", false, false, true, true, true, true, true},
}};

constexpr auto first = Revision::r2024_11_05;
constexpr auto tasks_came = Revision::r2025_11_25;
constexpr auto last_with_sessions = latest_session_revision;
constexpr auto stateless = stateless_revision;

struct MethodRow {
    std::string_view name;
    Method method;
    Revision since;
    Revision until;
};

// What a client may send. A name that is in no row is unknown; so is one that the revision spoken does not know yet, or no longer. What an
// extension adds to the stateless era (extension.cpp) is here as well.
constexpr MethodRow methods[] = {
    {"tools/call", Method::tools_call, first, stateless},
    {"tools/list", Method::tools_list, first, stateless},
    {"resources/read", Method::resources_read, first, stateless},
    {"prompts/get", Method::prompts_get, first, stateless},
    {"ping", Method::ping, first, last_with_sessions},
    {"initialize", Method::initialize, first, last_with_sessions},
    {"server/discover", Method::server_discover, stateless, stateless},
    {"subscriptions/listen", Method::subscriptions_listen, stateless, stateless},
    {"tasks/get", Method::tasks_get, tasks_came, stateless},
    {"tasks/update", Method::tasks_update, stateless, stateless},
    {"tasks/cancel", Method::tasks_cancel, tasks_came, stateless},
    {"tasks/result", Method::tasks_result, tasks_came, last_with_sessions},
    {"tasks/list", Method::tasks_list, tasks_came, last_with_sessions},
    {"notifications/initialized", Method::initialized, first, last_with_sessions},
    {"notifications/cancelled", Method::cancelled, first, last_with_sessions},
    {"notifications/progress", Method::progress, first, last_with_sessions},
    {"notifications/roots/list_changed", Method::roots_list_changed, first, last_with_sessions},
    {"prompts/list", Method::prompts_list, first, stateless},
    {"resources/list", Method::resources_list, first, stateless},
    {"resources/templates/list", Method::resources_templates_list, first, stateless},
    {"resources/subscribe", Method::resources_subscribe, first, last_with_sessions},
    {"resources/unsubscribe", Method::resources_unsubscribe, first, last_with_sessions},
    {"completion/complete", Method::completion_complete, first, stateless},
    {"logging/setLevel", Method::logging_set_level, first, last_with_sessions},
};

}  // namespace

const RevisionTraits& traits(Revision revision) {
    return all_traits[static_cast<std::size_t>(revision)];
}

std::optional<Revision> revision_from(std::string_view date) {
    for (const RevisionTraits& row : all_traits) {
        if (row.date == date) {
            return row.revision;
        }
    }
    return std::nullopt;
}

Revision negotiate(std::string_view asked) {
    const auto revision = revision_from(asked);
    return revision && !traits(*revision).stateless ? *revision : latest_session_revision;
}

std::optional<Method> method_from(Revision revision, std::string_view name) {
    for (const MethodRow& row : methods) {
        if (row.name == name) {
            return row.since <= revision && revision <= row.until ? std::optional(row.method) : std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace durable_mcp::mcp
