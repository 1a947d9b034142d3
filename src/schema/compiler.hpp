// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "schema/json_schema.hpp"
#include "schema/program.hpp"

namespace durable_mcp::schema {

/// See JsonSchemaValidator::compile().
[[nodiscard]] base::Result<Program> compile_schema(const base::Json& schema, const SchemaOptions& options);

}  // namespace durable_mcp::schema
