// SPDX-License-Identifier: Apache-2.0
// Transactions and maps through the real driver and a real store (semantics §2 and §3): B13, B25.

#include <stdexcept>

#include "base/random.hpp"
#include "durable_mcp/error.hpp"
#include "runtime/transaction.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using detail::MapRows;
using detail::TransactionPort;
using test::Door;
using test::EngineHarness;
using test::on_each_store;
using test::run_step;
using test::text_result;
using test::World;

std::string transact(CallPort& port, std::string_view alias, const std::function<std::string(TransactionPort&)>& body) {
    return port.transact(alias, "string", body);
}

const runtime::MapOwners nobody;

/// What the store holds, outside of any call.
std::string stored(store::Store& store, std::string_view map, std::string_view key) {
    const auto row = store.snapshot().value()->get(map, key).value();
    return row ? row->value : "nothing";
}

std::string keys_of(const MapRows& rows) {
    std::string text;
    for (const auto& [key, value] : rows) {
        text += key + "=" + value + " ";
    }
    return text;
}

std::string what_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}

TEST_P(on_each_store, a_transaction_is_applied_once_whether_the_process_dies_inside_or_behind_it) {  // B13
    const Door inside;
    const Door behind;
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, inside, behind](CallPort& port, const Json&) {
            const std::string balance = transact(port, "book", [&](TransactionPort& state) {
                const int next = std::stoi(state.map_get("ledger", "balance").value_or("0")) + 1;
                state.map_put("ledger", "balance", std::to_string(next));
                state.map_put("audit", "last", "x");
                if (++runs == 1) {
                    inside.pass();
                }
                return std::to_string(next);
            });
            if (runs == 2) {
                run_step(port, "wait", [&] { return behind.pass(), "0"; });
            }
            return text_result(balance);
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return inside.came() == 1 && !answer->events.empty(); }));
    const std::string cursor = answer->events[0].id;
    world.crash([&] { inside.open(); });
    EngineHarness& second = world.boot();
    ASSERT_TRUE(second.turn_until([&] { return behind.came() == 1; }));
    world.crash([&] { behind.open(); });
    EngineHarness& third = world.boot();
    EXPECT_EQ(third.await_text(third.get(session, cursor)), "1");
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(stored(*third.store(), "ledger", "balance"), "1");
    EXPECT_EQ(stored(*third.store(), "audit", "last"), "x");
}

TEST(engine_state, a_transaction_that_throws_applies_nothing_and_fails_the_same_way_on_replay) {  // B13
    const Door door;
    std::atomic<int> runs{0};
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const std::string text = what_of([&] {
                transact(port, "book", [&](TransactionPort& state) -> std::string {
                    ++runs;
                    state.map_put("ledger", "a", "1");
                    throw std::runtime_error("not enough");
                });
            });
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && !answer->events.empty(); }));
    const std::string cursor = answer->events[0].id;
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(session, cursor)), "step 'book' failed: std::runtime_error: not enough");
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(stored(*harness.store(), "ledger", "a"), "nothing");
}

