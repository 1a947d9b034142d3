// SPDX-License-Identifier: Apache-2.0
// What the suite does not look at: what is said to the sender of a value and to the author of a schema.
#include "schema/json_schema.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "unit/schema/json_schema_reading.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;

struct MisfitRow {
    std::string_view schema;
    std::string_view value;
    std::string_view path;
    std::string_view keyword;
    std::string_view sentence;
};

TEST(json_schema, a_misfit_says_where_and_what_was_expected_and_what_was_found) {
    const MisfitRow table[] = {
        {R"({"properties":{"cents":{"type":"integer"}}})", R"({"cents":"abc"})", "cents", "type", R"(expected an integer, got "abc")"},
        {R"({"type":["string","null"]})", "[1]", "", "type", "expected a string or null, got an array"},
        {R"({"type":["number","string","null"]})", "{}", "", "type", "expected a string, a number or null, got an object"},
        {R"({"type":"integer"})", "1.5", "", "type", "expected an integer, got 1.5"},
        {R"({"properties":{"order":{"properties":{"items":{"items":{"minimum":1}}}}}})", R"({"order":{"items":[1,2,0]}})", "order.items[2]",
         "minimum", "expected at least 1, got 0"},
        {R"({"items":{"items":{"maximum":2}}})", "[[1],[2,3]]", "[1][1]", "maximum", "expected at most 2, got 3"},
        {R"({"exclusiveMinimum":0})", "0", "", "exclusiveMinimum", "expected more than 0, got 0"},
        {R"({"exclusiveMaximum":0.5})", "0.5", "", "exclusiveMaximum", "expected less than 0.5, got 0.5"},
        {R"({"multipleOf":0.01})", "0.005", "", "multipleOf", "expected a multiple of 0.01, got 0.005"},
        {R"({"minLength":3})", R"("ü")", "", "minLength", "expected at least 3 characters, got 1"},
        {R"({"maxLength":1})", R"("üü")", "", "maxLength", "expected at most 1 character, got 2"},
        {R"({"pattern":"^a+$"})", R"("b")", "", "pattern", R"(expected a string that matches ^a+$, got "b")"},
        {R"({"const":{"a":1}})", "5", "", "const", "expected an object, got 5"},
        {R"({"const":"on"})", R"("off")", "", "const", R"(expected "on", got "off")"},
        {R"({"enum":["a",1,null]})", R"("c")", "", "enum", R"(expected one of "a", 1, null, got "c")"},
        {R"({"minItems":2})", "[1]", "", "minItems", "expected at least 2 elements, got 1"},
        {R"({"maxItems":1})", "[1,2]", "", "maxItems", "expected at most 1 element, got 2"},
        {R"({"uniqueItems":true})", "[1,2,1.0]", "", "uniqueItems", "expected elements that differ, but those at 0 and 2 are equal"},
        {R"({"contains":{"type":"null"}})", "[1]", "", "contains", R"(expected at least 1 element that fits "contains", got 0)"},
        {R"({"contains":true,"maxContains":1})", "[1,2]", "", "maxContains", R"(expected at most 1 element that fits "contains")"},
        {R"({"prefixItems":[true],"items":false})", "[1,2]", "[1]", "items", "expected at most 1 element"},
        {R"({"minProperties":1})", "{}", "", "minProperties", "expected at least 1 property, got 0"},
        {R"({"required":["b","a"]})", R"({"b":1})", "a", "required", "is missing"},
        {R"({"properties":{"o":{"required":["x"]}}})", R"({"o":{}})", "o.x", "required", "is missing"},
        {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})", "b", "dependentRequired", R"(is missing, and must be there where "a" is)"},
        {R"({"properties":{"a":true,"b":true},"additionalProperties":false})", R"({"c":1})", "c", "additionalProperties",
         R"(nothing by this name is expected here; known are "a", "b")"},
        {R"({"properties":{"a":true},"unevaluatedProperties":false})", R"({"a":1,"z":1})", "z", "unevaluatedProperties",
         "nothing by this name is expected here"},
        {R"({"propertyNames":{"maxLength":2}})", R"({"abc":1})", "abc", "propertyNames",
         "its name does not fit: expected at most 2 characters, got 3"},
        {R"({"properties":{"a":false}})", R"({"a":1})", "a", "false", "no value is expected here"},
        {R"({"not":{"type":"string"}})", R"("x")", "", "not", R"("x" fits what it must not fit)"},
        {R"({"oneOf":[{"minimum":1},{"type":"string"},{"maximum":9}]})", "5", "", "oneOf",
         "fits more than one of the alternatives of which exactly one must fit (numbers 0 and 2)"},
    };
    for (const MisfitRow& row : table) {
        const auto misfit = compile(row.schema)->validate(read(row.value));
        ASSERT_TRUE(misfit.has_value()) << row.schema << " " << row.value;
        EXPECT_EQ(misfit->instance_path, row.path) << row.schema;
        EXPECT_EQ(misfit->keyword, row.keyword) << row.schema;
        EXPECT_EQ(misfit->sentence, row.sentence) << row.schema;
    }
}

