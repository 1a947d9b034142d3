// SPDX-License-Identifier: Apache-2.0
// What a call waits for that is not its client: time (B17), signals (B18), conditions of the state (B14, B15). Loops: loops_test.cpp.

#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using runtime::SignalOutcome;
using test::Door;
using test::EngineHarness;
using test::FakeClock;
using test::kind_name;
using test::run_step;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

const std::string newest = "2025-11-25";

class waits_on_each_store : public test::on_each_store {};
INSTANTIATE_TEST_SUITE_P(stores, waits_on_each_store, testing::Values(World::Kind::memory, World::Kind::sqlite), kind_name);

bool rests(EngineHarness& harness, const std::string& session, const Json& id = 1) {
    const auto row = harness.store()->call_of_request(session, id.dump());
    return row && *row && (**row).state == store::CallState::suspended;
}
void await_rest(EngineHarness& harness, const std::string& session, const Json& id = 1) {
    ASSERT_TRUE(harness.turn_until([&] { return rests(harness, session, id); })) << "the call was not put down";
}
std::string id_of_call(EngineHarness& harness, const std::string& session, const Json& id = 1) {
    const auto row = harness.store()->call_of_request(session, id.dump());
    return row && *row ? (**row).id : std::string();
}
/// Signals from a thread of its own, as a program would, while the loop turns.
SignalOutcome signal(EngineHarness& harness, const std::string& call, const std::string& name, const std::string& value) {
    std::atomic<bool> done{false};
    base::Result<SignalOutcome> outcome = SignalOutcome::no_call;
    std::thread sender([&] {
        outcome = harness.engine().signal(call, name, value);
        done = true;
    });
    EXPECT_TRUE(harness.turn_until([&] { return done.load(); }));
    sender.join();
    EXPECT_TRUE(outcome) << outcome.error().sentence;
    return outcome ? *outcome : SignalOutcome::no_call;
}

// ── Time ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(waits_on_each_store, a_sleep_holds_no_thread_and_its_end_is_recorded_once_over_a_crash) {  // B17
    FakeClock clock;
    std::atomic<int> before{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.handler_threads = 1;
        harness.add_tool("nap", [&](CallPort& port, const Json&) {
            run_step(port, "before", [&] { return std::to_string(++before); });
            port.sleep("nap", {1h, 0});
            return text_result("awake");
        });
        harness.add_tool("quick", [](CallPort&, const Json&) { return text_result("quick"); });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "nap");
    await_rest(*harness, session);
    const std::string seen = answer->events.front().id;
    EXPECT_EQ(harness->await_text(harness->call(session, 2, "quick")), "quick");  // the one thread is free
    clock.advance(40min);
    harness->turn_for(20ms);
    EXPECT_FALSE(answer->done());
    world.crash();
    clock.advance(10min);
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    await_rest(*harness, session);
    clock.advance(9min);
    harness->turn_for(20ms);
    EXPECT_FALSE(resumed->ended);  // a sleep that began anew, or was forgotten, would tell now or never
    clock.advance(2min);
    EXPECT_EQ(harness->await_text(resumed), "awake");
    EXPECT_EQ(before, 1);
}

