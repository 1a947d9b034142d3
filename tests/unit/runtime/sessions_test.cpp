// SPDX-License-Identifier: Apache-2.0
// Sessions are rows (semantics §5): B47, B48, B49.

#include "base/id.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::FakeClock;
using test::on_each_store;
using test::run_step;
using test::text_result;
using test::World;

const Json ping{{"jsonrpc", "2.0"}, {"id", "p"}, {"method", "ping"}};

unsigned status_of(EngineHarness& harness, const std::shared_ptr<test::FakeSink>& sink) {
    EXPECT_TRUE(harness.turn_until([&] { return sink->done(); }));
    return sink->status;
}

std::shared_ptr<test::FakeSink> end(EngineHarness& harness, const std::string& session) {
    return harness.request("DELETE", {{"Mcp-Session-Id", session}}, {});
}

mcp::Session stored_session(store::Store& store, const std::string& id) {
    const auto rows = store.sessions().value();
    for (const store::SessionRow& row : rows) {
        if (row.id == id) {
            return mcp::session_from_document(row.id, row.owner, row.document).value();
        }
    }
    return {};
}

TEST_P(on_each_store, a_session_survives_a_crash_with_all_that_was_agreed) {  // B47
    World world(GetParam(), [](EngineHarness& harness) {
        harness.add_tool("work", [](CallPort& port, const Json&) {
            port.log(3, "\"warning\"", {});
            port.log(4, "\"error\"", {});
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session("2025-06-18");
    first.await(first.post(session, {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "logging/setLevel"}, {"params", {{"level", "error"}}}}));
    world.crash();
    EngineHarness& harness = world.boot();
    EXPECT_EQ(status_of(harness, harness.post(session, ping)), 200u);
    const auto answer = harness.call(session, 2, "work");
    EXPECT_EQ(harness.await_text(answer), "done");
    EXPECT_TRUE(answer->retry.empty());        // the revision: 2025-06-18 has no priming
    ASSERT_EQ(answer->messages().size(), 2u);  // the log level
    EXPECT_EQ(Json::parse(answer->messages()[0])["params"]["data"], "error");
    const mcp::Session kept = stored_session(*harness.store(), session);
    EXPECT_EQ(kept.client_info, (Json{{"name", "test"}, {"version", "1"}}));
    EXPECT_EQ(kept.revision, mcp::Revision::r2025_06_18);
    EXPECT_TRUE(kept.initialized);
}

TEST(engine_sessions, a_session_id_leaves_only_when_its_row_is_durable) {  // B47
    const Door commit;
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.start();
    store->on_commit([commit](std::uint64_t) { return commit.pass(), std::nullopt; });
    const Door::Opener opener(commit);
    const auto answer = harness.post(
        {}, {{"jsonrpc", "2.0"},
             {"id", 1},
             {"method", "initialize"},
             {"params",
              {{"protocolVersion", "2025-11-25"}, {"capabilities", Json::object()}, {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}});
    ASSERT_TRUE(harness.turn_until([&] { return commit.came() == 1; }));
    harness.turn();
    EXPECT_FALSE(answer->done());
    commit.open();
    EXPECT_EQ(harness.await(answer)["result"]["protocolVersion"], "2025-11-25");
    EXPECT_EQ(answer->headers["Mcp-Session-Id"].size(), 32u);
    store->on_commit({});
}

TEST(engine_sessions, an_unknown_session_is_404_whatever_is_asked) {  // B48
    EngineHarness harness;
    harness.start();
    harness.begin_session();
    for (const std::string& id : {std::string("invented"), std::string(32, 'A'), std::string(9000, 'x')}) {
        EXPECT_EQ(status_of(harness, harness.post(id, ping)), 404u);
        EXPECT_EQ(status_of(harness, harness.get(id)), 404u);
        EXPECT_EQ(status_of(harness, harness.get(id, std::string(32, 'A') + ".1")), 404u);
        EXPECT_EQ(status_of(harness, end(harness, id)), 404u);
    }
    EXPECT_EQ(status_of(harness, harness.post({}, ping)), 400u);
}

TEST_P(on_each_store, delete_takes_the_session_its_calls_and_its_events_with_it) {  // B48
    const Door door;
    std::atomic<bool> noticed{false};
    std::atomic<bool> left{false};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("done", [](CallPort& port, const Json&) {
            port.log(4, "\"x\"", {});
            port.send_list_changed("tools");
            return text_result(run_step(port, "a", [] { return "1"; }));
        });
        harness.add_tool("running", [&, door](CallPort& port, const Json&) {
            struct Mark {
                std::atomic<bool>& left;
                ~Mark() { left = true; }
            } const mark{left};
            run_step(port, "wait", [&] { return door.pass(), "1"; });
            noticed = port.cancelled();
            port.log(4, "\"to nobody\"", {});
            run_step(port, "never", [] { return "1"; });
            return text_result("never");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto standalone = first.get(session);
    ASSERT_TRUE(first.turn_until([&] { return standalone->events.size() == 1; }));
    const auto finished = first.call(session, 1, "done");
    EXPECT_EQ(first.await_text(finished), "1");
    const auto running = first.call(session, 2, "running");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && running->events.size() == 1 && standalone->events.size() == 2; }));
    const std::string call = first.store()->call_of_request(session, "2").value()->id;
    EXPECT_EQ(status_of(first, end(first, session)), 200u);
    EXPECT_TRUE(standalone->done());
    EXPECT_TRUE(running->done());
    EXPECT_EQ(status_of(first, first.post(session, ping)), 404u);
    door.open();
    ASSERT_TRUE(first.turn_until([&] { return left.load(); }));
    EXPECT_TRUE(noticed);
    EXPECT_TRUE(first.stop());  // until all that was queued is written
    store::Store& store = *first.store();
    EXPECT_TRUE(store.sessions().value().empty());
    EXPECT_FALSE(store.call(call).value().has_value());
    EXPECT_FALSE(store.call_of_request(session, "1").value().has_value());
    EXPECT_TRUE(store.entries(call).value().empty());
    for (const auto& sink : {standalone, finished, running}) {
        const std::string stream = sink->events[0].id.substr(0, 32);
        EXPECT_EQ(store.last_event(stream).value(), 0u) << stream;
    }
}

TEST(engine_sessions, a_session_that_nobody_used_for_too_long_is_unknown_and_its_row_goes) {  // B48 B49, limits.session_idle
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.session_idle = std::chrono::hours(1);
    });
    EngineHarness& first = world.boot();
    const std::string used = first.begin_session();
    const std::string idle = first.begin_session();
    clock.advance(std::chrono::minutes(59));
    EXPECT_EQ(status_of(first, first.post(used, ping)), 200u);
    clock.advance(std::chrono::minutes(2));
    EXPECT_EQ(status_of(first, first.post(idle, ping)), 404u);
    EXPECT_EQ(status_of(first, first.post(used, ping)), 200u);
    EXPECT_TRUE(world.stop());
    {
        EngineHarness& second = world.boot();                         // each boot sweeps; so does a timer
        EXPECT_EQ(status_of(second, second.post(used, ping)), 200u);  // the row knew of the use
        EXPECT_EQ(status_of(second, second.post(idle, ping)), 404u);
        EXPECT_TRUE(second.turn_until([&] { return second.store()->sessions().value().size() == 1; }));
    }
}

TEST(engine_sessions, a_session_with_a_running_call_or_a_reader_does_not_expire) {  // B49, limits.session_idle
    FakeClock clock;
    const Door door;
    EngineHarness harness;
    harness.options().clock = &clock;
    harness.add_tool(
        "work", [&, door](CallPort& port, const Json&) { return text_result(run_step(port, "w", [&] { return door.pass(), "done"; })); });
    harness.start();
    const Door::Opener opener(door);
    const std::string running = harness.begin_session();
    const std::string reading = harness.begin_session();
    const auto answer = harness.call(running, 1, "work");
    const auto reader = harness.get(reading);
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1 && reader->events.size() == 1; }));
    clock.advance(harness.options().limits.session_idle * 2);
    EXPECT_EQ(status_of(harness, harness.post(running, ping)), 200u);
    EXPECT_EQ(status_of(harness, harness.post(reading, ping)), 200u);
    door.open();
    EXPECT_EQ(harness.await_text(answer), "done");
}

