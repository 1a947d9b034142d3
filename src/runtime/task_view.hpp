// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mcp/task.hpp"
#include "runtime/call.hpp"

namespace durable_mcp::runtime {

/// What a task that is on its way says of itself. On the loop.
[[nodiscard]] mcp::TaskView view_of(Call& call);

}  // namespace durable_mcp::runtime
