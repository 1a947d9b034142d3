// SPDX-License-Identifier: Apache-2.0
#include "schema/metaschemas.hpp"

// The metaschemas as data: what JSON Schema core and validation (2020-12) and draft-07 say that a schema looks like, without the remarks
// for people. Schemas may refer to them ({"$ref": "https://json-schema.org/draft/2020-12/schema"} is "any schema"). That our own schemas
// are valid is checked by the compiler, whose sentences are better.

#include <array>
#include <map>
#include <string>
#include <utility>

#include "base/assert.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;

constexpr std::string_view base_uri = "https://json-schema.org/draft/2020-12/";

/// The name behind base_uri, and what is said beside $schema, $id and $dynamicAnchor.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> parts{{
    {"schema", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,
        "https://json-schema.org/draft/2020-12/vocab/applicator":true,"https://json-schema.org/draft/2020-12/vocab/unevaluated":true,
        "https://json-schema.org/draft/2020-12/vocab/validation":true,"https://json-schema.org/draft/2020-12/vocab/meta-data":true,
        "https://json-schema.org/draft/2020-12/vocab/format-annotation":true,"https://json-schema.org/draft/2020-12/vocab/content":true},
        "allOf":[{"$ref":"meta/core"},{"$ref":"meta/applicator"},{"$ref":"meta/unevaluated"},{"$ref":"meta/validation"},
            {"$ref":"meta/meta-data"},{"$ref":"meta/format-annotation"},{"$ref":"meta/content"}],
        "type":["object","boolean"],
        "properties":{"definitions":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}},
            "dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$dynamicRef":"#meta"},
                {"$ref":"meta/validation#/$defs/stringArray"}]}},
            "$recursiveAnchor":{"$ref":"meta/core#/$defs/anchorString"},"$recursiveRef":{"$ref":"meta/core#/$defs/uriReferenceString"}}})json"},
    {"meta/core", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true},
        "type":["object","boolean"],
        "properties":{"$id":{"$ref":"#/$defs/uriReferenceString","pattern":"^[^#]*#?$"},"$schema":{"$ref":"#/$defs/uriString"},
            "$ref":{"$ref":"#/$defs/uriReferenceString"},"$anchor":{"$ref":"#/$defs/anchorString"},
            "$dynamicRef":{"$ref":"#/$defs/uriReferenceString"},"$dynamicAnchor":{"$ref":"#/$defs/anchorString"},
            "$vocabulary":{"type":"object","propertyNames":{"$ref":"#/$defs/uriString"},"additionalProperties":{"type":"boolean"}},
            "$comment":{"type":"string"},"$defs":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}}},
        "$defs":{"anchorString":{"type":"string","pattern":"^[A-Za-z_][-A-Za-z0-9._]*$"},"uriString":{"type":"string","format":"uri"},
            "uriReferenceString":{"type":"string","format":"uri-reference"}}})json"},
    {"meta/applicator", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/applicator":true},
        "type":["object","boolean"],
        "properties":{"prefixItems":{"$ref":"#/$defs/schemaArray"},"items":{"$dynamicRef":"#meta"},"contains":{"$dynamicRef":"#meta"},
            "additionalProperties":{"$dynamicRef":"#meta"},"properties":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}},
            "patternProperties":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"},"propertyNames":{"format":"regex"}},
            "dependentSchemas":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}},"propertyNames":{"$dynamicRef":"#meta"},
            "if":{"$dynamicRef":"#meta"},"then":{"$dynamicRef":"#meta"},"else":{"$dynamicRef":"#meta"},
            "allOf":{"$ref":"#/$defs/schemaArray"},"anyOf":{"$ref":"#/$defs/schemaArray"},"oneOf":{"$ref":"#/$defs/schemaArray"},
            "not":{"$dynamicRef":"#meta"}},
        "$defs":{"schemaArray":{"type":"array","minItems":1,"items":{"$dynamicRef":"#meta"}}}})json"},
    {"meta/unevaluated", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/unevaluated":true},
        "type":["object","boolean"],
        "properties":{"unevaluatedItems":{"$dynamicRef":"#meta"},"unevaluatedProperties":{"$dynamicRef":"#meta"}}})json"},
    {"meta/validation", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/validation":true},
        "type":["object","boolean"],
        "properties":{"type":{"anyOf":[{"$ref":"#/$defs/simpleTypes"},
                {"type":"array","items":{"$ref":"#/$defs/simpleTypes"},"minItems":1,"uniqueItems":true}]},
            "const":true,"enum":{"type":"array","items":true},"multipleOf":{"type":"number","exclusiveMinimum":0},
            "maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"number"},
            "maxLength":{"$ref":"#/$defs/nonNegativeInteger"},"minLength":{"$ref":"#/$defs/nonNegativeInteger"},
            "pattern":{"type":"string","format":"regex"},"maxItems":{"$ref":"#/$defs/nonNegativeInteger"},
            "minItems":{"$ref":"#/$defs/nonNegativeInteger"},"uniqueItems":{"type":"boolean"},
            "maxContains":{"$ref":"#/$defs/nonNegativeInteger"},"minContains":{"$ref":"#/$defs/nonNegativeInteger"},
            "maxProperties":{"$ref":"#/$defs/nonNegativeInteger"},"minProperties":{"$ref":"#/$defs/nonNegativeInteger"},
            "required":{"$ref":"#/$defs/stringArray"},
            "dependentRequired":{"type":"object","additionalProperties":{"$ref":"#/$defs/stringArray"}}},
        "$defs":{"nonNegativeInteger":{"type":"integer","minimum":0},"nonNegativeIntegerDefault0":{"$ref":"#/$defs/nonNegativeInteger"},
            "simpleTypes":{"enum":["array","boolean","integer","null","number","object","string"]},
            "stringArray":{"type":"array","items":{"type":"string"},"uniqueItems":true}}})json"},
    {"meta/meta-data", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/meta-data":true},
        "type":["object","boolean"],
        "properties":{"title":{"type":"string"},"description":{"type":"string"},"default":true,"deprecated":{"type":"boolean"},
            "readOnly":{"type":"boolean"},"writeOnly":{"type":"boolean"},"examples":{"type":"array","items":true}}})json"},
    {"meta/format-annotation", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/format-annotation":true},
        "type":["object","boolean"],"properties":{"format":{"type":"string"}}})json"},
    {"meta/format-assertion", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/format-assertion":true},
        "type":["object","boolean"],"properties":{"format":{"type":"string"}}})json"},
    {"meta/content", R"json({"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/content":true},
        "type":["object","boolean"],
        "properties":{"contentEncoding":{"type":"string"},"contentMediaType":{"type":"string"},"contentSchema":{"$dynamicRef":"#meta"}}})json"},
}};

