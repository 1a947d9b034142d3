// SPDX-License-Identifier: Apache-2.0
// Steps that are tried again, and steps that are asked to stop (semantics §2, at_least_once).

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "runtime/retry_delay.hpp"
#include "unit/runtime/step_scenes.hpp"

namespace durable_mcp {
namespace {

using namespace std::chrono_literals;
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
using test::thrown_by;
using test::World;

std::string try_step(CallPort& port, std::string_view alias, const detail::StepRetry& retry, const std::function<std::string()>& body) {
    const detail::StepRun run = [&](std::stop_token) { return body(); };
    return port.step({.alias = alias, .type = "string", .body = &run, .retry = retry});
}

std::string stoppable_step(CallPort& port, std::string_view alias, std::chrono::milliseconds timeout, const detail::StepRun& body,
                           const detail::StepRetry& retry = {}) {
    return port.step({.alias = alias, .type = "string", .body = &body, .retry = retry, .timeout = timeout, .takes_stop = true});
}

/// Returns when the token asks.
void wait_until_asked(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any asked;
    std::unique_lock lock(mutex);
    asked.wait(lock, stop, [] { return false; });
}

// ── Delays ──

TEST(retry_delay, grows_by_its_factor_up_to_the_maximum_and_jitter_takes_some_of_it_off) {
    const detail::StepRetry policy{.attempts = 0, .initial = 100ms, .maximum = 1000ms, .factor = 2, .jitter = 0.5};
    EXPECT_EQ(runtime::retry_delay(policy, 1, 0), 100ms);
    EXPECT_EQ(runtime::retry_delay(policy, 2, 0), 200ms);
    EXPECT_EQ(runtime::retry_delay(policy, 4, 0), 800ms);
    EXPECT_EQ(runtime::retry_delay(policy, 5, 0), 1000ms);
    EXPECT_EQ(runtime::retry_delay(policy, 5'000'000'000, 0), 1000ms);  // where the power is infinite
    EXPECT_EQ(runtime::retry_delay(policy, 2, 1), 100ms);
    EXPECT_EQ(runtime::retry_delay(policy, 2, 0.5), 150ms);
    EXPECT_EQ(runtime::retry_delay({.attempts = 0, .initial = 0ms, .maximum = 0ms, .factor = 2, .jitter = 0}, 9, 0), 0ms);
}

// ── Trying again ──

TEST(retries, a_step_without_a_policy_is_tried_once) {
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        return text_result(thrown_by([&] { try_step(port, "a", {}, [&]() -> std::string { throw std::runtime_error(std::to_string(++runs)); }); }));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "step failed a std::runtime_error");
    EXPECT_EQ(runs, 1);
}

TEST(retries, a_step_is_tried_until_it_succeeds_and_every_try_that_threw_is_recorded) {
    EngineHarness harness;
    std::atomic<int> runs{0};
    std::vector<journal::Entry> entries;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        const std::string value = try_step(port, "a", {.attempts = 3}, [&]() -> std::string {
            if (++runs < 3) {
                throw std::runtime_error("busy " + std::to_string(runs));
            }
            return "ok";
        });
        run_step(port, "last", [&] { return entries = harness.store()->entries(port.call_id()).value(), "0"; });
        return text_result(value);
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "ok");
    EXPECT_EQ(runs, 3);
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[0].kind, journal::EntryKind::step_retried);
    EXPECT_EQ(journal::read_retry(entries[1].payload).tries, 2u);
    EXPECT_EQ(journal::read_retry(entries[1].payload).last.message, "busy 2");
    EXPECT_EQ(journal::read_retry(entries[1].payload).last.type, "std::runtime_error");
    EXPECT_EQ(entries[2].kind, journal::EntryKind::step_completed);
}

TEST_P(on_each_store, a_policy_that_gives_up_has_failed_on_every_replay) {
    const Door door;
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            std::string text;
            try {
                try_step(port, "a", {.attempts = 3}, [&]() -> std::string { throw std::runtime_error("busy " + std::to_string(++runs)); });
            } catch (const StepFailed& failed) {
                text = failed.what();
            }
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "step 'a' failed: std::runtime_error: busy 3");
    EXPECT_EQ(runs, 3);
}

