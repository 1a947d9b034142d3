// SPDX-License-Identifier: Apache-2.0
#pragma once

// What both fronts read of an HTTP request, and how both refuse one.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jsonrpc/message.hpp"

namespace durable_mcp::mcp {

/// The value of a header, its name in any case; null data() when absent.
using HeaderLookup = std::function<std::string_view(std::string_view name)>;

/// The headers that decide anything. Null data() is "absent".
struct HttpFacts {
    std::string_view method;
    std::string_view accept;
    std::string_view content_type;
    std::string_view session_id;
    std::string_view protocol_version;
    std::string_view last_event_id;
    HeaderLookup header = {};  ///< any other header by name: Mcp-Method, Mcp-Name, Mcp-Param-*, Idempotency-Key; null where there are none
};

/// Null data() when `facts` has no such header, or no way to look for one.
[[nodiscard]] std::string_view find_header(const HeaderLookup& header, std::string_view name);

/// An answer that needs nobody else: status, headers, JSON-RPC error text.
struct HttpRefusal {
    unsigned status = 400;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// `id` is that of the request which is refused, if it could be read: it is echoed.
[[nodiscard]] HttpRefusal refuse_http(unsigned status, const jsonrpc::Error& error, const std::optional<jsonrpc::Id>& id = std::nullopt);
/// 405, with the methods that are allowed.
[[nodiscard]] HttpRefusal method_not_allowed(std::string allowed);

}  // namespace durable_mcp::mcp
