// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace durable_mcp::schema {

/// What stands between the braces of \p{…} in ECMA-262 ("Letter", "Lu", "Script=Greek"), as the inside of a character class of RE2
/// ("\p{L}"). With `negated`, of \P{…}; "" is a class without members. Nothing if it is no property that RE2 has.
[[nodiscard]] std::optional<std::string> translate_property(std::string_view property, bool negated);

}  // namespace durable_mcp::schema
