// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

namespace durable_mcp::base {

std::size_t valid_utf8_prefix(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        const std::size_t tail = lead >= 0xc2 && lead <= 0xdf ? 1 : (lead & 0xf0) == 0xe0 ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
        if (tail == 0 || text.size() - i <= tail) {
            return i;
        }
        const auto second = static_cast<unsigned char>(text[i + 1]);
        // Overlong forms, surrogates, and what lies beyond U+10FFFF.
        if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
            (lead == 0xf4 && second > 0x8f)) {
            return i;
        }
        for (std::size_t k = 1; k <= tail; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) {
                return i;
            }
        }
        i += tail + 1;
    }
    return text.size();
}

}  // namespace durable_mcp::base
