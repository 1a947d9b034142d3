// SPDX-License-Identifier: Apache-2.0
#include "schema/json_schema.hpp"

#include <utility>

#include "schema/compiler.hpp"
#include "schema/evaluation.hpp"

namespace durable_mcp::schema {

JsonSchemaValidator::JsonSchemaValidator(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

base::Result<JsonSchemaValidator> JsonSchemaValidator::compile(const base::Json& schema, const SchemaOptions& options) {
    auto program = compile_schema(schema, options);
    if (!program) {
        return std::move(program).error();
    }
    return JsonSchemaValidator(std::make_shared<const Program>(std::move(*program)));
}

bool JsonSchemaValidator::fits(const base::Json& value) const {
    return Evaluation(*program_, false).run(value);
}

std::optional<Misfit> JsonSchemaValidator::validate(const base::Json& value) const {
    Evaluation check(*program_, false);
    if (check.run(value)) {
        return std::nullopt;
    }
    if (check.reached_a_limit()) {
        return check.take_misfit();
    }
    Evaluation explanation(*program_, true);
    static_cast<void>(explanation.run(value));
    return explanation.take_misfit();
}

}  // namespace durable_mcp::schema