TEST(retries, non_retryable_and_what_the_predicate_refuses_give_up_at_once) {
    EngineHarness harness;
    std::atomic<int> runs{0};
    const std::function<bool(const std::exception_ptr&)> never = [](const std::exception_ptr&) { return false; };
    const std::function<bool(const std::exception_ptr&)> throws = [](const std::exception_ptr&) -> bool { throw std::runtime_error("broken predicate"); };
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        std::string text = thrown_by([&] { try_step(port, "a", {.attempts = 0}, [&]() -> std::string { throw NonRetryable("gone " + std::to_string(++runs)); }); });
        text += ", " + thrown_by([&] { try_step(port, "b", {.attempts = 9, .retry_if = &never}, [&]() -> std::string { throw std::out_of_range("x"); }); });
        text += ", " + thrown_by([&] { try_step(port, "c", {.attempts = 9, .retry_if = &throws}, [&]() -> std::string { throw std::out_of_range("x"); }); });
        return text_result(text);
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")),
              "step failed a durable_mcp::NonRetryable, step failed b std::out_of_range, step failed c std::out_of_range");
    EXPECT_EQ(runs, 1);
    EXPECT_TRUE(harness.log().has("broken predicate"));
}

TEST_P(on_each_store, the_count_of_tries_and_the_time_of_the_next_one_go_on_after_a_crash) {
    test::FakeClock clock;
    const Door door;
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            return text_result(thrown_by([&] {
                try_step(port, "a", {.attempts = 3, .initial = 24h, .maximum = 24h}, [&]() -> std::string {
                    if (++runs == 2) {
                        door.pass();  // the process dies in the middle of the second try
                    }
                    throw std::runtime_error("busy");
                });
            }));
        });
    });
    EngineHarness& first = world.boot();
    Begun begun{first.begin_session(), {}};
    const auto answer = first.call(begun.session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return !answer->events.empty() && first.log().has("is tried again in"); }));
    begun.cursor = answer->events[0].id;
    first.turn_for(120ms);
    EXPECT_EQ(runs, 1);  // the clock stands still: the next one is not due, however long we wait
    world.crash();
    EngineHarness& second = world.boot();
    second.turn_for(120ms);
    EXPECT_EQ(runs, 1);
    clock.advance(24h);
    ASSERT_TRUE(second.turn_until([&] { return door.came() == 1; }));
    world.crash([&] { door.open(); });
    EngineHarness& third = world.boot();
    ASSERT_TRUE(third.turn_until([&] { return third.log().has("(try 2) and is tried again in 86400000 ms"); }));
    clock.advance(24h);
    EXPECT_EQ(test::resume(third, begun), "step failed a std::runtime_error");
    EXPECT_EQ(runs, 4);  // three that threw, and the one in which the process died
}

TEST(retries, a_clock_that_is_turned_back_makes_nobody_wait_longer_than_was_meant) {
    test::FakeClock clock;
    std::atomic<int> runs{0};
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            return text_result(try_step(port, "a", {.attempts = 2, .initial = 1h, .maximum = 1h}, [&]() -> std::string {
                return ++runs == 1 ? throw std::runtime_error("busy") : "ok";
            }));
        });
    });
    EngineHarness& first = world.boot();
    Begun begun{first.begin_session(), {}};
    const auto answer = first.call(begun.session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return !answer->events.empty() && first.log().has("is tried again in"); }));
    begun.cursor = answer->events[0].id;
    world.crash();
    clock.set_wall_by(-48h);
    EngineHarness& second = world.boot();
    second.turn_for(80ms);
    EXPECT_EQ(runs, 1);
    clock.advance(1h);
    EXPECT_EQ(test::resume(second, begun), "ok");
}

