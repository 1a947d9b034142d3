// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "durable_mcp/detail/call_port.hpp"

namespace durable_mcp::runtime {

/// How long to wait after the `tries`-th try has failed. `fraction`, from 0 to 1, says how much of the jitter is taken off.
[[nodiscard]] std::chrono::milliseconds retry_delay(const detail::StepRetry& policy, std::uint64_t tries, double fraction);

}  // namespace durable_mcp::runtime
