// SPDX-License-Identifier: Apache-2.0
#include "http/authority.hpp"

#include <algorithm>

namespace durable_mcp::http {
namespace {

constexpr std::size_t host_bytes = 255;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}

bool is_name_character(char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_character(char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' || c == '.';
}

bool is_port(std::string_view text) {
    if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
        return false;
    }
    unsigned value = 0;
    for (const char c : text) {
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= 65'535;
}

}  // namespace

std::optional<AuthorityView> parse_authority(std::string_view text) {
    std::size_t end = 0;
    if (!text.empty() && text.front() == '[') {
        const auto bracket = text.find(']');
        if (bracket == std::string_view::npos || bracket < 3) {
            return std::nullopt;
        }
        const auto inside = text.substr(1, bracket - 1);
        if (!std::all_of(inside.begin(), inside.end(), is_ipv6_character) || inside.find(':') == std::string_view::npos) {
            return std::nullopt;
        }
        end = bracket + 1;
    } else {
        while (end < text.size() && is_name_character(text[end])) {
            ++end;
        }
    }
    if (end == 0 || end > host_bytes) {
        return std::nullopt;
    }
    AuthorityView authority{text.substr(0, end), {}};
    if (end < text.size()) {
        if (text[end] != ':' || !is_port(text.substr(end + 1))) {
            return std::nullopt;
        }
        authority.port = text.substr(end + 1);
    }
    return authority;
}

bool equal_without_case(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace durable_mcp::http
