// SPDX-License-Identifier: Apache-2.0
#pragma once

// URI references (RFC 3986), as far as `$id` and `$ref` need them: taking one apart, and resolving one against a base. Nothing is ever
// fetched.

#include <optional>
#include <string>
#include <string_view>

namespace durable_mcp::schema {

/// The five parts of a URI reference (RFC 3986 appendix B), not decoded and not checked. Views into the text that was split.
struct UriParts {
    std::optional<std::string_view> scheme;
    std::optional<std::string_view> authority;
    std::string_view path;
    std::optional<std::string_view> query;
    std::optional<std::string_view> fragment;
};

[[nodiscard]] UriParts split_uri(std::string_view text);

/// `reference` as seen from `base` (RFC 3986 §5.2), without a fragment. An empty base leaves a relative reference relative.
[[nodiscard]] std::string resolve_uri(std::string_view base, std::string_view reference);

/// `text` with its percent-encoded bytes decoded; nothing if a '%' is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text);

/// True if `text` is a URI (`relative` = false) or a URI reference (`relative` = true) by the grammar of RFC 3986 appendix A; with
/// `international`, an IRI (reference) of RFC 3987. `text` must be UTF-8.
[[nodiscard]] bool is_uri(std::string_view text, bool relative, bool international);

}  // namespace durable_mcp::schema
