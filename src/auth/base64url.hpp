// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace durable_mcp::auth {

/// RFC 4648 §5, without padding.
[[nodiscard]] std::string to_base64url(std::string_view bytes);

/// The bytes for which to_base64url() gives `text`; none where there are no such bytes (padding, other characters, unused bits that are not
/// 0).
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

}  // namespace durable_mcp::auth
