// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace durable_mcp::mcp {

/// What a peer made up, as a sentence quotes it: not longer than a line, and cut between characters.
[[nodiscard]] inline std::string_view quote(std::string_view text) {
    constexpr std::size_t most = 200;
    if (text.size() <= most) {
        return text;
    }
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
        --end;
    }
    return text.substr(0, end);
}

}  // namespace durable_mcp::mcp