TEST_P(waits_on_each_store, what_became_due_while_nobody_ran_is_over_at_the_next_boot) {  // B17
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("nap", [](CallPort& port, const Json&) {
            port.sleep("until noon", {{}, 1'800'000'000'000 + 3'600'000});
            return text_result("awake");
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "nap");
    await_rest(*harness, session);
    const std::string seen = answer->events.front().id;
    world.crash();
    clock.advance(48h);
    harness = &world.boot();
    EXPECT_EQ(harness->await_text(harness->get(session, seen)), "awake");
}

TEST(engine_waits, setting_the_clock_of_the_machine_changes_no_sleep_that_is_a_span) {  // B17
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("nap", [](CallPort& port, const Json&) {
            port.sleep("nap", {1h, 0});
            return text_result("awake");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest);
    const auto early = harness.call(session, 1, "nap");
    await_rest(harness, session);
    clock.set_wall_by(48h);
    harness.turn_for(20ms);
    EXPECT_FALSE(early->done());
    const auto late = harness.call(session, 2, "nap");
    await_rest(harness, session, 2);
    clock.set_wall_by(-96h);
    clock.advance(61min);
    EXPECT_EQ(harness.await_text(early), "awake");
    EXPECT_EQ(harness.await_text(late), "awake");  // the wall says that it has three days to go
}

TEST(engine_waits, a_sleep_until_a_time_of_day_follows_the_clock_of_the_machine) {  // B17
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("nap", [](CallPort& port, const Json&) {
            port.sleep("until noon", {{}, 1'800'000'000'000 + 3'600'000});
            return text_result("awake");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest);
    const auto answer = harness.call(session, 1, "nap");
    await_rest(harness, session);
    clock.set_wall_by(-48h);
    clock.advance(2h);
    harness.turn_for(20ms);
    EXPECT_FALSE(answer->done());
    clock.set_wall_by(48h);
    EXPECT_EQ(harness.await_text(answer), "awake");
}

TEST(engine_waits, a_short_sleep_keeps_its_thread_and_costs_no_second_attempt) {  // B17
    World world([&](EngineHarness& harness) {
        harness.add_tool("nap", [](CallPort& port, const Json&) {
            port.sleep("nap", {1ms, 0});
            return text_result(std::to_string(port.attempt()));
        });
    });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(newest), 1, "nap")), "1");
}

TEST(engine_waits, a_span_below_nothing_is_over_at_once_and_one_that_no_clock_can_count_is_not) {  // B17
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("nap", [](CallPort& port, const Json& arguments) {
            port.sleep("nap", {arguments["long"] == true ? std::chrono::milliseconds::max() : std::chrono::milliseconds::min(), 0});
            return text_result("awake");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest);
    const auto forever = harness.call(session, 1, "nap", {{"long", true}});
    await_rest(harness, session);
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "nap", {{"long", false}})), "awake");
    clock.advance(24h * 365);
    harness.turn_for(20ms);
    EXPECT_FALSE(forever->done());
    const auto entries = harness.store()->entries(id_of_call(harness, session, 2));
    ASSERT_TRUE(entries && !entries->empty());
    EXPECT_EQ(Json::parse(entries->front().payload)["for"], 0);  // what a later attempt reads is a span that it can count
}

TEST_P(waits_on_each_store, a_sleeping_call_is_cancelled_for_good) {  // B17 B35
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("nap", [](CallPort& port, const Json&) {
            port.sleep("nap", {1h, 0});
            return text_result("awake");
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "nap");
    await_rest(*harness, session);
    const auto cancelled = harness->cancel(session, 1);
    ASSERT_TRUE(harness->turn_until([&] { return cancelled->done() && answer->done(); }));
    EXPECT_EQ(cancelled->status, 202u);
    clock.advance(2h);
    harness->turn_for(20ms);
    world.crash();
    harness = &world.boot();
    EXPECT_EQ((**harness->store()->call_of_request(session, "1")).state, store::CallState::cancelled);
    EXPECT_TRUE(harness->store()->unfinished_calls()->empty());
}

// ── Signals ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Waits for "approve", a second time for the same, and says what came.
Json two_looks(CallPort& port, const Json&) {
    run_step(port, "begin", [] { return "0"; });
    const auto first = port.wait_for_signal("first", "string", "approve", {});
    const auto second = port.wait_for_signal("second", "string", "approve", {});
    return text_result(*first + "," + *second);
}

TEST_P(waits_on_each_store, a_signal_wakes_its_call_and_the_first_one_counts) {  // B18
    World world(GetParam(), [](EngineHarness& harness) { harness.add_tool("work", two_looks); });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest);
    const auto answer = harness.call(session, 1, "work");
    await_rest(harness, session);
    const std::string call = id_of_call(harness, session);
    EXPECT_EQ(signal(harness, call, "something else", "1"), SignalOutcome::taken);
    harness.turn_for(20ms);
    EXPECT_FALSE(answer->done());
    EXPECT_EQ(signal(harness, call, "approve", R"("yes")"), SignalOutcome::taken);
    EXPECT_EQ(harness.await_text(answer), R"("yes","yes")");
    EXPECT_EQ(signal(harness, call, "approve", R"("no")"), SignalOutcome::no_call);  // it has ended
    EXPECT_EQ(signal(harness, "nobody", "approve", "1"), SignalOutcome::no_call);
}

