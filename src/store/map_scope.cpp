// SPDX-License-Identifier: Apache-2.0
#include "store/map_scope.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "base/assert.hpp"

namespace durable_mcp::store {
namespace {

constexpr std::array<std::pair<ScopeKind, std::string_view>, 4> words = {{
    {ScopeKind::user, "$user:"},
    {ScopeKind::session, "$session:"},
    {ScopeKind::call, "$call:"},
    {ScopeKind::house, "$house:"},
}};

}  // namespace

std::string scope_name(ScopeKind kind, std::string_view owner) {
    for (const auto& [known, word] : words) {
        if (known == kind) {
            return std::string(word) + std::to_string(owner.size()) + ':' + std::string(owner) + ':';
        }
    }
    return {};
}

Scope scope_of(std::string_view map) {
    for (const auto& [kind, word] : words) {
        if (!map.starts_with(word)) {
            continue;
        }
        std::size_t size = 0;
        const char* const digits = map.data() + word.size();
        const auto [colon, error] = std::from_chars(digits, map.data() + map.size(), size);
        const auto begin = static_cast<std::size_t>(colon - map.data()) + 1;  // of the owner
        if (error != std::errc() || colon == map.data() + map.size() || *colon != ':' || begin >= map.size() || map.size() - begin <= size ||
            map[begin + size] != ':') {
            break;
        }
        return {kind, map.substr(0, begin + size + 1), map.substr(begin, size)};
    }
    return {};
}

std::string scope_end(std::string_view scope) {
    DURABLE_MCP_ASSERT(!scope.empty() && scope.back() == ':');
    std::string end(scope);
    end.back() = ':' + 1;
    return end;
}

}  // namespace durable_mcp::store
