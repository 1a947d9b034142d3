// SPDX-License-Identifier: Apache-2.0
// What a later attempt is told about a key that an earlier one recorded.
#include <gtest/gtest.h>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal {
namespace {

Call after(std::vector<Entry> entries) {
    Call call;
    call.history.accepted = true;
    for (Entry& entry : entries) {
        entry.seq = call.history.entries.size() + 1;
        call.history.entries.push_back(std::move(entry));
    }
    call.crash();
    return call;
}

const std::string declined = R"({"type":"Declined","message":"no"})";

struct Row {
    const char* what;
    std::vector<Entry> entries;
    Step step;
    const char* decision;
    Words outputs;  // committed by the time of the decision, or with it
};

TEST(call_machine_replay, every_record_is_answered_by_its_table) {
    const std::vector<Row> table = {
        // B1: recorded steps of every kind answer without executing.
        {"B1 at_least_once completed", {{0, EntryKind::step_completed, "s:a", "int", "1"}}, least("s:a"), "recorded 1", {}},
        {"B1 at_least_once gave up", {{0, EntryKind::step_failed, "s:a", "int", declined}}, least("s:a"), "failed Declined: no", {}},
        {"B1 transaction applied", {{0, EntryKind::transacted, "s:a", "int", "1"}}, transact("s:a"), "recorded 1", {}},
        {"B1 transaction threw", {{0, EntryKind::transaction_failed, "s:a", "int", declined}}, transact("s:a"), "failed Declined: no", {}},
        {"B1 map written", {{0, EntryKind::map_written, "m:a", "", ""}}, map_write("m:a"), "recorded ", {}},
        {"B1 map read", {{0, EntryKind::map_read, "m:a", "int", "null"}}, map_read("m:a"), "recorded null", {}},
        {"B1 event sent", {{0, EntryKind::event_sent, "e:a", "", ""}}, event("e:a"), "recorded ", {}},
        {"B8 completed",
         {{0, EntryKind::once_started, "s:a", "int", ""}, {0, EntryKind::once_completed, "s:a", "int", "1"}},
         once("s:a"),
         "recorded 1",
         {}},
        {"B9 crashed inside",
         {{0, EntryKind::once_started, "s:a", "int", ""}},
         once("s:a"),
         "interrupted",
         {"2 once_interrupted s:a"}},
        {"B9 found interrupted by an earlier attempt",
         {{0, EntryKind::once_started, "s:a", "int", ""}, {0, EntryKind::once_interrupted, "s:a", "int", ""}},
         once("s:a"),
         "interrupted",
         {}},
        {"B10 threw",
         {{0, EntryKind::once_started, "s:a", "int", ""}, {0, EntryKind::once_failed, "s:a", "int", declined}},
         once("s:a"),
         "failed Declined: no",
         {}},
        {"B11 reset",
         {{0, EntryKind::once_started, "s:a", "int", ""}, {0, EntryKind::once_reset, "s:a", "int", ""}},
         once("s:a"),
         "execute",
         {"3 once_started s:a"}},
        {"B11 reset, and crashed inside the next time",
         {{0, EntryKind::once_started, "s:a", "int", ""},
          {0, EntryKind::once_reset, "s:a", "int", ""},
          {0, EntryKind::once_started, "s:a", "int", ""}},
         once("s:a"),
         "interrupted",
         {"4 once_interrupted s:a"}},
        {"B11 reset, and completed the next time",
         {{0, EntryKind::once_started, "s:a", "int", ""},
          {0, EntryKind::once_reset, "s:a", "int", ""},
          {0, EntryKind::once_started, "s:a", "int", ""},
          {0, EntryKind::once_completed, "s:a", "int", "1"}},
         once("s:a"),
         "recorded 1",
         {}},
        {"a failed map read", {{0, EntryKind::step_failed, "m:a", "int", declined}}, map_read("m:a"), "failed Declined: no", {}},
        {"a failed map write", {{0, EntryKind::step_failed, "m:a", "", declined}}, map_write("m:a"), "failed Declined: no", {}},
        // B3: the same key as another kind, or with another type.
        {"B3 kind", {{0, EntryKind::step_completed, "s:a", "int", "1"}}, once("s:a"), "mismatch at_least_once int", {}},
        {"B3 kind of a failure", {{0, EntryKind::step_failed, "s:a", "int", declined}}, once("s:a"), "mismatch at_least_once int", {}},
        {"B3 kind of a failed transaction",
         {{0, EntryKind::transaction_failed, "s:a", "int", declined}},
         least("s:a"),
         "mismatch transact int",
         {}},
        {"B3 kind of an interrupted step",
         {{0, EntryKind::once_started, "s:a", "int", ""}},
         least("s:a"),
         "mismatch at_most_once int",
         {}},
        {"B3 type", {{0, EntryKind::step_completed, "s:a", "int", "1"}}, least("s:a", "string"), "mismatch at_least_once int", {}},
        {"B3 type of a transaction",
         {{0, EntryKind::transacted, "s:a", "int", "1"}},
         transact("s:a", "string"),
         "mismatch transact int",
         {}},
        {"B3 type of a read", {{0, EntryKind::map_read, "m:a", "int", "1"}}, map_read("m:a", "string"), "mismatch map read int", {}},
        {"a failure has no type that could mismatch",
         {{0, EntryKind::step_failed, "s:a", "int", declined}},
         least("s:a", "string"),
         "failed Declined: no",
         {}},
        {"an interrupted step has no type that could mismatch",
         {{0, EntryKind::once_started, "s:a", "int", ""}},
         once("s:a", "string"),
         "interrupted",
         {"2 once_interrupted s:a"}},
    };
    for (const Row& row : table) {
        Call call = after(row.entries);
        const std::size_t before = call.history.entries.size();
        EXPECT_EQ(call.begin(row.step), row.decision) << row.what;
        call.commit();
        Words outputs;
        for (std::size_t i = before; i < call.history.entries.size(); ++i) {
            outputs.push_back(words(Output(call.history.entries[i])));
        }
        EXPECT_EQ(outputs, row.outputs) << row.what;
    }
}

TEST(call_machine_replay, a_step_that_executed_and_was_not_recorded_executes_again) {
    Call call;
    ASSERT_EQ(call.begin(least("s:a")), "execute");
    call.machine->complete(least("s:a"), "1");  // its entry dies with the process
    call.crash();
    EXPECT_EQ(call.begin(least("s:a")), "execute");
}

TEST(call_machine_replay, an_at_most_once_step_whose_completion_was_lost_is_interrupted) {  // B9
    Call call;
    ASSERT_EQ(call.begin(once("s:a")), "execute");
    call.machine->complete(once("s:a"), "1");
    call.crash();
    EXPECT_EQ(call.begin(once("s:a")), "interrupted");
    EXPECT_EQ(call.begin(once("s:a")), "duplicate");
    call.replay();
    EXPECT_EQ(call.begin(once("s:a")), "interrupted");
    EXPECT_TRUE(call.commit().empty());
}

TEST(call_machine_replay, a_started_entry_that_never_reached_the_disk_interrupts_nothing) {  // B7
    Call call;
    ASSERT_EQ(words(call.machine->begin(once("s:a"))), "await durable");
    call.crash();
    EXPECT_EQ(call.begin(once("s:a")), "execute");
}

TEST(call_machine_replay, the_finding_of_an_interruption_is_waited_for_like_any_entry) {  // B9
    Call call = after({{0, EntryKind::once_started, "s:a", "int", ""}});
    EXPECT_EQ(words(call.machine->begin(once("s:a"))), "interrupted");
    EXPECT_EQ(words(call.machine->begin(least("s:refund"))), "await durable");
    EXPECT_EQ(call.commit(), Words{"2 once_interrupted s:a"});
    EXPECT_EQ(words(call.machine->begin(least("s:refund"))), "execute");
}

TEST(call_machine_replay, a_recorded_step_is_answered_while_something_is_in_flight) {
    Call call = after({{0, EntryKind::step_completed, "s:b", "int", "2"}});
    call.run(least("s:a"), "1");  // new, in front of the recorded one
    EXPECT_EQ(words(call.machine->begin(least("s:b"))), "recorded 2");
}

TEST(call_machine_replay, a_retryable_exception_resets_the_step_within_the_attempt) {  // B11
    Call call;
    ASSERT_EQ(call.begin(once("s:a")), "execute");
    call.machine->reset(once("s:a"));
    EXPECT_EQ(words(call.machine->begin(once("s:a"))), "await durable");
    EXPECT_EQ(call.commit(), (Words{"2 once_reset s:a", "3 once_started s:a"}));
    EXPECT_EQ(call.begin(once("s:a")), "execute");
}

TEST(call_machine_replay, a_reset_that_was_lost_leaves_the_step_interrupted) {  // B11: unknown is the honest answer
    Call call;
    ASSERT_EQ(call.begin(once("s:a")), "execute");
    call.machine->reset(once("s:a"));
    call.crash();
    EXPECT_EQ(call.begin(once("s:a")), "interrupted");
}

TEST(call_machine_replay, a_step_that_was_reset_is_not_recorded) {  // B11, B4
    Call call;
    ASSERT_EQ(call.begin(once("s:a")), "execute");
    call.machine->reset(once("s:a"));
    call.replay();
    EXPECT_FALSE(call.machine->is_replaying());
    EXPECT_TRUE(call.machine->divergent_keys().empty());
    EXPECT_EQ(call.begin(least("s:a")), "execute");  // not even its kind
}

TEST(call_machine_replay, a_value_that_cannot_be_stored_fails_the_step_for_good) {  // B12
    Call call;
    ASSERT_EQ(call.begin(once("s:a")), "execute");
    call.machine->fail(once("s:a"), {"", "not encodable"});
    call.replay();
    EXPECT_EQ(call.begin(once("s:a")), "failed : not encodable");
}

TEST(call_machine_replay, a_failed_step_of_any_kind_fails_again_on_every_replay) {
    for (const Step& step : {least("s:a"), once("s:a"), transact("s:a"), map_write("m:a"), map_read("m:a"), event("e:a")}) {
        Call call;
        ASSERT_EQ(call.begin(step), "execute");
        call.machine->fail(step, {"E", "no"});
        for (int i = 0; i < 2; ++i) {
            call.replay();
            EXPECT_EQ(call.begin(step), "failed E: no") << name_of(step.kind);
        }
    }
}

TEST(call_machine_replay, a_mismatch_leaves_the_entry_untouched) {  // B3
    Call call = after({{0, EntryKind::step_completed, "s:a", "int", "1"}});
    EXPECT_EQ(call.begin(once("s:a")), "mismatch at_least_once int");
    EXPECT_EQ(call.begin(least("s:a", "string")), "mismatch at_least_once int");
    EXPECT_TRUE(call.commit().empty());
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
}

TEST(call_machine_replay, steps_may_be_asked_for_in_another_order) {  // position does not identify a step
    Call call;
    call.run(least("s:a"), "1");
    call.run(once("s:b"), "2");
    call.replay();
    EXPECT_EQ(call.begin(least("s:new")), "execute");
    call.machine->complete(least("s:new"), "3");
    EXPECT_EQ(call.begin(once("s:b")), "recorded 2");
    EXPECT_EQ(call.begin(least("s:a")), "recorded 1");
    EXPECT_TRUE(call.machine->divergent_keys().empty());
}

TEST(call_machine_replay, a_recorded_step_that_was_not_passed_is_divergent) {  // B4
    Call call = after({{0, EntryKind::step_completed, "s:b", "int", "2"},
                       {0, EntryKind::step_completed, "s:a", "int", "1"},
                       {0, EntryKind::step_completed, "s:c", "int", "3"}});
    EXPECT_EQ(call.machine->divergent_keys(), (Words{"s:a", "s:b", "s:c"}));
    EXPECT_EQ(call.begin(least("s:b")), "recorded 2");
    EXPECT_EQ(call.machine->divergent_keys(), (Words{"s:a", "s:c"}));
}

TEST(call_machine_replay, steps_of_this_attempt_are_never_divergent) {  // B4
    Call call;
    call.run(least("s:a"), "1");
    EXPECT_TRUE(call.machine->divergent_keys().empty());
}

TEST(call_machine_replay, values_come_back_byte_for_byte) {  // B6
    using namespace std::string_literals;
    for (const std::string& value : {"9223372036854775807"s, "18446744073709551615"s, "1"s, "1.0"s, "1e0"s, "-0.0"s,
                                     " { \"b\" : 1,\"a\":1 } "s, "\"\\u00e9\""s, "\"\xc3\xa9\""s, "\"a\\u0000b\""s, "a\0b"s, ""s, "null"s, std::string(1 << 20, 'x')}) {
        Call call;
        call.run(least("s:a"), value);
        call.replay();
        const Decision decision = call.machine->begin(least("s:a"));
        ASSERT_TRUE(std::holds_alternative<UseRecorded>(decision));
        EXPECT_TRUE(std::get<UseRecorded>(decision).value == value) << value.substr(0, 40);
    }
}

}  // namespace
}  // namespace durable_mcp::journal
