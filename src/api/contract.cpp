// SPDX-License-Identifier: Apache-2.0
#include "api/contract.hpp"

#include <stdexcept>
#include <utility>

#include "durable_mcp/error.hpp"

namespace durable_mcp::api {
namespace {

schema::JsonSchemaValidator compile(const std::string& item, const char* which, const base::Json& schema) {
    auto compiled = schema::JsonSchemaValidator::compile(schema);
    if (!compiled) {
        throw std::invalid_argument(item + ": the " + which + " cannot be used: " + compiled.error().sentence);
    }
    return std::move(*compiled);
}

}  // namespace

ToolContract::ToolContract(const std::string& item, const base::Json& input, const base::Json* output)
    : item_(item), input_(compile(item, "schema of the arguments", input)) {
    if (output != nullptr) {
        output_ = compile(item, "output schema", *output);
    }
}

void ToolContract::check_arguments(const base::Json& arguments) const {
    if (input_.fits(arguments)) {
        return;
    }
    if (const auto misfit = input_.validate(arguments)) {
        const std::string where = misfit->instance_path.empty() ? "arguments" : "argument \"" + misfit->instance_path + '"';
        throw InvalidArguments(misfit->instance_path, where + ": " + misfit->sentence);
    }
}

void ToolContract::check_result(const base::Json& result) const {
    if (!output_ || result.value("isError", false)) {
        return;
    }
    const auto structured = result.find("structuredContent");
    if (structured == result.end()) {
        throw std::logic_error(item_ + " has an output schema, but its handler returned nothing that could keep it");
    }
    if (const auto misfit = output_->fits(*structured) ? std::nullopt : output_->validate(*structured)) {
        throw std::logic_error(item_ + ": its result breaks its output schema at \"" + misfit->instance_path + "\": " + misfit->sentence);
    }
}

}  // namespace durable_mcp::api
