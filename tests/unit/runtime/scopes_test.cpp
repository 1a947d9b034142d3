// SPDX-License-Identifier: Apache-2.0
// Whose maps a handler means, what becomes of them, what they may take, and writes that depend on what is there (semantics §3): B25.

#include <set>
#include <stdexcept>

#include "durable_mcp/error.hpp"
#include "unit/runtime/client_parts.hpp"
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
using test::run_step;
using test::StatelessClient;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

std::string what_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return "Error " + std::to_string(static_cast<int>(error.code())) + ": " + error.what();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}
std::string error_of(ErrorCode code) { return "Error " + std::to_string(static_cast<int>(code)); }

std::string stored(store::Store& store, const std::string& map, std::string_view key) {
    const auto row = store.snapshot().value()->get(map, key).value();
    return row ? row->value : "nothing";
}
std::string of_session(const std::string& session, std::string_view name) { return detail::kept_map_name(MapScope::session, session, name); }

MapScope scope_of(const Json& arguments) {
    const std::string word = arguments.value("scope", "server");
    return word == "user" ? MapScope::user : word == "session" ? MapScope::session : word == "call" ? MapScope::call : MapScope::server;
}

/// "put" and "get" of the map "m" of a scope, outside a transaction or, with "inside", in one.
void add_map_tools(EngineHarness& harness) {
    harness.add_tool("put", [](CallPort& port, const Json& arguments) {
        const std::string key = arguments.value("key", "k");
        const std::string value = arguments.value("value", "1");
        return text_result(what_of([&] {
            if (arguments.contains("inside")) {
                port.transact("put", "string", [&](TransactionPort& state) {
                    state.map_put(state.map_name(scope_of(arguments), "m"), key, value);
                    return std::string("0");
                });
            } else {
                port.map_put(port.map_name(scope_of(arguments), "m"), key, value);
            }
        }));
    });
    harness.add_tool("get", [](CallPort& port, const Json& arguments) {
        const std::string map = port.map_name(scope_of(arguments), "m");
        const std::string key = arguments.value("key", "k");
        std::string inside;
        port.transact("get", "string", [&](TransactionPort& state) {
            inside = state.map_get(map, key).value_or("nothing");
            return std::string("0");
        });
        const std::string outside = port.map_get(map, key, false).value_or("nothing");
        const std::string live = port.map_get(map, key, true).value_or("nothing");
        return text_result(outside == inside && inside == live ? live : outside + "," + inside + "," + live);
    });
}

TEST_P(on_each_store, each_scope_has_maps_of_its_own_under_the_same_name) {  // B25
    World world(GetParam(), add_map_tools);
    EngineHarness& first = world.boot();
    const std::string one = first.begin_session();
    const std::string other = first.begin_session();
    for (const char* scope : {"server", "user", "session", "call"}) {
        EXPECT_EQ(first.await_text(first.call(one, scope, "put", {{"scope", scope}, {"value", scope}})), "nothing");
    }
    world.crash();
    EngineHarness& second = world.boot();
    const auto get = [&](const std::string& session, const char* scope) {
        static int id = 0;
        return second.await_text(second.call(session, ++id, "get", {{"scope", scope}}));
    };
    EXPECT_EQ(get(one, "server"), "server");
    EXPECT_EQ(get(one, "user"), "user");
    EXPECT_EQ(get(one, "session"), "session");
    EXPECT_EQ(get(one, "call"), "nothing");  // another call
    EXPECT_EQ(get(other, "user"), "user");
    EXPECT_EQ(get(other, "session"), "nothing");
    // A client of the stateless era is the same anonymous user.
    EXPECT_EQ(second.await_text(StatelessClient{}.call(second, "get", {{"scope", "user"}})), "user");
    const std::string call = second.store()->call_of_request(one, "\"call\"").value()->id;
    EXPECT_EQ(stored(*second.store(), detail::kept_map_name(MapScope::call, call, "m"), "k"), "call");
}