TEST_P(waits_on_each_store, a_signal_that_came_before_anybody_waited_is_not_lost_by_a_crash) {  // B18
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            run_step(port, "begin", [] { return "0"; });
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(port.wait_for_signal("late", "string", "approve", {}).value_or("none"));
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "work");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() > 0 && !answer->events.empty(); }));
    const std::string call = id_of_call(*harness, session);
    EXPECT_EQ(signal(*harness, call, "approve", "17"), SignalOutcome::taken);
    EXPECT_EQ(signal(*harness, call, "approve", "18"), SignalOutcome::repeated);
    const std::string seen = answer->events.front().id;
    world.crash([&] { door.open(); });
    harness = &world.boot();
    EXPECT_EQ(harness->await_text(harness->get(session, seen)), "17");
}

TEST_P(waits_on_each_store, a_wait_for_a_signal_that_is_too_late_expires_the_same_way_on_every_replay) {  // B18
    FakeClock clock;
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            const auto value = port.wait_for_signal("approval", "string", "approve", 1h);
            run_step(port, "branch", [&] { return door.pass(), value ? "came" : "expired"; });
            return text_result(value.value_or("expired"));
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "work");
    await_rest(*harness, session);
    const std::string call = id_of_call(*harness, session);
    const std::string seen = answer->events.front().id;
    clock.advance(61min);
    ASSERT_TRUE(harness->turn_until([&] { return door.came() > 0; }));
    EXPECT_EQ(signal(*harness, call, "approve", "1"), SignalOutcome::taken);  // kept, and nobody waits for it any more
    world.crash([&] { door.open(); });
    harness = &world.boot();
    EXPECT_EQ(harness->await_text(harness->get(session, seen)), "expired");
}

// ── Conditions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<std::string> until(CallPort& port, std::string_view alias, const std::function<std::optional<std::string>()>& condition,
                                 std::optional<std::chrono::milliseconds> deadline = {}, bool changes = false) {
    return port.until(alias, "json", {&condition, deadline, changes});
}

