// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two kinds of log. What the library tells its operator goes to the spdlog::logger in Options::logger; spdlog is only named here, so
// include <spdlog/spdlog.h> to make one. What a handler tells its client goes through DurableContext::log.

#include <cstdint>

namespace spdlog {
class logger;
}

namespace durable_mcp {

/// Severities of RFC 5424, as MCP uses them, from the least to the most severe.
enum class LogLevel : std::uint8_t { debug, info, notice, warning, error, critical, alert, emergency };

}  // namespace durable_mcp
