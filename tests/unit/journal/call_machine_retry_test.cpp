// SPDX-License-Identifier: Apache-2.0
// Steps that are tried again, interrupted ones whose receiver is asked, and values that are drawn once.
#include <gtest/gtest.h>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal {
namespace {

const Retry second_try{1, 5'000, 100, {"Busy", "later"}};
const Retry third_try{2, 9'000, 200, {"Busy", "later still"}};

// ── Retries ──

TEST(call_machine_retry, a_step_that_is_to_be_tried_again_may_begin_again_once_that_is_durable) {
    Call call;
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    call.machine->retry(least("s:a"), second_try);
    EXPECT_EQ(words(call.machine->begin(least("s:a"))), "await durable");
    EXPECT_EQ(call.commit(), Words{"1 step_retried s:a"});
    EXPECT_EQ(words(call.machine->begin(least("s:a"))), "execute");
    call.machine->complete(least("s:a"), "7");
    call.replay();
    EXPECT_EQ(call.begin(least("s:a")), "recorded 7");
}

TEST(call_machine_retry, the_count_of_tries_the_last_failure_and_the_time_of_the_next_one_survive_the_process) {
    Call call;
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    EXPECT_FALSE(call.machine->retry_of("s:a"));
    call.machine->retry(least("s:a"), second_try);
    EXPECT_EQ(call.machine->retry_of("s:a")->tries, 1u);
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    call.machine->retry(least("s:a"), third_try);
    call.replay();
    const auto found = call.machine->retry_of("s:a");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->tries, 2u);
    EXPECT_EQ(found->next_ms, 9'000);
    EXPECT_EQ(found->last.message, "later still");
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    EXPECT_EQ(call.begin(least("s:a")), "duplicate");
}

TEST(call_machine_retry, a_step_that_is_tried_again_is_new_ground_and_divergent_when_it_is_passed_no_more) {
    Call call;
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    call.machine->retry(least("s:a"), second_try);
    call.replay();
    EXPECT_TRUE(call.machine->is_replaying());
    EXPECT_EQ(call.machine->divergent_keys(), Words{"s:a"});
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    EXPECT_FALSE(call.machine->is_replaying());
    EXPECT_TRUE(call.machine->divergent_keys().empty());
}

TEST(call_machine_retry, a_step_that_gives_up_fails_on_every_replay) {
    Call call;
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    call.machine->retry(least("s:a"), second_try);
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    call.machine->fail(least("s:a"), {"Busy", "no more"});
    call.replay();
    EXPECT_EQ(call.begin(least("s:a")), "failed Busy: no more");
    call.replay();
    EXPECT_EQ(call.begin(least("s:a")), "failed Busy: no more");
    EXPECT_FALSE(call.machine->retry_of("s:a"));
}

TEST(call_machine_retry, a_step_that_is_tried_again_keeps_its_kind_and_its_type) {  // B3
    Call call;
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    call.machine->retry(least("s:a"), second_try);
    call.replay();
    EXPECT_EQ(call.begin(once("s:a")), "mismatch at_least_once int");
    EXPECT_EQ(call.begin(least("s:a", "string")), "mismatch at_least_once int");
    EXPECT_EQ(call.begin(least("s:a")), "execute");
}

TEST(call_machine_retry, a_cancellation_between_two_tries_leaves) {  // B35
    Call call;
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    call.machine->retry(least("s:a"), second_try);
    call.machine->cancel();
    EXPECT_EQ(call.begin(least("s:a")), "leave cancelled");
}

// ── Reconciling ──

/// A call whose process died inside the callable of `s:pay`.
Call interrupted() {
    Call call;
    EXPECT_EQ(call.begin(reconciled("s:pay")), "execute");
    call.replay();
    return call;
}

TEST(call_machine_reconcile, an_interrupted_step_whose_receiver_can_be_asked_is_asked_about_and_not_run) {  // B11a
    Call call = interrupted();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
    EXPECT_TRUE(call.commit().empty());
}

TEST(call_machine_reconcile, one_whose_receiver_cannot_be_asked_is_interrupted_as_ever) {  // B9
    Call call = interrupted();
    EXPECT_EQ(call.begin(once("s:pay")), "interrupted");
}

TEST(call_machine_reconcile, done_records_the_value_for_every_later_attempt) {  // B11a
    Call call = interrupted();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
    call.machine->complete(reconciled("s:pay"), "7");
    EXPECT_EQ(call.commit(), Words{"2 once_completed s:pay"});
    EXPECT_EQ(call.begin(reconciled("s:pay")), "duplicate");
    call.crash();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "recorded 7");
}

TEST(call_machine_reconcile, not_done_is_marked_as_started_again_before_the_callable_runs) {  // B11a
    Call call = interrupted();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
    call.machine->restart(reconciled("s:pay"));
    EXPECT_EQ(words(call.machine->begin(reconciled("s:pay"))), "await durable");
    EXPECT_EQ(call.commit(), Words{"2 once_started s:pay"});
    EXPECT_EQ(words(call.machine->begin(reconciled("s:pay"))), "execute");
    call.machine->complete(reconciled("s:pay"), "7");
    call.replay();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "recorded 7");
}

TEST(call_machine_reconcile, a_second_death_in_the_callable_is_asked_about_again) {  // B11a
    Call call = interrupted();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
    call.machine->restart(reconciled("s:pay"));
    EXPECT_EQ(call.begin(reconciled("s:pay")), "execute");
    call.crash();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
}

TEST(call_machine_reconcile, unknown_is_interrupted_for_good_and_nobody_is_asked_again) {  // B11a
    Call call = interrupted();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
    call.machine->give_up(reconciled("s:pay"));
    EXPECT_EQ(call.commit(), Words{"2 once_interrupted s:pay"});
    call.crash();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "interrupted");
}

