// SPDX-License-Identifier: Apache-2.0
// Loops (B16), what changes from one iteration to the next (B15), and what a loop leaves in the journal.

#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using detail::LoopStep;
using test::Door;
using test::EngineHarness;
using test::FakeClock;
using test::kind_name;
using test::run_step;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

const std::string newest = "2025-11-25";

class loops_on_each_store : public test::on_each_store {};
INSTANTIATE_TEST_SUITE_P(stores, loops_on_each_store, testing::Values(World::Kind::memory, World::Kind::sqlite), kind_name);

using Iteration = std::function<LoopStep(const std::string& carry)>;
std::string loop(CallPort& port, std::string_view alias, const std::string& initial, const Iteration& iteration,
                 std::chrono::milliseconds interval = 0ms) {
    return port.loop(alias, "json", {"json", initial, &iteration, interval});
}
LoopStep again(const std::string& carry) { return {false, carry}; }
LoopStep done(const std::string& value) { return {true, value}; }
std::string next(const std::string& carry) { return std::to_string(std::stoi(carry) + 1); }

std::string id_of_call(EngineHarness& harness, const std::string& session) {
    const auto row = harness.store()->call_of_request(session, "1");
    return row && *row ? (**row).id : std::string();
}
void await_rest(EngineHarness& harness, const std::string& session) {
    ASSERT_TRUE(harness.turn_until([&] {
        const auto row = harness.store()->call_of_request(session, "1");
        return row && *row && (**row).state == store::CallState::suspended;
    })) << "the call was not put down";
}

TEST_P(loops_on_each_store, a_restart_goes_on_in_the_unfinished_iteration_with_all_that_it_needs) {  // B16
    const Door door;
    std::mutex mutex;
    std::vector<std::string> ran;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const std::string sum = loop(port, "pages", "1", [&](const std::string& page) {
                for (const char* const step : {"fetch", "store"}) {
                    run_step(port, step, [&] {
                        if (page == "3" && step == std::string("store")) {
                            door.pass();
                        }
                        const std::lock_guard lock(mutex);
                        ran.push_back(step + page);
                        return "0";
                    });
                }
                return page == "4" ? done("\"" + page + "\"") : again(next(page));
            });
            return text_result(sum);
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "work");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() > 0 && !answer->events.empty(); }));
    const std::string seen = answer->events.front().id;
    world.crash([&] { door.open(); });
    {
        const std::lock_guard lock(mutex);
        ran.clear();
    }
    harness = &world.boot();
    EXPECT_EQ(harness->await_text(harness->get(session, seen)), "\"4\"");
    EXPECT_EQ(ran, (std::vector<std::string>{"store3", "fetch4", "store4"}));
}

TEST_P(loops_on_each_store, what_passed_iterations_have_recorded_is_deleted_with_the_carry) {  // B16
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().limits.entries_per_call = 8;
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            run_step(port, "before", [] { return "0"; });
            loop(port, "rounds", "1", [&](const std::string& round) {
                run_step(port, "a", [] { return "0"; });
                port.map_put("rounds", "newest", round);
                return round == "100" ? done("0") : again(next(round));
            });
            run_step(port, "behind", [&] { return door.pass(), "0"; });
            return text_result("done");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest);
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() > 0; }));
    const auto entries = harness.store()->entries(id_of_call(harness, session));
    ASSERT_TRUE(entries);
    EXPECT_EQ(entries->size(), 2u);  // "before", and the loop's value
    door.open();
    EXPECT_EQ(harness.await_text(answer), "done");
}

TEST_P(loops_on_each_store, loops_nest_and_aliases_are_unique_in_one_iteration_only) {  // B16 B2
    std::atomic<int> crashes{0};
    std::atomic<int> steps{0};
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const std::string total = loop(port, "outer", "0", [&](const std::string& outer) {
                const std::string inner = loop(port, "inner", outer, [&](const std::string& carry) {
                    const std::string value = run_step(port, "count", [&] { return std::to_string(++steps); });
                    if (std::stoi(value) == 5) {
                        door.pass();
                    }
                    return std::stoi(carry) % 3 == 2 ? done(next(carry)) : again(next(carry));
                });
                run_step(port, "count", [&] { return std::to_string(++steps); });
                return std::stoi(inner) >= 9 ? done(inner) : again(inner);
            });
            return text_result(total + " in " + std::to_string(steps));
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "work");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() > 0 && !answer->events.empty(); }));
    const std::string seen = answer->events.front().id;
    world.crash([&] { door.open(); });
    harness = &world.boot();
    // 3 × (3 inner, 1 outer); the fifth step was run, and may or may not have been recorded when the process died.
    const std::string text = harness->await_text(harness->get(session, seen));
    EXPECT_TRUE(text == "9 in 12" || text == "9 in 13") << text;
}

