// SPDX-License-Identifier: Apache-2.0
// Formats, the chapter on hosts and mailboxes.

#include <algorithm>

#include "schema/formats.hpp"
#include "schema/internationalized_label.hpp"

namespace durable_mcp::schema {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_beyond_ascii(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

constexpr std::size_t longest_label = 63;
constexpr std::size_t longest_name = 253;

bool is_label(std::string_view label, bool international) {
    if (label.empty() || label.size() > longest_label || label.front() == '-' || label.back() == '-') {
        return false;
    }
    const bool well_formed = std::all_of(label.begin(), label.end(), [&](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || (international && is_beyond_ascii(c));
    });
    const bool is_encoded = label.size() >= 4 && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' && label.substr(2, 2) == "--";
    return well_formed && (!is_encoded || is_a_label(label));
}

bool is_host(std::string_view text, bool international) {
    if (text.size() > longest_name) {
        return false;
    }
    for (;;) {
        const std::size_t dot = text.find('.');
        if (!is_label(text.substr(0, dot), international)) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
}

/// RFC 5321 §4.1.2: Dot-string or Quoted-string; with `international` (RFC 6531), of any characters.
bool is_local_part(std::string_view text, bool international) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool is_escape = text[i] == '\\' && ++i < text.size();
            const char c = i < text.size() ? text[i] : '\0';
            const bool is_plain = (c >= ' ' && c <= '~' && c != '"' && c != '\\') || (international && is_beyond_ascii(c));
            if (!is_plain && !(is_escape && c >= ' ' && c <= '~')) {
                return false;
            }
        }
        return true;
    }
    const bool well_formed = std::all_of(text.begin(), text.end(), [&](char c) {
        return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos ||
               (international && is_beyond_ascii(c));
    });
    return well_formed && !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos;
}

bool is_mailbox(std::string_view text, bool international) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || !is_local_part(text.substr(0, at), international)) {
        return false;
    }
    std::string_view domain = text.substr(at + 1);
    if (!domain.starts_with('[')) {
        return is_host(domain, international);
    }
    if (!domain.ends_with(']')) {
        return false;
    }
    domain = domain.substr(1, domain.size() - 2);
    constexpr std::string_view prefix = "IPv6:";
    return domain.starts_with(prefix) ? is_ipv6(domain.substr(prefix.size())) : is_ipv4(domain);
}

}  // namespace

bool is_ipv4(std::string_view text) {
    for (int octet = 0; octet < 4; ++octet) {
        const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
        if (digits == 0 || digits > 3 || (digits > 1 && text.front() == '0')) {
            return false;
        }
        int value = 0;
        for (const char c : text.substr(0, digits)) {
            value = value * 10 + (c - '0');
        }
        text.remove_prefix(digits);
        if (value > 255 || (octet < 3 && !text.starts_with('.'))) {
            return false;
        }
        text.remove_prefix(octet < 3 ? 1 : 0);
    }
    return text.empty();
}

bool is_ipv6(std::string_view text) {
    int groups = 0;
    bool has_gap = false;
    if (text.starts_with("::")) {
        has_gap = true;
        text.remove_prefix(2);
    } else if (text.empty()) {
        return false;
    }
    while (!text.empty()) {
        const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_hex_digit) - text.begin());
        if (digits < text.size() && text[digits] == '.') {
            groups += 2;
            return is_ipv4(text) && (has_gap ? groups <= 7 : groups == 8);
        }
        if (digits == 0 || digits > 4) {
            return false;
        }
        ++groups;
        text.remove_prefix(digits);
        if (text.empty()) {
            break;
        }
        if (text.starts_with("::")) {
            if (has_gap) {
                return false;
            }
            has_gap = true;
            text.remove_prefix(2);
        } else if (text.starts_with(':') && text.size() > 1) {
            text.remove_prefix(1);
        } else {
            return false;
        }
    }
    return has_gap ? groups <= 7 : groups == 8;
}

bool is_hostname(std::string_view text) {
    return is_host(text, false);
}

bool is_email(std::string_view text) {
    return is_mailbox(text, false);
}

bool is_idn_email(std::string_view text) {
    return is_mailbox(text, true);
}

}  // namespace durable_mcp::schema