constexpr std::string_view draft_07 =
    R"json({"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://json-schema.org/draft-07/schema#",
    "definitions":{"schemaArray":{"type":"array","minItems":1,"items":{"$ref":"#"}},"nonNegativeInteger":{"type":"integer","minimum":0},
        "nonNegativeIntegerDefault0":{"allOf":[{"$ref":"#/definitions/nonNegativeInteger"}]},
        "simpleTypes":{"enum":["array","boolean","integer","null","number","object","string"]},
        "stringArray":{"type":"array","items":{"type":"string"},"uniqueItems":true}},
    "type":["object","boolean"],
    "properties":{"$id":{"type":"string","format":"uri-reference"},"$schema":{"type":"string","format":"uri"},
        "$ref":{"type":"string","format":"uri-reference"},"$comment":{"type":"string"},"title":{"type":"string"},
        "description":{"type":"string"},"default":true,"readOnly":{"type":"boolean"},"writeOnly":{"type":"boolean"},
        "examples":{"type":"array","items":true},"multipleOf":{"type":"number","exclusiveMinimum":0},
        "maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"number"},
        "maxLength":{"$ref":"#/definitions/nonNegativeInteger"},"minLength":{"$ref":"#/definitions/nonNegativeInteger"},
        "pattern":{"type":"string","format":"regex"},"additionalItems":{"$ref":"#"},
        "items":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/schemaArray"}]},"maxItems":{"$ref":"#/definitions/nonNegativeInteger"},
        "minItems":{"$ref":"#/definitions/nonNegativeInteger"},"uniqueItems":{"type":"boolean"},"contains":{"$ref":"#"},
        "maxProperties":{"$ref":"#/definitions/nonNegativeInteger"},"minProperties":{"$ref":"#/definitions/nonNegativeInteger"},
        "required":{"$ref":"#/definitions/stringArray"},"additionalProperties":{"$ref":"#"},
        "definitions":{"type":"object","additionalProperties":{"$ref":"#"}},"properties":{"type":"object","additionalProperties":{"$ref":"#"}},
        "patternProperties":{"type":"object","additionalProperties":{"$ref":"#"},"propertyNames":{"format":"regex"}},
        "dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/stringArray"}]}},
        "propertyNames":{"$ref":"#"},"const":true,"enum":{"type":"array","items":true},
        "type":{"anyOf":[{"$ref":"#/definitions/simpleTypes"},
            {"type":"array","items":{"$ref":"#/definitions/simpleTypes"},"minItems":1,"uniqueItems":true}]},
        "format":{"type":"string"},"contentMediaType":{"type":"string"},"contentEncoding":{"type":"string"},
        "if":{"$ref":"#"},"then":{"$ref":"#"},"else":{"$ref":"#"},"allOf":{"$ref":"#/definitions/schemaArray"},
        "anyOf":{"$ref":"#/definitions/schemaArray"},"oneOf":{"$ref":"#/definitions/schemaArray"},"not":{"$ref":"#"}}})json";

Json parse_trusted(std::string_view text) {
    auto parsed = base::parse_json(text, base::wire_json_limits());
    DURABLE_MCP_ASSERT(parsed.has_value());
    return std::move(*parsed);
}

std::map<std::string, Json, std::less<>> read_all() {
    std::map<std::string, Json, std::less<>> all;
    for (const auto& [name, text] : parts) {
        const std::string uri = std::string(base_uri) + std::string(name);
        Json metaschema = parse_trusted(text);
        metaschema["$schema"] = std::string(base_uri) + "schema";
        metaschema["$id"] = uri;
        metaschema["$dynamicAnchor"] = "meta";
        all.emplace(uri, std::move(metaschema));
    }
    all.emplace("http://json-schema.org/draft-07/schema", parse_trusted(draft_07));
    return all;
}

}  // namespace

const Json* find_metaschema(std::string_view uri) {
    static const auto* const all = new std::map(read_all());
    const auto found = all->find(uri);
    return found == all->end() ? nullptr : &found->second;
}

}  // namespace durable_mcp::schema