TEST(engine_scopes, no_name_reaches_a_map_of_another_scope_or_of_ours) {  // B25
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        std::string text;
        for (const MapScope scope : {MapScope::server, MapScope::user, MapScope::session, MapScope::call}) {
            for (const char* name : {"$", "$x", "$user:0::m", "$house:0::initialize", "$state"}) {
                text += what_of([&] { static_cast<void>(port.map_name(scope, name)); }).substr(0, 20) + "|";
                port.transact(std::to_string(static_cast<int>(scope)) + name, "string", [&](TransactionPort& state) {
                    text += what_of([&] { static_cast<void>(state.map_name(scope, name)); }).substr(0, 20) + "|";
                    return std::string("0");
                });
            }
        }
        return text_result(text);
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    std::string expected;
    for (int i = 0; i < 4 * 5 * 2; ++i) {
        expected += "a map of the name \"$|";
    }
    EXPECT_EQ(text, expected);
}

TEST(engine_scopes, a_call_without_a_session_is_told_which_map_to_take) {  // B25
    EngineHarness harness;
    add_map_tools(harness);
    harness.add_tool("inside", [](CallPort& port, const Json&) {
        return text_result(what_of([&] {
            port.transact("t", "string", [](TransactionPort& state) { return state.map_name(MapScope::session_value, ""); });
        }));
    });
    harness.start();
    const StatelessClient client;
    for (const auto& [tool, arguments] : {std::pair{"put", Json{{"scope", "session"}}}, std::pair{"inside", Json::object()}}) {
        const std::string text = harness.await_text(client.call(harness, tool, arguments));
        EXPECT_TRUE(text.starts_with(error_of(ErrorCode::no_session))) << text;
        EXPECT_NE(text.find("user_map()"), std::string::npos) << text;
    }
    EXPECT_EQ(harness.await_text(client.call(harness, "put", {{"scope", "call"}})), "nothing");
}

TEST_P(on_each_store, a_sessions_maps_go_when_it_is_deleted_and_when_it_expires) {  // B25 B48
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.session_idle = 1h;
        add_map_tools(harness);
    });
    EngineHarness& first = world.boot();
    const std::string deleted = first.begin_session();
    const std::string idle = first.begin_session();
    const std::string used = first.begin_session();
    for (const std::string& session : {deleted, idle, used}) {
        EXPECT_EQ(first.await_text(first.call(session, 1, "put", {{"scope", "session"}})), "nothing");
        EXPECT_EQ(first.await_text(first.call(session, 2, "put", {{"scope", "call"}})), "nothing");
    }
    first.await(first.request("DELETE", {{"Mcp-Session-Id", deleted}}, {}));
    EXPECT_EQ(stored(*first.store(), of_session(deleted, "m"), "k"), "nothing");
    EXPECT_EQ(stored(*first.store(), of_session(idle, "m"), "k"), "1");
    clock.advance(59min);
    EXPECT_EQ(first.await_text(first.call(used, 3, "get", {{"scope", "session"}})), "1");
    clock.advance(2min);
    EXPECT_TRUE(world.stop());
    EngineHarness& second = world.boot();  // which sweeps
    ASSERT_TRUE(second.turn_until([&] { return second.store()->sessions().value().size() == 1; }));
    EXPECT_EQ(stored(*second.store(), of_session(idle, "m"), "k"), "nothing");
    EXPECT_EQ(stored(*second.store(), of_session(used, "m"), "k"), "1");
}

