// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "store/store.hpp"

namespace durable_mcp::store {

/// What `group` weighs in memory, in bytes, near enough for the limits on batches and on what is queued.
[[nodiscard]] std::size_t weigh(const Group& group);
/// Whether it changes a map, where it is applied.
[[nodiscard]] bool writes_to_a_map(const Group& group);

}  // namespace durable_mcp::store
