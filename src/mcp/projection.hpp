// SPDX-License-Identifier: Apache-2.0
#pragma once

// One application model, one wire form per revision (protocol §2.18). Pure functions over JSON.

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/catalog.hpp"
#include "mcp/revision.hpp"
#include "mcp/server_facts.hpp"

namespace durable_mcp::mcp {

/// What a list shows of `descriptor` to a peer of that revision.
[[nodiscard]] base::Json project_descriptor(ItemKind kind, Revision revision, const base::Json& descriptor);

/// A handler's result in the newest form (CallToolResult, GetPromptResult, ReadResourceResult, CompleteResult) as that revision knows it. Before
/// 2026-07-28 content that the revision has no word for becomes text, fields without a place are left out, structuredContent that is no object is
/// dropped. From then on it is complete, and identified; what resources/read answers says how long it may be kept, unless the handler did.
[[nodiscard]] base::Json project_result(ItemKind kind, Revision revision, base::Json result, const ServerFacts& facts = {});

/// A tool's result that was recorded in one revision, for a client that asks again, by its idempotency key, in another one.
[[nodiscard]] base::Json project_recorded(base::Json result, Revision from, Revision to, const ServerFacts& facts = {});

/// An error as that revision says it: -32002 is -32602 from 2026-07-28 on, and -32042 exists in 2025-11-25 only (elsewhere it is -32603).
[[nodiscard]] jsonrpc::Error project_error(Revision revision, jsonrpc::Error error);

/// 2026-07-28: `result` with our Implementation in its `_meta`, which every result should have. Nothing is added when `facts` has none.
[[nodiscard]] base::Json identify(const ServerFacts& facts, base::Json result);
/// 2026-07-28: the text of an object without `_meta` or resultType, completed to a result: resultType "complete", our Implementation and, when
/// clients may keep it, ttlMs and cacheScope. Lists are made once and completed for each answer.
[[nodiscard]] std::string complete_result(const ServerFacts& facts, std::string object, bool is_cacheable);

/// Our Implementation as `initialize` names it to that revision.
[[nodiscard]] base::Json project_implementation(Revision revision, const base::Json& implementation);

/// Params of notifications/progress; `message` is left out where the revision has no place for it.
[[nodiscard]] base::Json progress_params(Revision revision, const base::Json& token, double progress, std::optional<double> total,
                                         std::string_view message);

}  // namespace durable_mcp::mcp
