// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "schema/program.hpp"

namespace durable_mcp::schema {

/// A node that would be asked about a value while it is being asked about the very same value, for ever; or no_node. Dynamic references are
/// left out: where they lead is known only when values are checked, and Program::frames ends those.
[[nodiscard]] NodeIndex find_reference_loop(const Program& program);

}  // namespace durable_mcp::schema
