// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace durable_mcp::http {

/// `host[:port]` as it stands in a Host field, an Origin, or a configured list. Borrows from the text it was read from.
struct AuthorityView {
    std::string_view host;  ///< a name, an IPv4 address, or an IPv6 address in its brackets; never empty
    std::string_view port;  ///< digits, at most 65535; empty when there is none
};

/// Reads `text`. Stricter than RFC 3986 where nothing honest differs: no user part, no escapes, no empty port.
[[nodiscard]] std::optional<AuthorityView> parse_authority(std::string_view text);

/// Compares ASCII text without case.
[[nodiscard]] bool equal_without_case(std::string_view left, std::string_view right);

}  // namespace durable_mcp::http