TEST_P(on_each_store, transactions_that_meet_are_serial) {  // B13
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("add", [&](CallPort& port, const Json& arguments) {
            const std::string way = arguments.value("way", "get");
            for (int i = 0; i < 10; ++i) {
                transact(port, "t" + std::to_string(i), [&](TransactionPort& state) {
                    if (way == "get") {
                        state.map_put("m", "sum", std::to_string(std::stoi(state.map_get("m", "sum").value_or("0")) + 1));
                    } else if (way == "count") {
                        state.map_put("c", std::to_string(state.map_count("c")), "1");
                    } else {
                        const MapRows rows = state.map_range("r", {"", std::nullopt, 0, true});
                        const int last = rows.empty() ? 1000 : std::stoi(rows.front().first);
                        state.map_put("r", std::to_string(last + 1), "1");
                    }
                    return std::string("0");
                });
            }
            return text_result("done");
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    std::vector<std::shared_ptr<test::FakeSink>> answers;
    int id = 0;
    for (const char* way : {"get", "count", "range"}) {
        for (int i = 0; i < 3; ++i) {
            answers.push_back(harness.call(session, ++id, "add", {{"way", way}}));
        }
    }
    for (const auto& answer : answers) {
        EXPECT_EQ(harness.await_text(answer), "done");
    }
    EXPECT_EQ(stored(*harness.store(), "m", "sum"), "30");
    EXPECT_EQ(harness.store()->snapshot().value()->count("c").value(), 30u);  // each saw all the others
    EXPECT_EQ(harness.store()->snapshot().value()->count("r").value(), 30u);
}

TEST(engine_state, a_transaction_that_always_loses_is_told_so_and_applies_nothing) {  // B13, limits.transaction_tries
    EngineHarness harness;
    harness.options().limits.transaction_tries = 3;
    std::atomic<int> runs{0};
    harness.add_tool("other",
                     [&](CallPort& port, const Json&) { return port.map_put("m", "k", std::to_string(runs)), text_result("written"); });
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        const std::string text = what_of([&] {
            transact(port, "book", [&](TransactionPort& state) {
                static_cast<void>(state.map_get("m", "k"));
                state.map_put("m", "mine", "1");
                const int before = ++runs;
                while (stored(*harness.store(), "m", "k") != std::to_string(before)) {  // until somebody else has written
                    std::this_thread::yield();
                }
                return std::string("0");
            });
        });
        // The alias is free again: nothing was recorded.
        transact(port, "book", [](TransactionPort&) { return std::string("0"); });
        return text_result(text);
    });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, "loser", "work");
    for (int i = 1; i <= 3; ++i) {
        ASSERT_TRUE(harness.turn_until([&] { return runs == i; }));
        EXPECT_EQ(harness.await_text(harness.call(session, i, "other")), "written");
    }
    EXPECT_EQ(harness.await_text(answer), "transaction 'book' lost against others 3 times; nothing of it was applied");
    EXPECT_EQ(stored(*harness.store(), "m", "mine"), "nothing");
}

TEST(engine_state, what_a_transaction_emits_commits_with_it_and_not_at_all_when_it_throws) {  // B13 B27
    EngineHarness harness;
    std::size_t events_inside = 99;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        run_step(port, "before", [] { return "0"; });
        transact(port, "book", [&](TransactionPort&) {
            port.log(3, "\"booked\"", {});
            port.report_progress(1, 2.0, {});
            events_inside = harness.store()->events(port.call_id(), 0, 10).value().size();
            return std::string("0");
        });
        static_cast<void>(what_of([&] {
            transact(port, "never", [&](TransactionPort&) -> std::string {
                port.log(3, "\"unbooked\"", {});
                throw std::runtime_error("no");
            });
        }));
        return text_result("done");
    });
    harness.start();
    const auto answer = harness.call(harness.begin_session(), 1, "work", Json::object(), {{"progressToken", 7}});
    harness.await(answer);
    const auto messages = answer->messages();
    EXPECT_EQ(events_inside, 0u);
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(Json::parse(messages[0])["params"]["data"], "booked");
    EXPECT_EQ(Json::parse(messages[1])["params"]["progress"], 1);
}

