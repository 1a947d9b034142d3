// SPDX-License-Identifier: Apache-2.0
// B22: which attempts are held against a call.
#include "journal/recovery.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace durable_mcp::journal {
namespace {

constexpr bool suspended = true;
constexpr bool crashed = false;

AttemptCount count(std::uint32_t attempts, std::uint32_t crashed_attempts, std::uint64_t crash_mark) {
    return {attempts, crashed_attempts, crash_mark};
}

TEST(recovery, a_journal_is_whole_when_its_entries_are_numbered_from_one_without_a_gap) {
    const auto numbered = [](std::initializer_list<std::uint64_t> numbers) {
        std::vector<Entry> entries;
        for (const std::uint64_t seq : numbers) {
            entries.push_back({seq, EntryKind::step_completed, "s:" + std::to_string(seq), "", "1"});
        }
        return entries;
    };
    EXPECT_TRUE(is_whole({}));
    EXPECT_TRUE(is_whole(numbered({1, 2, 3})));
    EXPECT_FALSE(is_whole(numbered({2, 3})));
    EXPECT_FALSE(is_whole(numbered({1, 3})));
    EXPECT_FALSE(is_whole(numbered({1, 1})));
    EXPECT_FALSE(is_whole(numbered({0, 1})));
}

TEST(recovery, a_journal_with_an_entry_of_a_kind_that_nobody_knows_is_not_whole) {
    for (int kind = 0; kind < 256; ++kind) {
        const bool is_known = kind >= 1 && kind <= 14;  // FORMAT.md
        EXPECT_EQ(is_whole({{1, static_cast<EntryKind>(kind), "s:a", "", "1"}}), is_known) << kind;
    }
}

TEST(recovery, a_new_call_has_one_attempt_and_no_crash) {  // B22
    EXPECT_EQ(AttemptCount{}.attempts, 1u);
    EXPECT_EQ(AttemptCount{}.crashed_attempts, 0u);
}

TEST(recovery, an_attempt_that_died_is_counted) {  // B22
    const AttemptCount now = begin_attempt({}, crashed, 0);
    EXPECT_EQ(now.attempts, 2u);
    EXPECT_EQ(now.crashed_attempts, 1u);
}

TEST(recovery, a_resume_after_a_suspension_is_not_held_against_the_call) {  // B22
    AttemptCount now;
    for (int i = 0; i < 100; ++i) {
        now = begin_attempt(now, suspended, 0);
    }
    EXPECT_EQ(now.attempts, 101u);
    EXPECT_EQ(now.crashed_attempts, 0u);
}

TEST(recovery, a_suspension_without_a_new_entry_forgives_nothing) {  // B22
    EXPECT_EQ(begin_attempt(count(5, 3, 2), suspended, 2).crashed_attempts, 3u);
}

TEST(recovery, a_new_entry_sets_the_count_back) {  // B22
    EXPECT_EQ(begin_attempt(count(5, 3, 2), suspended, 3).crashed_attempts, 0u);
    EXPECT_EQ(begin_attempt(count(5, 3, 2), crashed, 3).crashed_attempts, 1u);  // the death that came after that entry
}

TEST(recovery, an_old_entry_sets_the_count_back_once) {  // B22
    AttemptCount now = begin_attempt(count(5, 3, 2), crashed, 3);
    now = begin_attempt(now, crashed, 3);
    EXPECT_EQ(now.crashed_attempts, 2u);
    EXPECT_EQ(now.crash_mark, 3u);
}

TEST(recovery, a_call_that_dies_at_the_same_place_is_quarantined_at_the_limit) {  // B22
    AttemptCount now;
    for (int deaths = 1; deaths <= 20; ++deaths) {
        EXPECT_FALSE(is_to_be_quarantined(now, 20)) << deaths;
        now = begin_attempt(now, crashed, 4);
    }
    EXPECT_TRUE(is_to_be_quarantined(now, 20));
    EXPECT_EQ(now.attempts, 21u);
}

TEST(recovery, a_call_that_gets_further_each_time_is_never_quarantined) {  // B22
    AttemptCount now;
    for (std::uint64_t entries = 1; entries <= 100; ++entries) {
        now = begin_attempt(now, crashed, entries);
        EXPECT_FALSE(is_to_be_quarantined(now, 2));
    }
}

}  // namespace
}  // namespace durable_mcp::journal
