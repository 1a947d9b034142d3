// SPDX-License-Identifier: Apache-2.0
#include "base/id.hpp"

#include <algorithm>
#include <array>

namespace durable_mcp::base {
namespace {

// base64url's digits in the order of their byte values, so that ids compare like the numbers they stand for.
constexpr std::string_view alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t id_bytes = 24;
constexpr std::size_t id_characters = id_bytes / 3 * 4;

std::string encode(const std::array<std::byte, id_bytes>& bytes) {
    std::string text;
    text.reserve(id_characters);
    for (std::size_t i = 0; i < id_bytes; i += 3) {
        const unsigned group = std::to_integer<unsigned>(bytes[i]) << 16 | std::to_integer<unsigned>(bytes[i + 1]) << 8 |
                               std::to_integer<unsigned>(bytes[i + 2]);
        for (int shift = 18; shift >= 0; shift -= 6) {
            text.push_back(alphabet[group >> shift & 63]);
        }
    }
    return text;
}

}  // namespace

std::string random_id(Random& random) {
    std::array<std::byte, id_bytes> bytes;
    random.fill(bytes);
    return encode(bytes);
}

std::string ordered_id(Random& random, std::int64_t wall_ms) {
    std::array<std::byte, id_bytes> bytes;
    random.fill(bytes);
    for (std::size_t i = 0; i < 6; ++i) {
        bytes[i] = static_cast<std::byte>(wall_ms >> (40 - 8 * i) & 0xff);
    }
    return encode(bytes);
}

std::string random_uuid(Random& random) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<std::byte, 16> bytes;
    random.fill(bytes);
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // the version
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // the variant
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text.push_back('-');
        }
        text.push_back(digits[std::to_integer<std::size_t>(bytes[i] >> 4)]);
        text.push_back(digits[std::to_integer<std::size_t>(bytes[i] & std::byte{0x0f})]);
    }
    return text;
}

bool is_id(std::string_view text) {
    return text.size() == id_characters &&
           std::all_of(text.begin(), text.end(), [](char c) { return alphabet.find(c) != std::string_view::npos; });
}

}  // namespace durable_mcp::base
