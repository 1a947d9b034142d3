// SPDX-License-Identifier: Apache-2.0
#include "schema/formats.hpp"

#include <algorithm>
#include <array>

#include "schema/pattern_translation.hpp"
#include "schema/uri_reference.hpp"

namespace durable_mcp::schema {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr std::array<Format, 18> formats{{
    {"date-time", "a date and time with an offset (RFC 3339)", is_date_time},
    {"date", "a date (RFC 3339: 2026-11-25)", is_date},
    {"time", "a time with an offset (RFC 3339: 10:15:00Z)", is_time},
    {"duration", "a duration (RFC 3339 appendix A: P1DT12H)", is_duration},
    {"email", "an e-mail address", is_email},
    {"idn-email", "an e-mail address", is_idn_email},
    {"hostname", "a host name", is_hostname},
    {"ipv4", "an IPv4 address", is_ipv4},
    {"ipv6", "an IPv6 address", is_ipv6},
    {"uri", "a URI", [](std::string_view text) { return is_uri(text, false, false); }},
    {"uri-reference", "a URI or a relative reference", [](std::string_view text) { return is_uri(text, true, false); }},
    {"iri", "an IRI", [](std::string_view text) { return is_uri(text, false, true); }},
    {"iri-reference", "an IRI or a relative reference", [](std::string_view text) { return is_uri(text, true, true); }},
    {"uuid", "a UUID", is_uuid},
    {"json-pointer", "a JSON pointer (RFC 6901)", is_json_pointer},
    {"relative-json-pointer", "a relative JSON pointer", is_relative_json_pointer},
    {"regex", "a regular expression (ECMA-262)", [](std::string_view text) { return translate_pattern(text).has_value(); }},
    {"uri-template", "a URI template (RFC 6570)", is_uri_template},
}};

}  // namespace

const Format* find_format(std::string_view name) {
    const auto found = std::find_if(formats.begin(), formats.end(), [&](const Format& format) { return format.name == name; });
    return found == formats.end() ? nullptr : &*found;
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : !is_hex_digit(text[i])) {
            return false;
        }
    }
    return true;
}

bool is_json_pointer(std::string_view text) {
    if (text.empty()) {
        return true;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) {
            return false;
        }
    }
    return text.front() == '/';
}

bool is_relative_json_pointer(std::string_view text) {
    const auto skip_number = [&text](bool may_be_zero) {
        const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
        const auto digits = static_cast<std::size_t>(end - text.begin());
        const bool is_number = digits > 0 && (text.front() != '0' || (digits == 1 && may_be_zero));
        text.remove_prefix(digits);
        return is_number;
    };
    if (!skip_number(true)) {
        return false;
    }
    if (text.starts_with('+') || text.starts_with('-')) {
        text.remove_prefix(1);
        if (!skip_number(false)) {
            return false;
        }
    }
    return text == "#" || is_json_pointer(text);
}

}  // namespace durable_mcp::schema
