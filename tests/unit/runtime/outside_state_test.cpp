// SPDX-License-Identifier: Apache-2.0
// The maps from outside of any handler, and what is done once per store (semantics §3): B26.

#include <atomic>
#include <stdexcept>
#include <thread>

#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using detail::MapScope;
using detail::TransactionPort;
using test::Door;
using test::EngineHarness;
using test::FakeClock;
using test::on_each_store;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

ErrorCode code_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::network;  // which no state says
}

std::string stored(store::Store& store, std::string_view map, std::string_view key) {
    const auto row = store.snapshot().value()->get(map, key).value();
    return row ? row->value : "nothing";
}

TEST_P(on_each_store, what_is_written_from_outside_is_on_disk_when_it_returns_and_handlers_see_it) {  // B26
    World world(GetParam(), [](EngineHarness& harness) {
        harness.add_tool("get", [](CallPort& port, const Json&) { return text_result(port.map_get("m", "k", false).value_or("nothing")); });
    });
    EngineHarness& first = world.boot();
    runtime::OutsideState& state = first.engine().state();
    state.map_put("m", "k", "1");
    EXPECT_EQ(stored(*first.store(), "m", "k"), "1");
    EXPECT_EQ(first.await_text(first.call(first.begin_session(), 1, "get")), "1");
    EXPECT_FALSE(state.map_compare_and_set("m", "k", "0", "2"));
    EXPECT_TRUE(state.map_compare_and_set("m", "k", "1", "2"));
    EXPECT_TRUE(state.map_compare_and_set("m", "l", std::nullopt, "3"));
    EXPECT_EQ(state.transact([](TransactionPort& transaction) {
        transaction.map_put("m", "both", transaction.map_get("m", "k").value() + transaction.map_get("m", "l").value());
        transaction.map_erase("m", "l");
        return std::string("said");
    }),
              "said");
    EXPECT_EQ(state.map_get("m", "both"), "23");
    EXPECT_EQ(state.map_count("m"), 2u);
    EXPECT_EQ(state.map_range("m", {"", std::nullopt, 1, true}).front().first, "k");
    state.map_erase("m", "k");
    world.crash();
    EngineHarness& second = world.boot();
    EXPECT_EQ(second.engine().state().map_get("m", "both"), "23");
    EXPECT_EQ(second.engine().state().map_get("m", "k"), std::nullopt);
}