TEST(engine_scopes, a_task_that_outlives_its_session_is_told_that_its_maps_are_gone) {  // B25 B48
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const std::string map = port.map_name(MapScope::session, "m");
            port.map_put(map, "before", "1");
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            const std::string call = port.map_name(MapScope::call, "m");
            std::string text = what_of([&] { port.map_put(map, "after", "1"); });
            port.map_put(call, "k", "1");
            return text_result(text + ";" + port.map_get(call, "k", true).value_or("nothing"));
        }, "required");
    });
    EngineHarness& harness = world.boot();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const Json begun = harness.await(harness.post(session, {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"},
                                                             {"params", {{"name", "work"}, {"arguments", Json::object()}, {"task", Json::object()}}}}));
    const std::string task = begun["result"]["task"]["taskId"];
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    harness.await(harness.request("DELETE", {{"Mcp-Session-Id", session}}, {}));
    door.open();
    const std::string other = harness.begin_session();
    const Json result = harness.await(harness.post(other, {{"jsonrpc", "2.0"}, {"id", 2}, {"method", "tasks/result"}, {"params", {{"taskId", task}}}}));
    const std::string text = result["result"]["content"][0]["text"];
    EXPECT_TRUE(text.starts_with(error_of(ErrorCode::no_session))) << text;
    EXPECT_TRUE(text.ends_with(";1")) << text;
    EXPECT_EQ(stored(*harness.store(), of_session(session, "m"), "before"), "nothing");
    EXPECT_EQ(stored(*harness.store(), of_session(session, "m"), "after"), "nothing");
}

// ── compare_and_set ────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(on_each_store, compare_and_set_says_the_same_on_replay_whatever_others_have_written_since) {  // B25
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            std::string said;
            const auto replace = [&](const std::optional<std::string>& expected, const std::optional<std::string>& desired) {
                said += port.map_compare_and_set("m", "k", expected, desired) ? "1" : "0";
            };
            replace("old", "new");               // there is nothing
            replace(std::nullopt, "old");
            replace(std::nullopt, "old");        // the same again is a step of its own
            replace("old", "new");
            replace("new", std::nullopt);        // removes
            replace(std::nullopt, "last");
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(said + port.map_get("m", "k", true).value_or("nothing"));
        });
        harness.add_tool("meddle", [](CallPort& port, const Json&) { return port.map_put("m", "k", "meddled"), text_result("done"); });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && !answer->events.empty(); }));
    EXPECT_EQ(first.await_text(first.call(session, 2, "meddle")), "done");
    const std::string cursor = answer->events[0].id;
    world.crash([&] { door.open(); });
    EngineHarness& second = world.boot();
    EXPECT_EQ(second.await_text(second.get(session, cursor)), "010111meddled");
}