TEST(json_schema, of_alternatives_that_fail_the_one_that_came_furthest_is_reported) {
    const auto types = compile(R"({"anyOf":[{"type":"string"},{"type":"null"}]})")->validate(5);
    ASSERT_TRUE(types.has_value());
    EXPECT_EQ(types->sentence, "expected a string or null, got 5");
    EXPECT_EQ(types->keyword, "anyOf");

    // A union by "kind": the constant of one alternative fits, so that one was meant.
    const auto shapes = compile(R"({"oneOf":[{"properties":{"kind":{"const":"circle"},"radius":{"type":"number"}},"required":["kind"]},
        {"properties":{"kind":{"const":"square"},"side":{"minimum":1}},"required":["kind"]}]})");
    const auto square = shapes->validate(read(R"({"kind":"square","side":0})"));
    ASSERT_TRUE(square.has_value());
    EXPECT_EQ(square->instance_path, "side");
    EXPECT_EQ(square->sentence, "expected at least 1, got 0 (none of 2 alternatives fits; this one comes closest)");

    // One went into the value, the other did not.
    const auto deeper = compile(R"({"anyOf":[{"type":"string"},{"items":{"items":{"type":"integer"}}}]})")->validate(read(R"([[1,"x"]])"));
    ASSERT_TRUE(deeper.has_value());
    EXPECT_EQ(deeper->instance_path, "[0][1]");
}

TEST(json_schema, a_sentence_quotes_no_more_than_a_line_and_cuts_no_character) {
    std::string long_text = "a";
    for (int i = 0; i < 500; ++i) {
        long_text += "ü";
    }
    const auto misfit = compile(R"({"type":"integer"})")->validate(long_text);
    ASSERT_TRUE(misfit.has_value());
    EXPECT_LT(misfit->sentence.size(), 100u);
    EXPECT_TRUE(misfit->sentence.ends_with("ü…")) << misfit->sentence;
}

TEST(json_schema, numbers_are_compared_by_their_exact_value) {
    EXPECT_TRUE(compile(R"({"const":1})")->fits(1.0));
    EXPECT_TRUE(compile(R"({"enum":[1.0]})")->fits(1));
    EXPECT_FALSE(compile(R"({"const":9007199254740993})")->fits(9007199254740992.0));
    EXPECT_FALSE(compile(R"({"const":18446744073709551615})")->fits(18446744073709551616.0));
    EXPECT_TRUE(compile(R"({"const":-9223372036854775808})")->fits(-9223372036854775808.0));
    EXPECT_FALSE(compile(R"({"maximum":9007199254740992})")->fits(std::uint64_t{9007199254740993}));
    EXPECT_TRUE(compile(R"({"maximum":-0.5})")->fits(-1));
    EXPECT_FALSE(compile(R"({"maximum":-1.5})")->fits(-1));
    EXPECT_TRUE(compile(R"({"multipleOf":0.1})")->fits(0.3));
    EXPECT_FALSE(compile(R"({"multipleOf":0.1})")->fits(0.35));
    EXPECT_TRUE(compile(R"({"multipleOf":0.01})")->fits(1234567.89));
    EXPECT_TRUE(compile(R"({"multipleOf":0.0001})")->fits(std::uint64_t{18446744073709551615U}));
    EXPECT_TRUE(compile(R"({"multipleOf":3})")->fits(-9));
    EXPECT_FALSE(compile(R"({"multipleOf":7})")->fits(1e300));
    EXPECT_TRUE(compile(R"({"multipleOf":1e-300})")->fits(1e300));
    EXPECT_FALSE(compile(R"({"multipleOf":1e300})")->fits(1));
    EXPECT_TRUE(compile(R"({"multipleOf":1e300})")->fits(0));
    EXPECT_FALSE(compile(R"({"uniqueItems":true})")->fits(read(R"([{"a":[1,2]},{"a":[1.0,2]}])")));
}

TEST(json_schema, formats_are_remarks_unless_they_are_asked_for) {
    const Json schema = read(R"({"properties":{"at":{"format":"date-time"},"colour":{"format":"colour"}}})");
    const Json value = read(R"({"at":"tomorrow","colour":"?"})");
    EXPECT_TRUE(JsonSchemaValidator::compile(schema)->fits(value));
    SchemaOptions options;
    options.assert_formats = true;
    const auto misfit = JsonSchemaValidator::compile(schema, options)->validate(value);
    ASSERT_TRUE(misfit.has_value());
    EXPECT_EQ(misfit->instance_path, "at");
    EXPECT_EQ(misfit->sentence, R"(expected a date and time with an offset (RFC 3339), got "tomorrow")");
}

