// SPDX-License-Identifier: Apache-2.0
// Each limit, reached; and schemas and values that are made to cost more than they should.
#include <gtest/gtest.h>

#include <string>

#include "schema/json_schema.hpp"
#include "unit/schema/json_schema_reading.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;

/// {"not": {"not": … true}}: `depth` schemas inside of each other.
Json nested(std::size_t depth) {
    Json schema = true;
    for (std::size_t i = 1; i < depth; ++i) {
        schema = Json{{"not", std::move(schema)}};
    }
    return schema;
}

TEST(json_schema_limits, schemas_may_be_so_deep_inside_of_each_other_and_no_deeper) {
    EXPECT_TRUE(JsonSchemaValidator::compile(nested(32)).has_value());
    const auto refused = JsonSchemaValidator::compile(nested(33));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, base::FailureCode::too_large);
    EXPECT_NE(refused.error().sentence.find("more than 32 deep"), std::string::npos) << refused.error().sentence;
}

TEST(json_schema_limits, there_may_be_so_many_subschemas_and_no_more) {
    Json schema = Json::object();
    for (int i = 0; i < 1'999; ++i) {
        schema["properties"]["p" + std::to_string(i)] = true;
    }
    EXPECT_TRUE(JsonSchemaValidator::compile(schema).has_value());
    schema["properties"]["one more"] = true;
    const auto refused = JsonSchemaValidator::compile(schema);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, base::FailureCode::too_large);
    EXPECT_NE(refused.error().sentence.find("more than 2000 subschemas"), std::string::npos) << refused.error().sentence;
}

TEST(json_schema_limits, supplied_documents_count_and_metaschemas_do_not) {
    SchemaOptions options;
    options.limits.subschemas = 3;
    options.resources.emplace("urn:three", read(R"({"allOf":[true,true]})"));
    EXPECT_TRUE(JsonSchemaValidator::compile(read(R"({"$ref":"https://json-schema.org/draft/2020-12/schema"})"), options).has_value());
    EXPECT_FALSE(JsonSchemaValidator::compile(read(R"({"$ref":"urn:three"})"), options).has_value());
    options.limits.subschemas = 4;
    EXPECT_TRUE(JsonSchemaValidator::compile(read(R"({"$ref":"urn:three"})"), options).has_value());
}

TEST(json_schema_limits, a_check_that_takes_too_many_steps_is_a_misfit_that_says_so) {
    SchemaOptions options;
    options.limits.steps = 100;
    const auto compiled = compile(R"({"items":{"type":"integer"}})", options);
    EXPECT_TRUE(compiled->fits(Json(std::vector<int>(99, 7))));
    const auto misfit = compiled->validate(Json(std::vector<int>(100, 7)));
    ASSERT_TRUE(misfit.has_value());
    EXPECT_EQ(misfit->keyword, "");
    EXPECT_EQ(misfit->sentence, "cannot be checked within 100 steps: it is too large for its schema");
}

TEST(json_schema_limits, a_denial_does_not_turn_an_unfinished_check_into_a_fit) {
    SchemaOptions options;
    options.limits.steps = 100;
    EXPECT_FALSE(compile(R"({"not":{"items":{"type":"integer"}}})", options)->fits(Json(std::vector<int>(200, 7))));
    EXPECT_FALSE(compile(R"({"if":{"items":{"type":"integer"}},"else":true})", options)->fits(Json(std::vector<int>(200, 7))));
}

TEST(json_schema_limits, an_ordinary_large_value_is_checked_within_the_default_steps) {
    const auto compiled = compile(R"({"items":{"type":"object","properties":{"a":{"type":"integer","minimum":0},"b":{"type":"string"}},
        "required":["a"],"additionalProperties":false}})");
    Json value = Json::array();
    for (int i = 0; i < 33'000; ++i) {
        value.push_back({{"a", i}, {"b", "text"}});
    }
    EXPECT_TRUE(compiled->fits(value));  // 99,001 values: what the wire lets through

    Json different = Json::array();
    for (int i = 0; i < 99'000; ++i) {
        different.push_back(i % 2 == 0 ? Json(i) : Json(i + 0.5));
    }
    EXPECT_TRUE(compile(R"({"uniqueItems":true})")->fits(different));
    different.push_back(42.0);
    EXPECT_EQ(compile(R"({"uniqueItems":true})")->validate(different)->keyword, "uniqueItems");
}

TEST(json_schema_limits, references_that_are_resolved_late_and_never_end_are_ended) {
    // "a" goes to whatever the outermost resource calls "a", which is the schema that asks.
    const auto compiled = compile(R"({"$id":"urn:outer","$dynamicAnchor":"a","$ref":"urn:inner",
        "$defs":{"inner":{"$id":"urn:inner","$dynamicRef":"#a","$defs":{"default":{"$dynamicAnchor":"a"}}}}})");
    const auto misfit = compiled->validate(1);
    ASSERT_TRUE(misfit.has_value());
    EXPECT_EQ(misfit->sentence, "cannot be checked: its schema refers to itself more than 1000 levels deep");
}

