// SPDX-License-Identifier: Apache-2.0
// Events of the call's own stream: sent once over all attempts, silent on old ground.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal {
namespace {

constexpr std::uint64_t hello = 11;
constexpr std::uint64_t bye = 12;

Call after(std::vector<std::uint64_t> events, std::vector<std::string> steps = {}) {
    Call call;
    call.history.accepted = true;
    call.history.events.assign(events.begin(), events.end());
    for (const std::string& key : steps) {
        call.history.entries.push_back({call.history.entries.size() + 1, EntryKind::step_completed, key, "int", "1"});
    }
    call.crash();
    return call;
}

TEST(call_machine_events, the_acceptance_precedes_the_first_event) {
    CallMachine machine;
    EXPECT_TRUE(machine.emit(hello));
    EXPECT_EQ(words(machine.take_outputs()), Words{"accept"});
    EXPECT_TRUE(machine.emit(bye));
    EXPECT_TRUE(machine.take_outputs().empty());
    EXPECT_EQ(words(machine.begin(least("s:a"))), "await durable");  // the acceptance is still in flight
}

TEST(call_machine_events, identical_events_are_legal) {  // B27
    CallMachine machine;
    EXPECT_TRUE(machine.emit(hello));
    EXPECT_TRUE(machine.emit(hello));
}

TEST(call_machine_events, an_event_is_sent_once_over_all_attempts) {  // B27
    Call call = after({hello});
    EXPECT_FALSE(call.machine->emit(hello));
    EXPECT_TRUE(call.machine->emit(bye));
}

TEST(call_machine_events, identical_events_are_counted_by_occurrence) {  // B27
    Call call = after({hello, hello});
    EXPECT_FALSE(call.machine->emit(hello));
    EXPECT_FALSE(call.machine->emit(hello));
    EXPECT_TRUE(call.machine->emit(hello));
    EXPECT_TRUE(call.machine->emit(hello));
}

TEST(call_machine_events, an_event_that_was_lost_with_its_process_is_sent_by_the_next_attempt) {  // B27
    Call call;
    EXPECT_TRUE(call.machine->emit(hello));
    call.crash();
    EXPECT_TRUE(call.machine->emit(hello));
}

TEST(call_machine_events, events_are_silent_on_old_ground) {  // B27
    Call call = after({}, {"s:a", "s:b"});
    EXPECT_TRUE(call.machine->is_replaying());
    EXPECT_FALSE(call.machine->emit(hello));  // a hot-fixed handler says more than the old one did
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_FALSE(call.machine->emit(hello));
    EXPECT_EQ(call.begin(least("s:b")), "recorded 1");
    EXPECT_FALSE(call.machine->is_replaying());
    EXPECT_TRUE(call.machine->emit(hello));
}

TEST(call_machine_events, a_new_step_ends_old_ground_at_once) {  // B27
    Call call = after({}, {"s:a"});
    EXPECT_EQ(words(call.machine->begin(least("s:new"))), "execute");
    EXPECT_FALSE(call.machine->is_replaying());
    EXPECT_TRUE(call.machine->emit(hello));
}

TEST(call_machine_events, a_mismatch_and_a_duplicate_are_no_new_ground) {
    Call call = after({}, {"s:a", "s:b"});
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_EQ(call.begin(least("s:a")), "duplicate");
    EXPECT_EQ(call.begin(once("s:b")), "mismatch at_least_once int");
    EXPECT_TRUE(call.machine->is_replaying());
}

TEST(call_machine_events, an_occurrence_repeated_on_old_ground_is_counted) {  // B27
    Call call = after({hello}, {"s:a"});
    EXPECT_FALSE(call.machine->emit(hello));  // the one that was sent
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_TRUE(call.machine->emit(hello));  // the second one of this attempt is new
}

TEST(call_machine_events, an_event_behind_the_last_recorded_step_is_not_sent_again) {  // B27
    Call call = after({hello}, {"s:a"});
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_FALSE(call.machine->emit(hello));
}

// What emit() said, and the driver then did: the event and what the machine wants beside it, in one batch.
bool send(Call& call, std::uint64_t hash) {
    if (!call.machine->emit(hash)) {
        return false;
    }
    call.machine->mark_sent(hash);
    call.history.events.push_back(hash);
    call.commit();
    return true;
}

TEST(call_machine_events, an_event_from_inside_a_recorded_callable_does_not_swallow_an_equal_one_behind_it) {  // B27
    for (const Step& step : {least("s:a"), once("s:a")}) {
        Call call;
        EXPECT_EQ(call.begin(step), "execute");
        EXPECT_TRUE(send(call, hello));
        call.machine->complete(step, "1");
        call.replay();
        EXPECT_EQ(call.begin(step), "recorded 1");
        EXPECT_TRUE(send(call, hello));  // the one outside, which the process died before
        call.replay();
        EXPECT_EQ(call.begin(step), "recorded 1");
        EXPECT_FALSE(send(call, hello));
    }
}

TEST(call_machine_events, an_event_from_inside_a_callable_that_runs_again_is_not_sent_again) {  // B27
    Call call;
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    EXPECT_TRUE(send(call, hello));
    call.crash();
    EXPECT_EQ(call.begin(least("s:a")), "execute");
    EXPECT_FALSE(send(call, hello));
    EXPECT_TRUE(send(call, bye));
}

TEST(call_machine_events, an_event_before_a_callable_is_not_taken_for_an_equal_one_inside) {  // B27
    Call call;
    EXPECT_TRUE(send(call, hello));
    call.crash();
    EXPECT_EQ(call.begin(least("s:a")), "execute");  // a hot-fixed handler no longer says it before
    EXPECT_TRUE(send(call, hello));
}

TEST(call_machine_events, the_events_of_an_interrupted_callable_stay_its_own) {  // B27
    Call call;
    EXPECT_EQ(call.begin(once("s:a")), "execute");
    EXPECT_TRUE(send(call, hello));
    call.crash();
    EXPECT_EQ(call.begin(once("s:a")), "interrupted");
    EXPECT_TRUE(send(call, hello));
}

TEST(call_machine_events, a_transaction_is_adopted_with_its_events) {  // B13, B27
    const Step step = transact("s:book");
    Call call;
    EXPECT_EQ(call.begin(step), "execute");
    EXPECT_TRUE(call.machine->emit(hello));
    call.history.entries.push_back(call.machine->draft(step, "42"));
    call.history.entries.push_back(call.machine->draft_event(step, 1, hello));
    call.history.events.push_back(hello);
    call.machine->adopt(step, 1);
    EXPECT_EQ(call.machine->entry_count(), 2u);
    call.run(least("s:next"), "1");
    call.replay();
    EXPECT_EQ(call.begin(step), "recorded 42");
    EXPECT_EQ(call.begin(least("s:next")), "recorded 1");
    EXPECT_TRUE(send(call, hello));
}

TEST(call_machine_events, nothing_is_sent_after_the_unwinding_or_the_end) {
    Call left;
    left.machine->suspend();
    EXPECT_EQ(left.begin(least("s:a")), "leave suspended");
    EXPECT_FALSE(left.machine->emit(hello));
    EXPECT_FALSE(left.machine->advance_progress(1));
    Call finished;
    finished.machine->finish();
    EXPECT_FALSE(finished.machine->emit(hello));
    EXPECT_FALSE(finished.machine->advance_progress(1));
    EXPECT_TRUE(finished.commit().empty());
}

TEST(call_machine_events, a_cancelled_call_says_nothing_more) {  // B35
    CallMachine machine;
    machine.cancel();
    EXPECT_FALSE(machine.emit(bye));
    EXPECT_FALSE(machine.advance_progress(1));
}

TEST(call_machine_events, progress_goes_up_only) {  // B28
    CallMachine machine;
    EXPECT_TRUE(machine.advance_progress(0));
    EXPECT_FALSE(machine.advance_progress(0));
    EXPECT_TRUE(machine.advance_progress(0.5));
    EXPECT_FALSE(machine.advance_progress(0.25));
    EXPECT_TRUE(machine.advance_progress(1));
}

TEST(call_machine_events, progress_never_goes_down_over_a_replay) {  // B28
    Call call;
    call.history.accepted = true;
    call.history.last_progress = 3;
    call.crash();
    for (const double repeated : {1.0, 2.0, 3.0}) {
        EXPECT_FALSE(call.machine->advance_progress(repeated));
    }
    EXPECT_TRUE(call.machine->advance_progress(4));
}

TEST(call_machine_events, progress_on_old_ground_is_silent_and_does_not_count) {  // B28
    Call call = after({}, {"s:a"});
    EXPECT_FALSE(call.machine->advance_progress(50));
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_TRUE(call.machine->advance_progress(10));
}

TEST(call_machine_events, progress_that_is_no_number_is_not_sent_and_spoils_nothing) {  // JSON has no word for it
    CallMachine machine;
    EXPECT_FALSE(machine.advance_progress(std::nan("")));
    EXPECT_FALSE(machine.advance_progress(-std::numeric_limits<double>::infinity()));
    EXPECT_TRUE(machine.advance_progress(2));
    EXPECT_FALSE(machine.advance_progress(std::nan("")));
    EXPECT_FALSE(machine.advance_progress(std::numeric_limits<double>::infinity()));
    EXPECT_FALSE(machine.advance_progress(1));
    EXPECT_TRUE(machine.advance_progress(3));
}

TEST(call_machine_events, progress_that_was_refused_with_its_transaction_may_be_reported_again) {  // B13, B28
    CallMachine machine;
    EXPECT_TRUE(machine.advance_progress(1));
    const auto before = machine.last_progress();
    EXPECT_EQ(before, 1);
    EXPECT_TRUE(machine.advance_progress(2));
    machine.restore_progress(before);
    EXPECT_FALSE(machine.advance_progress(1));
    EXPECT_TRUE(machine.advance_progress(2));
}

}  // namespace
}  // namespace durable_mcp::journal
