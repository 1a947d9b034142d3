// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"

#include <gtest/gtest.h>

#if defined(DURABLE_MCP_CRASH_POINTS)

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace durable_mcp::base {
namespace {

/// Runs `life` in a child that never returns to gtest; its wait status. The parent must not pass a point: the first passage reads the
/// environment.
template <class Life>
int status_of_child(const char* variable, const char* value, Life life) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv(variable, value, 1);
        ::_exit(life());
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
}

int pass_three_times() {
    for (int passage = 1; passage <= 3; ++passage) {
        DURABLE_MCP_CRASH_POINT("other.point");
        DURABLE_MCP_CRASH_POINT("test.point");
    }
    return 7;
}

TEST(crash_point, the_process_dies_by_sigkill_at_the_nth_passage) {
    const int third = status_of_child("DURABLE_MCP_CRASH_AT", "test.point:3", pass_three_times);
    ASSERT_TRUE(WIFSIGNALED(third));
    EXPECT_EQ(WTERMSIG(third), SIGKILL);

    const int fourth = status_of_child("DURABLE_MCP_CRASH_AT", "test.point:4", pass_three_times);
    ASSERT_TRUE(WIFEXITED(fourth));
    EXPECT_EQ(WEXITSTATUS(fourth), 7);
}

TEST(crash_point, without_a_number_the_first_passage_kills) {
    const int status = status_of_child("DURABLE_MCP_CRASH_AT", "test.point", [] {
        DURABLE_MCP_CRASH_POINT("test.point");
        return 7;
    });
    EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(crash_point, a_part_of_a_name_is_another_name) {
    EXPECT_TRUE(WIFEXITED(status_of_child("DURABLE_MCP_CRASH_AT", "test:1", pass_three_times)));
    EXPECT_TRUE(WIFEXITED(status_of_child("DURABLE_MCP_CRASH_AT", "", pass_three_times)));
}

TEST(crash_point, only_the_named_bug_is_planted) {
    const auto ask = [] { return (DURABLE_MCP_PLANTED_BUG("ack_early") ? 1 : 0) + (DURABLE_MCP_PLANTED_BUG("other") ? 2 : 0); };
    EXPECT_EQ(WEXITSTATUS(status_of_child("DURABLE_MCP_BUG", "ack_early", ask)), 1);
    EXPECT_EQ(WEXITSTATUS(status_of_child("DURABLE_MCP_BUG", "", ask)), 0);
}

}  // namespace
}  // namespace durable_mcp::base

#endif