TEST(transaction_view, reads_see_the_transactions_own_writes_over_the_snapshot) {  // B13 B25
    const auto store = store::open_memory_store();
    const store::Group rows{store::PutMapRow{"m", "a", "1"}, store::PutMapRow{"m", "b", "2"}, store::PutMapRow{"m", "d", "4"}};
    const store::Group* const batch[] = {&rows};
    ASSERT_TRUE(store->commit(batch));
    const base::Limits limits;
    runtime::TransactionView view(store->snapshot().value(), limits, nobody, 0);
    view.map_put("m", "c", "3");
    view.map_put("m", "b", "two");
    view.map_erase("m", "a");
    EXPECT_EQ(view.map_get("m", "a"), std::nullopt);
    EXPECT_EQ(view.map_get("m", "b"), "two");
    EXPECT_EQ(view.map_count("m"), 3u);
    EXPECT_EQ(keys_of(view.map_range("m", {"", std::nullopt, 0, false})), "b=two c=3 d=4 ");
    EXPECT_EQ(keys_of(view.map_range("m", {"", std::nullopt, 0, true})), "d=4 c=3 b=two ");
    EXPECT_EQ(keys_of(view.map_range("m", {"", std::nullopt, 2, false})), "b=two c=3 ");
    EXPECT_EQ(keys_of(view.map_range("m", {"", std::nullopt, 1, true})), "d=4 ");
    EXPECT_EQ(keys_of(view.map_range("m", {"c", "d", 0, false})), "c=3 ");
    EXPECT_EQ(keys_of(view.map_range("other", {"", std::nullopt, 0, false})), "");
}

TEST(transaction_view, a_row_that_appears_where_a_range_or_a_count_was_read_is_a_conflict) {  // B13
    for (const bool counts : {true, false}) {
        const auto store = store::open_memory_store();
        const base::Limits limits;
        runtime::TransactionView view(store->snapshot().value(), limits, nobody, 0);
        if (counts) {
            EXPECT_EQ(view.map_count("m"), 0u);
        } else {
            EXPECT_TRUE(view.map_range("m", {"", std::nullopt, 5, false}).empty());
        }
        view.map_put("other", "x", "1");
        const store::Group rival{store::PutMapRow{"m", "new", "1"}};
        const store::Group mine = view.finish();
        const store::Group* const batch[] = {&rival, &mine};
        const auto outcome = store->commit(batch);
        ASSERT_TRUE(outcome);
        EXPECT_EQ((*outcome)[1], store::GroupOutcome::conflict);
        EXPECT_EQ(stored(*store, "other", "x"), "nothing");
    }
}

TEST(transaction_view, keys_values_and_ranges_have_limits) {  // limits.map_key_bytes, limits.range_rows
    const auto store = store::open_memory_store();
    base::Limits limits;
    limits.map_key_bytes = 3;
    limits.step_value_bytes = 4;
    limits.range_rows = 2;
    runtime::TransactionView view(store->snapshot().value(), limits, nobody, 0);
    view.map_put("m", "123", "1234");
    EXPECT_THROW(view.map_put("m", "1234", "1"), std::invalid_argument);
    EXPECT_THROW(view.map_put("m", "1", "12345"), std::invalid_argument);
    view.map_put("m", "2", "2");
    view.map_put("m", "3", "3");
    EXPECT_EQ(view.map_range("m", {"", std::nullopt, 0, false}).size(), 2u);
    EXPECT_EQ(view.map_range("m", {"", std::nullopt, 2, false}).size(), 2u);
    EXPECT_THROW(view.map_range("m", {"", std::nullopt, 3, false}), std::invalid_argument);
}

TEST_P(on_each_store, map_writes_outside_a_transaction_are_not_repeated_by_a_replay_and_what_a_changed_handler_writes_is_written) {  // B25
    const Door door;
    std::string value = "one";
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            port.map_put("m", "k", value);
            port.map_put("m", "k", value);  // the same again is a write of its own
            port.map_erase("m", "gone");
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(port.map_get("m", "k", true).value_or("nothing"));
        });
        harness.add_tool("meddle", [](CallPort& port, const Json&) {
            port.map_put("m", "k", "meddled");
            port.map_put("m", "gone", "back");
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && !answer->events.empty(); }));
    EXPECT_EQ(first.await_text(first.call(session, 2, "meddle")), "done");
    const std::string cursor = answer->events[0].id;
    world.crash([&] { door.open(); });
    {
        EngineHarness& harness = world.boot();
        EXPECT_EQ(harness.await_text(harness.get(session, cursor)), "meddled");  // what others wrote since then is not overwritten
        EXPECT_EQ(stored(*harness.store(), "m", "gone"), "back");
    }
}

