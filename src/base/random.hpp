// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace durable_mcp::base {

/// A source of random bytes. Injected, so that a simulation can be repeated from its seed.
class Random {
public:
    virtual ~Random() = default;
    /// Fills `bytes`. Safe to call from any thread.
    virtual void fill(std::span<std::byte> bytes) = 0;
};

/// 64 random bits as a number.
[[nodiscard]] std::uint64_t random_number(Random& random);
/// A number below `below` (not 0), each as likely as any other.
[[nodiscard]] std::uint64_t random_number(Random& random, std::uint64_t below);

/// The operating system's generator (getrandom(2)): unpredictable, thread-safe.
[[nodiscard]] Random& system_random();

}  // namespace durable_mcp::base
