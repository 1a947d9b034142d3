// SPDX-License-Identifier: Apache-2.0
#pragma once

// One application model, one wire form per revision (protocol §2.18). Pure functions over JSON.

#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "mcp/catalog.hpp"
#include "mcp/revision.hpp"

namespace durable_mcp::mcp {

/// What a list shows of `descriptor` to a peer of that revision.
[[nodiscard]] base::Json project_descriptor(ItemKind kind, Revision revision, const base::Json& descriptor);

/// A handler's result in the newest form (CallToolResult, GetPromptResult, ReadResourceResult) as that revision knows it: content that it
/// has no word for becomes text, fields that it has no place for are left out, structuredContent that is not an object is dropped.
[[nodiscard]] base::Json project_result(ItemKind kind, Revision revision, base::Json result);

/// Our Implementation as `initialize` names it to that revision.
[[nodiscard]] base::Json project_implementation(Revision revision, const base::Json& implementation);

/// Params of notifications/progress; `message` is left out where the revision has no place for it.
[[nodiscard]] base::Json progress_params(Revision revision, const base::Json& token, double progress, std::optional<double> total,
                                         std::string_view message);

}  // namespace durable_mcp::mcp
