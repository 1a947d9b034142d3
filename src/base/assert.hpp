// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Assertions that stay on in release builds: a wrong journal is worse than a dead process.
namespace durable_mcp::base {

/// Writes what was violated, and where, to standard error, and aborts the process.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace durable_mcp::base

#define DURABLE_MCP_ASSERT(expression)                                                       \
    (static_cast<bool>(expression) ? static_cast<void>(0)                                    \
                                   : ::durable_mcp::base::assertion_failed(#expression, __FILE__, __LINE__))
