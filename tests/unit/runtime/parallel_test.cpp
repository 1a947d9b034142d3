// SPDX-License-Identifier: Apache-2.0
// Steps that run side by side (semantics §2; B1, B2, B9).

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "unit/runtime/step_scenes.hpp"

namespace durable_mcp {
namespace {

using namespace std::chrono_literals;
using base::Json;
using detail::CallPort;
using test::Begun;
using test::begin_call;
using test::Door;
using test::EngineHarness;
using test::on_each_store;
using test::run_step;
using test::text_result;
using test::thrown_by;
using test::World;

using Runs = std::vector<detail::StepRun>;

std::vector<detail::BranchOutcome> run_all(CallPort& port, std::string_view alias, const Runs& runs, std::size_t limit = 0, bool settles_all = false,
                                           const detail::StepRetry& retry = {}) {
    detail::ParallelRequest request{.alias = alias, .type = "string", .branches = {}, .limit = limit, .settles_all = settles_all, .retry = retry, .takes_stop = true};
    for (const detail::StepRun& run : runs) {
        request.branches.push_back(&run);
    }
    return port.parallel(request);
}

std::string joined(const std::vector<detail::BranchOutcome>& outcomes) {
    std::string text;
    for (const detail::BranchOutcome& outcome : outcomes) {
        text += (text.empty() ? "" : ",");
        text += outcome.failure ? thrown_by([&] { std::rethrow_exception(outcome.failure); }) : outcome.value;
    }
    return text;
}

void wait_until_asked(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any asked;
    std::unique_lock lock(mutex);
    asked.wait(lock, stop, [] { return false; });
}

TEST(parallel, branches_run_at_the_same_time_and_their_values_come_in_order) {
    EngineHarness harness;
    const Door door;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        Runs runs;
        for (int i = 0; i < 4; ++i) {
            runs.push_back([&, i](std::stop_token) { return door.pass(), std::to_string(i); });
        }
        return text_result(joined(run_all(port, "all", runs)));
    });
    harness.start();
    const auto answer = harness.call(harness.begin_session(), 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 4; }));  // all are inside at once
    door.open();
    EXPECT_EQ(harness.await_text(answer), "0,1,2,3");
}

TEST(parallel, no_more_run_at_once_than_the_limit_says) {
    EngineHarness harness;
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        Runs runs;
        for (int i = 0; i < 40; ++i) {
            runs.push_back([&, i](std::stop_token) {
                const int now = ++inside;
                int seen = most;
                while (seen < now && !most.compare_exchange_weak(seen, now)) {
                }
                std::this_thread::yield();
                --inside;
                return std::to_string(i % 10);
            });
        }
        return text_result(joined(run_all(port, "all", runs, 3)));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")).size(), 79u);
    EXPECT_LE(most, 3);
}

TEST(parallel, as_many_calls_as_there_are_threads_do_not_wait_for_each_other_for_ever) {
    EngineHarness harness;
    const Door door;
    std::atomic<int> begun{0};
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        ++begun;
        door.pass();
        Runs runs(5, [](std::stop_token) { return std::string("1"); });
        return text_result(joined(run_all(port, "all", runs)));
    });
    harness.start();
    const std::string session = harness.begin_session();
    std::vector<std::shared_ptr<test::FakeSink>> answers;
    for (int i = 0; i < 8; ++i) {
        answers.push_back(harness.call(session, i + 1, "work"));
    }
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 8; }));  // every thread of the pool is taken
    door.open();
    for (const auto& answer : answers) {
        EXPECT_EQ(harness.await_text(answer), "1,1,1,1,1");
    }
}

