// SPDX-License-Identifier: Apache-2.0
#pragma once

// `x-mcp-header`: arguments of a tool that its callers repeat in Mcp-Param-* headers, so that proxies can route by them (2026-07-28 Streamable HTTP,
// §Custom Headers from Tool Parameters).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/http_facts.hpp"

namespace durable_mcp::mcp {

/// One annotated argument.
struct ParamHeader {
    std::string header;             ///< Mcp-Param-…
    std::vector<std::string> path;  ///< the keys that lead to the value in the arguments
};

/// Null if every `x-mcp-header` in a tool's inputSchema may be there; else a sentence that says which may not, where and why. For registration:
/// a client drops a tool whose annotations are wrong, without telling anybody.
[[nodiscard]] std::optional<std::string> check_param_annotations(const base::Json& input_schema);

/// The annotated arguments of a schema that check_param_annotations() has passed.
[[nodiscard]] std::vector<ParamHeader> param_headers(const base::Json& input_schema);

/// Compares the headers with the arguments: nothing, or -32020. Integers are compared as numbers.
[[nodiscard]] std::optional<jsonrpc::Error> check_param_headers(const std::vector<ParamHeader>& annotated, const base::Json& arguments,
                                                                const HeaderLookup& header);

}  // namespace durable_mcp::mcp
