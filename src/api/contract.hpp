// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a tool's schemas promise, kept: its arguments to it, its results to its clients.

#include <optional>
#include <string>

#include "base/json.hpp"
#include "schema/json_schema.hpp"

namespace durable_mcp::api {

/// The compiled schemas of one tool. Immutable: any thread.
class ToolContract {
public:
    /// Throws std::invalid_argument, naming `item` and the place in the schema, for one that is none, or that cannot be checked in bounded time
    /// (a pattern with look-around, a `$ref` to another document). `output` is null where nothing is promised.
    ToolContract(const std::string& item, const base::Json& input, const base::Json* output);

    /// Throws InvalidArguments, naming the argument, for what inputSchema does not allow.
    void check_arguments(const base::Json& arguments) const;
    /// Throws std::logic_error for a result that outputSchema does not allow: the author's mistake, which clients would refuse. A result that says
    /// `isError` promises nothing.
    void check_result(const base::Json& result) const;

private:
    std::string item_;
    schema::JsonSchemaValidator input_;
    std::optional<schema::JsonSchemaValidator> output_;
};

}  // namespace durable_mcp::api
