// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_mcp/export.hpp"

#define DURABLE_MCP_VERSION_MAJOR 0
#define DURABLE_MCP_VERSION_MINOR 1
#define DURABLE_MCP_VERSION_PATCH 0

namespace durable_mcp {

/// The release that the program runs with, "0.1.0". With a shared library it may be newer than the macros, which are what it was
/// compiled with.
[[nodiscard]] DURABLE_MCP_EXPORT const char* version() noexcept;

}  // namespace durable_mcp
