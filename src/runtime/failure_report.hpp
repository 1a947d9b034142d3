// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

#include "journal/fault.hpp"

namespace durable_mcp::runtime {

/// The exception that is being handled, as an entry keeps it: its type's name as the compiler spells it, and what it says.
[[nodiscard]] journal::Fault describe_current_exception();

/// The exception that is being handled with everything nested in it, outermost first, one line each, for the log.
[[nodiscard]] std::string describe_chain();

}  // namespace durable_mcp::runtime
