// SPDX-License-Identifier: Apache-2.0
// What an attempt may do, and what must be durable first.
#include <gtest/gtest.h>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal {
namespace {

// ── The law ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(call_machine, the_acceptance_precedes_the_first_step) {
    CallMachine machine;
    EXPECT_FALSE(machine.is_accepted());
    EXPECT_EQ(words(machine.begin(least("s:a"))), "await durable");
    EXPECT_EQ(words(machine.take_outputs()), Words{"accept"});
    EXPECT_EQ(words(machine.begin(least("s:a"))), "await durable");
    machine.confirm(1);
    EXPECT_EQ(words(machine.begin(least("s:a"))), "execute");
    EXPECT_TRUE(machine.is_accepted());
}

TEST(call_machine, a_machine_that_was_asked_nothing_hands_out_nothing) {
    CallMachine machine;
    EXPECT_TRUE(machine.take_outputs().empty());
    EXPECT_EQ(machine.handed_out(), 0u);
    EXPECT_EQ(machine.entry_count(), 0u);
    EXPECT_FALSE(machine.is_replaying());
}

TEST(call_machine, a_call_is_accepted_once) {
    CallMachine machine;
    machine.accept();
    machine.accept();
    EXPECT_EQ(words(machine.begin(least("s:a"))), "await durable");
    EXPECT_EQ(words(machine.take_outputs()), Words{"accept"});
}

TEST(call_machine, a_call_that_was_accepted_before_its_dispatch_executes_at_once) {
    History history;
    history.accepted = true;
    CallMachine machine(history);
    EXPECT_TRUE(machine.is_accepted());
    EXPECT_EQ(words(machine.begin(least("s:a"))), "execute");
    EXPECT_TRUE(machine.take_outputs().empty());
}

TEST(call_machine, no_step_executes_while_the_previous_entry_is_in_flight) {
    for (const Step& next : {least("s:b"), once("s:b"), transact("s:b"), map_read("m:b")}) {
        Call call;
        call.run(least("s:a"), "1");
        EXPECT_EQ(words(call.machine->begin(next)), "await durable") << name_of(next.kind);
        const auto outputs = call.machine->take_outputs();  // in flight: taken, not confirmed
        EXPECT_EQ(words(outputs).front(), "1 step_completed s:a");
        EXPECT_EQ(words(call.machine->begin(next)), "await durable") << name_of(next.kind);
        call.machine->confirm(call.machine->handed_out());
        EXPECT_EQ(words(call.machine->begin(next)), "execute") << name_of(next.kind);
    }
}

TEST(call_machine, confirming_a_part_is_not_enough) {
    Call call;
    call.run(least("s:a"), "1");                                           // outputs 1 (accept) and 2
    EXPECT_EQ(words(call.machine->begin(once("s:b"))), "await durable");  // output 3: once_started
    EXPECT_EQ(words(call.machine->take_outputs()), (Words{"1 step_completed s:a", "2 once_started s:b"}));
    call.machine->confirm(2);
    EXPECT_EQ(words(call.machine->begin(once("s:b"))), "await durable");
    call.machine->confirm(3);
    call.machine->confirm(1);  // late news of an older commit takes nothing back
    EXPECT_EQ(words(call.machine->begin(once("s:b"))), "execute");
}

TEST(call_machine, waiting_hands_out_nothing_twice) {
    CallMachine machine;
    EXPECT_EQ(words(machine.begin(once("s:a"))), "await durable");
    EXPECT_EQ(words(machine.begin(once("s:a"))), "await durable");
    EXPECT_EQ(words(machine.take_outputs()), (Words{"accept", "1 once_started s:a"}));
    EXPECT_EQ(words(machine.begin(once("s:a"))), "await durable");
    EXPECT_TRUE(machine.take_outputs().empty());
}

TEST(call_machine, at_most_once_hands_out_once_started_before_it_may_execute) {  // B7
    History history;
    history.accepted = true;
    CallMachine machine(history);
    EXPECT_EQ(words(machine.begin(once("s:charge"))), "await durable");
    EXPECT_EQ(words(machine.take_outputs()), Words{"1 once_started s:charge"});
    machine.confirm(1);
    EXPECT_EQ(words(machine.begin(once("s:charge"))), "execute");
    machine.complete(once("s:charge"), "7");
    EXPECT_EQ(words(machine.take_outputs()), Words{"2 once_completed s:charge"});
}

TEST(call_machine, entries_are_counted_from_one_without_a_gap_over_attempts) {
    Call call;
    call.run(least("s:a"), "1");
    call.run(once("s:b"), "2");
    EXPECT_EQ(call.machine->entry_count(), 3u);
    call.replay();
    EXPECT_EQ(call.machine->entry_count(), 3u);
    EXPECT_EQ(call.begin(least("s:c")), "execute");
    call.machine->complete(least("s:c"), "3");
    EXPECT_EQ(call.commit(), Words{"4 step_completed s:c"});
}

