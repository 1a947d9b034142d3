// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace durable_mcp::base {

/// XXH3, 64 bits: the checksum beside every stored payload, and the identity of an event's content.
/// It finds damage; it does not resist an attacker.
[[nodiscard]] std::uint64_t hash64(std::string_view bytes);

/// XXH3, 128 bits, as 32 hexadecimal digits: the digest by which a re-sent request is recognised within one session.
[[nodiscard]] std::string hash128_hex(std::string_view bytes);

}  // namespace durable_mcp::base
