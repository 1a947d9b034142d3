// SPDX-License-Identifier: Apache-2.0
#pragma once

// From what a program registers to what the catalog holds: a descriptor for lists, and a target that runs. Each throws
// std::invalid_argument, with a sentence that names the item, for what cannot be offered.

#include <string_view>

#include "durable_mcp/detail/binding.hpp"
#include "durable_mcp/prompt.hpp"
#include "durable_mcp/resource.hpp"
#include "durable_mcp/tool.hpp"
#include "mcp/catalog.hpp"

namespace durable_mcp::api {

[[nodiscard]] mcp::Item make_tool(std::string_view name, std::string_view description, const detail::Binding& binding, const ToolOptions& options);
[[nodiscard]] mcp::Item make_raw_tool(std::string_view name, std::string_view description, const JsonSchema& schema,
                                      const detail::Binding& binding, const ToolOptions& options);
[[nodiscard]] mcp::Item make_prompt(std::string_view name, std::string_view description, const detail::Binding& binding,
                                    const PromptOptions& options);
[[nodiscard]] mcp::Item make_resource(std::string_view uri, std::string_view name, const detail::Binding& binding, const ResourceOptions& options);
[[nodiscard]] mcp::Item make_template(std::string_view uri_template, std::string_view name, const detail::Binding& binding,
                                      const ResourceOptions& options);

[[nodiscard]] base::Json describe_icons(const std::string& item, const std::vector<Icon>& icons);

}  // namespace durable_mcp::api
