// SPDX-License-Identifier: Apache-2.0
#include "mcp/revision.hpp"

#include <array>
#include <cstddef>

namespace durable_mcp::mcp {
namespace {

constexpr std::array<RevisionTraits, 4> all_traits{{
    // revision, date, batches, primes_streams, audio, structured, icons, argument_errors_in_band
    {Revision::r2024_11_05, "2024-11-05", true, false, false, false, false, false},
    {Revision::r2025_03_26, "2025-03-26", true, false, true, false, false, false},
    {Revision::r2025_06_18, "2025-06-18", false, false, true, true, false, false},
    {Revision::r2025_11_25, "2025-11-25", false, true, true, true, true, true},
}};

struct MethodRow {
    std::string_view name;
    Method method;
    Revision since;
};

// What a client may send. A name that is in no row is unknown; so is one that came later than the revision spoken.
constexpr MethodRow methods[] = {
    {"tools/call", Method::tools_call, Revision::r2024_11_05},
    {"tools/list", Method::tools_list, Revision::r2024_11_05},
    {"resources/read", Method::resources_read, Revision::r2024_11_05},
    {"prompts/get", Method::prompts_get, Revision::r2024_11_05},
    {"ping", Method::ping, Revision::r2024_11_05},
    {"initialize", Method::initialize, Revision::r2024_11_05},
    {"notifications/initialized", Method::initialized, Revision::r2024_11_05},
    {"notifications/cancelled", Method::cancelled, Revision::r2024_11_05},
    {"notifications/progress", Method::progress, Revision::r2024_11_05},
    {"notifications/roots/list_changed", Method::roots_list_changed, Revision::r2024_11_05},
    {"prompts/list", Method::prompts_list, Revision::r2024_11_05},
    {"resources/list", Method::resources_list, Revision::r2024_11_05},
    {"resources/templates/list", Method::resources_templates_list, Revision::r2024_11_05},
    {"resources/subscribe", Method::resources_subscribe, Revision::r2024_11_05},
    {"resources/unsubscribe", Method::resources_unsubscribe, Revision::r2024_11_05},
    {"completion/complete", Method::completion_complete, Revision::r2024_11_05},
    {"logging/setLevel", Method::logging_set_level, Revision::r2024_11_05},
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
    return revision_from(asked).value_or(latest_session_revision);
}

std::optional<Method> method_from(Revision revision, std::string_view name) {
    for (const MethodRow& row : methods) {
        if (row.name == name) {
            return row.since <= revision ? std::optional(row.method) : std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace durable_mcp::mcp