TEST(json_schema, a_schema_that_cannot_be_used_is_refused_with_the_place_and_the_reason) {
    const std::pair<std::string_view, std::string_view> table[] = {
        {R"(5)", "at #: a schema is an object or a boolean, not 5"},
        {R"({"properties":{"a":{"minimum":"1"}}})", R"(at #/properties/a/minimum: expected a number, got "1")"},
        {R"({"properties":{"a/b~c":{"type":"text"}}})", R"(at #/properties/a~1b~0c/type: expected "null", "boolean",)"},
        {R"({"type":[]})", "at #/type: expected at least one type"},
        {R"({"type":["string","string"]})", R"(at #/type: "string" stands there twice)"},
        {R"({"properties":[]})", "at #/properties: expected an object, got an array"},
        {R"({"properties":{"a":1}})", "at #/properties/a: a schema is an object or a boolean, not 1"},
        {R"({"required":"a"})", R"(at #/required: expected an array of strings, got "a")"},
        {R"({"required":["a","a"]})", R"(at #/required: "a" stands there twice)"},
        {R"({"allOf":[]})", "at #/allOf: expected an array of at least one schema, got none"},
        {R"({"items":[{}]})", "at #/items: a schema is an object or a boolean, not an array"},
        {R"({"minLength":-1})", "at #/minLength: expected an integer that is not negative, got -1"},
        {R"({"maxItems":1.5})", "at #/maxItems: expected an integer that is not negative, got 1.5"},
        {R"({"multipleOf":0})", "at #/multipleOf: expected a number above 0, got 0"},
        {R"({"uniqueItems":1})", "at #/uniqueItems: expected a boolean, got 1"},
        {R"({"enum":"a"})", R"(at #/enum: expected an array, got "a")"},
        {R"({"title":7})", "at #/title: expected a string, got 7"},
        {R"x({"pattern":"("})x", R"(at #/pattern: "(" is not a regular expression: a group is not closed)"},
        {R"x({"pattern":"(?=a)"})x",
         R"x(at #/pattern: the pattern "(?=a)" cannot be used: look-ahead (patterns are matched in linear time))x"},
        {R"({"patternProperties":{"(a)\\1":{}}})", "cannot be used: a back-reference"},
        {R"({"$ref":"#/$defs/a"})", R"(at #/$ref: "#/$defs/a" names nothing in that document)"},
        {R"({"$ref":"#a"})", R"(at #/$ref: "#a" names nothing: there is no anchor "a")"},
        {R"({"$ref":"https://example.com/a"})", "names nothing in this document, and nothing is ever fetched"},
        {R"({"$schema":"http://json-schema.org/draft-04/schema#"})",
         R"(the dialect "http://json-schema.org/draft-04/schema#" is not supported)"},
        {R"({"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}})", R"(at #/$defs/b/$anchor: the anchor "x" is given twice)"},
        {R"({"$anchor":"1"})", R"("1" is not an anchor)"},
        {R"({"$defs":{"a":{"$id":"x:y"},"b":{"$id":"x:y"}}})", R"(the identifier "x:y" is given twice)"},
        {R"({"$id":"http://a/#b"})", "an identifier has no fragment"},
        {R"({"$ref":"#"})", "at #: its references lead back to it without looking at any part of the value"},
        {R"({"$defs":{"a":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}, "$ref":"#/$defs/a"})",
         "its references lead back to it"},
    };
    for (const auto& [schema, because] : table) {
        const auto compiled = JsonSchemaValidator::compile(read(schema));
        ASSERT_FALSE(compiled.has_value()) << schema;
        EXPECT_EQ(compiled.error().code, base::FailureCode::malformed) << schema;
        EXPECT_TRUE(compiled.error().sentence.starts_with("the JSON Schema cannot be used: at ")) << compiled.error().sentence;
        EXPECT_NE(compiled.error().sentence.find(because), std::string::npos) << compiled.error().sentence;
    }
}

TEST(json_schema, a_reference_to_another_document_finds_what_was_supplied) {
    SchemaOptions options;
    options.resources.emplace("https://example.com/money", read(R"({"$defs":{"cents":{"$anchor":"cents","type":"integer"}}})"));
    options.resources.emplace("https://example.com/broken", read(R"({"properties":{"a":{"type":1}}})"));
    const auto compiled = JsonSchemaValidator::compile(read(R"({"items":{"$ref":"https://example.com/money#cents"}})"), options);
    ASSERT_TRUE(compiled.has_value()) << compiled.error().sentence;
    EXPECT_TRUE(compiled->fits(read("[1]")));
    EXPECT_FALSE(compiled->fits(read("[1.5]")));
    const auto refused = JsonSchemaValidator::compile(read(R"({"$ref":"https://example.com/broken"})"), options);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().sentence.find("at https://example.com/broken#/properties/a/type"), std::string::npos)
        << refused.error().sentence;
}

TEST(json_schema, a_copy_outlives_the_schema_and_the_validator_that_it_came_from) {
    auto original = compile(R"({"properties":{"a":{"enum":["x","y"]}},"required":["a"]})");
    ASSERT_TRUE(original.has_value());
    const JsonSchemaValidator copy = *original;
    original = compile("true");
    EXPECT_TRUE(copy.fits(read(R"({"a":"x"})")));
    EXPECT_FALSE(copy.fits(read(R"({"a":"z"})")));
}

}  // namespace
}  // namespace durable_mcp::schema
