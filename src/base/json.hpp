// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace durable_mcp::base {

using Json = nlohmann::json;

/// What a parsed document may cost (reliability: nlohmann 3.11 takes any depth and then dies in the destructor or in dump()).
struct JsonLimits {
    std::size_t depth;
    std::size_t nodes;
};

/// The limits for what a peer sends (base/limits.hpp).
[[nodiscard]] JsonLimits wire_json_limits();
/// The limits within which everything that dump_json() writes can be read back.
[[nodiscard]] JsonLimits stored_json_limits();

/// Parses one JSON text (RFC 8259) within `limits`. Beyond what the parser itself refuses, refuses duplicate keys, NUL in keys, a byte
/// order mark, integers that fit neither int64 nor uint64, and numbers that overflow a double. Integers are kept to the last bit.
/// Fails with `malformed` or `too_large`; the sentence names the byte offset and may be shown to the peer.
[[nodiscard]] Result<Json> parse_json(std::string_view text, const JsonLimits& limits);

/// Writes `value` without white space. Fails with `malformed`, and a sentence that says why, for what could not be read back: a string that
/// is not UTF-8, a number that is NaN or infinite, NUL in a key, binary data, more than 512 levels.
[[nodiscard]] Result<std::string> dump_json(const Json& value);

/// A text that is the same for equal values only: keys sorted, no white space, numbers by their exact value (1 and 1.0 are equal, 2^53 and 2^53+1 are
/// not; nlohmann's own == has the latter wrong). For digests; what is not UTF-8 is replaced.
[[nodiscard]] std::string canonical_text(const Json& value);

}  // namespace durable_mcp::base
