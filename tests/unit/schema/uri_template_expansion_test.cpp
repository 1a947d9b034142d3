// SPDX-License-Identifier: Apache-2.0
#include "schema/uri_template_expansion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/json.hpp"
#include "schema/uri_template.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;
namespace fs = std::filesystem;

std::string expand(std::string_view text, const TemplateValues& values) {
    const auto expanded = expand_uri_template(text, values);
    return expanded ? *expanded : "refused: " + expanded.error().sentence;
}

TEST(uri_template_expansion, each_operator_and_modifier_does_what_the_rfc_says) {
    const TemplateValues values{{"x", "1 2"},
                                {"path", "/a/b"},
                                {"empty", ""},
                                {"list", std::vector<std::string>{"r", "g b"}},
                                {"map", std::vector<std::pair<std::string, std::string>>{{"z", "1"}, {"a", ""}}},
                                {"none", std::vector<std::string>{}}};
    const std::pair<std::string_view, std::string_view> table[] = {
        {"a/{x}", "a/1%202"},
        {"a/{missing}b", "a/b"},
        {"{x,missing,empty}", "1%202,"},
        {"{path}", "%2Fa%2Fb"},
        {"{+path}{#path}", "/a/b#/a/b"},
        {"x{.x,list}", "x.1%202.r,g%20b"},
        {"{/list*,x:1}", "/r/g%20b/1"},
        {"{;x,empty,missing}", ";x=1%202;empty"},
        {"{?x,empty}{&list*}", "?x=1%202&empty=&list=r&list=g%20b"},
        {"{?map}", "?map=z,1,a,"},
        {"{?map*}", "?z=1&a="},
        {"{;map*}", ";z=1;a"},
        {"{map*}", "z=1,a="},
        {"{?none}{list:3}",
         "refused: the URI template '{?none}{list:3}' cannot be expanded: the value of 'list' is a list or a map, which has no "
         "first characters (at character 8)"},
        {"{?none}", ""},
        {"{x", "refused: the URI template '{x' cannot be expanded: a '{' without its '}' (at character 1)"},
        {"a}", "refused: the URI template 'a}' cannot be expanded: a '}' without its '{' (at character 2)"},
        {"ü%41'", "%C3%BC%41'"},
    };
    for (const auto& [text, expected] : table) {
        EXPECT_EQ(expand(text, values), expected) << text;
    }
}

TEST(uri_template_expansion, what_a_template_expands_to_it_matches) {
    const auto compiled = UriTemplate::compile("db://{table}/{+path}?id={row,part}");
    ASSERT_TRUE(compiled.has_value());
    const std::map<std::string, std::string> values{{"table", "a/b c"}, {"path", "x/y"}, {"row", "7,ü"}, {"part", "%"}};
    const auto uri = compiled->expand({values.begin(), values.end()});
    ASSERT_TRUE(uri.has_value());
    EXPECT_EQ(*uri, "db://a%2Fb%20c/x/y?id=7%2C%C3%BC,%25");
    EXPECT_EQ(compiled->match(*uri), values);
}

TemplateValue read_value(const Json& value) {
    const auto text = [](const Json& one) { return one.is_string() ? one.get<std::string>() : one.dump(); };
    if (value.is_array()) {
        std::vector<std::string> list;
        for (const Json& one : value) {
            list.push_back(text(one));
        }
        return list;
    }
    if (value.is_object()) {
        std::vector<std::pair<std::string, std::string>> map;
        for (const auto& [name, one] : value.items()) {
            map.emplace_back(name, text(one));
        }
        return map;
    }
    return text(value);
}

class uri_template_vectors : public testing::TestWithParam<const char*> {};

// The vectors of https://github.com/uri-templates/uritemplate-test.
TEST_P(uri_template_vectors, every_case_comes_out_as_they_say) {
    const char* const shared = std::getenv("DURABLE_MCP_SHARED");
    const fs::path path =
        fs::path(shared != nullptr ? shared : DURABLE_MCP_SHARED_DIR) / "data/uri-template" / (std::string(GetParam()) + ".json");
    std::ifstream file(path);
    if (!file) {
        GTEST_SKIP() << path << " is not there (DURABLE_MCP_SHARED names another place)";
    }
    int cases = 0;
    const Json vectors = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    for (const auto& [title, group] : vectors.items()) {
        TemplateValues values;
        for (const auto& [name, value] : group["variables"].items()) {
            if (!value.is_null()) {
                values.emplace(name, read_value(value));
            }
        }
        for (const Json& one : group["testcases"]) {
            ++cases;
            const auto expanded = expand_uri_template(one[0].get<std::string>(), values);
            const Json& expected = one[1];
            if (expected == false) {
                EXPECT_FALSE(expanded.has_value()) << title << ": " << one;
            } else if (!expanded) {
                ADD_FAILURE() << title << ": " << one << ": " << expanded.error().sentence;
            } else if (expected.is_array()) {
                EXPECT_NE(std::find(expected.begin(), expected.end(), *expanded), expected.end())
                    << title << ": " << one << ": " << *expanded;
            } else {
                EXPECT_EQ(*expanded, expected) << title;
            }
        }
    }
    EXPECT_GT(cases, 0);
    RecordProperty("cases", cases);
}

INSTANTIATE_TEST_SUITE_P(files, uri_template_vectors,
                         testing::Values("spec-examples", "spec-examples-by-section", "extended-tests", "negative-tests"),
                         [](const auto& vectors) {
                             std::string name = vectors.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

}  // namespace
}  // namespace durable_mcp::schema
