// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace durable_mcp::schema {

/// True if `label`, which begins with xn-- in any case, is the encoding (RFC 3492) of a label that a registry could hand out (RFC 5892):
/// code points that are allowed, each in a context that allows it. Normal form (NFC) and the rule for mixed directions (RFC 5893) are not
/// checked: both need more of Unicode's tables than we have.
[[nodiscard]] bool is_a_label(std::string_view label);

}  // namespace durable_mcp::schema
