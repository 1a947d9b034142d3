// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/codec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp {
namespace {

template <class T>
T round_trip(const T& value) {
    return detail::decode_text<T>(ValueView::Source::step, "x", detail::encode_text(value));
}

template <class T>
T read(const char* text, ValueView::Source source = ValueView::Source::argument) {
    return detail::decode_text<T>(source, "x", text);
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
void expect_exact(const T& value, const char* text) {
    EXPECT_EQ(detail::encode_text(value), text);
    EXPECT_EQ(round_trip(value), value);
}

// B6
TEST(codec, integers_survive_to_the_last_bit) {
    expect_exact<std::int64_t>(9007199254740993, "9007199254740993");
    expect_exact(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
    expect_exact(std::numeric_limits<std::int64_t>::max(), "9223372036854775807");
    expect_exact(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615");
    expect_exact<std::int8_t>(-128, "-128");
    expect_exact<std::uint16_t>(65535, "65535");
}

// B6
TEST(codec, a_double_that_is_whole_stays_apart_from_an_integer) {
    expect_exact(1.0, "1.0");
    expect_exact(std::int64_t{1}, "1");
    expect_exact(nlohmann::json(1.0), "1.0");
    expect_exact(nlohmann::json(1), "1");
    EXPECT_TRUE(round_trip(nlohmann::json(1.0)).is_number_float());
    EXPECT_TRUE(round_trip(nlohmann::json(1)).is_number_integer());
    EXPECT_TRUE(std::signbit(round_trip(-0.0)));
    expect_exact(0.1, "0.1");
    expect_exact(5e-324, "5e-324");
    EXPECT_EQ(round_trip(0.1F), 0.1F);
}

// B6
TEST(codec, any_unicode_string_survives) {
    const std::string text("a\"\\\n\t\x01 \xC3\xA9 \xF0\x9F\x98\x80\0z", 17);
    EXPECT_EQ(round_trip(text), text);
    expect_exact(std::string(), "\"\"");
    expect_exact(std::string("plain"), "\"plain\"");
    EXPECT_EQ(detail::encode_text("literal"), "\"literal\"");
    EXPECT_EQ(detail::encode_text(std::string_view("view")), "\"view\"");
}

TEST(codec, what_json_cannot_hold_is_not_encodable) {
    EXPECT_THROW(static_cast<void>(detail::encode_text(std::string("\xFF"))), detail::NotEncodable);
    EXPECT_THROW(static_cast<void>(detail::encode_text(std::string("\xED\xA0\x80"))), detail::NotEncodable);
    EXPECT_THROW(static_cast<void>(detail::encode_text(std::nan(""))), detail::NotEncodable);
    EXPECT_THROW(static_cast<void>(detail::encode_text(std::numeric_limits<double>::infinity())), detail::NotEncodable);
    EXPECT_THROW(static_cast<void>(detail::encode_text(std::vector<float>{1, std::nanf("")})), detail::NotEncodable);
    EXPECT_THROW(static_cast<void>(detail::encode_text(nlohmann::json{{"a", std::nan("")}})), detail::NotEncodable);
    EXPECT_THROW(static_cast<void>(detail::encode_text(std::map<std::string, int>{{"\xFF", 1}})), detail::NotEncodable);
}

TEST(codec, containers_nest) {
    expect_exact(std::vector<std::vector<int>>{{1, 2}, {}, {3}}, "[[1,2],[],[3]]");
    expect_exact(std::vector<bool>{true, false}, "[true,false]");
    expect_exact(std::optional<std::string>(), "null");
    expect_exact(std::vector<std::optional<int>>{1, std::nullopt}, "[1,null]");
    expect_exact(std::map<std::string, std::vector<std::string>>{{"a", {"x", "y"}}, {"b\n", {}}}, R"({"a":["x","y"],"b\n":[]})");
    expect_exact(std::map<std::string, std::map<std::string, bool>>{{"a", {{"b", true}, {"c", false}}}}, R"({"a":{"b":true,"c":false}})");
}

TEST(codec, bytes_travel_as_base64) {
    for (const auto& [data, text] : std::vector<std::pair<std::string, std::string>>{
             {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {std::string("\xFF\x00\xFE", 3), "/wD+"}}) {
        EXPECT_EQ(Bytes{data}.to_base64(), text);
        EXPECT_EQ(Bytes::from_base64(text).data, data);
        EXPECT_EQ(round_trip(Bytes{data}).data, data);
    }
    for (const char* bad : {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9-", "Zm 9"}) {
        EXPECT_THROW(static_cast<void>(Bytes::from_base64(bad)), std::invalid_argument) << bad;
    }
}

TEST(codec, tags_are_those_that_are_on_disk) {
    EXPECT_EQ(codec<bool>::tag(), "bool");
    EXPECT_EQ(codec<int>::tag(), "int32");
    EXPECT_EQ(codec<long>::tag(), "int64");
    EXPECT_EQ(codec<long long>::tag(), "int64");
    EXPECT_EQ(codec<unsigned char>::tag(), "uint8");
    EXPECT_EQ(codec<std::size_t>::tag(), "uint64");
    EXPECT_EQ(codec<float>::tag(), "float");
    EXPECT_EQ(codec<double>::tag(), "double");
    EXPECT_EQ(codec<std::string>::tag(), "string");
    EXPECT_EQ(codec<Bytes>::tag(), "bytes");
    EXPECT_EQ(codec<nlohmann::json>::tag(), "json");
    EXPECT_EQ(codec<void>::tag(), "void");
    EXPECT_EQ((codec<std::map<std::string, std::vector<std::optional<long>>>>::tag()), "map<vector<optional<int64>>>");
}

TEST(codec, schemas_say_what_decode_takes) {
    EXPECT_EQ(schema_of<std::int64_t>().text(), R"({"type":"integer"})");
    EXPECT_EQ(schema_of<std::uint64_t>().text(), R"({"minimum":0,"type":"integer"})");
    EXPECT_EQ(schema_of<int>().text(), R"({"maximum":2147483647,"minimum":-2147483648,"type":"integer"})");
    EXPECT_EQ(schema_of<std::uint8_t>().text(), R"({"maximum":255,"minimum":0,"type":"integer"})");
    EXPECT_EQ(schema_of<std::uint32_t>().text(), R"({"maximum":4294967295,"minimum":0,"type":"integer"})");
    EXPECT_EQ(schema_of<std::vector<std::string>>().text(), R"({"items":{"type":"string"},"type":"array"})");
    EXPECT_EQ((schema_of<std::map<std::string, double>>().text()), R"({"additionalProperties":{"type":"number"},"type":"object"})");
    EXPECT_EQ(schema_of<std::optional<bool>>().text(), R"({"anyOf":[{"type":"boolean"},{"type":"null"}]})");
    EXPECT_EQ(schema_of<nlohmann::json>().text(), "{}");
}

TEST(codec, a_misfit_says_where_what_was_expected_and_what_came) {
    EXPECT_EQ(misfit<std::int64_t>("\"abc\""), R"(argument "x": expected an integer, got "abc")");
    EXPECT_EQ(misfit<std::int64_t>("1.5"), R"(argument "x": expected an integer, got 1.5)");
    EXPECT_EQ(misfit<std::int64_t>("9223372036854775808"),
              R"(argument "x": expected an integer from -9223372036854775808 to 9223372036854775807, got 9223372036854775808)");
    EXPECT_EQ(misfit<std::uint64_t>("-1"), R"(argument "x": expected an integer from 0 to 18446744073709551615, got -1)");
    EXPECT_EQ(misfit<std::int8_t>("128"), R"(argument "x": expected an integer from -128 to 127, got 128)");
    EXPECT_EQ(misfit<std::int8_t>("-129"), R"(argument "x": expected an integer from -128 to 127, got -129)");
    EXPECT_EQ(misfit<bool>("1"), R"(argument "x": expected true or false, got 1)");
    EXPECT_EQ(misfit<double>("\"1\""), R"(argument "x": expected a number, got "1")");
    EXPECT_EQ(misfit<float>("1e300"), R"(argument "x": expected a number of single precision, got 1e+300)");
    EXPECT_EQ(misfit<std::string>("null"), R"(argument "x": expected a string, got null)");
    EXPECT_EQ(misfit<Bytes>("\"?\""), R"(argument "x": expected a string of base64, got "?")");
    EXPECT_EQ(misfit<std::vector<int>>("{}"), R"(argument "x": expected an array, got an object)");
    EXPECT_EQ(misfit<std::vector<int>>("[1,[2]]"), R"(argument "x[1]": expected an integer, got an array)");
    EXPECT_EQ((misfit<std::map<std::string, std::vector<bool>>>(R"({"a":[true],"b":[true,0]})")),
              R"(argument "x.b[1]": expected true or false, got 0)");
}

TEST(codec, a_long_misfit_is_cut_between_characters) {
    std::string text = "\"";
    for (int i = 0; i < 100; ++i) {
        text += "\xC3\xA9";
    }
    text += '"';
    const std::string sentence = misfit<int>(text.c_str());
    EXPECT_LT(sentence.size(), 120U);
    EXPECT_NO_THROW(static_cast<void>(detail::encode_text(sentence)));
}

TEST(codec, a_whole_float_is_an_integer_as_in_json_schema) {
    EXPECT_EQ(read<int>("3.0"), 3);
    EXPECT_EQ(read<std::int64_t>("-9223372036854775808.0"), std::numeric_limits<std::int64_t>::min());
    EXPECT_NE(misfit<std::int64_t>("9223372036854775808.0"), "it fitted");
    EXPECT_NE(misfit<std::uint64_t>("18446744073709551616.0"), "it fitted");
    EXPECT_NE(misfit<std::int64_t>("1e300"), "it fitted");
    EXPECT_EQ(read<double>("3"), 3.0);
}

TEST(codec, a_misfit_in_a_step_or_a_map_is_not_the_clients_fault) {
    EXPECT_THROW(static_cast<void>(read<int>("\"a\"", ValueView::Source::step)), StepMismatchError);
    EXPECT_THROW(static_cast<void>(read<int>("\"a\"", ValueView::Source::map)), ValueMismatchError);
}

TEST(codec, a_schema_that_is_none_is_refused) {
    EXPECT_THROW(static_cast<void>(json_schema("{")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(json_schema("[]")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(json_schema({})), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(json_schema(nlohmann::json("x"))), std::invalid_argument);
    EXPECT_EQ(json_schema({{"type", "object"}}).text(), R"({"type":"object"})");
    EXPECT_EQ(json_schema(R"({"type": "object"})").text(), R"({"type":"object"})");
}

struct Money {
    std::int64_t cents;
    friend bool operator==(const Money& a, const Money& b) { return a.cents == b.cents; }
};

}  // namespace

template <>
struct codec<Money> {
    static std::string tag() { return "Money"; }
    static JsonSchema schema() { return json_schema(R"({"type":"object","properties":{"cents":{"type":"integer"}}})"); }
    static void encode(ValueWriter& out, const Money& value) {
        out.begin_object();
        out.member("cents");
        out.integer(value.cents);
        out.member("currency");
        out.string("EUR");
        out.end_object();
    }
    static Money decode(const ValueView& in) {
        Money money{0};
        in.each_member([&money](const std::string& key, const ValueView& value) {
            if (key == "cents") {
                money.cents = value.integer(0, 1000);
            }
        });
        return money;
    }
};

namespace {

TEST(codec, a_type_of_the_users_own_takes_part_in_everything) {
    EXPECT_EQ(detail::encode_text(std::vector<Money>{{7}, {8}}), R"([{"cents":7,"currency":"EUR"},{"cents":8,"currency":"EUR"}])");
    EXPECT_EQ(round_trip(std::vector<Money>{{7}, {8}}), (std::vector<Money>{{7}, {8}}));
    EXPECT_EQ(codec<std::optional<Money>>::tag(), "optional<Money>");
    EXPECT_EQ(misfit<std::vector<Money>>(R"([{"cents":2000}])"), R"(argument "x[0].cents": expected an integer from 0 to 1000, got 2000)");
}

}  // namespace
}  // namespace durable_mcp
