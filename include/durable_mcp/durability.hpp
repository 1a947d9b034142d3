// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace durable_mcp {

/// How much of a call is kept when it does nothing durable itself.
enum class Durability : std::uint8_t {
    full,  ///< its answer is on disk before it leaves, so that the same request gets the same answer from any process
    none,  ///< nothing is written for it, ever: for pure look-ups. A step, a map (also live()) or a question inside it is a std::logic_error
};

}  // namespace durable_mcp
