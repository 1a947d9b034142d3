// SPDX-License-Identifier: Apache-2.0
#include "runtime/retry_delay.hpp"

#include <algorithm>
#include <cmath>

namespace durable_mcp::runtime {

std::chrono::milliseconds retry_delay(const detail::StepRetry& policy, std::uint64_t tries, double fraction) {
    const double grown = static_cast<double>(policy.initial.count()) * std::pow(policy.factor, static_cast<double>(tries - 1));
    const double full = std::min(grown, static_cast<double>(policy.maximum.count()));  // also where it has grown out of bounds
    return std::chrono::milliseconds(static_cast<std::int64_t>(full * (1 - policy.jitter * fraction)));
}

}  // namespace durable_mcp::runtime
