// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/standard_types.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "durable_mcp/detail/call_port.hpp"

namespace durable_mcp::detail {

using base::Json;

// ── Arrays ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string fixed_array_tag(const std::string& element, std::size_t size) { return "array<" + element + "," + std::to_string(size) + ">"; }

JsonSchema fixed_array_schema(const JsonSchema& element, std::size_t size) {
    return JsonSchema::from_trusted(
        Json{{"type", "array"}, {"items", Json::parse(element.text())}, {"minItems", size}, {"maxItems", size}}.dump());
}

JsonSchema set_schema(const JsonSchema& element) {
    return JsonSchema::from_trusted(Json{{"type", "array"}, {"items", Json::parse(element.text())}, {"uniqueItems", true}}.dump());
}

std::string tuple_tag(const std::vector<std::string>& elements) {
    std::string tag;
    for (const std::string& element : elements) {
        tag += (tag.empty() ? "" : ",") + element;
    }
    return nested_tag("tuple", tag);
}

JsonSchema tuple_schema(const std::vector<JsonSchema>& elements) {
    // JSON Schema 2020-12: `items` is about what comes after `prefixItems`, which may not be empty.
    Json schema{{"type", "array"}, {"items", false}, {"minItems", elements.size()}, {"maxItems", elements.size()}};
    for (const JsonSchema& element : elements) {
        schema["prefixItems"].push_back(Json::parse(element.text()));
    }
    return JsonSchema::from_trusted(schema.dump());
}

void check_array_size(const ValueView& in, std::size_t size) {
    if (in.array_size() != size) {
        in.fail(fmt::format("an array of {} {}", size, size == 1 ? "element" : "elements"));
    }
}

// ── Durations ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string duration_tag(const std::string& number, std::intmax_t numerator, std::intmax_t denominator) {
    return fmt::format("duration<{},{}/{}>", number, numerator, denominator);
}

JsonSchema duration_schema(const JsonSchema& number, std::intmax_t numerator, std::intmax_t denominator) {
    struct Unit {
        std::intmax_t numerator, denominator;
        const char* name;
    };
    static constexpr Unit units[] = {{1, 1'000'000'000, "nanoseconds"}, {1, 1'000'000, "microseconds"}, {1, 1'000, "milliseconds"},
                                     {1, 1, "seconds"},                 {60, 1, "minutes"},             {3'600, 1, "hours"},
                                     {86'400, 1, "days"},               {604'800, 1, "weeks"}};
    Json schema = Json::parse(number.text());
    schema["description"] = fmt::format("units of {}/{} seconds", numerator, denominator);
    for (const Unit& unit : units) {
        if (unit.numerator == numerator && unit.denominator == denominator) {
            schema["description"] = unit.name;
        }
    }
    return JsonSchema::from_trusted(schema.dump());
}

// ── Points of time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

/// Reads text from left to right; after a failure all that is read is 0.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::int64_t number(std::size_t digits) {
        std::int64_t value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (!at_digit()) {
                failed_ = true;
                return 0;
            }
            value = 10 * value + (take() - '0');
        }
        return value;
    }
    /// Takes one of `choices`, and returns it, or 0.
    char one_of(std::string_view choices) {
        if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) {
            return '\0';
        }
        return take();
    }
    void expect(std::string_view choices) { failed_ = one_of(choices) == '\0' || failed_; }
    [[nodiscard]] bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
    char take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    void fail_unless(bool good) { failed_ = failed_ || !good; }
    [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

std::int64_t read_date(Reader& reader) {
    const std::int64_t year = reader.number(4);
    reader.expect("-");
    const std::int64_t month = reader.number(2);
    reader.expect("-");
    const std::int64_t day = reader.number(2);
    const year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day))};
    reader.fail_unless(date.ok());
    return date.ok() ? sys_days(date).time_since_epoch().count() : 0;
}

std::string date_text(std::int64_t days) {
    // Days of the years 0000 and 9999: what four digits can say.
    if (days < -719'528 || days > 2'932'896) {
        throw NotEncodable("a date outside the years 0 to 9999");
    }
    const year_month_day date{sys_days(std::chrono::days(days))};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace

void encode_instant(ValueWriter& out, const Instant& instant, int digits) {
    constexpr std::int64_t day = 86'400;
    const std::int64_t of_day = ((instant.seconds % day) + day) % day;
    std::string text = date_text((instant.seconds - of_day) / day);
    text += fmt::format("T{:02}:{:02}:{:02}", of_day / 3'600, of_day / 60 % 60, of_day % 60);
    if (digits > 0) {
        text += "." + fmt::format("{:09}", instant.nanoseconds).substr(0, static_cast<std::size_t>(digits));
    }
    out.string(text + "Z");
}

Instant decode_instant(const ValueView& in) {
    constexpr const char* expected = "a date and time as in RFC 3339, such as \"2026-11-25T10:00:00Z\"";
    if (!in.json().is_string()) {
        in.fail(expected);
    }
    Reader reader(in.string());
    Instant instant;
    instant.seconds = read_date(reader) * 86'400;
    reader.expect("Tt ");
    const std::int64_t hour = reader.number(2);
    reader.expect(":");
    const std::int64_t minute = reader.number(2);
    reader.expect(":");
    const std::int64_t second = reader.number(2);
    // A leap second is the second after it: system_clock does not count them.
    reader.fail_unless(hour < 24 && minute < 60 && second <= 60);
    instant.seconds += hour * 3'600 + minute * 60 + second;
    if (reader.one_of(".") != '\0') {
        reader.fail_unless(reader.at_digit());
        for (std::uint32_t unit = 100'000'000; reader.at_digit(); unit /= 10) {
            instant.nanoseconds += unit * static_cast<std::uint32_t>(reader.take() - '0');
        }
    }
    const char offset = reader.one_of("Zz+-");
    reader.fail_unless(offset != '\0');
    if (offset == '+' || offset == '-') {
        const std::int64_t hours = reader.number(2);
        reader.expect(":");
        const std::int64_t minutes = reader.number(2);
        reader.fail_unless(hours < 24 && minutes < 60);
        instant.seconds += (offset == '+' ? -1 : 1) * (hours * 3'600 + minutes * 60);
    }
    if (!reader.complete()) {
        in.fail(expected);
    }
    return instant;
}

void encode_date(ValueWriter& out, std::int64_t days) { out.string(date_text(days)); }

std::int64_t decode_date(const ValueView& in) {
    constexpr const char* expected = "a date as in RFC 3339, such as \"2026-11-25\"";
    if (!in.json().is_string()) {
        in.fail(expected);
    }
    Reader reader(in.string());
    const std::int64_t days = read_date(reader);
    if (!reader.complete()) {
        in.fail(expected);
    }
    return days;
}

}  // namespace durable_mcp::detail
