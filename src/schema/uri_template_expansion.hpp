// SPDX-License-Identifier: Apache-2.0
#pragma once

// URI templates (RFC 6570) read forwards, levels 1 to 4: values are put in for variables.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace durable_mcp::schema {

/// A variable's value: a string, a list, or names with values in their order. An empty list or map counts as no value, as RFC 6570 §3.2.1
/// has it.
using TemplateValue = std::variant<std::string, std::vector<std::string>, std::vector<std::pair<std::string, std::string>>>;
/// A variable that is not in it has no value.
using TemplateValues = std::map<std::string, TemplateValue, std::less<>>;

/// The URI reference to which `text` expands. Values must be UTF-8. Fails with `malformed` for what is no template, or asks for the first
/// characters of a list; the sentence says where.
[[nodiscard]] base::Result<std::string> expand_uri_template(std::string_view text, const TemplateValues& values);

}  // namespace durable_mcp::schema
