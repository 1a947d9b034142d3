// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/json.hpp"

namespace durable_mcp::mcp {

/// Checks what a person filled into a form against the form: a flat object schema of primitive properties (2026-07-28 Elicitation).
/// Null if it fits, else a sentence that begins with the place ("content.age: …"). Formats that we know are held to; properties that the form does
/// not have may be there.
[[nodiscard]] std::optional<std::string> check_form(const base::Json& requested_schema, const base::Json& content);

}  // namespace durable_mcp::mcp
