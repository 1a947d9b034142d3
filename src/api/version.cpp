// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/version.hpp"

#define DURABLE_MCP_TEXT_OF(number) #number
#define DURABLE_MCP_DOTTED(major, minor, patch) DURABLE_MCP_TEXT_OF(major) "." DURABLE_MCP_TEXT_OF(minor) "." DURABLE_MCP_TEXT_OF(patch)

namespace durable_mcp {

const char* version() noexcept { return DURABLE_MCP_DOTTED(DURABLE_MCP_VERSION_MAJOR, DURABLE_MCP_VERSION_MINOR, DURABLE_MCP_VERSION_PATCH); }

}  // namespace durable_mcp