TEST(call_machine_reconcile, nobody_is_asked_before_what_precedes_the_question_is_durable) {  // B11a, contract 2
    Call call = interrupted();
    call.run(least("s:new"), "1");  // a hot-fixed handler does something before
    EXPECT_EQ(words(call.machine->begin(reconciled("s:pay"))), "await durable");
    EXPECT_EQ(call.commit(), Words{"2 step_completed s:new"});
    EXPECT_EQ(words(call.machine->begin(reconciled("s:pay"))), "reconcile");
}

TEST(call_machine_reconcile, a_step_that_is_put_down_before_the_receiver_was_asked_is_asked_about_by_the_next_attempt) {  // B11a, B52
    Call call = interrupted();
    call.run(least("s:new"), "1");
    EXPECT_EQ(words(call.machine->begin(reconciled("s:pay"))), "await durable");
    call.machine->suspend();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "leave suspended");
    EXPECT_EQ(call.commit(), Words{"2 step_completed s:new"});  // and no word of the other one
    call.crash();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
}

TEST(call_machine_reconcile, a_step_that_is_put_down_between_not_done_and_its_callable_has_not_started) {  // B11a, B52
    Call call = interrupted();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
    call.machine->restart(reconciled("s:pay"));
    call.machine->suspend();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "leave suspended");
    EXPECT_EQ(call.commit(), (Words{"2 once_started s:pay", "3 once_reset s:pay"}));
    call.crash();
    EXPECT_EQ(call.begin(once("s:pay")), "execute");
}

TEST(call_machine_reconcile, a_retryable_exception_after_not_done_resets_the_step) {  // B11, B11a
    Call call = interrupted();
    EXPECT_EQ(call.begin(reconciled("s:pay")), "reconcile");
    call.machine->restart(reconciled("s:pay"));
    EXPECT_EQ(call.begin(reconciled("s:pay")), "execute");
    call.machine->reset(reconciled("s:pay"));
    EXPECT_EQ(call.begin(reconciled("s:pay")), "execute");
}

// ── Putting off ──

TEST(call_machine_put_off, until_when_is_known_to_the_next_attempt_and_over_with_its_first_entry) {  // B20
    Call call;
    call.run(least("s:a"), "1");
    EXPECT_EQ(call.machine->put_off_until(), nullptr);
    call.machine->put_off("tomorrow");
    EXPECT_EQ(call.commit(), (Words{"1 step_completed s:a", "2 put_off l:"}));
    call.crash();
    ASSERT_NE(call.machine->put_off_until(), nullptr);
    EXPECT_EQ(*call.machine->put_off_until(), "tomorrow");
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_TRUE(call.machine->divergent_keys().empty());
    call.machine->put_off("the day after");
    call.replay();
    EXPECT_EQ(*call.machine->put_off_until(), "the day after");
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    call.run(least("s:b"), "2");
    call.replay();
    EXPECT_EQ(call.machine->put_off_until(), nullptr);
}

// ── Values ──

TEST(call_machine_value, a_value_is_drawn_once_and_waits_for_the_calls_row_only) {
    Call call;
    EXPECT_EQ(words(call.machine->begin(drawn("s:at"))), "await durable");
    EXPECT_EQ(call.commit(), Words{"accept"});
    EXPECT_EQ(words(call.machine->begin(drawn("s:at"))), "execute");
    call.machine->complete(drawn("s:at"), "1800000000000");
    EXPECT_EQ(words(call.machine->begin(drawn("s:dice", "random<6>"))), "execute");
    call.machine->complete(drawn("s:dice", "random<6>"), "3");
    EXPECT_EQ(call.commit(), (Words{"1 value_drawn s:at", "2 value_drawn s:dice"}));
    call.crash();
    EXPECT_EQ(call.begin(drawn("s:at")), "recorded 1800000000000");
    EXPECT_EQ(call.begin(drawn("s:dice", "random<10>")), "mismatch value random<6>");
    EXPECT_EQ(call.begin(least("s:dice")), "mismatch value random<6>");
}

}  // namespace
}  // namespace durable_mcp::journal