TEST(engine_sessions, more_sessions_than_there_may_be_are_refused_also_when_they_come_at_once) {  // B49, limits.sessions
    EngineHarness harness;
    harness.options().limits.sessions = 3;
    harness.start();
    const Json initialize{
        {"jsonrpc", "2.0"},
        {"id", 1},
        {"method", "initialize"},
        {"params",
         {{"protocolVersion", "2025-11-25"}, {"capabilities", Json::object()}, {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}};
    std::vector<std::shared_ptr<test::FakeSink>> answers;
    for (int i = 0; i < 5; ++i) {
        answers.push_back(harness.post({}, initialize));
    }
    std::vector<std::string> sessions;
    for (const auto& answer : answers) {
        if (status_of(harness, answer) == 200) {
            sessions.push_back(answer->headers["Mcp-Session-Id"]);
        } else {
            EXPECT_EQ(answer->status, 503u);
        }
    }
    ASSERT_EQ(sessions.size(), 3u);
    EXPECT_EQ(status_of(harness, end(harness, sessions[0])), 200u);
    EXPECT_EQ(status_of(harness, harness.post({}, initialize)), 200u);
    EXPECT_EQ(status_of(harness, harness.post({}, initialize)), 503u);
}

TEST(session_table, a_principal_has_a_cap_of_its_own_and_the_anonymous_one_has_not) {  // B49, limits.sessions_per_principal
    boost::asio::io_context loop;
    base::Limits limits;
    limits.sessions_per_principal = 2;
    const auto log = std::make_shared<spdlog::logger>("test", std::make_shared<test::LogLines>());
    const std::shared_ptr<runtime::Services> services(new runtime::Services{limits, base::system_clock(), base::system_random(), log,
                                                                            std::make_shared<runtime::Inbox>(loop.get_executor()), nullptr,
                                                                            nullptr, std::make_shared<const mcp::ServerFacts>(),
                                                                            runtime::HandlerPool(1), runtime::HandlerPool(1)});
    runtime::SessionTable table(services);
    std::vector<store::SessionRow> rows;
    for (const char* owner : {"", "", "", "alice", "alice", "bob"}) {
        const std::int64_t now = base::system_clock().wall_ms();
        rows.push_back({base::random_id(base::system_random()), owner, mcp::to_document({}), now, now});
    }
    const std::string of_alice = rows[3].id;
    table.load(std::move(rows), [](const std::string&) { return std::uint64_t{0}; });
    EXPECT_TRUE(table.is_full("alice"));
    EXPECT_FALSE(table.is_full("bob"));
    EXPECT_FALSE(table.is_full("carol"));
    EXPECT_FALSE(table.is_full(""));
    EXPECT_TRUE(table.find(of_alice, "alice"));
    EXPECT_FALSE(table.find(of_alice, "bob"));  // B48: somebody else's is as unknown as none
}

TEST(engine_sessions, what_could_not_be_written_is_not_acknowledged_later_without_being_written) {  // B47
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.start();
    const auto answer = harness.post(
        {}, {{"jsonrpc", "2.0"},
             {"id", 1},
             {"method", "initialize"},
             {"params",
              {{"protocolVersion", "2025-11-25"}, {"capabilities", Json::object()}, {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}});
    ASSERT_EQ(status_of(harness, answer), 200u);
    const std::string session = answer->headers["Mcp-Session-Id"];
    store->set_full(true);
    EXPECT_EQ(status_of(harness, harness.notify(session, "notifications/initialized")), 503u);
    EXPECT_EQ(status_of(harness, harness.get(session)), 503u);
    store->set_full(false);
    ASSERT_TRUE(harness.turn_until([&] { return harness.engine().is_ready(); }));
    EXPECT_EQ(status_of(harness, harness.notify(session, "notifications/initialized")), 202u);
    EXPECT_TRUE(stored_session(*store, session).initialized);
    const auto reader = harness.get(session);
    ASSERT_TRUE(harness.turn_until([&] { return reader->events.size() == 1; }));
    EXPECT_TRUE(stored_session(*store, session).standalone_opened);
}

TEST(engine_sessions, a_row_that_cannot_be_read_is_left_alone_and_said_so) {  // B47
    const auto store = store::open_memory_store();
    const store::Group group{store::PutSession{{"broken", "", "{", 1, 1}}};
    const store::Group* const batch[] = {&group};
    ASSERT_TRUE(store->commit(batch));
    EngineHarness harness(store);
    harness.start();
    EXPECT_EQ(status_of(harness, harness.post("broken", ping)), 404u);
    EXPECT_TRUE(harness.log().has("session broken cannot be read and is left alone"));
    EXPECT_EQ(store->sessions().value().size(), 1u);
}

}  // namespace
}  // namespace durable_mcp