TEST_P(on_each_store, a_call_that_is_cancelled_between_two_tries_tries_no_more) {  // B35
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            return text_result(try_step(port, "a", {.attempts = 0, .initial = 24h, .maximum = 24h}, [&]() -> std::string {
                ++runs;
                throw std::runtime_error("busy");
            }));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return harness.log().has("is tried again in"); }));
    const auto cancelled = harness.cancel(session, 1);
    ASSERT_TRUE(harness.turn_until([&] { return cancelled->done() && answer->done(); }));
    EXPECT_EQ(runs, 1);
}

TEST_P(on_each_store, a_stop_between_two_tries_leaves_the_next_one_to_the_next_process) {  // B52
    std::atomic<int> runs{0};
    test::FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            return text_result(try_step(port, "a", {.attempts = 2, .initial = 24h, .maximum = 24h}, [&]() -> std::string {
                return ++runs == 1 ? throw std::runtime_error("busy") : "ok";
            }));
        });
    });
    EngineHarness& first = world.boot();
    Begun begun{first.begin_session(), {}};
    const auto answer = first.call(begun.session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return !answer->events.empty() && first.log().has("is tried again in"); }));
    begun.cursor = answer->events[0].id;
    EXPECT_TRUE(world.stop());
    clock.advance(24h);
    EXPECT_EQ(test::resume(world.boot(), begun), "ok");
    EXPECT_EQ(runs, 2);
}

TEST(retries, a_policy_without_end_ends_where_the_call_has_too_many_entries) {  // limits.entries_per_call
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.options().limits.entries_per_call = 5;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        return text_result(thrown_by([&] { try_step(port, "a", {.attempts = 0}, [&]() -> std::string { throw std::runtime_error(std::to_string(++runs)); }); }));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "step failed a std::runtime_error");
    EXPECT_EQ(runs, 6);
}

TEST_P(on_each_store, a_long_back_off_holds_no_thread) {
    test::FakeClock clock;
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            return text_result(try_step(port, "a", {.attempts = 3, .initial = 1h, .maximum = 1h}, [&]() -> std::string {
                return ++runs < 3 ? throw std::runtime_error("busy") : "ok";
            }));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    for (int tries = 1; tries < 3; ++tries) {
        ASSERT_TRUE(harness.turn_until([&] {
            const auto row = harness.store()->call_of_request(session, "1");
            return runs == tries && row && *row && (**row).state == store::CallState::suspended;
        }));
        harness.turn_for(20ms);
        EXPECT_EQ(runs, tries);
        clock.advance(1h);
    }
    EXPECT_EQ(harness.await_text(answer), "ok");
}

// ── Putting the call off ──

TEST_P(on_each_store, a_call_that_is_put_off_runs_again_when_its_time_has_come_also_after_a_crash_and_not_before) {  // B20
    test::FakeClock clock;
    std::atomic<int> attempts{0};
    std::atomic<int> steps{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            run_step(port, "once", [&] { return std::to_string(++steps); });
            if (++attempts < 3) {
                port.retry_later(1h);
            }
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    Begun begun{first.begin_session(), {}};
    const auto answer = first.call(begun.session, 1, "work");
    const auto rests = [&](EngineHarness& harness) {
        const auto row = harness.store()->call_of_request(begun.session, "1");
        return row && *row && (**row).state == store::CallState::suspended;
    };
    ASSERT_TRUE(first.turn_until([&] { return rests(first) && attempts == 1 && !answer->events.empty(); }));
    begun.cursor = answer->events[0].id;
    first.turn_for(20ms);
    EXPECT_EQ(attempts, 1);
    world.crash();
    clock.advance(59min);
    EngineHarness& second = world.boot();
    const auto resumed = second.get(begun.session, begun.cursor);
    second.turn_for(50ms);
    EXPECT_EQ(attempts, 1);  // the delay is what it was
    clock.advance(1min);
    ASSERT_TRUE(second.turn_until([&] { return attempts == 2 && rests(second); }));
    clock.set_wall_by(-48h);
    second.turn_for(20ms);
    EXPECT_EQ(attempts, 2);
    clock.advance(1h);  // a clock that was set back makes nobody wait longer
    EXPECT_EQ(second.await_text(resumed), "done");
    EXPECT_EQ(attempts, 3);
    EXPECT_EQ(steps, 1);
}

TEST_P(on_each_store, a_call_may_put_itself_off_more_often_than_attempts_may_crash) {  // B20 B22
    test::FakeClock clock;
    std::atomic<int> attempts{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.crashed_attempts = 3;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            if (++attempts < 10) {
                port.retry_later(0ms);
            }
            return text_result("done");
        });
    });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "done");
    EXPECT_EQ(attempts, 10);
}