TEST_P(on_each_store, transactions_from_outside_and_in_handlers_are_serial) {  // B13 B26
    World world(GetParam(), [](EngineHarness& harness) {
        harness.add_tool("add", [](CallPort& port, const Json&) {
            for (int i = 0; i < 20; ++i) {
                port.transact(std::to_string(i), "string", [](TransactionPort& state) {
                    state.map_put("m", "sum", std::to_string(std::stoi(state.map_get("m", "sum").value_or("0")) + 1));
                    return std::string("0");
                });
            }
            return text_result("done");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "add");
    std::thread outside([&harness] {
        for (int i = 0; i < 20; ++i) {
            harness.engine().state().transact([](TransactionPort& state) {
                state.map_put("m", "sum", std::to_string(std::stoi(state.map_get("m", "sum").value_or("0")) + 1));
                return std::string();
            });
        }
    });
    EXPECT_EQ(harness.await_text(answer), "done");
    outside.join();
    EXPECT_EQ(stored(*harness.store(), "m", "sum"), "40");
}

TEST(outside_state, what_a_transaction_throws_leaves_as_it_is_and_nothing_is_written) {  // B26
    EngineHarness harness;
    harness.start();
    EXPECT_THROW(harness.engine().state().transact([](TransactionPort& state) -> std::string {
        state.map_put("m", "k", "1");
        throw std::out_of_range("no");
    }),
                 std::out_of_range);
    EXPECT_EQ(stored(*harness.store(), "m", "k"), "nothing");
}

TEST(outside_state, one_that_always_loses_is_told_so) {  // B26, limits.transaction_tries
    EngineHarness harness;
    harness.options().limits.transaction_tries = 3;
    harness.start();
    runtime::OutsideState& state = harness.engine().state();
    int runs = 0;
    EXPECT_EQ(code_of([&] {
                  state.transact([&](TransactionPort& transaction) {
                      static_cast<void>(transaction.map_get("m", "k"));
                      transaction.map_put("m", "mine", "1");
                      state.map_put("m", "k", std::to_string(++runs));  // somebody else
                      return std::string();
                  });
              }),
              ErrorCode::conflict);
    EXPECT_EQ(runs, 3);
    EXPECT_EQ(state.map_get("m", "mine"), std::nullopt);
}

TEST(outside_state, limits_owners_and_expiry_hold_there_too) {  // B25 B26
    FakeClock clock;
    EngineHarness harness;
    harness.options().clock = &clock;
    harness.options().limits.user_maps = {1, 0, 1h};
    harness.start();
    runtime::OutsideState& state = harness.engine().state();
    const std::string anna = detail::kept_map_name(MapScope::user, "anna", "m");
    const std::string bert = detail::kept_map_name(MapScope::user, "bert", "m");
    state.map_put(anna, "k", "1");
    state.map_put(bert, "k", "1");
    EXPECT_EQ(code_of([&] { state.map_put(anna, "l", "1"); }), ErrorCode::limit_exceeded);
    clock.advance(1h);
    EXPECT_EQ(state.map_get(anna, "k"), std::nullopt);
    state.map_put(anna, "l", "1");
    EXPECT_EQ(code_of([&] { state.map_put(detail::kept_map_name(MapScope::session, "none", "m"), "k", "1"); }), ErrorCode::no_session);
    EXPECT_EQ(code_of([&] { state.map_put(detail::kept_map_name(MapScope::call, "none", "m"), "k", "1"); }), ErrorCode::no_call);
    EXPECT_EQ(code_of([&] { static_cast<void>(state.map_name(MapScope::session, "m")); }), ErrorCode::no_session);
    EXPECT_EQ(code_of([&] { static_cast<void>(state.map_name(MapScope::user, "m")); }), ErrorCode::no_call);
    const std::string session = harness.begin_session();
    state.map_put(detail::kept_map_name(MapScope::session, session, "m"), "k", "1");
    EXPECT_THROW(state.map_put("m", std::string(5000, 'k'), "1"), std::invalid_argument);
}

TEST(outside_state, it_can_be_reached_while_the_server_runs_and_a_stop_waits_for_who_is_inside) {  // B26
    const Door door;
    const auto state = std::make_shared<runtime::OutsideState>();
    EngineHarness harness;
    harness.options().outside_state = state;
    EXPECT_EQ(code_of([&] { static_cast<void>(state->map_get("m", "k")); }), ErrorCode::stopped);
    harness.start(true);
    EXPECT_EQ(code_of([&] { state->map_put("m", "k", "1"); }), ErrorCode::stopped);
    harness.open();
    std::atomic<bool> was_refused{false};
    std::thread inside([&] {
        state->transact([&](TransactionPort& transaction) {
            door.pass();
            transaction.map_put("m", "k", "1");
            return std::string();
        });
    });
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    std::thread opener([&] {
        while (code_of([&] { static_cast<void>(state->map_count("m")); }) != ErrorCode::stopped) {  // until the stop has begun
            std::this_thread::yield();
        }
        was_refused = true;
        door.open();
    });
    EXPECT_TRUE(harness.stop());
    inside.join();
    opener.join();
    EXPECT_TRUE(was_refused);
    EXPECT_EQ(stored(*harness.store(), "m", "k"), "1");
}

TEST(outside_state, a_store_that_takes_nothing_is_said_so) {  // B26
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.start();
    runtime::OutsideState& state = harness.engine().state();
    store->set_full(true);
    EXPECT_EQ(code_of([&] { state.map_put("m", "k", "1"); }), ErrorCode::store_full);
    store->set_full(false);
    EXPECT_TRUE(harness.turn_until([&] { return code_of([&] { state.map_put("m", "k", "2"); }) == ErrorCode::network; }));
    EXPECT_EQ(state.map_get("m", "k"), "2");
    store->on_commit([](std::uint64_t) { return store::CommitFault{{base::FailureCode::outcome_unknown, "the disk went away"}, false}; });
    EXPECT_EQ(code_of([&] { state.map_put("m", "k", "3"); }), ErrorCode::store_unavailable);
    EXPECT_EQ(code_of([&] { static_cast<void>(state.map_get("m", "k")); }), ErrorCode::store_unavailable);
}

// ── Once per store ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(on_each_store, what_is_to_be_done_once_is_done_before_the_first_request_and_never_again) {  // B26
    int first_runs = 0;
    int second_runs = 0;
    bool has_second = false;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().initialize.push_back({"first", [&](TransactionPort& state) {
                                                    ++first_runs;
                                                    state.map_put("m", "k", "seed");
                                                }});
        if (has_second) {
            harness.options().initialize.push_back({"second", [&](TransactionPort& state) {
                                                        ++second_runs;
                                                        state.map_put("m", "l", state.map_get("m", "k").value_or("nothing"));
                                                    }});
        }
        harness.add_tool("get", [](CallPort& port, const Json&) {
            const std::string text = port.map_get("m", "k", false).value_or("nothing") + port.map_get("m", "l", false).value_or("nothing");
            port.map_put("m", "k", "changed");
            return text_result(text);
        });
    });
    EngineHarness& first = world.boot();
    EXPECT_EQ(first.await_text(first.call(first.begin_session(), 1, "get")), "seednothing");
    world.crash();
    has_second = true;
    EngineHarness& second = world.boot();
    EXPECT_EQ(second.await_text(second.call(second.begin_session(), 1, "get")), "changedchanged");
    EXPECT_TRUE(world.stop());
    EngineHarness& third = world.boot();
    EXPECT_EQ(third.await_text(third.call(third.begin_session(), 1, "get")), "changedchanged");
    EXPECT_EQ(first_runs, 1);
    EXPECT_EQ(second_runs, 1);
}

