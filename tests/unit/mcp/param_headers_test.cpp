// SPDX-License-Identifier: Apache-2.0
#include "mcp/param_headers.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace durable_mcp::mcp {
namespace {

using base::Json;

// protocol §1.1.3
TEST(param_headers, an_annotation_that_callers_could_not_follow_is_refused) {
    struct Row {
        const char* why;
        const char* schema;
        const char* named;  ///< null: nothing is wrong; else a part of the sentence
    };
    const Row table[] = {
        {"none", R"({"type":"object","properties":{"a":{"type":"string"}}})", nullptr},
        {"each type", R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"integer","x-mcp-header":"B"},
                                        "c":{"type":"boolean","x-mcp-header":"C"}}})", nullptr},
        {"nested", R"({"properties":{"a":{"type":"object","properties":{"b":{"type":"string","x-mcp-header":"B"}}}}})", nullptr},
        {"a property of that name", R"({"properties":{"x-mcp-header":{"type":"string"}}})", nullptr},
        {"a default that looks like one", R"({"properties":{"a":{"type":"object","default":{"x-mcp-header":"A"}}}})", nullptr},
        {"empty", R"({"properties":{"a":{"type":"string","x-mcp-header":""}}})", "'a'"},
        {"not a string", R"({"properties":{"a":{"type":"string","x-mcp-header":5}}})", "'a'"},
        {"no token", R"({"properties":{"a":{"type":"string","x-mcp-header":"My Region"}}})", "'a'"},
        {"line feed", R"({"properties":{"a":{"type":"string","x-mcp-header":"A\nB"}}})", "'a'"},
        {"number", R"({"properties":{"a":{"type":"number","x-mcp-header":"A"}}})", "string, integer or boolean"},
        {"no type", R"({"properties":{"a":{"x-mcp-header":"A"}}})", "string, integer or boolean"},
        {"two types", R"({"properties":{"a":{"type":["string","null"],"x-mcp-header":"A"}}})", "string, integer or boolean"},
        {"object", R"({"properties":{"a":{"type":"object","x-mcp-header":"A"}}})", "string, integer or boolean"},
        {"the same name in another case", R"({"properties":{"a":{"type":"string","x-mcp-header":"Region"},
                                              "b":{"type":"string","x-mcp-header":"REGION"}}})", "again"},
        {"at the root", R"({"type":"object","x-mcp-header":"A"})", "root"},
        {"in items", R"({"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}})", "properties"},
        {"below items", R"({"properties":{"a":{"items":{"properties":{"b":{"type":"string","x-mcp-header":"A"}}}}}})", "properties"},
        {"in anyOf", R"({"anyOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]})", "properties"},
        {"in $defs", R"({"$defs":{"d":{"type":"string","x-mcp-header":"A"}}})", "properties"},
        {"in then", R"({"then":{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}})", "properties"},
        {"in patternProperties", R"({"patternProperties":{"^a":{"type":"string","x-mcp-header":"A"}}})", "properties"},
    };
    for (const Row& row : table) {
        const auto fault = check_param_annotations(Json::parse(row.schema));
        ASSERT_EQ(fault.has_value(), row.named != nullptr) << row.why << ": " << fault.value_or("");
        if (fault) {
            EXPECT_NE(fault->find(row.named), std::string::npos) << row.why << ": " << *fault;
        }
    }
}

TEST(param_headers, arguments_and_headers_say_the_same) {
    const auto annotated = param_headers(Json::parse(R"({"properties":{
        "region":{"type":"string","x-mcp-header":"Region"},"count":{"type":"integer","x-mcp-header":"Count"},
        "dry":{"type":"boolean","x-mcp-header":"Dry"},
        "where":{"type":"object","properties":{"zone":{"type":"string","x-mcp-header":"Zone"}}}}})"));
    ASSERT_EQ(annotated.size(), 4u);
    struct Row {
        const char* arguments;
        std::map<std::string, std::string> headers;
        bool is_right;
    };
    const Row table[] = {
        {"{}", {}, true},
        {R"({"region":null})", {}, true},
        {R"({"region":"Hello"})", {{"Mcp-Param-Region", "Hello"}}, true},
        {R"({"region":"Hello"})", {{"Mcp-Param-Region", " Hello "}}, true},
        {R"({"region":"Hello"})", {{"Mcp-Param-Region", "=?base64?SGVsbG8=?="}}, true},
        {R"({"region":"Hello"})", {{"Mcp-Param-Region", "=?base64?SGVsbG8?="}}, false},
        {R"({"region":"Hello"})", {{"Mcp-Param-Region", "=?base64?SGVs!G8=?="}}, false},
        {R"({"region":"Hello"})", {{"Mcp-Param-Region", "hello"}}, false},
        {R"({"region":"Hello"})", {}, false},
        {R"({"region":""})", {{"Mcp-Param-Region", ""}}, true},
        {"{}", {{"Mcp-Param-Region", "Hello"}}, false},
        {"{}", {{"Mcp-Param-Unknown", "Hello"}}, true},
        {R"({"count":42})", {{"Mcp-Param-Count", "42"}}, true},
        {R"({"count":42})", {{"Mcp-Param-Count", "42.0"}}, true},
        {R"({"count":42.0})", {{"Mcp-Param-Count", "42"}}, true},
        {R"({"count":-7})", {{"Mcp-Param-Count", "-7"}}, true},
        {R"({"count":42})", {{"Mcp-Param-Count", "43"}}, false},
        {R"({"count":42})", {{"Mcp-Param-Count", "42x"}}, false},
        {R"({"count":42})", {{"Mcp-Param-Count", ""}}, false},
        {R"({"count":9007199254740993})", {{"Mcp-Param-Count", "9007199254740992"}}, false},
        {R"({"dry":true})", {{"Mcp-Param-Dry", "true"}}, true},
        {R"({"dry":true})", {{"Mcp-Param-Dry", "True"}}, false},
        {R"({"dry":false})", {{"Mcp-Param-Dry", "true"}}, false},
        {R"({"where":{"zone":"b"}})", {{"Mcp-Param-Zone", "b"}}, true},
        {R"({"where":{"zone":"b"}})", {}, false},
        {R"({"where":"b"})", {}, true},
        {R"({"region":[]})", {{"Mcp-Param-Region", "[]"}}, false},
    };
    for (const Row& row : table) {
        const auto error = check_param_headers(annotated, Json::parse(row.arguments), [&row](std::string_view name) {
            const auto found = row.headers.find(std::string(name));
            return found == row.headers.end() ? std::string_view() : std::string_view(found->second);
        });
        ASSERT_EQ(!error.has_value(), row.is_right) << row.arguments << " " << (error ? error->message : "");
        if (error) {
            EXPECT_EQ(error->code, -32020);
        }
    }
}

}  // namespace
}  // namespace durable_mcp::mcp
