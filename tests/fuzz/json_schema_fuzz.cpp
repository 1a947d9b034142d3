// SPDX-License-Identifier: Apache-2.0
// The first line is a schema, the rest a value. Whatever they are: no crash, an end within the limits, and the same verdict from both ways
// to ask.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.hpp"
#include "schema/json_schema.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace durable_mcp;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t line = text.find('\n');
    const auto schema = base::parse_json(text.substr(0, line), base::wire_json_limits());
    if (!schema) {
        return 0;
    }
    schema::SchemaOptions options;
    options.assert_formats = true;
    options.limits.steps = 100'000;
    const auto compiled = schema::JsonSchemaValidator::compile(*schema, options);
    if (!compiled) {
        if (compiled.error().sentence.empty()) {
            std::abort();
        }
        return 0;
    }
    const auto value = base::parse_json(line == std::string_view::npos ? "null" : text.substr(line + 1), base::wire_json_limits());
    const base::Json& checked = value ? *value : *schema;
    const auto misfit = compiled->validate(checked);
    if (compiled->fits(checked) == misfit.has_value() || (misfit && misfit->sentence.empty())) {
        std::abort();
    }
    return 0;
}
