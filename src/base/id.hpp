// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace durable_mcp::base {

/// An identifier nobody can guess: 192 random bits, base64url without padding (32 characters).
[[nodiscard]] std::string random_id(Random& random);

/// An identifier that nobody can guess and that sorts by its time of birth: 48 bits of `wall_ms` and 144 random bits
/// (32 characters, of an alphabet whose byte order is its numeric order). Rows that are written together lie together on disk.
[[nodiscard]] std::string ordered_id(Random& random, std::int64_t wall_ms);

/// A version 4 UUID of RFC 9562: 122 random bits, lower case, "f81d4fae-7dec-41d0-a765-00a0c91e6bf6".
[[nodiscard]] std::string random_uuid(Random& random);

/// True for what the first two functions above can have made: 32 characters of [A-Za-z0-9_-].
[[nodiscard]] bool is_id(std::string_view text);

}  // namespace durable_mcp::base
