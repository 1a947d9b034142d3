// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace durable_mcp::schema {

/// What the translation of an ECMA-262 expression found.
struct TranslatedPattern {
    std::string expression;   ///< the same in RE2's dialect; meaningless if something is unsupported
    std::string unsupported;  ///< what RE2 cannot do, as a sentence; empty if all of it can be matched
};

/// Reads `expression` as ECMA-262 with the flag `u`, more lenient in two points that real schemas need: punctuation may be escaped without
/// need, and
/// '{', '}' and ']' may stand for themselves. Fails with `malformed` for what is no expression; the sentence says where.
[[nodiscard]] base::Result<TranslatedPattern> translate_pattern(std::string_view expression);

}  // namespace durable_mcp::schema