TEST(engine_state, a_handler_that_was_changed_writes_what_it_writes_now) {  // B25
    const Door door;
    std::string value = "old";
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            port.map_put("m", "k", value);
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(port.map_get("m", "k", true).value_or("nothing"));
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && !answer->events.empty(); }));
    const std::string cursor = answer->events[0].id;
    world.crash([&] { door.open(); });
    value = "fixed";
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(session, cursor)), "fixed");
}

TEST_P(on_each_store, recorded_reads_come_back_as_they_were_and_live_ones_as_it_is) {  // B25
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const auto read = [&](bool live) {
                return port.map_get("m", "b", live).value_or("nothing") + "|" + port.map_get("m", "none", live).value_or("nothing") + "|" +
                       keys_of(port.map_range("m", {"b", std::nullopt, 0, false}, live)) + "|" +
                       keys_of(port.map_range("m", {"", "c", 0, true}, live)) + "|" + std::to_string(port.map_count("m", live));
            };
            const std::string recorded = read(false);
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(recorded + ";" + read(true));
        });
        harness.add_tool("put", [](CallPort& port, const Json& arguments) {
            for (const auto& [key, value] : arguments.items()) {
                port.map_put("m", key, value.get<std::string>());
            }
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    EXPECT_EQ(first.await_text(first.call(session, 1, "put", {{"a", "1"}, {"b", "2"}, {"c", ""}})), "done");
    const auto answer = first.call(session, 2, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && !answer->events.empty(); }));
    EXPECT_EQ(first.await_text(first.call(session, 3, "put", {{"b", "3:colon"}, {"none", ""}})), "done");
    const std::string cursor = answer->events[0].id;
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(session, cursor)),
              "2|nothing|b=2 c= |b=2 a=1 |3;3:colon||b=3:colon c= none= |b=3:colon a=1 |4");
}

TEST(engine_state, a_read_sees_what_the_call_itself_wrote_just_before) {  // B25
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        port.map_put("m", "k", "mine");
        const std::string recorded = port.map_get("m", "k", false).value_or("nothing");
        port.map_erase("m", "k");
        return text_result(recorded + "," + port.map_get("m", "k", true).value_or("nothing"));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "mine,nothing");
}

TEST(engine_state, map_keys_and_ranges_outside_a_transaction_have_limits_too) {  // limits.map_key_bytes, limits.range_rows
    EngineHarness harness;
    harness.options().limits.map_key_bytes = 2;
    harness.options().limits.range_rows = 1;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        port.map_put("m", "k1", "1");
        port.map_put("m", "k2", "2");
        std::string text = keys_of(port.map_range("m", {"", std::nullopt, 0, false}, true));
        text += what_of([&] { port.map_range("m", {"", std::nullopt, 2, false}, false); });
        text += what_of([&] { port.map_put("m", "k33", "1"); });
        return text_result(text);
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    EXPECT_TRUE(text.starts_with("k1=1 range(): a limit of 2 rows")) << text;
    EXPECT_NE(text.find("a map row with a key of 3"), std::string::npos) << text;
}

TEST(engine_state, what_one_recorded_read_found_may_not_be_larger_than_a_steps_value) {  // B6 B25, limits.step_value_bytes
    EngineHarness harness;
    harness.options().limits.step_value_bytes = 100;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        for (int i = 0; i < 4; ++i) {
            port.map_put("m", std::to_string(i), std::string(40, 'x'));
        }
        std::string text = what_of([&] { port.map_range("m", {"", std::nullopt, 0, false}, false); });
        text += std::to_string(port.map_range("m", {"", std::nullopt, 2, false}, false).size());
        text += std::to_string(port.map_range("m", {"", std::nullopt, 0, false}, true).size());  // nothing is recorded
        return text_result(text);
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    EXPECT_NE(text.find("more than a recorded read may hold"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("24")) << text;
}

}  // namespace
}  // namespace durable_mcp
