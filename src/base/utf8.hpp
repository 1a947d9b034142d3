// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace durable_mcp::base {

/// How many bytes at the front of `text` are whole characters in UTF-8 (RFC 3629: no overlong form, no surrogate, nothing beyond U+10FFFF).
/// What comes after them, if anything, starts with a byte that cannot stand there.
[[nodiscard]] std::size_t valid_utf8_prefix(std::string_view text);

[[nodiscard]] inline bool is_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

}  // namespace durable_mcp::base
