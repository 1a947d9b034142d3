// SPDX-License-Identifier: Apache-2.0
// Formats, the chapter on time (RFC 3339).

#include <algorithm>
#include <array>
#include <optional>

#include "schema/formats.hpp"

namespace durable_mcp::schema {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Takes `digits` digits from the front; nothing if they are not there.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits || !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(digits), is_digit)) {
        return std::nullopt;
    }
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char c) {
    const bool there = text.starts_with(c);
    text.remove_prefix(there ? 1 : 0);
    return there;
}

/// Takes "15:04" from the front, as minutes since midnight.
std::optional<int> take_minutes(std::string_view& text) {
    const auto hour = take_number(text, 2);
    const bool colon = take(text, ':');
    const auto minute = take_number(text, 2);
    if (!hour || !colon || !minute || *hour > 23 || *minute > 59) {
        return std::nullopt;
    }
    return *hour * 60 + *minute;
}

/// One to three units of `order` in a row, each with a number before it: "1Y2M". Returns false if there is none, or something else.
bool take_units(std::string_view& text, std::string_view order) {
    std::size_t last = std::string_view::npos;
    while (!text.empty() && is_digit(text.front())) {
        text.remove_prefix(static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin()));
        const std::size_t unit = text.empty() ? std::string_view::npos : order.find(text.front());
        // The grammar does not let a unit in between be left out.
        if (unit == std::string_view::npos || (last != std::string_view::npos && unit != last + 1)) {
            return false;
        }
        last = unit;
        text.remove_prefix(1);
    }
    return last != std::string_view::npos;
}

}  // namespace

bool is_date(std::string_view text) {
    const auto year = take_number(text, 4);
    const bool first_dash = take(text, '-');
    const auto month = take_number(text, 2);
    const bool second_dash = take(text, '-');
    const auto day = take_number(text, 2);
    if (!year || !first_dash || !month || !second_dash || !day || !text.empty() || *month < 1 || *month > 12) {
        return false;
    }
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap_year = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
    const int last = days[static_cast<std::size_t>(*month - 1)] + (*month == 2 && is_leap_year ? 1 : 0);
    return *day >= 1 && *day <= last;
}

bool is_time(std::string_view text) {
    const auto minutes = take_minutes(text);
    const bool colon = take(text, ':');
    const auto second = take_number(text, 2);
    if (!minutes || !colon || !second || *second > 60) {
        return false;
    }
    if (take(text, '.')) {
        const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
        if (end == text.begin()) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    }
    int offset = 0;
    if (!take(text, 'Z') && !take(text, 'z')) {
        const bool east = take(text, '+');
        if (!east && !take(text, '-')) {
            return false;
        }
        const auto distance = take_minutes(text);
        if (!distance) {
            return false;
        }
        offset = east ? *distance : -*distance;
    }
    constexpr int day = 24 * 60;
    return text.empty() && (*second < 60 || (*minutes - offset + day) % day == day - 1);
}

bool is_date_time(std::string_view text) {
    constexpr std::size_t date_size = 10;
    return text.size() > date_size && (text[date_size] == 'T' || text[date_size] == 't') && is_date(text.substr(0, date_size)) &&
           is_time(text.substr(date_size + 1));
}

bool is_duration(std::string_view text) {
    if (!take(text, 'P')) {
        return false;
    }
    if (text.ends_with('W')) {
        text.remove_suffix(1);
        return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
    }
    if (!text.starts_with('T') && !take_units(text, "YMD")) {
        return false;
    }
    return text.empty() || (take(text, 'T') && take_units(text, "HMS") && text.empty());
}

}  // namespace durable_mcp::schema
