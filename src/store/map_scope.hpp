// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whose a map is, told by its name. What a user calls a map of the server is its name; every other map's name begins with a mark that no
// user's name may begin with, the kind of its scope and whose it is: `$session:32:<id>:<name>`. The length keeps two owners apart whatever
// their ids hold. The forms are on disk: they must not change.

#include <cstdint>
#include <string>
#include <string_view>

namespace durable_mcp::store {

/// No name that a user gives to a map begins with it.
inline constexpr char reserved_mark = '$';

enum class ScopeKind : std::uint8_t {
    server,   ///< goes with the store
    user,     ///< of one principal; outlives sessions
    session,  ///< goes with its session
    call,     ///< goes with its call
    house,    ///< what the library itself keeps
};

/// The beginning that the names of a scope's maps have in common: what rows and bytes are counted by. "" for the server's.
[[nodiscard]] std::string scope_name(ScopeKind kind, std::string_view owner = {});

struct Scope {
    ScopeKind kind = ScopeKind::server;
    std::string_view name;   ///< as scope_name() makes it
    std::string_view owner;  ///< id of the session or call, or the principal
};
/// The scope of the map of that name. What begins with the mark and is of no known form belongs to the server.
[[nodiscard]] Scope scope_of(std::string_view map);

/// Behind the names of all maps of a scope that is not the server's.
[[nodiscard]] std::string scope_end(std::string_view scope);

}  // namespace durable_mcp::store
