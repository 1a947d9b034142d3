// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a request that calls something says, read by the same function for both eras and for calls out of the journal.

#include <optional>
#include <string_view>
#include <variant>

#include "base/json.hpp"
#include "mcp/router.hpp"

namespace durable_mcp::mcp {

/// An Answer is a completion that nobody computes: there are no suggestions.
using CallVerdict = std::variant<StartCall, Answer, Refuse>;

/// Reads tools/call, prompts/get, resources/read or completion/complete, params with their `_meta`. What the stateless era adds to a StartCall
/// (capabilities, headers) is not looked at here. A call that is not fresh was accepted before: whether its tool may be a task is not asked again.
[[nodiscard]] CallVerdict read_call(const Catalog& catalog, Revision revision, Method method, base::Json&& params, bool is_fresh = true);

/// -32602
[[nodiscard]] Refuse refuse_params(std::string message);
/// -32601; with status 404 in the stateless era.
[[nodiscard]] Refuse unknown_method(Revision revision, std::string_view name);
/// The error for a resource that is not there, as that revision says it.
[[nodiscard]] jsonrpc::Error resource_not_found_error(Revision revision, std::string_view uri);

/// The page of a list that `params` ask for.
[[nodiscard]] std::variant<Page, Refuse> read_list(const Catalog& catalog, ItemKind kind, Revision revision, const base::Json& params);

}  // namespace durable_mcp::mcp
