// SPDX-License-Identifier: Apache-2.0
// Waits, and loops, which are waits that go on from iteration to iteration.
#include <gtest/gtest.h>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal {
namespace {

const std::string end(1, CallMachine::path_end);

Step nap(std::string key = "s:nap") { return {StepKind::sleep, std::move(key), ""}; }
Step rounds() { return {StepKind::loop, "s:rounds", "int/int"}; }
/// A key in an iteration of that loop.
std::string in_round(int round, const std::string& name) { return "s:rounds" + end + std::to_string(round) + end + name; }
std::string path(int round) { return "rounds" + end + std::to_string(round) + end; }

TEST(call_machine_waits, a_wait_begins_goes_on_in_a_later_attempt_and_is_over_for_good) {  // B17
    Call call;
    EXPECT_EQ(call.begin(nap()), "execute");
    call.machine->await(nap(), "until noon");
    EXPECT_EQ(call.commit(), Words{"1 sleep_begun s:nap"});
    call.crash();
    EXPECT_TRUE(call.machine->is_replaying());
    EXPECT_EQ(call.begin(nap()), "go on until noon");
    EXPECT_FALSE(call.machine->is_replaying());
    EXPECT_EQ(call.commit(), Words{});  // it is not begun twice
    call.machine->complete(nap(), "");
    EXPECT_EQ(call.commit(), Words{"2 sleep_over s:nap"});
    call.crash();
    EXPECT_EQ(call.begin(nap()), "recorded ");
}

TEST(call_machine_waits, a_wait_is_a_step_like_any_other_to_duplicates_mismatches_and_cancellation) {  // B2 B3 B35
    Call call;
    EXPECT_EQ(call.begin(nap()), "execute");
    call.machine->await(nap(), "1");
    EXPECT_EQ(call.begin(nap()), "duplicate");
    EXPECT_EQ(call.begin(least("s:nap")), "duplicate");
    call.replay();
    EXPECT_EQ(call.begin(least("s:nap")), "mismatch sleep ");
    call.machine->cancel();
    EXPECT_EQ(call.begin(nap()), "leave cancelled");
}

TEST(call_machine_waits, a_wait_needs_the_calls_row_on_disk_and_nothing_else) {  // B17
    Call call;
    EXPECT_TRUE(std::holds_alternative<AwaitDurable>(call.machine->begin(nap())));
    EXPECT_EQ(call.commit(), Words{"accept"});
    EXPECT_EQ(call.begin(nap()), "execute");
    call.run(least("s:before"), "1");
    EXPECT_TRUE(std::holds_alternative<Execute>(call.machine->begin(nap("s:second"))));
    EXPECT_TRUE(std::holds_alternative<AwaitDurable>(call.machine->begin(least("s:behind"))));
}

TEST(call_machine_waits, an_iteration_is_forgotten_when_it_hands_on) {  // B16
    Call call;
    EXPECT_EQ(call.begin(rounds()), "execute");
    for (int round = 1; round <= 2; ++round) {
        call.machine->enter(path(round));
        call.run(least(in_round(round, "a")), "1");
        EXPECT_EQ(call.begin(least(in_round(round, "a"))), "duplicate");
        call.run(once(in_round(round, "b")), "2");
        call.machine->enter("");
        call.commit();
        call.machine->carry(rounds(), path(round), R"({"events":0,"round":)" + std::to_string(round + 1) + "}");
        const Words words = call.commit();
        ASSERT_EQ(words.size(), 2u);
        EXPECT_EQ(words[0], std::to_string(4 * round) + " loop_carried s:rounds");
        EXPECT_EQ(call.history.entries.size(), 1u);  // what it handed on, and not what the one before did
        EXPECT_EQ(call.machine->entry_count(), 1u);
    }
    call.crash();
    EXPECT_EQ(call.begin(rounds()), R"(go on {"events":0,"round":3})");
    call.machine->enter(path(3));
    EXPECT_EQ(call.begin(least(in_round(3, "a"))), "execute");
    call.machine->complete(least(in_round(3, "a")), "3");
    call.machine->end_loop(rounds(), path(3), R"({"events":0,"value":9})");
    call.commit();
    EXPECT_EQ(call.history.entries.size(), 1u);
    call.crash();
    EXPECT_EQ(call.begin(rounds()), R"(recorded {"events":0,"value":9})");
    EXPECT_TRUE(call.machine->divergent_keys().empty());
}

TEST(call_machine_waits, what_the_unfinished_iteration_had_recorded_lies_ahead) {  // B16
    Call call;
    EXPECT_EQ(call.begin(rounds()), "execute");
    call.machine->carry(rounds(), path(1), R"({"events":0,"round":2})");
    call.run(least(in_round(2, "a")), "1");
    call.replay();
    EXPECT_EQ(call.begin(rounds()), R"(go on {"events":0,"round":2})");
    EXPECT_TRUE(call.machine->is_replaying());
    EXPECT_EQ(call.begin(least(in_round(2, "a"))), "recorded 1");
    EXPECT_FALSE(call.machine->is_replaying());
}

TEST(call_machine_waits, what_was_counted_in_an_iteration_is_counted_anew_in_the_next) {  // B16 B25
    Call call;
    EXPECT_EQ(call.begin(rounds()), "execute");
    const auto base = [](int round) { return "m:" + path(round) + "put"; };
    EXPECT_EQ(call.machine->next_occurrence(base(1)), base(1) + "#1");
    EXPECT_EQ(call.machine->next_occurrence(base(1)), base(1) + "#2");
    call.machine->carry(rounds(), path(1), R"({"events":0,"round":2})");
    call.replay();
    EXPECT_EQ(call.begin(rounds()), R"(go on {"events":0,"round":2})");
    EXPECT_EQ(call.machine->next_occurrence(base(2)), base(2) + "#1");
}

TEST(call_machine_waits, an_event_of_a_passed_iteration_does_not_swallow_an_equal_one) {  // B16 B27
    constexpr std::uint64_t tick = 7;
    Call call;
    const auto emit = [&] {
        const bool sends = call.machine->emit(tick);
        if (sends) {
            call.machine->mark_sent(tick);
            call.history.events.emplace_back(tick, call.history.events.size() + 1);
        }
        return sends;
    };
    EXPECT_TRUE(emit());  // before the loop
    EXPECT_EQ(call.begin(rounds()), "execute");
    call.machine->enter(path(1));
    EXPECT_TRUE(emit());
    call.machine->carry(rounds(), path(1), R"({"events":2,"round":2})");
    call.machine->enter(path(2));
    EXPECT_TRUE(emit());
    call.replay();
    EXPECT_FALSE(emit());  // old ground
    EXPECT_EQ(call.begin(rounds()), R"(go on {"events":2,"round":2})");
    call.machine->enter(path(2));
    EXPECT_FALSE(emit());  // sent by the attempt before, in this iteration
    EXPECT_TRUE(emit());
    call.machine->end_loop(rounds(), path(2), R"({"events":4,"value":0})");
    call.machine->enter("");
    call.replay();
    EXPECT_FALSE(emit());
    EXPECT_EQ(call.begin(rounds()), R"(recorded {"events":4,"value":0})");
    EXPECT_TRUE(emit());  // behind the loop, and not sent before
}

}  // namespace
}  // namespace durable_mcp::journal