TEST(json_schema_limits, a_recursive_schema_takes_a_value_as_deep_as_the_store_keeps) {
    Json value = Json::object();
    for (int i = 1; i < 300; ++i) {
        value = Json{{"child", std::move(value)}};
    }
    const auto compiled =
        compile(R"({"$defs":{"node":{"type":"object","properties":{"child":{"$ref":"#/$defs/node"}},"additionalProperties":false}},
        "$ref":"#/$defs/node"})");
    EXPECT_TRUE(compiled->fits(value));
}

/// Every level asks the next one twice: 2^30 paths.
Json doubling(const char* keyword) {
    Json schema = Json::object();
    for (int i = 0; i < 30; ++i) {
        const Json next{{"$ref", "#/$defs/" + std::to_string(i + 1)}};
        schema["$defs"][std::to_string(i)][keyword] = Json::array({next, next});
    }
    schema["$defs"]["30"] = {{"type", "null"}};
    schema["$ref"] = "#/$defs/0";
    return schema;
}

// That it ends is what this test shows: unbounded, most of these take years.
TEST(json_schema_limits, hostile_schemas_and_values_end) {
    for (const char* keyword : {"anyOf", "oneOf"}) {
        EXPECT_FALSE(JsonSchemaValidator::compile(doubling(keyword))->fits(5)) << keyword;
        EXPECT_TRUE(JsonSchemaValidator::compile(doubling(keyword))->validate(5).has_value()) << keyword;
    }
    EXPECT_FALSE(JsonSchemaValidator::compile(doubling("allOf"))->fits(nullptr));
    // Within the steps, but not with a sentence for each of 2^15 failures.
    Json wide = doubling("anyOf");
    wide["$ref"] = "#/$defs/15";
    EXPECT_EQ(JsonSchemaValidator::compile(wide)->validate(5)->sentence,
              "does not fit its schema, and it would take too long to say where");
    // Marks at every level of many.
    const auto marking = compile(R"({"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"unevaluatedItems":true,
        "$defs":{"a":{"anyOf":[{"items":true},{"items":true}]}}})");
    EXPECT_TRUE(marking->fits(Json(std::vector<int>(50'000, 1))));
    // Elements that differ only at their ends, compared again by every path of many.
    Json alike = Json::array();
    for (int i = 0; i < 20; ++i) {
        alike.push_back(std::vector<int>(1'000, 1));
        alike.back().push_back(i);
    }
    Json unique = doubling("anyOf");
    unique["$defs"]["30"] = {{"uniqueItems", true}, {"maxItems", 1}};
    EXPECT_FALSE(JsonSchemaValidator::compile(unique)->fits(alike));
    // As a backtracking engine has it, this takes longer than the universe is old.
    EXPECT_FALSE(compile(R"({"pattern":"^(([a-z])+.)+[A-Z]([a-z])+$"})")->fits(std::string(20'000, 'a')));
}

// Written out in full for each alternative that fails on the way to the misfit, this key would be 36 GB of text.
TEST(json_schema_limits, the_way_to_a_misfit_through_a_long_key_is_short) {
    Json elements = Json::array();
    for (int i = 0; i < 9'000; ++i) {
        elements.push_back(i);
    }
    elements.push_back(nullptr);
    const auto compiled = compile(R"({"additionalProperties":{"items":{"anyOf":[{"type":"string"},{"type":"integer"}]}}})");
    const auto misfit = compiled->validate(Json{{std::string(4'000'000, 'k'), std::move(elements)}});
    ASSERT_TRUE(misfit.has_value());
    EXPECT_EQ(misfit->instance_path, std::string(60, 'k') + "…[9000]");
    EXPECT_EQ(misfit->sentence, "expected a string or an integer, got null");
    EXPECT_EQ(compile(R"({"additionalProperties":false})")->validate(Json{{std::string(59, 'k') + "é", 1}})->instance_path,
              std::string(59, 'k') + "…");
}

TEST(json_schema_limits, a_pattern_that_is_too_large_is_refused) {
    for (const char* expression : {"((a{1000}){1000})", "a{1001}", R"((\p{L}{1000}){20})"}) {
        EXPECT_FALSE(JsonSchemaValidator::compile(Json{{"pattern", expression}}).has_value()) << expression;
    }
    EXPECT_TRUE(compile(R"({"pattern":"^[\\p{L}\\p{N} ]{1,255}$"})")->fits("Jürgen 7"));
    const auto refused = JsonSchemaValidator::compile(Json{{"pattern", std::string(4'097, 'a')}});
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().sentence.find("a pattern has at most 4096 bytes"), std::string::npos) << refused.error().sentence;
    EXPECT_TRUE(JsonSchemaValidator::compile(Json{{"pattern", std::string(4'096, 'a')}}).has_value());
}

}  // namespace
}  // namespace durable_mcp::schema
