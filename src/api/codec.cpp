// SPDX-License-Identifier: Apache-2.0
// Tags and schemas of the built-in codecs. The tags are on disk: never change one.

#include "durable_mcp/codec.hpp"

#include <cmath>
#include <stdexcept>

#include "base/json.hpp"

namespace durable_mcp {

using base::Json;

namespace {

JsonSchema trusted(const Json& schema) { return JsonSchema::from_trusted(schema.dump()); }

JsonSchema parse_schema(std::string_view text) {
    base::Result<Json> parsed = base::parse_json(text, base::stored_json_limits());
    if (!parsed) {
        throw std::invalid_argument("json_schema: this is not JSON: " + parsed.error().sentence);
    }
    return json_schema(*parsed);
}

}  // namespace

JsonSchema json_schema(const Json& schema) {
    if (!schema.is_object()) {
        throw std::invalid_argument("json_schema: a schema is a JSON object");
    }
    base::Result<std::string> text = base::dump_json(schema);
    if (!text) {
        throw std::invalid_argument("json_schema: " + text.error().sentence);
    }
    return JsonSchema::from_trusted(std::move(*text));
}

JsonSchema json_schema(const char* text) { return parse_schema(text == nullptr ? std::string_view() : std::string_view(text)); }
JsonSchema json_schema(const std::string& text) { return parse_schema(text); }

namespace detail {

std::string integer_tag(bool is_signed, std::size_t bytes) { return (is_signed ? "int" : "uint") + std::to_string(8 * bytes); }

JsonSchema integer_schema(bool is_signed, std::size_t bytes) {
    // No bounds at 64 bits: a client that reads them as doubles would round them to numbers that do not fit.
    Json schema{{"type", "integer"}};
    if (!is_signed) {
        schema["minimum"] = 0;
    }
    if (bytes < 8) {
        const auto bits = static_cast<unsigned>(8 * bytes) - (is_signed ? 1U : 0U);
        const auto max = static_cast<std::int64_t>((std::uint64_t{1} << bits) - 1);
        schema["maximum"] = max;
        if (is_signed) {
            schema["minimum"] = -max - 1;
        }
    }
    return trusted(schema);
}

JsonSchema nullable_schema(const JsonSchema& schema) {
    return JsonSchema::from_trusted(R"({"anyOf":[)" + schema.text() + R"(,{"type":"null"}]})");
}
JsonSchema array_schema(const JsonSchema& element) {
    return JsonSchema::from_trusted(R"({"items":)" + element.text() + R"(,"type":"array"})");
}
JsonSchema map_schema(const JsonSchema& element) {
    return JsonSchema::from_trusted(R"({"additionalProperties":)" + element.text() + R"(,"type":"object"})");
}
std::string nested_tag(const char* outer, const std::string& inner) { return std::string(outer) + "<" + inner + ">"; }

}  // namespace detail

std::string codec<bool>::tag() { return "bool"; }
JsonSchema codec<bool>::schema() { return JsonSchema::from_trusted(R"({"type":"boolean"})"); }
void codec<bool>::encode(ValueWriter& out, bool value) { out.boolean(value); }
bool codec<bool>::decode(const ValueView& in) { return in.boolean(); }

std::string codec<double>::tag() { return "double"; }
JsonSchema codec<double>::schema() { return JsonSchema::from_trusted(R"({"type":"number"})"); }
void codec<double>::encode(ValueWriter& out, double value) { out.number(value); }
double codec<double>::decode(const ValueView& in) { return in.number(); }

std::string codec<float>::tag() { return "float"; }
JsonSchema codec<float>::schema() { return JsonSchema::from_trusted(R"({"type":"number"})"); }
void codec<float>::encode(ValueWriter& out, float value) { out.number(static_cast<double>(value)); }
float codec<float>::decode(const ValueView& in) {
    const double number = in.number();
    const auto value = static_cast<float>(number);
    if (std::isinf(value)) {
        in.fail("a number of single precision");
    }
    return value;
}

std::string codec<std::string>::tag() { return "string"; }
JsonSchema codec<std::string>::schema() { return JsonSchema::from_trusted(R"({"type":"string"})"); }
void codec<std::string>::encode(ValueWriter& out, std::string_view value) { out.string(value); }
std::string codec<std::string>::decode(const ValueView& in) { return in.string(); }

std::string codec<Bytes>::tag() { return "bytes"; }
JsonSchema codec<Bytes>::schema() { return JsonSchema::from_trusted(R"({"contentEncoding":"base64","type":"string"})"); }
void codec<Bytes>::encode(ValueWriter& out, const Bytes& value) { out.bytes(value); }
Bytes codec<Bytes>::decode(const ValueView& in) { return in.bytes(); }

std::string codec<Json>::tag() { return "json"; }
JsonSchema codec<Json>::schema() { return JsonSchema::from_trusted("{}"); }
void codec<Json>::encode(ValueWriter& out, const Json& value) { out.json(value); }
Json codec<Json>::decode(const ValueView& in) { return in.json(); }

std::string codec<void>::tag() { return "void"; }
JsonSchema codec<void>::schema() { return JsonSchema::from_trusted(R"({"type":"null"})"); }

}  // namespace durable_mcp
