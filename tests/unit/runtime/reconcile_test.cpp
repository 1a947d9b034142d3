// SPDX-License-Identifier: Apache-2.0
// An interrupted at_most_once step whose receiver can be asked (semantics §2, B11a), through the real driver and real stores.

#include <stdexcept>

#include "unit/runtime/step_scenes.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Begun;
using test::begin_call;
using test::describe;
using test::Door;
using test::EngineHarness;
using test::on_each_store;
using test::run_step;
using test::text_result;
using test::World;
using Word = detail::StepOutcome::Word;
using Receiver = std::function<detail::StepOutcome(std::string_view)>;

/// A payment in whose callable the first process dies, before or after it has happened, and a receiver that keeps what happened.
struct Payment {
    Door door;
    Door second_door;                  ///< the second run waits there, after it has paid
    bool dies_before_effect = false;
    bool dies_in_second_run = false;
    std::atomic<int> runs{0};
    std::atomic<int> paid{0};
    std::atomic<int> asked{0};
    std::string key_of_payment;
    std::vector<std::string> keys_asked;
    std::string nested;
    Receiver receiver = [this](std::string_view) {
        return paid > 0 ? detail::StepOutcome{Word::done, "\"receipt\""} : detail::StepOutcome{Word::not_done, {}};
    };

    std::string pay(CallPort& port) {
        key_of_payment = port.idempotency_key("pay");
        const detail::StepRun body = [this](std::stop_token) -> std::string {
            const int run = ++runs;
            if (run == 1 && dies_before_effect) {
                door.pass();
                throw std::runtime_error("dead");
            }
            ++paid;
            if (run == 1) {
                door.pass();
            } else if (run == 2 && dies_in_second_run) {
                second_door.pass();
            }
            return "\"receipt\"";
        };
        const Receiver reconcile = [this](std::string_view key) {
            ++asked;
            keys_asked.emplace_back(key);
            return receiver(key);
        };
        try {
            return port.step({.kind = detail::StepKind::at_most_once, .alias = "pay", .type = "string", .body = &body, .reconcile = &reconcile});
        } catch (const AtMostOnceFailedBeforeCompleting& error) {
            return describe(error);
        }
    }

    void set_up(EngineHarness& harness) {
        harness.add_tool("work", [this](CallPort& port, const Json&) { return text_result(pay(port)); });
    }
};