TEST_P(on_each_store, a_replay_runs_only_the_branches_that_are_not_recorded) {  // B1
    const Door door;
    std::array<std::atomic<int>, 4> ran{};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            Runs runs;
            for (std::size_t i = 0; i < 4; ++i) {
                runs.push_back([&, i](std::stop_token) {
                    const int run = ++ran[i];
                    if (i == 2 && run == 1) {
                        door.pass();
                    }
                    return std::to_string(i) + "." + std::to_string(run);
                });
            }
            return text_result(joined(run_all(port, "all", runs)));
        });
    });
    EngineHarness& first = world.boot();
    const Begun begun = begin_call(first, "work", door);
    std::string call;
    ASSERT_TRUE(first.turn_until([&] {
        const auto unfinished = first.store()->unfinished_calls().value();
        return unfinished.size() == 1 && first.store()->entries(unfinished[0].id).value().size() == 3;
    }));
    world.crash([&] { door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "0.1,1.1,2.2,3.1");
}

TEST_P(on_each_store, the_first_failure_asks_the_others_to_stop_begins_no_other_and_is_the_failure_of_every_replay) {
    const Door door;
    std::atomic<int> began{0};
    std::atomic<int> asked{0};
    std::vector<std::string> texts;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            Runs runs;
            runs.push_back([&](std::stop_token stop) -> std::string {
                ++began;
                wait_until_asked(stop);
                ++asked;
                throw std::runtime_error("stopped");
            });
            runs.push_back([&](std::stop_token) -> std::string {
                ++began;
                throw std::out_of_range("too far");
            });
            for (int i = 0; i < 20; ++i) {
                runs.push_back([&](std::stop_token) { return ++began, "later"; });
            }
            texts.push_back(thrown_by([&] { run_all(port, "all", runs, 2); }));
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(texts.back());
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(began, 2);
    world.crash([&] { door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "step failed all[1] std::out_of_range");
    EXPECT_EQ(began, 2);  // nothing ran again, and nothing was made up for
    EXPECT_EQ(texts, (std::vector<std::string>{"step failed all[1] std::out_of_range", "step failed all[1] std::out_of_range"}));
}

TEST_P(on_each_store, all_may_be_settled_whatever_becomes_of_some) {
    const Door door;
    std::atomic<int> runs_in_all{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            Runs runs;
            for (int i = 0; i < 6; ++i) {
                runs.push_back([&, i](std::stop_token) -> std::string {
                    ++runs_in_all;
                    return i % 2 == 0 ? std::to_string(i) : throw std::runtime_error("odd");
                });
            }
            const std::string text = joined(run_all(port, "all", runs, 0, true));
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    EXPECT_EQ(test::resume(world.boot(), begun), "0,step failed all[1] std::runtime_error,2,step failed all[3] std::runtime_error,4,step failed all[5] std::runtime_error");
    EXPECT_EQ(runs_in_all, 6);
}

TEST(parallel, each_branch_has_the_policy_of_all) {
    EngineHarness harness;
    std::array<std::atomic<int>, 3> ran{};
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        Runs runs;
        for (std::size_t i = 0; i < 3; ++i) {
            runs.push_back([&, i](std::stop_token) -> std::string {
                const int run = ++ran[i];
                return run > static_cast<int>(i) ? std::to_string(run) : throw std::runtime_error("busy");
            });
        }
        return text_result(joined(run_all(port, "all", runs, 0, false, {.attempts = 3})));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "1,2,3");
}

TEST_P(on_each_store, branches_that_wait_long_for_their_next_try_let_the_others_finish_and_the_call_rest) {
    test::FakeClock clock;
    std::array<std::atomic<int>, 3> ran{};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            Runs runs;
            for (std::size_t i = 0; i < 3; ++i) {
                runs.push_back([&, i](std::stop_token) -> std::string {
                    const int run = ++ran[i];
                    return run > static_cast<int>(i) ? std::to_string(run) : throw std::runtime_error("busy");
                });
            }
            return text_result(joined(run_all(port, "all", runs, 1, false, {.attempts = 3, .initial = 1h, .maximum = 1h, .factor = 1})));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    const auto rests = [&] {
        const auto row = harness.store()->call_of_request(session, "1");
        return row && *row && (**row).state == store::CallState::suspended;
    };
    ASSERT_TRUE(harness.turn_until([&] { return ran[0] == 1 && ran[1] == 1 && ran[2] == 1 && rests(); }));
    clock.advance(1h);
    ASSERT_TRUE(harness.turn_until([&] { return ran[1] == 2 && ran[2] == 2 && rests(); }));
    clock.advance(1h);
    EXPECT_EQ(harness.await_text(answer), "1,2,3");
    EXPECT_EQ(ran[0], 1);
}

TEST(parallel, steps_maps_and_questions_inside_a_branch_are_refused_and_what_it_says_is_its_own) {  // B27
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            Runs runs;
            for (int i = 0; i < 3; ++i) {
                runs.push_back([&](std::stop_token) {
                    port.log(6, "\"working\"", "");
                    return thrown_by([&] { run_step(port, "inner", [] { return "1"; }); }) + thrown_by([&] { port.map_get("m", "k", false); });
                });
            }
            const std::string text = joined(run_all(port, "all", runs));
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    EngineHarness& first = world.boot();
    const Begun begun = begin_call(first, "work", door);
    world.crash([&] { door.open(); });
    EngineHarness& second = world.boot();
    const auto resumed = second.get(begun.session, begun.cursor);
    const std::string text = second.await_text(resumed);
    EXPECT_TRUE(text.starts_with("other a step inside the callable of step 'all[0]': steps do not nest; return from it firstother reading or writing a map inside"))
        << text;
    std::size_t said = 0;
    for (const std::string& message : resumed->messages()) {
        said += message.find("working") == std::string::npos ? 0u : 1u;
    }
    EXPECT_EQ(said, 3u);
}

TEST(parallel, the_alias_can_be_used_once_and_keeps_its_type) {  // B2 B3
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const Runs runs(2, [](std::stop_token) { return std::string("1"); });
            std::string text = joined(run_all(port, "all", runs));
            text += "|" + thrown_by([&] { run_all(port, "all", runs); });
            text += "|" + run_step(port, "all[0]", [] { return "a step of that name is another one"; });
            text += "|" + joined(run_all(port, "none", {}));
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    const std::string text = test::resume(world.boot(), begun);
    EXPECT_TRUE(text.starts_with("1,1|duplicate step 'all[")) << text;
    EXPECT_TRUE(text.ends_with("|a step of that name is another one|")) << text;
}

TEST_P(on_each_store, a_cancellation_asks_every_branch_to_stop_and_begins_no_other) {  // B35
    const Door door;
    door.open();
    std::atomic<int> asked{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const Runs runs(10, [&](std::stop_token stop) -> std::string {
                door.pass();
                wait_until_asked(stop);
                ++asked;
                throw std::runtime_error("stopped");
            });
            return text_result(joined(run_all(port, "all", runs, 3)));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 3; }));
    const auto cancelled = harness.cancel(session, 1);
    ASSERT_TRUE(harness.turn_until([&] { return cancelled->done() && answer->done() && asked == 3; }));
    EXPECT_EQ(door.came(), 3);
}

TEST_P(on_each_store, a_planned_stop_lets_the_branches_that_run_finish_and_leaves_the_rest_to_the_next_process) {  // B52
    const Door door;
    std::atomic<int> began{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            Runs runs;
            for (int i = 0; i < 6; ++i) {
                runs.push_back([&, i](std::stop_token) { return ++began, door.pass(), std::to_string(i); });
            }
            return text_result(joined(run_all(port, "all", runs, 2)));
        });
    });
    EngineHarness& first = world.boot();
    Begun begun{first.begin_session(), {}};
    const auto answer = first.call(begun.session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 2 && !answer->events.empty(); }));
    begun.cursor = answer->events[0].id;
    EXPECT_TRUE(first.stop(std::chrono::seconds(10), [&] { door.open(); }));
    EXPECT_EQ(began, 2);
    EXPECT_EQ(test::resume(world.boot(), begun), "0,1,2,3,4,5");
    EXPECT_EQ(began, 6);
}

}  // namespace
}  // namespace durable_mcp
