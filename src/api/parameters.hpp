// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parameters of a handler: their schema for clients, and the check of what clients send.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "durable_mcp/detail/binding.hpp"
#include "durable_mcp/tool.hpp"

namespace durable_mcp::api {

/// Immutable after construction: any thread may bind with it.
class ParameterList {
public:
    /// Throws std::invalid_argument, naming `item` and the parameter, for a name that is empty or used twice, a keyword that does not
    /// fit the type, bounds that contradict each other, and a default or an allowed value that the parameter itself would refuse.
    ParameterList(const std::string& item, const detail::Binding& binding);

    /// An object schema, with `additionalProperties: false` where unknown arguments are refused.
    [[nodiscard]] base::Json schema(UnknownArguments unknown) const;
    /// Names in the order of the parameters.
    [[nodiscard]] std::vector<std::string> names() const;
    /// PromptArgument objects: name, title, description, required.
    [[nodiscard]] base::Json prompt_arguments() const;

    /// What the handler gets of `arguments`, in its order. The values borrow from `arguments` and from this list.
    /// Throws InvalidArguments for an argument that is missing, unknown (if refused) or beyond its bounds; types are checked when decoding.
    [[nodiscard]] std::vector<detail::BoundArgument> bind(const base::Json& arguments, UnknownArguments unknown) const;

private:
    struct Parameter {
        std::string name;
        std::string description;
        base::Json schema;                        ///< with the keywords of its Arg
        std::optional<base::Json> default_value;
        bool is_optional = false;                 ///< a std::optional: absent is nothing
        [[nodiscard]] bool required() const { return !is_optional && !default_value; }
    };
    static void check(const Parameter& parameter, const base::Json& value);

    std::vector<Parameter> parameters_;
};

}  // namespace durable_mcp::api
