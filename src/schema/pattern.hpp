// SPDX-License-Identifier: Apache-2.0
#pragma once

// Regular expressions as JSON Schema has them (ECMA-262, Unicode, found anywhere in the text), matched by RE2 in time that is linear in the
// text. What needs backtracking (look-around, back-references) is refused when compiled.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace re2 {
class RE2;
}

namespace durable_mcp::schema {

/// An immutable compiled expression. Any thread may match with it.
class Pattern {
public:
    /// Fails with `malformed` (also for what is valid ECMA-262 but cannot be matched in linear time) or `too_large`; the sentence is for
    /// the author.
    [[nodiscard]] static base::Result<Pattern> compile(std::string_view expression);

    /// True if a part of `text`, which is UTF-8, matches.
    [[nodiscard]] bool is_found_in(std::string_view text) const;
    /// As the author wrote it.
    [[nodiscard]] const std::string& expression() const { return expression_; }

private:
    std::string expression_;
    std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace durable_mcp::schema