TEST_P(loops_on_each_store, the_interval_survives_a_restart) {  // B16
    FakeClock clock;
    std::atomic<int> rounds{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            return text_result(loop(
                port, "daily", "1",
                [&](const std::string& round) {
                    run_step(port, "report", [&] { return std::to_string(++rounds); });
                    return round == "3" ? done(round) : again(next(round));
                },
                24h));
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "work");
    await_rest(*harness, session);
    EXPECT_EQ(rounds, 1);
    const std::string seen = answer->events.front().id;
    clock.advance(23h);
    world.crash();
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    await_rest(*harness, session);
    harness->turn_for(20ms);
    EXPECT_EQ(rounds, 1);
    clock.advance(61min);
    ASSERT_TRUE(harness->turn_until([&] { return rounds == 2; }));
    await_rest(*harness, session);
    clock.advance(24h);
    EXPECT_EQ(harness->await_text(resumed), "3");
    EXPECT_EQ(rounds, 3);
}

TEST_P(loops_on_each_store, events_of_iterations_are_sent_once_and_equal_ones_in_each) {  // B16 B27
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            port.log(1, R"("tick")", "");
            loop(port, "rounds", "1", [&](const std::string& round) {
                port.log(1, R"("tick")", "");
                if (round == "3") {
                    run_step(port, "in the middle", [&] { return door.pass(), "0"; });
                }
                return round == "4" ? done("0") : again(next(round));
            });
            port.log(1, R"("tick")", "");
            return text_result("done");
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "work");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() > 0 && answer->messages().size() == 4; }));
    const std::string seen = answer->events.front().id;
    world.crash([&] { door.open(); });
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    EXPECT_EQ(harness->await_text(resumed), "done");
    EXPECT_EQ(resumed->messages().size(), 7u);  // one before, four inside, one behind, and the answer
}

TEST_P(loops_on_each_store, a_value_is_waited_for_until_it_is_another_one_than_in_the_iteration_before) {  // B15
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("follow", [](CallPort& port, const Json&) {
            return text_result(loop(port, "values", "\"\"", [&](const std::string& carry) {
                const std::function<std::optional<std::string>()> read = [&] { return port.map_get("m", "k", false).value_or("false"); };
                const std::string value = *port.until("value", "json", {&read, {}, true});
                const std::string all = Json(Json::parse(carry).get<std::string>() + value + ";").dump();
                return value == "\"end\"" ? done(all) : again(all);
            }));
        });
        harness.add_tool("set", [](CallPort& port, const Json& arguments) {
            port.map_put("m", "k", arguments["value"].dump());
            return text_result("set");
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "follow");
    await_rest(*harness, session);
    int id = 1;
    const auto set = [&](const Json& value) { harness->await(harness->call(session, ++id, "set", {{"value", value}})); };
    set(1);
    ASSERT_TRUE(harness->turn_until([&] {
        const auto entries = harness->store()->entries(id_of_call(*harness, session));
        return entries && !entries->empty() && entries->back().kind == journal::EntryKind::until_begun && entries->back().key.find('3') != std::string::npos;
    }));
    await_rest(*harness, session);
    const std::string seen = answer->events.front().id;
    world.crash();
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    set(1);  // is no change, also for a process that did not see the first
    harness->turn_for(20ms);
    set("end");
    EXPECT_EQ(harness->await_text(resumed), R"("false;1;\"end\";")");
}

TEST(engine_loops, what_an_iteration_throws_leaves_the_loop) {  // B16
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [](CallPort& port, const Json&) {
            try {
                loop(port, "rounds", "1", [&](const std::string& round) -> LoopStep {
                    run_step(port, "fails", [&]() -> std::string { throw std::runtime_error("round " + round); });
                    return done("0");
                });
            } catch (const StepFailed& error) {
                run_step(port, "outside", [] { return "0"; });
                return text_result(error.alias());
            }
            return text_result("no");
        });
    });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(newest), 1, "work")), "fails");
}

}  // namespace
}  // namespace durable_mcp
