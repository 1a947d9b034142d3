// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sealing: what we give a client to keep, and take back, in a text that it can neither read nor change.
//
//     v1.<key id>.<base64url of nonce (12 bytes), ciphertext, tag (16 bytes)>
//
// AES-256-GCM (NIST SP 800-38D) by OpenSSL. "v1.<key id>." and what the state is for are authenticated with it and not encrypted.
// MCP 2026-07-28 asks for this where it speaks of requestState: it is attacker-controlled, and bound to who asked for what.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"

namespace durable_mcp::auth {

constexpr std::size_t key_bytes = 32;
/// The most that may be sealed: beyond what anybody should have a client carry.
constexpr std::size_t largest_plain_bytes = 1u << 20;

/// One key of the ring, as it is kept.
struct Key {
    std::uint64_t id = 0;         ///< counts up; the highest seals
    std::int64_t created_ms = 0;  ///< wall clock
    std::string bytes;            ///< key_bytes of them, from base::system_random()
};

/// A new key. `random` must be unpredictable outside of tests. It must be durable before it seals.
[[nodiscard]] Key fresh_key(std::uint64_t id, std::int64_t created_ms, base::Random& random);

/// The keys that open, the newest of which seals. Never changes: any thread; to rotate, make another one.
class KeyRing {
public:
    /// In any order. Fails with `malformed` where a key has not key_bytes, or two have the same id.
    [[nodiscard]] static base::Result<KeyRing> from(std::vector<Key> keys);

    [[nodiscard]] bool empty() const { return keys_.empty(); }
    /// One above the highest; 1 for an empty ring.
    [[nodiscard]] std::uint64_t next_id() const { return keys_.empty() ? 1 : keys_.back().id + 1; }

    /// Whether the newest key is at least `period` old at `now_ms`, or there is none.
    [[nodiscard]] bool rotation_due(std::int64_t now_ms, std::chrono::milliseconds period) const;
    /// Ids of the keys that no state needs any more: their successor is at least `lifetime` old, the longest that a state counts.
    /// Never the newest.
    [[nodiscard]] std::vector<std::uint64_t> outlived(std::int64_t now_ms, std::chrono::milliseconds lifetime) const;

    /// The text; another one each time. `plain` has largest_plain_bytes at most; `associated_data` is what the state is for, and must be
    /// given again to open it. The ring is not empty.
    [[nodiscard]] std::string seal(std::string_view plain, std::string_view associated_data, base::Random& random) const;

    /// What was sealed. `text` may be anything. Fails with `malformed` and always the same sentence where this ring did not seal exactly
    /// `text` for `associated_data`: it does not say what is wrong.
    [[nodiscard]] base::Result<std::string> open(std::string_view text, std::string_view associated_data) const;

private:
    explicit KeyRing(std::vector<Key> keys) : keys_(std::move(keys)) {}

    std::vector<Key> keys_;  // by id
};

}  // namespace durable_mcp::auth