TEST_P(waits_on_each_store, a_condition_is_looked_at_when_the_state_that_it_read_changes_and_on_restart) {  // B14
    std::atomic<int> looks{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("wait", [&](CallPort& port, const Json&) {
            return text_result(*until(port, "flag", [&]() -> std::optional<std::string> {
                ++looks;
                return port.map_get("flags", "a", false);
            }));
        });
        harness.add_tool("set", [](CallPort& port, const Json& arguments) {
            port.map_put(arguments["map"].get<std::string>(), arguments["key"].get<std::string>(), "false");
            return text_result("set");
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "wait");
    await_rest(*harness, session);
    const int looked = looks;
    harness->await(harness->call(session, 2, "set", {{"map", "others"}, {"key", "a"}}));
    harness->turn_for(20ms);
    EXPECT_EQ(looks, looked);  // nothing that it reads has changed
    harness->await(harness->call(session, 3, "set", {{"map", "flags"}, {"key", "b"}}));
    ASSERT_TRUE(harness->turn_until([&] { return looks > looked; }));
    await_rest(*harness, session);
    const std::string seen = answer->events.front().id;
    world.crash();
    looks = 0;
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    ASSERT_TRUE(harness->turn_until([&] { return looks > 0; }));
    await_rest(*harness, session);
    harness->await(harness->call(session, 4, "set", {{"map", "flags"}, {"key", "a"}}));
    EXPECT_EQ(harness->await_text(resumed), "false");  // which is a value
}

TEST(engine_waits, no_change_falls_between_looking_and_waiting) {  // B14
    World world([&](EngineHarness& harness) {
        harness.add_tool("wait", [](CallPort& port, const Json&) {
            return text_result(*until(port, "flag", [&] { return port.map_get("flags", "a", false); }));
        });
        harness.add_tool("set", [](CallPort& port, const Json&) {
            port.map_put("flags", "a", "1");
            return text_result("set");
        });
        harness.add_tool("unset", [](CallPort& port, const Json&) {
            port.map_erase("flags", "a");
            return text_result("unset");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest);
    for (int round = 0; round < 50; ++round) {
        const auto waiting = harness.call(session, 3 * round + 1, "wait");
        const auto set = harness.call(session, 3 * round + 2, "set");
        EXPECT_EQ(harness.await_text(waiting), "1");
        harness.await(set);
        harness.await(harness.call(session, 3 * round + 3, "unset"));
    }
}

TEST_P(waits_on_each_store, a_condition_has_a_deadline_and_says_the_same_on_every_replay) {  // B14
    FakeClock clock;
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("wait", [&, door](CallPort& port, const Json&) {
            const auto value = until(port, "flag", [&] { return port.map_get("flags", "a", false); }, 1h);
            run_step(port, "behind", [&] { return door.pass(), "0"; });
            return text_result(value.value_or("expired"));
        });
        harness.add_tool("set", [](CallPort& port, const Json&) {
            port.map_put("flags", "a", "1");
            return text_result("set");
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto answer = harness->call(session, 1, "wait");
    await_rest(*harness, session);
    const std::string seen = answer->events.front().id;
    clock.advance(61min);
    ASSERT_TRUE(harness->turn_until([&] { return door.came() > 0; }));
    harness->await(harness->call(session, 2, "set"));
    world.crash([&] { door.open(); });
    harness = &world.boot();
    EXPECT_EQ(harness->await_text(harness->get(session, seen)), "expired");
}

TEST(engine_waits, a_condition_that_nothing_would_look_at_again_is_refused_and_one_that_throws_fails_for_good) {  // B14
    World world([&](EngineHarness& harness) {
        harness.add_tool("never", [](CallPort& port, const Json&) {
            try {
                until(port, "nothing", [] { return std::optional<std::string>(); });
            } catch (const std::logic_error& error) {
                return text_result(error.what());
            }
            return text_result("held");
        });
        harness.add_tool("writes", [](CallPort& port, const Json&) {
            try {
                until(port, "writes", [&]() -> std::optional<std::string> {
                    port.map_put("m", "k", "1");
                    return "1";
                });
            } catch (const StepFailed& error) {
                return text_result(error.what());
            }
            return text_result("held");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest);
    EXPECT_NE(harness.await_text(harness.call(session, 1, "never")).find("has read no map"), std::string::npos);
    EXPECT_NE(harness.await_text(harness.call(session, 2, "writes")).find("steps do not nest"), std::string::npos);
    const auto snapshot = harness.store()->snapshot();
    EXPECT_EQ((*snapshot)->count("m").value(), 0u);
}

TEST(engine_waits, a_stateless_client_that_waits_for_a_sleeping_call_is_answered_when_it_wakes) {  // B17 B45
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("nap", [](CallPort& port, const Json&) {
            port.sleep("nap", {10s, 0});
            return text_result("awake");
        });
    });
    EngineHarness& harness = world.boot();
    const Json params{{"name", "nap"},
                      {"arguments", Json::object()},
                      {"_meta",
                       {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                        {"io.modelcontextprotocol/clientCapabilities", Json::object()},
                        {"io.modelcontextprotocol/clientInfo", {{"name", "t"}, {"version", "1"}}}}}};
    const auto answer = harness.request("POST",
                                        {{"Accept", "application/json, text/event-stream"},
                                         {"Content-Type", "application/json"},
                                         {"MCP-Protocol-Version", "2026-07-28"},
                                         {"Mcp-Method", "tools/call"},
                                         {"Mcp-Name", "nap"}},
                                        Json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"}, {"params", params}}.dump());
    ASSERT_TRUE(harness.turn_until([&] {
        const auto unfinished = harness.store()->unfinished_calls();
        return !unfinished->empty() && unfinished->front().state == store::CallState::suspended;
    }));
    harness.turn_for(20ms);
    EXPECT_FALSE(answer->done());  // it asks nothing: there is nothing to come back with
    clock.advance(11s);
    EXPECT_EQ(harness.await_text(answer), "awake");
}

}  // namespace
}  // namespace durable_mcp
