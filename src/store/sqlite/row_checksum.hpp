// SPDX-License-Identifier: Apache-2.0
#pragma once

// The checksum of a row: XXH3-64 over the little-endian words of its fields, where an integer is its own word and a string or blob is the
// XXH3-64 of its bytes. Keys are fields too, so that a row which turns up under another key is found as well. SQLite has no checksums
// itself.

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>

#include "base/hash.hpp"

namespace durable_mcp::store::sqlite {

inline std::uint64_t checksum_word(std::string_view field) {
    return base::hash64(field);
}
template <std::integral Integer>
std::uint64_t checksum_word(Integer field) {
    return static_cast<std::uint64_t>(field);
}

template <class... Field>
std::int64_t row_checksum(const Field&... fields) {
    std::array<char, sizeof...(Field) * 8> bytes;
    std::size_t at = 0;
    const auto add = [&](std::uint64_t word) {
        for (unsigned shift = 0; shift < 64; shift += 8) {
            bytes[at++] = static_cast<char>(word >> shift & 0xff);
        }
    };
    (add(checksum_word(fields)), ...);
    return static_cast<std::int64_t>(base::hash64({bytes.data(), bytes.size()}));
}

}  // namespace durable_mcp::store::sqlite