TEST(retries, a_handler_that_swallows_being_put_off_is_found_out) {  // B20
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        try {
            port.retry_later(1h);
        } catch (...) {
        }
        return text_result("done");
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    EXPECT_NE(text.find("caught what suspends it"), std::string::npos) << text;
}

TEST_P(on_each_store, a_call_that_is_put_off_can_be_cancelled) {  // B35
    std::atomic<int> attempts{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&](CallPort& port, const Json&) -> Json {
            ++attempts;
            port.retry_later(24h);
            return text_result("not reached");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] {
        const auto row = harness.store()->call_of_request(session, "1");
        return row && *row && (**row).state == store::CallState::suspended;
    }));
    const auto cancelled = harness.cancel(session, 1);
    ASSERT_TRUE(harness.turn_until([&] { return cancelled->done() && answer->done(); }));
    EXPECT_EQ(attempts, 1);
}

// ── Being asked to stop ──

TEST(retries, a_try_whose_time_is_over_is_asked_to_stop_and_what_it_throws_is_its_failure) {
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        const detail::StepRun body = [&](std::stop_token stop) -> std::string {
            if (++runs == 3) {
                EXPECT_FALSE(stop.stop_requested());
                return "ok";
            }
            wait_until_asked(stop);
            throw std::runtime_error("too slow");
        };
        return text_result(stoppable_step(port, "a", 1ms, body, {.attempts = 3}));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "ok");
    EXPECT_EQ(harness.log().count("too slow"), 2u);
}

TEST(retries, nobody_is_asked_to_stop_before_its_time_and_what_it_returns_afterwards_counts) {
    EngineHarness harness;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        const detail::StepRun quick = [&](std::stop_token stop) -> std::string { return stop.stop_requested() ? "asked" : "in time"; };
        const detail::StepRun late = [&](std::stop_token stop) -> std::string { return wait_until_asked(stop), "late"; };
        std::string text = stoppable_step(port, "a", 24h, quick);
        text += ", " + stoppable_step(port, "b", 1ms, late);
        text += ", " + stoppable_step(port, "c", 0ms, quick);
        return text_result(text);
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "in time, late, in time");
}

TEST(retries, a_cancellation_asks_a_running_callable_to_stop) {  // B35
    EngineHarness harness;
    const Door door;
    door.open();
    std::atomic<bool> was_asked{false};
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        const detail::StepRun body = [&](std::stop_token stop) -> std::string {
            door.pass();
            wait_until_asked(stop);
            was_asked = true;
            throw std::runtime_error("stopped");
        };
        return text_result(stoppable_step(port, "a", 0ms, body, {.attempts = 0}));
    });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    const auto cancelled = harness.cancel(session, 1);
    ASSERT_TRUE(harness.turn_until([&] { return cancelled->done() && answer->done() && was_asked; }));
}

TEST_P(on_each_store, a_callable_that_ends_because_a_stop_asked_it_to_runs_again_in_the_next_process) {  // B52
    const Door door;
    door.open();
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const detail::StepRun body = [&](std::stop_token stop) -> std::string {
                if (++runs == 2) {
                    return "ok";
                }
                door.pass();
                wait_until_asked(stop);
                throw std::runtime_error("stopped");
            };
            return text_result(stoppable_step(port, "a", 0ms, body));
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.stop(2s);
    EXPECT_EQ(test::resume(world.boot(), begun), "ok");
    EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace durable_mcp
