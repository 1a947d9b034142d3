// SPDX-License-Identifier: Apache-2.0
#include "schema/uri_template.hpp"

#include <gtest/gtest.h>

#include <string>

namespace durable_mcp::schema {
namespace {

using Values = std::map<std::string, std::string>;

std::optional<Values> match(std::string_view uri_template, std::string_view uri) {
    const auto compiled = UriTemplate::compile(uri_template);
    EXPECT_TRUE(compiled.has_value()) << uri_template << ": " << (compiled ? "" : compiled.error().sentence);
    return compiled ? compiled->match(uri) : std::nullopt;
}

struct Row {
    std::string_view uri_template;
    std::string_view uri;
    std::optional<Values> values;
};

TEST(uri_template, a_uri_fits_if_the_template_could_have_made_it) {
    const Row table[] = {
        {"test://template/{id}/data", "test://template/123/data", Values{{"id", "123"}}},
        {"test://template/{id}/data", "test://template//data", std::nullopt},
        {"test://template/{id}/data", "test://template/1/2/data", std::nullopt},
        {"test://template/{id}/data", "test://template/123/dat", std::nullopt},
        {"test://template/{id}/data", "Test://template/123/data", std::nullopt},
        {"test://template/{id}/data", "", std::nullopt},
        {"{id}", "x", Values{{"id", "x"}}},
        {"{id}", "", std::nullopt},
        {"a{id}a", "a", std::nullopt},
        {"a{id}a", "aa", std::nullopt},
        {"a{id}a", "aaa", Values{{"id", "a"}}},
        {"file:///{+path}", "file:///a/b/c.txt?x#y", Values{{"path", "a/b/c.txt?x#y"}}},
        {"file:///{+path}/{name}", "file:///a/b/c", Values{{"path", "a/b"}, {"name", "c"}}},
        {"{+path}/{name}", "a/b/c", Values{{"path", "a/b"}, {"name", "c"}}},
        {"{a}/{+rest}", "a/b/c", Values{{"a", "a"}, {"rest", "b/c"}}},
        {"db://{table}/{row}", "db://users/7", Values{{"table", "users"}, {"row", "7"}}},
        {"db://{table}/{row}", "db://users/", std::nullopt},
        {"db://{table}?id={row}", "db://users?id=7", Values{{"table", "users"}, {"row", "7"}}},
        {"{a}-{b}", "x-y-z", Values{{"a", "x"}, {"b", "y-z"}}},
        {"{a}ab{b}", "aabab", Values{{"a", "a"}, {"b", "ab"}}},
        {"{a}--{b}/{c}", "x--y/z--w/v", std::nullopt},
        {"{a}x{b}y", "1x2x3y", Values{{"a", "1"}, {"b", "2x3"}}},
        {"geo:{lat,long}", "geo:1.5,-2", Values{{"lat", "1.5"}, {"long", "-2"}}},
        {"geo:{lat,long}", "geo:1.5", std::nullopt},
        {"geo:{lat,long}", "geo:1,2,3", std::nullopt},
        {"x:{+a,b}", "x:p/q,r/s", Values{{"a", "p/q"}, {"b", "r/s"}}},
        {"static://only", "static://only", Values{}},
        {"static://only", "static://only/", std::nullopt},
        // Segments: a list has a '/' before each.
        {"repo:/{/owner,name}", "repo://o/n", Values{{"owner", "o"}, {"name", "n"}}},
        {"repo:/{/owner,name}", "repo://o", std::nullopt},
        {"repo:/{/owner,name}", "repo://o/n/x", std::nullopt},
        {"repo:/{/owner,name}", "repo://o/", std::nullopt},
        {"repo:/{/owner,name}", "repo://o,p/n", Values{{"owner", "o,p"}, {"name", "n"}}},
        {"a:{x}{/y}/z", "a:1/2%2F/z", Values{{"x", "1"}, {"y", "2/"}}},
        {"a:{+x}{/y}", "a:1/2/3", Values{{"x", "1/2"}, {"y", "3"}}},
        // A query at the end.
        {"a://s{?q,page}", "a://s", Values{}},
        {"a://s{?q,page}", "a://s?q=x&page=2", Values{{"q", "x"}, {"page", "2"}}},
        {"a://s{?q,page}", "a://s?page=2&q=x", Values{{"q", "x"}, {"page", "2"}}},
        {"a://s{?q,page}", "a://s?page=2", Values{{"page", "2"}}},
        {"a://s{?q,page}", "a://s?q=", Values{{"q", ""}}},
        {"a://s{?q,page}", "a://s?q=a=b/c?d", Values{{"q", "a=b/c?d"}}},
        {"a://s{?q,page}", "a://s?q=%26page%3D2%20%C3%A4+", Values{{"q", "&page=2 \xC3\xA4+"}}},
        {"a://s{?q,page}", "a://s?", std::nullopt},
        {"a://s{?q,page}", "a://s?q", std::nullopt},
        {"a://s{?q,page}", "a://s?q=x&q=y", std::nullopt},
        {"a://s{?q,page}", "a://s?q=x&", std::nullopt},
        {"a://s{?q,page}", "a://s?&q=x", std::nullopt},
        {"a://s{?q,page}", "a://s?Q=x", std::nullopt},
        {"a://s{?q,page}", "a://s?other=x", std::nullopt},
        {"a://s{?q,page}", "a://s?q=x#f", std::nullopt},
        {"a://s{?q,page}", "a://s?q=%FF", std::nullopt},
        {"a://s{?q,page}", "a://s?q=%0", std::nullopt},
        {"a://s{?q,page}", "a://t?q=x", std::nullopt},
        {"a://s{?q,page}", "a://s&q=x", std::nullopt},
        {"a://{id}{?q}", "a://7?q=x", Values{{"id", "7"}, {"q", "x"}}},
        {"a://{id}{?q}", "a://?q=x", std::nullopt},
        {"file://{+path}{?line}", "file:///a/b?line=3", Values{{"path", "/a/b"}, {"line", "3"}}},
        {"file://{+path}{?line}", "file:///a?b?line=3", std::nullopt},
        {"file://{+path}", "file:///a?line=3", Values{{"path", "/a?line=3"}}},
        // Percent-encoding.
        {"u:{id}", "u:a%20b%2Fc", Values{{"id", "a b/c"}}},
        {"u:{id}", "u:%C3%A9", Values{{"id", "\xC3\xA9"}}},
        {"u:{id}", "u:%c3%a9", Values{{"id", "\xC3\xA9"}}},
        {"u:{id}", "u:\xC3\xA9", Values{{"id", "\xC3\xA9"}}},
        {"u:{id}", "u:%zz", std::nullopt},
        {"u:{id}", "u:%4", std::nullopt},
        {"u:{id}", "u:%", std::nullopt},
        {"u:{id}", "u:%00", std::nullopt},
        {"u:{id}", "u:%FF", std::nullopt},
        {"u:{id}", "u:%C0%AF", std::nullopt},
        {"u:{id}", "u:%ED%A0%80", std::nullopt},
        {"\xC3\xBC:{id}", "%c3%bc:1", Values{{"id", "1"}}},
        {"u:{a}2{b}", "u:x%2Fy2z", Values{{"a", "x/y"}, {"b", "z"}}},  // the 2 inside %2F divides nothing
        {"u:{a}2{b}", "u:%2F", std::nullopt},
    };
    for (const Row& row : table) {
        EXPECT_EQ(match(row.uri_template, row.uri), row.values) << row.uri_template << " ~ " << row.uri;
    }
}

TEST(uri_template, what_it_expands_to_it_takes_back_apart) {
    const Values values{{"a", "x y/z?&=\xC3\xA4"}, {"b", "2"}, {"c", "..;,"}, {"d", "&#="}};
    const TemplateValues given(values.begin(), values.end());
    for (const char* const text : {"t:{a}/{b}{?c,d}", "t:{/a,b,c,d}", "t:{a,b}{/c}{?d}", "{?a,b,c,d}", "t:{/a}-{b,c}{?d}"}) {
        const auto compiled = UriTemplate::compile(text);
        ASSERT_TRUE(compiled.has_value()) << compiled.error().sentence;
        EXPECT_EQ(compiled->match(*compiled->expand(given)), values) << text << ": " << *compiled->expand(given);
    }
}

TEST(uri_template, variables_are_listed_in_their_order) {
    EXPECT_EQ(UriTemplate::compile("x:{b}/{a.c,_d}{/e}{?f,g}")->variables(), (std::vector<std::string>{"b", "a.c", "_d", "e", "f", "g"}));
}

TEST(uri_template, a_template_that_cannot_be_used_is_refused_with_a_reason) {
    const std::pair<std::string, std::string_view> table[] = {
        {"", "between 1 and"},         {std::string(8193, 'a'), "between 1 and"},
        {"a{b", "without its '}'"},    {"a}b", "without its '{'"},
        {"a{}", "name consists of"},   {"a{b c}", "name consists of"},
        {"a{.b}", "operator '.'"},     {"a{b.}", "name consists of"},
        {"a{b,}", "name consists of"}, {"a{b{c}}", "name consists of"},
        {"a{?q}b", "at the end"},      {"a{&q}", "operator '&'"},
        {"a{#f}", "operator '#'"},     {"a{?q}{?r}", "at the end"},
        {"a?b{?q}", "no other '?'"},   {"a{?q*}", "modifiers"},
        {"a{?}", "name consists of"},  {"a{/}", "name consists of"},
        {"a{/p*}", "modifiers"},       {"{/a}{b}", "nothing between them"},
        {"{q}/{?q}", "occurs twice"},  {"a{+/p}", "name consists of"},
        {"a{;p}", "operator ';'"},     {"a{b*}", "modifiers"},
        {"a{b:3}", "modifiers"},       {"{a}{b}", "nothing between them"},
        {"%F{a}", "percent-encoding"}, {"{a}/%{b}", "percent-encoding"},
        {"{a}%zz", "percent-encoding"}, {"%C3{a}", "percent-encoding"},
        {"{a}%A4{b}", "percent-encoding"}, {"a%00{b}", "percent-encoding"},
        {"{a}/{a}", "occurs twice"},   {"a b", "percent-encoded"},
        {"a\nb", "percent-encoded"},   {"a\xff", "UTF-8"},
    };
    for (const auto& [text, because] : table) {
        const auto compiled = UriTemplate::compile(text);
        ASSERT_FALSE(compiled.has_value()) << text;
        EXPECT_NE(compiled.error().sentence.find(because), std::string::npos) << compiled.error().sentence;
    }
    std::string many;
    for (int i = 0; i < 33; ++i) {
        many += "/{v" + std::to_string(i) + "}";
    }
    EXPECT_FALSE(UriTemplate::compile(many).has_value());
}

TEST(uri_template, a_uri_beyond_the_limit_never_fits) {
    const std::string longest = "u:" + std::string(8190, 'x');
    EXPECT_TRUE(match("u:{id}", longest).has_value());
    EXPECT_FALSE(match("u:{id}", longest + "x").has_value());
}

// CVE-2026-0621: as a regular expression, each of these takes longer than the universe is old. That this test ends is what it shows.
TEST(uri_template, hostile_templates_and_uris_end) {
    std::string hostile_template = "u:";
    for (int i = 0; i < 32; ++i) {
        hostile_template += "a{+v" + std::to_string(i) + "}";
    }
    hostile_template += "b";
    const auto compiled = UriTemplate::compile(hostile_template);
    ASSERT_TRUE(compiled.has_value());
    EXPECT_FALSE(compiled->match("u:" + std::string(8190, 'a')).has_value());
    EXPECT_TRUE(compiled->match("u:" + std::string(8189, 'a') + "b").has_value());
    const auto twice = UriTemplate::compile("{+a}" + std::string(2000, 'a') + "{+b}" + std::string(2000, 'a') + "c{+d}");
    ASSERT_TRUE(twice.has_value());
    EXPECT_FALSE(twice->match(std::string(8192, 'a')).has_value());
    std::string many_pairs = "u:?";
    while (many_pairs.size() < 8'000) {
        many_pairs += "v31=&";
    }
    EXPECT_FALSE(UriTemplate::compile("u:{?v0,v31}")->match(many_pairs).has_value());
}

}  // namespace
}  // namespace durable_mcp::schema
