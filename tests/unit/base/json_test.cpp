// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "base/limits.hpp"

namespace durable_mcp::base {
namespace {

Failure refused(std::string_view text, JsonLimits limits = wire_json_limits()) {
    const auto parsed = parse_json(text, limits);
    EXPECT_FALSE(parsed.has_value()) << text;
    return parsed ? Failure{FailureCode::io, "accepted"} : parsed.error();
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

TEST(json, what_is_parsed_is_written_back_byte_for_byte) {
    for (const std::string_view text : {"null", "true", "-1", "0", "1.0", "0.1", "1e+300", "\"\"", "\"a\\u0000b\\n\xC3\xA9\"", "[]", "{}",
                                        "[[],{}]", "{\"a\":{\"b\":[1,null,\"c\"]},\"d\":2}", "9223372036854775807", "-9223372036854775808",
                                        "18446744073709551615", "9007199254740993"}) {
        const auto parsed = parse_json(text, wire_json_limits());
        ASSERT_TRUE(parsed.has_value()) << text << ": " << parsed.error().sentence;
        EXPECT_EQ(dump_json(*parsed).value(), text);
    }
}

TEST(json, integers_are_kept_to_the_last_bit_and_refused_where_they_do_not_fit) {
    EXPECT_EQ(parse_json("18446744073709551615", wire_json_limits())->get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(parse_json("-9223372036854775808", wire_json_limits())->get<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(refused("[1,18446744073709551616]").sentence,
              "an integer fits into neither 64 bits signed nor 64 bits unsigned, before byte 24");
    EXPECT_EQ(refused("-9223372036854775809").code, FailureCode::malformed);
    EXPECT_TRUE(parse_json("1e19", wire_json_limits())->is_number_float());
}

TEST(json, a_number_beyond_a_double_is_refused) {
    EXPECT_EQ(refused("[1e999]").sentence, "not JSON, at byte 5: a number is too large for a double");
    EXPECT_EQ(refused("-1e999").code, FailureCode::malformed);
}

TEST(json, nesting_is_bounded_before_anything_is_built) {
    constexpr Limits limits;
    EXPECT_TRUE(parse_json(nested(limits.json_depth), wire_json_limits()).has_value());
    const Failure failure = refused(nested(limits.json_depth + 1));
    EXPECT_EQ(failure.code, FailureCode::too_large);
    EXPECT_EQ(failure.sentence, "nested deeper than 64 levels, before byte 65");
    EXPECT_EQ(refused(std::string(200'000, '[')).code, FailureCode::too_large);
    std::string objects;
    for (int i = 0; i < 100'000; ++i) {
        objects += "{\"a\":";
    }
    EXPECT_EQ(refused(objects).code, FailureCode::too_large);
}

TEST(json, the_number_of_values_is_bounded) {
    EXPECT_TRUE(parse_json("[1,2,3]", {8, 4}).has_value());
    EXPECT_EQ(refused("[1,2,3,4]", {8, 4}).sentence, "more than 4 values, before byte 9");
    std::string many = "[{}";
    for (int i = 0; i < 1'400'000; ++i) {
        many += ",{}";
    }
    EXPECT_EQ(refused(many + "]").code, FailureCode::too_large);
}

TEST(json, duplicate_keys_are_refused_at_every_level) {
    EXPECT_EQ(refused(R"({"a":1,"a":1})").sentence, "an object has the same key twice, before byte 10");
    EXPECT_EQ(refused(R"([{"b":{"a":1,"\u0061":2}}])").code, FailureCode::malformed);
    EXPECT_TRUE(parse_json(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})", wire_json_limits()).has_value());
}

TEST(json, what_hides_from_a_reader_is_refused) {
    EXPECT_EQ(refused("\xEF\xBB\xBF{}").sentence, "not JSON, at byte 0: a byte order mark");
    EXPECT_EQ(refused(R"({"a\u0000b":1})").code, FailureCode::malformed);
    // The lexer takes NUL for the end of the text: what follows would be invisible.
    EXPECT_EQ(refused(std::string_view("{}\0{\"hidden\":1}", 15)).sentence, "not JSON, at byte 2: NUL");
}

TEST(json, malformed_texts_are_refused_with_their_place_and_in_utf8) {
    for (const std::string_view text :
         {"",    " ",     "{",           "[1,]",     "{\"a\"}", "{a:1}",   "'a'",        "01",    "+1",       "1.",           ".5",
          "nul", "[1] 2", "\"\\ud800\"", "\"\x01\"", "NaN",     "// x\n1", "{\"a\":1,}", "\"abc", "\"\xff\"", "\"\xc0\xaf\"", "\xff"}) {
        const Failure failure = refused(text);
        EXPECT_EQ(failure.code, FailureCode::malformed) << text;
        EXPECT_NE(failure.sentence.find("byte"), std::string::npos) << failure.sentence;
        EXPECT_TRUE(dump_json(failure.sentence).has_value()) << "the sentence goes to the peer, whatever it sent";
    }
    EXPECT_EQ(refused("[1,x]").sentence, "not JSON, at byte 3: syntax error while parsing value - invalid literal");
}

TEST(json, what_could_not_be_read_back_is_not_written) {
    for (const Json& value : {Json("\xff"), Json({{"\xff", 1}}), Json(std::nan("")), Json::array({std::numeric_limits<double>::infinity()}),
                              Json({{std::string("a\0b", 3), 1}}), Json::binary({1, 2})}) {
        const auto text = dump_json(value);
        ASSERT_FALSE(text.has_value());
        EXPECT_EQ(text.error().code, FailureCode::malformed);
    }
    EXPECT_EQ(dump_json("\xff").error().sentence, "the value cannot be written as JSON: a string is not UTF-8");
}

TEST(json, what_is_written_at_the_deepest_can_be_read_back) {
    Json value = 1;
    for (int i = 0; i < 512; ++i) {
        value = Json::array({std::move(value)});
    }
    const auto text = dump_json(value);
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(parse_json(*text, stored_json_limits()).value(), value);
    EXPECT_FALSE(dump_json(Json::array({value})).has_value());
}

}  // namespace
}  // namespace durable_mcp::base
