// SPDX-License-Identifier: Apache-2.0
#pragma once

// The small language of forms in which clients are asked (protocol: elicitation, "Requested schema"): an object whose members are text, numbers,
// booleans, or choices, and nothing deeper.

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace durable_mcp::api {

/// `schema` in the words that forms have: what says nothing to somebody who fills one in (`additionalProperties`, `uniqueItems`) is left out, and a
/// member that may be null may be left out instead. Throws std::invalid_argument, beginning with `item` and naming the member, for what no form can
/// ask.
[[nodiscard]] base::Json form_schema(const std::string& item, const base::Json& schema);

/// Why `content` is no answer to a form of that schema, as the end of a sentence; "" if it is one. Members that nobody asked for do not matter.
[[nodiscard]] std::string misfit_of(const base::Json& form, const base::Json& content);

}  // namespace durable_mcp::api
