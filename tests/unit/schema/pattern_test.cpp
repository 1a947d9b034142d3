// SPDX-License-Identifier: Apache-2.0
#include "schema/pattern.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace durable_mcp::schema {
namespace {

struct Row {
    std::string_view expression;
    std::string_view text;
    bool is_found;
};

TEST(pattern, expressions_mean_what_they_mean_in_ecma_262) {
    const Row table[] = {
        {"b", "abc", true},
        {"^b", "abc", false},
        {"^abc$", "abc\n", false},
        {"a.c", "a\nc", false},
        {"a.c",
         "a\xE2\x80\xA8"
         "c",
         false},  // U+2028
        {"a.c",
         "a\xF0\x9F\x90\xB2"
         "c",
         true},
        {"^.$", "ü", true},
        {R"(^\w+$)", "aZ_9", true},
        {R"(^\w$)", "é", false},
        {R"(^\W$)", "é", true},
        {R"(^\d$)", "\xD9\xA0", false},  // an Arabic digit
        {R"(^\D$)", "\xD9\xA0", true},
        {R"(^\s$)", "\xC2\xA0", true},
        {R"(^\s$)", "\v", true},
        {R"(^\S$)", "\xEF\xBB\xBF", false},
        {R"(^[^\S]$)", "\xE3\x80\x80", true},
        {R"(^[\s\d-]+$)", "1 - 2", true},
        {R"(^[a\-z]+$)", "a-z", true},
        {R"(^[a\-z]+$)", "b", false},
        {R"(^[\w-.]+$)", "a-b.c", true},
        {R"(^[\b]$)", "\b", true},
        {R"(\bfoo\b)", "a foo b", true},
        {R"(\bfoo\b)", "afoob", false},
        {R"(^\cA\t\x41B\u{43}$)", "\x01\tABC", true},
        {"^\\uD83D\\uDC32$", "\xF0\x9F\x90\xB2", true},
        {R"(^\/\.\-\@$)", "/.-@", true},
        {R"(^\p{Lu}\p{Letter}\p{gc=Nd}$)", "Aü٣", true},
        {R"(^\p{Script=Greek}+\p{scx=Cyrl}$)", "λж", true},
        {R"(^[\p{Script=Han}a]+$)", "漢a字", true},
        {R"(^\P{L}$)", "a", false},
        {R"(^\p{ASCII}$)", "é", false},
        {R"(^\p{Any}$)", "é", true},
        {"^[]$", "", false},
        {"[]", "a", false},
        {"^[^]$", "\n", true},
        {"^(?:ab){2}$", "abab", true},
        {"^(?<year>[0-9]{4})$", "2026", true},
        {"^a{,2}$", "a{,2}", true},
        {"^{}$", "{}", true},
        {"^a+?$", "aaa", true},
        {"^a{2,3}?$", "aaaa", false},
        {"x|^$", "", true},
        {"]", "a]", true},
        {R"(^\0$)", std::string_view("\0", 1), true},
    };
    for (const Row& row : table) {
        const auto pattern = Pattern::compile(row.expression);
        ASSERT_TRUE(pattern.has_value()) << row.expression << ": " << pattern.error().sentence;
        EXPECT_EQ(pattern->is_found_in(row.text), row.is_found) << row.expression << " ~ " << row.text;
    }
}

TEST(pattern, what_cannot_be_used_is_refused_with_a_reason) {
    const std::pair<std::string_view, std::string_view> table[] = {
        {"a(?=b)", "look-ahead"},
        {"a(?!b)", "look-ahead"},
        {"(?<=a)b", "look-behind"},
        {"(?<!a)b", "look-behind"},
        {R"((a)\1)", "a back-reference"},
        {R"((?<n>a)\k<n>)", "a back-reference"},
        {R"(\p{Emoji})", R"(the Unicode property "Emoji")"},
        {"\\uD83D", "half of a surrogate pair"},
        {"a{1001}", "more than 1000 repetitions"},
        {"(", "a group is not closed"},
        {")", "a ')' without its '('"},
        {"[a", "a '[' without its ']'"},
        {"*a", "nothing to repeat"},
        {"a**", "nothing to repeat"},
        {"^*", "nothing to repeat"},
        {"{2}", "nothing to repeat"},
        {"a{3,2}", "from more to less"},
        {"[z-a]", "from a later character to an earlier one"},
        {R"(\a)", "no such escape (at byte 2)"},
        {R"(\Z)", "no such escape"},
        {R"(\_)", "no such escape"},
        {R"(\)", "a '\\' at the end"},
        {R"(\x4)", "expected 2 hexadecimal digits"},
        {R"(\u{110000})", "a code point is written"},
        {"(?i)a", "no such group"},
        {"(?P<a>b)", "no such group"},
        {R"(\p{Script=Klingon})", "cannot be used"},
        {R"(\pL)", "a property is written"},
    };
    for (const auto& [expression, because] : table) {
        const auto pattern = Pattern::compile(expression);
        ASSERT_FALSE(pattern.has_value()) << expression;
        EXPECT_NE(pattern.error().sentence.find(because), std::string::npos) << pattern.error().sentence;
        EXPECT_NE(pattern.error().sentence.find(expression), std::string::npos) << pattern.error().sentence;
    }
}

}  // namespace
}  // namespace durable_mcp::schema
