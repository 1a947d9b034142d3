// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Named places around every commit and send at which a test can kill the process (SIGKILL), and switches that plant known bugs so that
/// the crash suite can prove that it would see them. Both exist only in builds with DURABLE_MCP_CRASH_POINTS; elsewhere they cost nothing.
///
/// `DURABLE_MCP_CRASH_AT=step.before_run:3` kills at the third passage of that point. `DURABLE_MCP_BUG=ack_before_commit` plants that bug.
#if defined(DURABLE_MCP_CRASH_POINTS)

namespace durable_mcp::base {
void pass_crash_point(const char* name) noexcept;
[[nodiscard]] bool crash_point_is_next(const char* name) noexcept;
[[nodiscard]] bool bug_is_planted(const char* name) noexcept;
}  // namespace durable_mcp::base

#define DURABLE_MCP_CRASH_POINT(name) ::durable_mcp::base::pass_crash_point(name)
/// The next passage of that point kills: for code that must leave something half done before it.
#define DURABLE_MCP_CRASH_POINT_IS_NEXT(name) ::durable_mcp::base::crash_point_is_next(name)
#define DURABLE_MCP_PLANTED_BUG(name) ::durable_mcp::base::bug_is_planted(name)

#else

#define DURABLE_MCP_CRASH_POINT(name) static_cast<void>(0)
#define DURABLE_MCP_CRASH_POINT_IS_NEXT(name) false
#define DURABLE_MCP_PLANTED_BUG(name) false

#endif
