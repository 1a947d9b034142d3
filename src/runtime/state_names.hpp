// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whose maps a handler means when it says "the user's", "the session's", "the call's"; and what is allowed for each of these.

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"
#include "store/map_scope.hpp"
#include "store/store.hpp"

namespace durable_mcp::runtime {

class Call;

/// Nothing is: there is none, because the call came without a session, or nobody calls.
struct MapOwners {
    std::optional<std::string> user;
    std::optional<std::string> session;
    std::optional<std::string> call;
};

/// Whose maps the handler of that call means.
[[nodiscard]] MapOwners map_owners_of(const Call& call);

/// Under which name the map is kept. Throws Error(no_session), Error(no_call), std::invalid_argument.
[[nodiscard]] std::string map_name_of(const MapOwners& owners, detail::MapScope scope, std::string_view name);

/// The limits of the scope that a map, by its kept name, belongs to.
[[nodiscard]] const base::ScopeLimits& limits_of(std::string_view map, const base::Limits& limits);
/// When a row that is written to it now expires; 0: never.
[[nodiscard]] std::int64_t expiry_of(std::string_view map, const base::Limits& limits, std::int64_t now_ms);
/// A write to it may be refused by the store, for the sake of a limit or of its owner: whoever writes has to wait for the commit.
[[nodiscard]] bool may_be_refused(std::string_view map, const base::Limits& limits);
/// Throws std::invalid_argument for a key or a value above the limit.
void check_row(std::string_view key, std::string_view value, const base::Limits& limits);

/// Throws what it means for whoever wrote to maps of these scopes that the store refused it. `why` is exceeded or orphaned.
[[noreturn]] void throw_refused(store::GroupOutcome why, const std::set<std::string>& scopes, const base::Limits& limits);

}  // namespace durable_mcp::runtime
