// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content negotiation as RFC 9110 §8.3 and §12.5.1 define it: parsed, because a search for "application/json" inside the header lets
// `text/plain; x=application/json` through, which a foreign web page may send without asking (CVE-2026-33252).

#include <string_view>

namespace durable_mcp::mcp {

/// True if `content_type` is `application/json`, with well-formed parameters and no charset but UTF-8.
[[nodiscard]] bool is_json(std::string_view content_type);

/// True if an `Accept` of that value takes `type`/`subtype` (lower case): the most specific range that names it decides, and `q=0` refuses.
[[nodiscard]] bool accepts(std::string_view accept, std::string_view type, std::string_view subtype);

}  // namespace durable_mcp::mcp
