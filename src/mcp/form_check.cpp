// SPDX-License-Identifier: Apache-2.0
#include "mcp/form_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "mcp/quote.hpp"
#include "schema/json_schema.hpp"

namespace durable_mcp::mcp {
namespace {

/// What the specification lets people fill in anywhere, also where the form has no such field.
bool is_entry(const base::Json& value) {
    if (value.is_array()) {
        return std::all_of(value.begin(), value.end(), [](const base::Json& item) { return item.is_string(); });
    }
    return value.is_string() || value.is_number() || value.is_boolean();
}

}  // namespace

std::optional<std::string> check_form(const base::Json& requested_schema, const base::Json& content) {
    if (!content.is_object()) {
        return "content must be an object";
    }
    for (const auto& [name, value] : content.items()) {
        if (!is_entry(value)) {
            return fmt::format("content.{}: expected a string, a number, a boolean or an array of strings", quote(name));
        }
    }
    // Compiled for each answer: a person took longer to give it.
    schema::SchemaOptions options;
    options.assert_formats = true;
    const auto form = schema::JsonSchemaValidator::compile(requested_schema, options);
    if (!form) {
        return "the form itself cannot be checked: " + form.error().sentence;
    }
    const auto misfit = form->validate(content);
    if (!misfit) {
        return std::nullopt;
    }
    const std::string where = misfit->instance_path.empty() ? "content" : "content." + misfit->instance_path;
    return misfit->keyword == "required" ? where + ' ' + misfit->sentence : where + ": " + misfit->sentence;
}

}  // namespace durable_mcp::mcp
