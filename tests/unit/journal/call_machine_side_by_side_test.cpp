// SPDX-License-Identifier: Apache-2.0
// Steps of one call whose callables run at the same time.
#include <gtest/gtest.h>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal {
namespace {

TEST(call_machine_side_by_side, several_steps_may_be_between_begin_and_execute) {
    Call call;
    EXPECT_EQ(words(call.machine->begin(least("p:a[0]"))), "await durable");
    EXPECT_EQ(words(call.machine->begin(least("p:a[1]"))), "await durable");
    EXPECT_EQ(call.commit(), Words{"accept"});
    EXPECT_EQ(words(call.machine->begin(least("p:a[1]"))), "execute");
    EXPECT_EQ(words(call.machine->begin(least("p:a[0]"))), "execute");
    call.machine->complete(least("p:a[0]"), "0");
    call.machine->complete(least("p:a[1]"), "1");
    EXPECT_EQ(call.commit(), (Words{"1 step_completed p:a[0]", "2 step_completed p:a[1]"}));
    call.crash();
    EXPECT_EQ(call.begin(least("p:a[1]")), "recorded 1");
    EXPECT_EQ(call.begin(least("p:a[0]")), "recorded 0");
}

TEST(call_machine_side_by_side, one_that_begins_waits_for_what_another_has_recorded) {  // contract 2
    Call call;
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    call.machine->complete(least("p:a[0]"), "0");
    EXPECT_EQ(words(call.machine->begin(least("p:a[1]"))), "await durable");
    call.commit();
    EXPECT_EQ(words(call.machine->begin(least("p:a[1]"))), "execute");
}

TEST(call_machine_side_by_side, the_key_of_one_that_is_under_way_cannot_begin_again) {  // B2
    Call call;
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[1]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[0]")), "duplicate");
}

TEST(call_machine_side_by_side, what_was_recorded_before_a_crash_is_not_run_again_and_the_rest_is) {  // B1
    Call call;
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[1]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[2]")), "execute");
    call.machine->complete(least("p:a[1]"), "1");
    call.machine->fail(least("p:a[2]"), {"E", "no"});
    call.replay();
    EXPECT_EQ(call.machine->settled_by("p:a[0]"), 0u);
    EXPECT_EQ(call.machine->settled_by("p:a[1]"), 1u);
    EXPECT_EQ(call.machine->settled_by("p:a[2]"), 2u);
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[1]")), "recorded 1");
    EXPECT_EQ(call.begin(least("p:a[2]")), "failed E: no");
}

TEST(call_machine_side_by_side, one_that_nobody_needs_any_more_may_be_passed_over) {  // B4
    Call call;
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[1]")), "execute");
    call.machine->retry(least("p:a[0]"), {1, 0, 0, {"Busy", ""}});
    call.machine->fail(least("p:a[1]"), {"E", "no"});
    call.replay();
    EXPECT_EQ(call.begin(least("p:a[1]")), "failed E: no");
    call.machine->pass_over("p:a[0]");
    call.machine->pass_over("p:a[1]");
    call.machine->pass_over("p:a[7]");
    EXPECT_TRUE(call.machine->divergent_keys().empty());
    EXPECT_FALSE(call.machine->is_replaying());
}

TEST(call_machine_side_by_side, a_cancellation_leaves_those_that_wait_and_records_those_that_execute) {  // B35
    Call call;
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    call.machine->mark_sent(1, "p:a[0]");
    EXPECT_EQ(words(call.machine->begin(least("p:a[1]"))), "await durable");
    EXPECT_EQ(words(call.machine->begin(least("p:a[2]"))), "await durable");
    call.machine->cancel();
    EXPECT_EQ(call.begin(least("p:a[2]")), "leave cancelled");
    EXPECT_EQ(call.begin(least("p:a[1]")), "leave cancelled");
    call.machine->complete(least("p:a[0]"), "0");
    EXPECT_EQ(call.commit(), (Words{"1 event_inside p:a[0]", "2 step_completed p:a[0]"}));
}

TEST(call_machine_side_by_side, each_counts_its_own_events) {  // B27
    Call call;
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[1]")), "execute");
    EXPECT_TRUE(call.machine->emit(7, "p:a[1]"));
    call.machine->mark_sent(7, "p:a[1]");
    call.history.events.push_back(7);
    call.replay();
    EXPECT_EQ(call.begin(least("p:a[0]")), "execute");
    EXPECT_EQ(call.begin(least("p:a[1]")), "execute");
    EXPECT_TRUE(call.machine->emit(7, "p:a[0]"));
    EXPECT_FALSE(call.machine->emit(7, "p:a[1]"));
}

TEST(call_machine_side_by_side, a_wait_that_failed_breaks_all_of_them_off) {
    Call call;
    EXPECT_EQ(words(call.machine->begin(least("p:a[0]"))), "await durable");
    EXPECT_EQ(words(call.machine->begin(least("p:a[1]"))), "await durable");
    call.machine->break_off();
    EXPECT_EQ(words(call.machine->begin(least("p:a[1]"))), "leave suspended");
    EXPECT_TRUE(call.machine->has_left());
}

}  // namespace
}  // namespace durable_mcp::journal
