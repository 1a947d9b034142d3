// SPDX-License-Identifier: Apache-2.0
#include "mcp/cursor.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace durable_mcp::mcp {
namespace {

// base64url without padding (RFC 4648 §5).
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kind_letters = "tprx";  // in the order of ItemKind

std::string encode(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : bytes) {
        group = (group << 8 | static_cast<unsigned char>(c)) & 0xffff;
        for (bits += 8; bits >= 6; bits -= 6) {
            text.push_back(alphabet[group >> (bits - 6) & 63]);
        }
    }
    if (bits > 0) {
        text.push_back(alphabet[group << (6 - bits) & 63]);
    }
    return text;
}

std::optional<std::string> decode(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text) {
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        group = (group << 6 | static_cast<std::uint32_t>(digit)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>(group >> bits & 0xff));
        }
    }
    return bytes;
}

}  // namespace

std::string write_cursor(const Cursor& cursor) {
    return encode(fmt::format("1{}{}:{}", kind_letters[static_cast<std::size_t>(cursor.kind)], cursor.shown, cursor.last));
}

std::optional<Cursor> read_cursor(std::string_view text) {
    const auto decoded = decode(text);
    if (!decoded || decoded->size() < 4 || decoded->front() != '1') {
        return std::nullopt;
    }
    const auto kind = kind_letters.find((*decoded)[1]);
    const auto colon = decoded->find(':');
    if (kind == std::string_view::npos || colon == std::string::npos) {
        return std::nullopt;
    }
    Cursor cursor{static_cast<ItemKind>(kind), 0, decoded->substr(colon + 1)};
    const char* const end = decoded->data() + colon;
    const auto [stop, error] = std::from_chars(decoded->data() + 2, end, cursor.shown);
    // One text per cursor: neither leading zeros nor stray bits are ours.
    if (error != std::errc{} || stop != end || cursor.shown == 0 || write_cursor(cursor) != text) {
        return std::nullopt;
    }
    return cursor;
}

}  // namespace durable_mcp::mcp