TEST_P(on_each_store, of_many_that_compare_and_set_at_once_one_wins) {  // B25
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("take", [](CallPort& port, const Json& arguments) {
            int taken = 0;
            for (int seat = 0; seat < 8; ++seat) {
                taken += port.map_compare_and_set("seats", std::to_string(seat), std::nullopt, arguments.value("who", "")) ? 1 : 0;
            }
            return text_result(std::to_string(taken));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    std::vector<std::shared_ptr<test::FakeSink>> answers;
    for (int id = 0; id < 6; ++id) {
        answers.push_back(harness.call(session, id, "take", {{"who", std::to_string(id)}}));
    }
    int taken = 0;
    for (const auto& answer : answers) {
        taken += std::stoi(harness.await_text(answer));
    }
    EXPECT_EQ(taken, 8);
}

TEST(engine_scopes, compare_and_set_in_a_transaction_is_one_of_its_writes) {  // B13 B25
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        std::string said;
        static_cast<void>(what_of([&] {
            port.transact("fails", "string", [&](TransactionPort& state) -> std::string {
                said += state.map_compare_and_set("m", "k", std::nullopt, "1") ? "1" : "0";
                said += state.map_compare_and_set("m", "k", "1", "2") ? "1" : "0";
                said += state.map_compare_and_set("m", "k", "1", "3") ? "1" : "0";
                said += state.map_get("m", "k").value_or("nothing");
                throw std::runtime_error("no");
            });
        }));
        return text_result(said + port.map_get("m", "k", true).value_or("nothing"));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "1102nothing");
}

// ── Limits ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(on_each_store, a_write_that_exceeds_its_scope_is_an_error_and_nothing_of_it_is_applied) {  // B25, limits.user_maps, limits.session_maps, limits.call_maps
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().limits.server_maps = {2, 0};
        harness.options().limits.user_maps = {2, 0};
        harness.options().limits.session_maps = {0, 10};
        harness.options().limits.call_maps = {2, 10};
        harness.add_tool("fill", [](CallPort& port, const Json& arguments) {
            const std::string map = port.map_name(scope_of(arguments), "m");
            std::string said;
            const auto put = [&](const std::string& key, const std::string& value) {
                const std::string error = what_of([&] { port.map_put(map, key, value); });
                said += error == "nothing" ? "." : error.starts_with(error_of(ErrorCode::limit_exceeded)) ? "!" : error;
            };
            put("a", "four");
            put("b", "four");
            put("c", "x");                                    // one row too many, and one byte
            put("b", "five5");                                // one byte too many
            said += what_of([&] {
                        port.transact("both", "string", [&](TransactionPort& state) {
                            state.map_put("another", "k", "not alone");
                            state.map_put(map, "d", "xx");
                            return std::string("0");
                        });
                    }).substr(0, 7);
            port.map_erase(map, "a");
            put("c", "x");
            said += port.map_compare_and_set(map, "c", "x", "y") ? "." : "!";
            return text_result(said + std::to_string(port.map_count(map, true)));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    const auto fill = [&](const char* scope) { return harness.await_text(harness.call(session, scope, "fill", {{"scope", scope}})); };
    EXPECT_EQ(fill("user"), "..!.Error 8..2");
    EXPECT_EQ(fill("session"), "..!!Error 8..2");
    EXPECT_EQ(fill("call"), "..!!Error 8..2");
    EXPECT_EQ(stored(*harness.store(), "another", "k"), "nothing");
    EXPECT_EQ(fill("server"), "..!.Error 8..2");
}

TEST(engine_scopes, a_limit_names_the_scope_and_what_may_be_done) {  // B25
    EngineHarness harness;
    harness.options().limits.user_maps = {1, 0};
    add_map_tools(harness);
    harness.start();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "put", {{"scope", "user"}})), "nothing");
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "put", {{"scope", "user"}, {"key", "other"}, {"inside", 1}})),
              "Error 8: state: the maps of one user may take 1 rows and any number of bytes (Options::state.user). Nothing of this was written; remove "
              "what is no longer needed");
}

// ── Rows that expire ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(on_each_store, a_row_is_there_for_its_ttl_and_then_for_no_read) {  // B25
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.user_maps.ttl = 1h;
        add_map_tools(harness);
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto call = [&](EngineHarness& harness, const char* tool, const char* scope, const char* key = "k", bool inside = false) {
        static int id = 0;
        Json arguments{{"scope", scope}, {"key", key}};
        if (inside) {
            arguments["inside"] = 1;
        }
        return harness.await_text(harness.call(session, ++id, tool, arguments));
    };
    EXPECT_EQ(call(first, "put", "user", "k", true) + call(first, "put", "user", "again") + call(first, "put", "server"), "nothingnothingnothing");
    clock.advance(59min);
    EXPECT_EQ(call(first, "get", "user"), "1");
    EXPECT_EQ(call(first, "put", "user", "again"), "nothing");  // lives anew
    clock.advance(1min);
    EXPECT_EQ(call(first, "get", "user"), "nothing");
    EXPECT_EQ(call(first, "get", "user", "again"), "1");
    world.crash();
    EngineHarness& second = world.boot();
    EXPECT_EQ(call(second, "get", "user"), "nothing");
    EXPECT_EQ(call(second, "get", "user", "again"), "1");
    EXPECT_EQ(call(second, "get", "server"), "1");
    // The boot sweeps what nobody sees any more.
    EXPECT_TRUE(second.turn_until([&] { return second.store()->expired_maps(clock.wall_ms(), 1)->empty(); }));
    EXPECT_EQ(stored(*second.store(), detail::kept_map_name(MapScope::user, "", "m"), "k"), "nothing");
}