TEST_P(on_each_store, done_is_recorded_as_the_value_and_nothing_runs) {  // B11a
    Payment payment;
    World world(GetParam(), [&](EngineHarness& harness) { payment.set_up(harness); });
    const Begun begun = begin_call(world.boot(), "work", payment.door);
    world.crash([&] { payment.door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "\"receipt\"");
    EXPECT_EQ(payment.runs, 1);
    EXPECT_EQ(payment.paid, 1);
    EXPECT_EQ(payment.keys_asked, std::vector<std::string>{payment.key_of_payment});
}

TEST_P(on_each_store, not_done_runs_the_callable_once_more) {  // B11a
    Payment payment;
    payment.dies_before_effect = true;
    World world(GetParam(), [&](EngineHarness& harness) { payment.set_up(harness); });
    const Begun begun = begin_call(world.boot(), "work", payment.door);
    world.crash([&] { payment.door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "\"receipt\"");
    EXPECT_EQ(payment.runs, 2);
    EXPECT_EQ(payment.paid, 1);
    EXPECT_EQ(payment.asked, 1);
}

TEST_P(on_each_store, that_the_callable_starts_again_is_on_disk_before_it_runs) {  // B11a, contract 2
    std::vector<int> kinds;
    const Door door;
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const detail::StepRun body = [&](std::stop_token) -> std::string {
                if (++runs == 1) {
                    door.pass();
                }
                kinds = test::kinds_of(*harness.store(), port.call_id());
                return "1";
            };
            const Receiver receiver = [](std::string_view) { return detail::StepOutcome{Word::not_done, {}}; };
            return text_result(
                port.step({.kind = detail::StepKind::at_most_once, .alias = "pay", .type = "string", .body = &body, .reconcile = &receiver}));
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    kinds.clear();
    EXPECT_EQ(test::resume(world.boot(), begun), "1");
    EXPECT_EQ(kinds, (std::vector<int>{2, 2}));  // once_started, twice
}

TEST_P(on_each_store, unknown_and_a_receiver_that_throws_are_interrupted_for_good) {  // B11a B9
    for (const bool throws : {false, true}) {
        Payment payment;
        const Door second;
        payment.receiver = [&](std::string_view) -> detail::StepOutcome {
            if (throws) {
                throw std::runtime_error("no route to the bank");
            }
            return {Word::unknown, {}};
        };
        World world(GetParam(), [&](EngineHarness& harness) {
            harness.add_tool("work", [&](CallPort& port, const Json&) {
                const std::string text = payment.pay(port);
                run_step(port, "wait", [&] { return second.pass(), "0"; });
                return text_result(text);
            });
        });
        const Begun begun = begin_call(world.boot(), "work", payment.door);
        world.crash([&] { payment.door.open(); });
        EngineHarness& again = world.boot();
        ASSERT_TRUE(again.turn_until([&] { return second.came() == 1; }));
        EXPECT_EQ(again.log().has("no route to the bank"), throws);
        world.crash([&] { second.open(); });
        EXPECT_EQ(test::resume(world.boot(), begun), "interrupted pay ");
        EXPECT_EQ(payment.runs, 1);
        EXPECT_EQ(payment.asked, 1);  // its word was final: the handler has seen it
    }
}

TEST_P(on_each_store, a_process_that_dies_while_it_asks_leaves_the_question_to_the_next) {  // B11a
    Payment payment;
    const Door asking;
    payment.receiver = [&](std::string_view) {
        if (payment.asked == 1) {
            asking.pass();
        }
        return detail::StepOutcome{Word::done, "\"receipt\""};
    };
    World world(GetParam(), [&](EngineHarness& harness) { payment.set_up(harness); });
    const Begun begun = begin_call(world.boot(), "work", payment.door);
    world.crash([&] { payment.door.open(); });
    EngineHarness& again = world.boot();
    ASSERT_TRUE(again.turn_until([&] { return asking.came() == 1; }));
    world.crash([&] { asking.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "\"receipt\"");
    EXPECT_EQ(payment.asked, 2);
    EXPECT_EQ(payment.runs, 1);
}

TEST_P(on_each_store, a_process_that_dies_in_the_callable_that_it_was_told_to_run_again_asks_again) {  // B11a
    Payment payment;
    payment.dies_before_effect = true;
    payment.dies_in_second_run = true;
    World world(GetParam(), [&](EngineHarness& harness) { payment.set_up(harness); });
    const Begun begun = begin_call(world.boot(), "work", payment.door);
    world.crash([&] { payment.door.open(); });
    EngineHarness& again = world.boot();
    ASSERT_TRUE(again.turn_until([&] { return payment.second_door.came() == 1; }));
    world.crash([&] { payment.second_door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "\"receipt\"");
    EXPECT_EQ(payment.paid, 1);
    EXPECT_EQ(payment.runs, 2);
    EXPECT_EQ(payment.asked, 2);
}

TEST(reconcile, is_not_asked_where_nothing_was_interrupted) {  // B11a
    Payment payment;
    payment.door.open();
    EngineHarness harness;
    payment.set_up(harness);
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "\"receipt\"");
    EXPECT_EQ(payment.asked, 0);
}

TEST(reconcile, a_value_that_cannot_be_stored_is_a_recorded_failure) {  // B11a B12
    Payment payment;
    payment.receiver = [](std::string_view) -> detail::StepOutcome { throw detail::NotEncodable("NaN"); };
    World world([&](EngineHarness& harness) { payment.set_up(harness); });
    const Begun begun = begin_call(world.boot(), "work", payment.door);
    world.crash([&] { payment.door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "failed pay not encodable");
}

TEST(reconcile, a_step_inside_of_it_is_refused) {
    Payment payment;
    std::string refused;
    CallPort* inner = nullptr;
    payment.receiver = [&](std::string_view) {
        refused = test::thrown_by([&] { run_step(*inner, "inner", [] { return "1"; }); });
        return detail::StepOutcome{Word::done, "\"receipt\""};
    };
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            inner = &port;
            return text_result(payment.pay(port));
        });
    });
    const Begun begun = begin_call(world.boot(), "work", payment.door);
    world.crash([&] { payment.door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "\"receipt\"");
    EXPECT_EQ(refused, "other a step inside the callable of step 'pay': steps do not nest; return from it first");
}

}  // namespace
}  // namespace durable_mcp
