// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace durable_mcp::base {

/// Time as the rest of the house sees it. Injected, so that a test can stop it, turn it and make it jump.
class Clock {
public:
    virtual ~Clock() = default;
    /// Milliseconds since the Unix epoch. What is written to disk; may jump.
    [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
    /// Never jumps. What time-outs inside one process are measured with.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;
    /// How long a timer may sleep before it looks at the clock again: one that a test turns by hand has to be looked at often.
    [[nodiscard]] virtual std::chrono::milliseconds trust() const { return std::chrono::hours(24); }
};

/// The clock of the machine. Stateless; the returned object lives as long as the process.
[[nodiscard]] const Clock& system_clock();

}  // namespace durable_mcp::base
