// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a schema's keywords say beyond the C++ type, and the check of it: for the parameters of handlers and the members of structs.

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace durable_mcp::api {

/// The `type` of a schema, if it is one.
[[nodiscard]] std::string_view type_of(const base::Json& schema);

/// What a parameter takes, as the end of a sentence: "an integer, at least 1".
[[nodiscard]] std::string describe(const base::Json& schema);

/// Whether `value` keeps the bounds in `schema`. What is not of the keyword's type is left to the codec, which says it better.
[[nodiscard]] bool keeps_bounds(const base::Json& schema, const base::Json& value);

/// Adds a keyword whose value is `text`. Throws std::invalid_argument where it says nothing about the schema's type, or more than it allows.
void apply_keyword(base::Json& schema, const std::string& keyword, const std::string& text);
/// Throws std::invalid_argument for bounds that contradict each other.
void check_bounds(const base::Json& schema);

/// Sets the description; what the type itself had to say (a unit) follows in parentheses.
void set_description(base::Json& schema, const std::string& text);

}  // namespace durable_mcp::api