TEST(engine_scopes, many_expired_rows_go_in_small_batches) {  // B25, limits.swept_rows
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.server_maps.ttl = 1h;
        harness.options().limits.swept_rows = 3;
        harness.add_tool("fill", [](CallPort& port, const Json&) {
            port.transact("fill", "string", [](TransactionPort& state) {
                for (int i = 0; i < 10; ++i) {
                    state.map_put("m", std::to_string(i), "1");
                }
                return std::string("0");
            });
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    EXPECT_EQ(first.await_text(first.call(first.begin_session(), 1, "fill")), "done");
    clock.advance(2h);
    EXPECT_TRUE(world.stop());
    EngineHarness& second = world.boot();
    EXPECT_TRUE(second.turn_until([&] { return second.store()->snapshot().value()->usage("").value().rows == 0; }));
}

TEST_P(on_each_store, expired_rows_do_not_stand_in_the_way_of_a_write) {  // B25
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.user_maps = {1, 0, 1h};
        add_map_tools(harness);
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "put", {{"scope", "user"}, {"key", "a"}})), "nothing");
    EXPECT_TRUE(harness.await_text(harness.call(session, 2, "put", {{"scope", "user"}, {"key", "b"}})).starts_with(error_of(ErrorCode::limit_exceeded)));
    clock.advance(1h);
    EXPECT_EQ(harness.await_text(harness.call(session, 3, "put", {{"scope", "user"}, {"key", "b"}})), "nothing");
    clock.advance(1h);
    EXPECT_EQ(harness.await_text(harness.call(session, 4, "put", {{"scope", "user"}, {"key", "c"}, {"inside", 1}})), "nothing");
}

TEST_P(on_each_store, who_waits_until_a_row_has_expired_is_woken_by_the_sweep) {  // B14 B25
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.user_maps = {1, 0, 1h};
        add_map_tools(harness);
        harness.add_tool("wait", [](CallPort& port, const Json&) {
            const std::string map = port.map_name(MapScope::user, "m");
            const std::function<std::optional<std::string>()> is_free = [&]() -> std::optional<std::string> {
                return port.map_get(map, "k", false) ? std::nullopt : std::optional<std::string>("\"free\"");
            };
            return text_result(port.until("free", "string", {&is_free, {}, false}).value_or("nothing"));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "put", {{"scope", "user"}})), "nothing");
    const auto waiting = harness.call(session, 2, "wait");
    harness.turn_for(100ms);
    EXPECT_FALSE(waiting->done());
    clock.advance(1h);
    EXPECT_EQ(harness.await_text(harness.call(session, 3, "put", {{"scope", "user"}, {"key", "other"}})), "nothing");  // which has to sweep first
    EXPECT_EQ(harness.await_text(waiting), "\"free\"");
}

TEST_P(on_each_store, a_transaction_that_read_an_expired_row_as_absent_commits_before_and_after_the_sweep) {  // B13 B25
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.server_maps.ttl = 1h;
        harness.options().limits.transaction_tries = 1;
        harness.add_tool("put", [](CallPort& port, const Json&) { return port.map_put("m", "k", "1"), text_result("done"); });
        harness.add_tool("read", [&](CallPort& port, const Json& arguments) {
            return text_result(port.transact("t", "string", [&](TransactionPort& state) {
                const std::string text = state.map_get("m", "k").value_or("nothing") + std::to_string(state.map_count("m")) +
                                         std::to_string(state.map_range("m", {"", std::nullopt, 1, true}).size());
                if (arguments.contains("sweep")) {
                    const store::Group sweep{store::DropExpiredRows{clock.wall_ms(), 10}};
                    const store::Group* const batch[] = {&sweep};
                    EXPECT_TRUE(harness.store()->commit(batch));
                }
                state.map_put("other", "k", "1");
                return text;
            }));
        });
    });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "put")), "done");
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "read")), "111");
    clock.advance(1h);
    EXPECT_EQ(harness.await_text(harness.call(session, 3, "read")), "nothing00");
    EXPECT_EQ(harness.await_text(harness.call(session, 4, "read", {{"sweep", 1}})), "nothing00");
    EXPECT_EQ(harness.await_text(harness.call(session, 5, "read")), "nothing00");
}

}  // namespace
}  // namespace durable_mcp
