// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string_view>

#include "schema/json_schema.hpp"

namespace durable_mcp::schema {

/// `text` as JSON; it must be some.
inline base::Json read(std::string_view text) {
    auto value = base::parse_json(text, base::stored_json_limits());
    EXPECT_TRUE(value.has_value()) << text;
    return value ? *value : base::Json();
}

/// The compiled schema; throws, which fails the test, if it cannot be compiled.
inline std::optional<JsonSchemaValidator> compile(std::string_view schema, const SchemaOptions& options = {}) {
    auto compiled = JsonSchemaValidator::compile(read(schema), options);
    if (!compiled) {
        throw std::invalid_argument(compiled.error().sentence);
    }
    return *compiled;
}

}  // namespace durable_mcp::schema
