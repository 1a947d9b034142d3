// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/standard_types.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp {
namespace {

using namespace std::chrono_literals;

template <class T>
T read(const char* text) {
    return detail::decode_text<T>(ValueView::Source::argument, "x", text);
}

template <class T>
std::string misfit(const char* text) {
    try {
        static_cast<void>(read<T>(text));
    } catch (const InvalidArguments& error) {
        return error.what();
    }
    return "it fitted";
}

template <class T>
void expect(const T& value, const char* text, const char* tag, const char* schema) {
    EXPECT_EQ(detail::encode_text(value), text);
    EXPECT_EQ(read<T>(text), value);
    EXPECT_EQ(codec<T>::tag(), tag);
    EXPECT_EQ(codec<T>::schema().text(), schema);
}

TEST(standard_types, arrays_and_tuples_have_their_length) {
    expect(std::array<bool, 2>{true, false}, "[true,false]", "array<bool,2>",
           R"({"items":{"type":"boolean"},"maxItems":2,"minItems":2,"type":"array"})");
    const char* schema = R"({"items":false,"maxItems":2,"minItems":2,"prefixItems":[{"type":"string"},{"type":"number"}],"type":"array"})";
    expect(std::pair<std::string, double>("a", 1), R"(["a",1.0])", "tuple<string,double>", schema);
    expect(std::tuple<std::string, double>("a", 1), R"(["a",1.0])", "tuple<string,double>", schema);
    EXPECT_EQ((misfit<std::array<bool, 2>>("[true]")), R"(argument "x": expected an array of 2 elements, got an array)");
    EXPECT_EQ((misfit<std::pair<bool, bool>>("[true,1]")), R"(argument "x[1]": expected true or false, got 1)");
    EXPECT_EQ((misfit<std::tuple<bool>>("[]")), R"(argument "x": expected an array of 1 element, got an array)");
}

TEST(standard_types, a_set_takes_no_element_twice) {
    expect(std::set<std::string>{"b", "a"}, R"(["a","b"])", "set<string>", R"({"items":{"type":"string"},"type":"array","uniqueItems":true})");
    EXPECT_EQ(misfit<std::set<std::string>>(R"(["a","b","a"])"), R"(argument "x[2]": expected no element twice, got "a")");
}

TEST(standard_types, durations_are_numbers_whose_unit_is_named) {
    expect(1500ms, "1500", "duration<int64,1/1000>", R"({"description":"milliseconds","type":"integer"})");
    expect(std::chrono::nanoseconds(-1), "-1", "duration<int64,1/1000000000>", R"({"description":"nanoseconds","type":"integer"})");
    expect(std::chrono::duration<double>(1.5), "1.5", "duration<double,1/1>", R"({"description":"seconds","type":"number"})");
    EXPECT_EQ((codec<std::chrono::duration<std::int64_t, std::ratio<1, 90000>>>::schema().text()),
              R"({"description":"units of 1/90000 seconds","type":"integer"})");
    EXPECT_EQ(misfit<std::chrono::seconds>("1.5"), R"(argument "x": expected an integer, got 1.5)");
}

TEST(standard_types, points_of_time_are_text_as_precise_as_their_unit) {
    using Milliseconds = std::chrono::sys_time<std::chrono::milliseconds>;
    const char* schema = R"({"format":"date-time","type":"string"})";
    expect(Milliseconds(1'764'064'800'250ms), R"("2025-11-25T10:00:00.250Z")", "time<duration<int64,1/1000>>", schema);
    expect(std::chrono::sys_seconds(-1s), R"("1969-12-31T23:59:59Z")", "time<duration<int64,1/1>>", schema);
    expect(Milliseconds(-1ms), R"("1969-12-31T23:59:59.999Z")", "time<duration<int64,1/1000>>", schema);
    expect(std::chrono::system_clock::time_point(std::chrono::nanoseconds(1)), R"("1970-01-01T00:00:00.000000001Z")",
           "time<duration<int64,1/1000000000>>", schema);
    const std::chrono::sys_days leap = std::chrono::year(2024) / 2 / 29;
    EXPECT_EQ(detail::encode_text(leap), R"("2024-02-29")");
    EXPECT_EQ(read<std::chrono::sys_days>(R"("2024-02-29")"), leap);
    EXPECT_EQ(codec<std::chrono::sys_days>::schema().text(), R"({"format":"date","type":"string"})");
}

TEST(standard_types, points_of_time_are_read_as_rfc_3339_says) {
    using Seconds = std::chrono::sys_seconds;
    EXPECT_EQ(read<Seconds>(R"("1985-04-12T23:20:50.52Z")"), Seconds(482'196'050s)) << "cut off";
    EXPECT_EQ(read<Seconds>(R"("1996-12-19T16:39:57-08:00")"), Seconds(851'042'397s));
    EXPECT_EQ(read<Seconds>(R"("1990-12-31T23:59:60Z")"), Seconds(662'688'000s)) << "a leap second";
    EXPECT_EQ(read<Seconds>(R"("1970-01-01 00:00:00+00:30")"), Seconds(-1800s));
    EXPECT_EQ(read<std::chrono::sys_time<std::chrono::nanoseconds>>(R"("1970-01-01t00:00:00.1234567899z")").time_since_epoch(), 123'456'789ns);
    for (const char* bad : {"\"2025-02-29T00:00:00Z\"", "\"2025-01-01T24:00:00Z\"", "\"2025-01-01T00:60:00Z\"", "\"2025-01-01T00:00:00\"",
                            "\"2025-01-01T00:00:00.Z\"", "\"2025-01-01\"", "\"2025-1-1T00:00:00Z\"", "\"2025-01-01T00:00:00Zx\"", "\"\"", "1",
                            "\"2025-01-01T00:00:00+24:00\""}) {
        EXPECT_EQ(misfit<Seconds>(bad),
                  std::string(R"(argument "x": expected a date and time as in RFC 3339, such as "2026-11-25T10:00:00Z", got )") + bad);
    }
    EXPECT_EQ(misfit<std::chrono::sys_days>(R"("2025-13-01")"),
              R"(argument "x": expected a date as in RFC 3339, such as "2026-11-25", got "2025-13-01")");
}

TEST(standard_types, points_of_time_beyond_their_unit_or_four_digits_are_refused) {
    EXPECT_EQ(misfit<std::chrono::system_clock::time_point>(R"("2500-01-01T00:00:00Z")"),
              R"(argument "x": expected a point of time within the range of its unit, got "2500-01-01T00:00:00Z")");
    EXPECT_EQ(misfit<std::chrono::system_clock::time_point>(R"("2261-01-01T00:00:00Z")"), "it fitted");
    EXPECT_EQ(misfit<std::chrono::sys_seconds>(R"("9999-12-31T23:59:59Z")"), "it fitted");
    const std::chrono::sys_seconds last(253'402'300'799s);
    EXPECT_EQ(detail::encode_text(last), R"("9999-12-31T23:59:59Z")");
    EXPECT_THROW(static_cast<void>(detail::encode_text(last + 1s)), detail::NotEncodable);
    const std::chrono::sys_seconds first(-62'167'219'200s);
    EXPECT_EQ(detail::encode_text(first), R"("0000-01-01T00:00:00Z")");
    EXPECT_THROW(static_cast<void>(detail::encode_text(first - 1s)), detail::NotEncodable);
}

}  // namespace
}  // namespace durable_mcp
