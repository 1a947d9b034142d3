// SPDX-License-Identifier: Apache-2.0
// Cancellation, suspension and the end of an attempt.
#include <gtest/gtest.h>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal {
namespace {

TEST(call_machine_leaving, the_next_step_after_a_cancellation_leaves) {  // B35
    Call call;
    call.run(least("s:a"), "1");
    call.machine->cancel();
    EXPECT_TRUE(call.machine->is_cancelled());
    EXPECT_TRUE(call.machine->is_leaving());
    EXPECT_FALSE(call.machine->has_left());
    EXPECT_EQ(call.begin(least("s:b")), "leave cancelled");
    EXPECT_TRUE(call.machine->has_left());
    EXPECT_EQ(call.commit(), Words{"1 step_completed s:a"});
}

TEST(call_machine_leaving, the_next_step_after_a_suspension_leaves) {  // B52
    Call call;
    EXPECT_FALSE(call.machine->is_leaving());
    call.machine->suspend();
    EXPECT_TRUE(call.machine->is_leaving());
    EXPECT_FALSE(call.machine->is_cancelled());
    EXPECT_EQ(call.begin(map_write("m:a")), "leave suspended");
}

TEST(call_machine_leaving, a_recorded_step_leaves_too) {  // B35
    Call call;
    call.run(least("s:a"), "1");
    call.replay();
    call.machine->cancel();
    EXPECT_EQ(call.begin(least("s:a")), "leave cancelled");
}

TEST(call_machine_leaving, leaving_accepts_nothing) {  // B35: whether a row or a tombstone is written is not the machine's to say
    Call call;
    call.machine->cancel();
    EXPECT_EQ(call.begin(least("s:a")), "leave cancelled");
    EXPECT_TRUE(call.commit().empty());
    EXPECT_FALSE(call.machine->is_accepted());
}

TEST(call_machine_leaving, what_executes_may_still_complete_and_is_recorded) {  // B35
    struct Row {
        Step step;
        const char* entry;
    };
    for (const Row& row : {Row{least("s:a"), "1 step_completed s:a"}, Row{once("s:a"), "2 once_completed s:a"},
                           Row{transact("s:a"), "1 transacted s:a"}, Row{map_write("m:a"), "1 map_written m:a"}}) {
        Call call;
        ASSERT_EQ(call.begin(row.step), "execute");
        call.commit();
        call.machine->cancel();
        call.machine->complete(row.step, "1");
        EXPECT_EQ(call.commit(), Words{row.entry});
        EXPECT_EQ(call.begin(least("s:next")), "leave cancelled");
    }
}

TEST(call_machine_leaving, what_executes_may_still_fail_or_be_adopted) {  // B35
    Call failed;
    ASSERT_EQ(failed.begin(once("s:a")), "execute");
    failed.machine->suspend();
    failed.machine->fail(once("s:a"), {"E", "no"});
    EXPECT_EQ(failed.commit(), Words{"2 once_failed s:a"});

    Call adopted;
    ASSERT_EQ(adopted.begin(transact("s:a")), "execute");
    adopted.machine->cancel();
    (void)adopted.machine->draft(transact("s:a"), "1");
    adopted.machine->adopt(transact("s:a"));
    EXPECT_EQ(adopted.machine->entry_count(), 1u);
}

TEST(call_machine_leaving, a_step_that_still_waits_does_not_execute) {  // B35
    Call call;
    call.run(least("s:a"), "1");
    ASSERT_EQ(words(call.machine->begin(least("s:b"))), "await durable");
    call.machine->cancel();
    EXPECT_EQ(call.begin(least("s:b")), "leave cancelled");
}

TEST(call_machine_leaving, an_at_most_once_step_that_was_put_down_before_it_executed_is_not_held_interrupted) {  // B12, B52
    for (const bool was_committed : {false, true}) {
        Call call;
        ASSERT_EQ(words(call.machine->begin(once("s:charge"))), "await durable");
        if (was_committed) {
            call.commit();
        }
        call.machine->suspend();
        EXPECT_EQ(words(call.machine->begin(once("s:charge"))), "leave suspended");
        call.replay();
        EXPECT_EQ(call.begin(once("s:charge")), "execute") << (was_committed ? "once_started is on disk" : "once_started is in flight");
    }
}

TEST(call_machine_leaving, a_cancellation_outranks_a_suspension) {  // B35
    CallMachine cancelled_last;
    cancelled_last.suspend();
    cancelled_last.cancel();
    EXPECT_EQ(words(cancelled_last.begin(least("s:a"))), "leave cancelled");
    CallMachine cancelled_first;
    cancelled_first.cancel();
    cancelled_first.suspend();
    EXPECT_EQ(words(cancelled_first.begin(least("s:a"))), "leave cancelled");
}

TEST(call_machine_leaving, a_cancellation_counts_even_after_the_handler_has_left_for_a_suspension) {  // B35
    CallMachine machine;
    machine.suspend();
    EXPECT_EQ(words(machine.begin(least("s:a"))), "leave suspended");
    machine.cancel();
    EXPECT_TRUE(machine.is_cancelled());
}

TEST(call_machine_leaving, after_the_end_it_is_too_late_to_cancel) {  // B35
    CallMachine machine;
    EXPECT_FALSE(machine.is_finished());
    machine.finish();
    EXPECT_TRUE(machine.is_finished());
    machine.cancel();
    EXPECT_FALSE(machine.is_cancelled());
    machine.suspend();
    EXPECT_FALSE(machine.is_leaving());
}

TEST(call_machine_leaving, a_handler_that_swallows_the_unwinding_is_told_to_leave_again_and_is_detected) {
    Call call;
    call.machine->suspend();
    EXPECT_EQ(call.begin(least("s:a")), "leave suspended");
    EXPECT_EQ(call.begin(least("s:b")), "leave suspended");
    EXPECT_EQ(call.begin(once("s:a")), "leave suspended");
    EXPECT_TRUE(call.machine->has_left());
    EXPECT_TRUE(call.commit().empty());
}

TEST(call_machine_leaving, a_handler_that_returns_before_its_next_step_has_not_left) {  // it was cancelled too late to notice
    Call call;
    call.run(least("s:a"), "1");
    call.machine->cancel();
    EXPECT_FALSE(call.machine->has_left());
}

TEST(call_machine_leaving, a_suspended_call_goes_on_where_it_was) {
    Call call;
    call.run(least("s:a"), "1");
    call.machine->suspend();
    EXPECT_EQ(call.begin(least("s:b")), "leave suspended");
    call.replay();
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_EQ(call.begin(least("s:b")), "execute");
}

using call_machine_death = ::testing::Test;

TEST_F(call_machine_death, a_step_after_the_end_is_our_bug) {
    CallMachine machine;
    machine.finish();
    EXPECT_DEATH((void)machine.begin(least("s:a")), "finished");
}

}  // namespace
}  // namespace durable_mcp::journal
