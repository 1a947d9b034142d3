// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace durable_mcp::base {
namespace {

TEST(utf8, whole_characters_of_every_length_are_valid) {
    for (const std::string_view text : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
                                        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x92\xA1z"}) {
        EXPECT_TRUE(is_utf8(text)) << testing::PrintToString(text);
    }
    EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
}

TEST(utf8, the_prefix_ends_where_the_first_character_that_is_none_begins) {
    for (const std::string_view bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3z", "\xE0\x9F\xBF", "\xE2\x82", "\xE2\x82z", "\xED\xA0\x80",
                                       "\xF0\x8F\xBF\xBF", "\xF0\x9F\x92", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
        EXPECT_EQ(valid_utf8_prefix(bad), 0U) << testing::PrintToString(bad);
        EXPECT_EQ(valid_utf8_prefix("a\xC3\xA4" + std::string(bad)), 3U) << testing::PrintToString(bad);
        EXPECT_EQ(valid_utf8_prefix("a\xC3\xA4" + std::string(bad) + "tail"), 3U) << testing::PrintToString(bad);
        EXPECT_FALSE(is_utf8(bad));
    }
}

}  // namespace
}  // namespace durable_mcp::base
