// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_names.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "runtime/call.hpp"

namespace durable_mcp::runtime {
namespace {

using store::ScopeKind;

// As it is spelled in Options::state, and in sentences.
std::string_view word_of(ScopeKind kind) {
    switch (kind) {
        case ScopeKind::user: return "user";
        case ScopeKind::session: return "session";
        case ScopeKind::call: return "call";
        case ScopeKind::server:
        case ScopeKind::house: break;
    }
    return "server";
}

bool is_limited(const base::ScopeLimits& limits) { return limits.rows != 0 || limits.bytes != 0; }

}  // namespace

MapOwners map_owners_of(const Call& call) {
    MapOwners owners{call.owner, std::nullopt, call.id};
    if (call.session) {
        owners.session = call.session_id();
    }
    return owners;
}

std::string map_name_of(const MapOwners& owners, detail::MapScope scope, std::string_view name) {
    const std::optional<std::string>* owner = nullptr;
    switch (scope) {
        case detail::MapScope::server: return detail::kept_map_name(scope, {}, name);
        case detail::MapScope::user: owner = &owners.user; break;
        case detail::MapScope::session:
        case detail::MapScope::session_value: owner = &owners.session; break;
        case detail::MapScope::call: owner = &owners.call; break;
    }
    if (owner == nullptr || !*owner) {
        if (scope == detail::MapScope::session || scope == detail::MapScope::session_value) {
            throw Error(ErrorCode::no_session,
                        "there is no session whose state this could be: since revision 2026-07-28 calls come without one, and a session may have ended. "
                        "What belongs to a client goes into user_map(), what belongs to this call into call_map()");
        }
        throw Error(ErrorCode::no_call, "outside of a call nobody is meant by user_map(name) and call_map(name): say whose, as in user_map(principal, name)");
    }
    return detail::kept_map_name(scope, **owner, name);
}

const base::ScopeLimits& limits_of(std::string_view map, const base::Limits& limits) {
    static constexpr base::ScopeLimits none;
    switch (store::scope_of(map).kind) {
        case ScopeKind::user: return limits.user_maps;
        case ScopeKind::session: return limits.session_maps;
        case ScopeKind::call: return limits.call_maps;
        case ScopeKind::server: return limits.server_maps;
        case ScopeKind::house: break;
    }
    return none;
}

std::int64_t expiry_of(std::string_view map, const base::Limits& limits, std::int64_t now_ms) {
    const std::chrono::milliseconds ttl = limits_of(map, limits).ttl;
    return ttl.count() == 0 ? 0 : now_ms + ttl.count();
}

bool may_be_refused(std::string_view map, const base::Limits& limits) {
    const ScopeKind kind = store::scope_of(map).kind;
    return kind == ScopeKind::session || kind == ScopeKind::call || is_limited(limits_of(map, limits));
}

void check_row(std::string_view key, std::string_view value, const base::Limits& limits) {
    if (key.size() > limits.map_key_bytes || value.size() > limits.step_value_bytes) {
        throw std::invalid_argument(fmt::format("a map row with a key of {} and a value of {} bytes; the limits are {} and {}", key.size(), value.size(),
                                                limits.map_key_bytes, limits.step_value_bytes));
    }
}

void throw_refused(store::GroupOutcome why, const std::set<std::string>& scopes, const base::Limits& limits) {
    std::string allowed;
    bool is_of_session = false;
    const auto number_or_any = [](std::uint64_t number) { return number == 0 ? std::string("any number of") : std::to_string(number); };
    for (const std::string& scope : scopes) {
        const ScopeKind kind = store::scope_of(scope).kind;
        is_of_session = is_of_session || kind == ScopeKind::session;
        if (const base::ScopeLimits& limit = limits_of(scope, limits); is_limited(limit)) {
            allowed += fmt::format("{}the maps of one {} may take {} rows and {} bytes (Options::state.{})", allowed.empty() ? "" : ", ", word_of(kind),
                                   number_or_any(limit.rows), number_or_any(limit.bytes), word_of(kind));
        }
    }
    if (why == store::GroupOutcome::exceeded) {
        throw Error(ErrorCode::limit_exceeded, fmt::format("state: {}. Nothing of this was written; remove what is no longer needed", allowed));
    }
    if (is_of_session) {
        throw Error(ErrorCode::no_session, "the session whose state this is has ended, and its maps with it. Nothing of this was written");
    }
    throw Error(ErrorCode::no_call, "the call whose state this is is not there (any more), and its maps are gone with it. Nothing of this was written");
}

}  // namespace durable_mcp::runtime