TEST(call_machine, an_entry_carries_the_key_the_type_and_the_value) {
    Call call;
    call.run(least("s:a", "Receipt"), "{}");
    const auto outputs = call.machine->take_outputs();
    ASSERT_EQ(outputs.size(), 1u);
    const Entry entry = std::get<Entry>(outputs[0]);
    EXPECT_EQ(entry.key, "s:a");
    EXPECT_EQ(entry.type, "Receipt");
    EXPECT_EQ(entry.payload, "{}");
}

// ── Map writes and events of other streams: effects that travel in the queue themselves ────────────────────────────────────

TEST(call_machine, a_map_write_does_not_wait_for_what_is_in_flight) {
    for (const Step& queued : {map_write("m:insert"), event("e:changed")}) {
        Call call;
        call.run(least("s:a"), "1");
        EXPECT_EQ(words(call.machine->begin(queued)), "execute") << name_of(queued.kind);
        call.machine->complete(queued, "");
        EXPECT_EQ(call.commit().front(), "1 step_completed s:a");  // … and stays behind it in the queue
    }
}

TEST(call_machine, a_map_write_waits_for_the_acceptance_and_for_nothing_else) {
    for (const Step& queued : {map_write("m:insert"), event("e:changed")}) {
        Call call;
        EXPECT_EQ(words(call.machine->begin(queued)), "await durable") << name_of(queued.kind);
        EXPECT_EQ(call.commit(), Words{"accept"});
        EXPECT_EQ(words(call.machine->begin(queued)), "execute") << name_of(queued.kind);
    }
}

TEST(call_machine, what_comes_after_a_map_write_waits_for_it) {
    for (const Step& next : {map_read("m:get"), least("s:a"), once("s:a"), transact("s:a")}) {
        Call call;
        call.run(map_write("m:insert"), "");
        call.run(map_write("m:remove"), "");
        EXPECT_EQ(words(call.machine->begin(next)), "await durable") << name_of(next.kind);
        call.commit();
        EXPECT_EQ(words(call.machine->begin(next)), "execute") << name_of(next.kind);
    }
}

// ── Duplicates and names ───────────────────────────────────────────────────────────────────────────────────────────────────

TEST(call_machine, a_key_can_be_used_once_in_an_attempt) {  // B2
    for (const Step& step : {least("s:a"), once("s:a"), transact("s:a"), map_write("m:a"), map_read("m:a"), event("e:a")}) {
        Call call;
        call.run(step, "1");
        EXPECT_EQ(call.begin(step), "duplicate") << name_of(step.kind);
    }
}

TEST(call_machine, a_duplicate_is_one_whatever_its_kind) {  // B2
    Call call;
    call.run(least("s:a"), "1");
    EXPECT_EQ(call.begin(once("s:a")), "duplicate");
    EXPECT_EQ(call.commit(), Words{"1 step_completed s:a"});
}

TEST(call_machine, a_duplicate_is_found_among_recorded_steps_too) {  // B2
    Call call;
    call.run(least("s:a"), "1");
    call.replay();
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_EQ(call.begin(least("s:a")), "duplicate");
}

TEST(call_machine, a_step_that_failed_has_used_its_key) {  // B2
    Call call;
    ASSERT_EQ(call.begin(once("s:a")), "execute");
    call.machine->fail(once("s:a"), {"E", "no"});
    EXPECT_EQ(call.begin(once("s:a")), "duplicate");
}

TEST(call_machine, iterations_of_a_loop_are_steps_of_their_own) {  // B2
    Call call;
    for (int i = 0; i < 3; ++i) {
        call.run(least("s:charge/" + std::to_string(i)), std::to_string(i * 10));
    }
    call.replay();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(call.begin(least("s:charge/" + std::to_string(i))), "recorded " + std::to_string(i * 10));
    }
}

TEST(call_machine, what_has_no_alias_is_told_apart_by_its_occurrence) {
    Call call;
    for (int i = 0; i < 3; ++i) {
        call.run(map_write(call.machine->next_occurrence("m:insert/adds/1")), "");
    }
    call.run(map_write(call.machine->next_occurrence("m:insert/adds/2")), "");
    call.replay();
    EXPECT_EQ(call.begin(map_write(call.machine->next_occurrence("m:insert/adds/2"))), "recorded ");  // order does not identify
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(call.begin(map_write(call.machine->next_occurrence("m:insert/adds/1"))), "recorded ");
    }
    EXPECT_EQ(call.begin(map_write(call.machine->next_occurrence("m:insert/adds/1"))), "execute");
}

