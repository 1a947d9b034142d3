// SPDX-License-Identifier: Apache-2.0
// Arguments by a schema that is written by hand: it is shown to clients word for word.
#include <string>

#include <durable_mcp/durable_mcp.hpp>

#include "conformance_server/fixtures.hpp"

namespace conformance {

using durable_mcp::json_schema;

namespace {

constexpr const char* schema_with_everything = R"({
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"}
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": false
})";

/// Whoever calls by HTTP repeats the region in a header, Mcp-Param-Region, so that a proxy can send the call where it belongs. The library
/// refuses a call whose header says something else.
constexpr const char* schema_with_header = R"({
    "type": "object",
    "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "level": {"type": "integer"}}
})";

std::string name_region(const nlohmann::json& arguments) {
    return "region=<" + arguments.value("region", "") + ">";
}

}  // namespace

void add_schema_tools(durable_mcp::DurableMCP& mcp) {
    mcp.tool("json_schema_2020_12_tool", "Has a schema that uses most of what JSON Schema 2020-12 offers.",
             json_schema(schema_with_everything), [](const nlohmann::json& arguments) { return "Called with " + arguments.dump(); });
    mcp.tool("test_x_mcp_header", "Has an argument that is also sent as a header.", json_schema(schema_with_header), name_region);
}

}  // namespace conformance