TEST(outside_state, what_throws_keeps_the_server_from_starting_and_is_tried_again) {  // B26
    const auto store = store::open_memory_store();
    {
        EngineHarness harness(store);
        harness.options().initialize.push_back({"good", [](TransactionPort& state) { state.map_put("m", "good", "1"); }});
        harness.options().initialize.push_back({"bad", [](TransactionPort& state) {
                                                    state.map_put("m", "bad", "1");
                                                    throw std::out_of_range("no such file");
                                                }});
        try {
            harness.start();
            ADD_FAILURE() << "it started";
        } catch (const StepFailed& error) {
            EXPECT_EQ(error.alias(), "bad");
            EXPECT_STREQ(error.what(),
                         "initialize 'bad' failed: std::out_of_range: no such file. Nothing of it was written, and the server was not started");
            EXPECT_THROW(std::rethrow_if_nested(error), std::out_of_range);
        }
        EXPECT_EQ(code_of([&] { static_cast<void>(harness.engine().state().map_get("m", "good")); }), ErrorCode::stopped);
    }
    EXPECT_EQ(stored(*store, "m", "good"), "1");
    EXPECT_EQ(stored(*store, "m", "bad"), "nothing");
    EngineHarness again(store);
    int runs = 0;
    again.options().initialize.push_back({"good", [&](TransactionPort&) { ++runs; }});
    again.options().initialize.push_back({"bad", [&](TransactionPort& state) {
                                              ++runs;
                                              state.map_put("m", "bad", "2");
                                          }});
    again.start();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(stored(*store, "m", "bad"), "2");
}

TEST_P(on_each_store, a_death_before_the_commit_of_what_is_done_once_leaves_it_to_the_next_process) {  // B26
    int runs = 0;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().initialize.push_back({"seed", [&](TransactionPort& state) {
                                                    state.map_put("m", "k", std::to_string(++runs));
                                                    if (runs == 1) {
                                                        harness.mortal_store().kill();
                                                    }
                                                }});
    });
    EXPECT_EQ(code_of([&] { world.boot(); }), ErrorCode::store_unavailable);
    EngineHarness& second = world.boot();
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(stored(*second.store(), "m", "k"), "2");
}

}  // namespace
}  // namespace durable_mcp
