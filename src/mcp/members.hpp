// SPDX-License-Identifier: Apache-2.0
#pragma once

// Members of JSON objects that a peer wrote: nothing about their types, or even their being in an object, is known.

#include <string>
#include <string_view>
#include <utility>

#include "base/json.hpp"

namespace durable_mcp::mcp {

/// The member of that name; null when `json` is no object, or has none.
[[nodiscard]] inline const base::Json* find_member(const base::Json& json, std::string_view name) {
    if (!json.is_object()) {
        return nullptr;
    }
    const auto found = json.find(name);
    return found == json.end() ? nullptr : &*found;
}

/// The string member of that name, or null.
[[nodiscard]] inline const std::string* find_string(const base::Json& json, std::string_view name) {
    const base::Json* const member = find_member(json, name);
    return member == nullptr ? nullptr : member->get_ptr<const std::string*>();
}

/// Moves a member out of `json`; `otherwise` if there is none.
[[nodiscard]] inline base::Json take_member(base::Json& json, std::string_view name, base::Json otherwise) {
    if (json.is_object()) {
        if (const auto found = json.find(name); found != json.end()) {
            return std::move(*found);
        }
    }
    return otherwise;
}

}  // namespace durable_mcp::mcp