TEST(call_machine, occurrences_of_similar_contents_never_meet) {
    CallMachine machine;
    std::set<std::string> keys;
    for (const char* base : {"m:x", "m:x#1", "m:x#1#1", "m:x#"}) {
        for (int i = 0; i < 12; ++i) {
            EXPECT_TRUE(keys.insert(machine.next_occurrence(base)).second) << base;
        }
    }
}

TEST(call_machine, equal_aliases_in_different_name_spaces_never_meet) {  // B5
    Call call;
    call.run(least("s:x"), "1");
    call.run(map_read("m:x"), "2");
    call.run(event("e:x"), "");
    call.replay();
    EXPECT_EQ(call.begin(map_read("m:x")), "recorded 2");
    EXPECT_EQ(call.begin(least("s:x")), "recorded 1");
    EXPECT_EQ(call.begin(event("e:x")), "recorded ");
}

TEST(call_machine, a_user_alias_that_looks_like_ours_stays_a_user_alias) {  // B5
    Call call;
    call.run(least("s:m:x"), "1");
    EXPECT_EQ(call.begin(map_read("m:x")), "execute");
}

// ── Transactions: one commit that may be refused as a whole ────────────────────────────────────────────────────────────────

TEST(call_machine, a_transaction_is_drafted_without_being_handed_out) {  // B13
    Call call;
    call.run(least("s:a"), "1");
    ASSERT_EQ(call.begin(transact("s:book")), "execute");
    const Entry entry = call.machine->draft(transact("s:book"), "42");
    EXPECT_EQ(words(Output(entry)), "2 transacted s:book");
    EXPECT_EQ(entry.type, "int");
    EXPECT_EQ(entry.payload, "42");
    EXPECT_TRUE(call.machine->take_outputs().empty());
    EXPECT_EQ(call.machine->entry_count(), 1u);
}

TEST(call_machine, an_adopted_transaction_counts_as_an_entry_and_is_waited_for_no_more) {  // B13
    Call call;
    ASSERT_EQ(call.begin(transact("s:book")), "execute");
    call.history.entries.push_back(call.machine->draft(transact("s:book"), "42"));
    call.machine->adopt(transact("s:book"));
    EXPECT_EQ(call.machine->entry_count(), 1u);
    EXPECT_EQ(call.begin(transact("s:book")), "duplicate");
    EXPECT_EQ(words(call.machine->begin(least("s:next"))), "execute");
    call.machine->complete(least("s:next"), "1");
    EXPECT_EQ(call.commit(), Words{"2 step_completed s:next"});
    call.crash();
    EXPECT_EQ(call.begin(transact("s:book")), "recorded 42");
}

TEST(call_machine, a_refused_transaction_leaves_nothing_and_may_be_tried_again) {  // B13
    Call call;
    ASSERT_EQ(call.begin(transact("s:book")), "execute");
    (void)call.machine->draft(transact("s:book"), "41");
    call.machine->abandon(transact("s:book"));
    EXPECT_EQ(call.machine->entry_count(), 0u);
    EXPECT_EQ(call.begin(transact("s:book")), "execute");
    EXPECT_EQ(words(Output(call.machine->draft(transact("s:book"), "42"))), "1 transacted s:book");
    call.machine->adopt(transact("s:book"));
    EXPECT_TRUE(call.commit().empty());
}

TEST(call_machine, a_crash_before_the_commit_of_a_transaction_executes_it_again) {  // B13
    Call call;
    ASSERT_EQ(call.begin(transact("s:book")), "execute");
    (void)call.machine->draft(transact("s:book"), "42");
    call.crash();
    EXPECT_EQ(call.begin(transact("s:book")), "execute");
}

TEST(call_machine, a_transaction_whose_function_threw_is_recorded_as_failed) {  // B13
    Call call;
    ASSERT_EQ(call.begin(transact("s:book")), "execute");
    call.machine->fail(transact("s:book"), {"Overdrawn", "no money"});
    EXPECT_EQ(call.commit(), Words{"1 transaction_failed s:book"});
    call.crash();
    EXPECT_EQ(call.begin(transact("s:book")), "failed Overdrawn: no money");
}

using call_machine_death = ::testing::Test;

TEST_F(call_machine_death, a_history_with_a_gap_is_our_bug) {
    History history;
    history.accepted = true;
    history.entries = {{2, EntryKind::step_completed, "s:a", "int", "1"}};
    EXPECT_DEATH(CallMachine{history}, "seq");
}

TEST_F(call_machine_death, a_confirmation_of_what_was_never_handed_out_is_our_bug) {
    CallMachine machine;
    EXPECT_DEATH(machine.confirm(1), "handed_out");
}

}  // namespace
}  // namespace durable_mcp::journal
