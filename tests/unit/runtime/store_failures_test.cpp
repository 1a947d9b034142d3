// SPDX-License-Identifier: Apache-2.0
// What the engine does when its store does not: full, or in doubt (semantics §1.7; design §7).

#include <set>

#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Failure;
using base::FailureCode;
using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::run_once;
using test::run_step;
using test::text_result;
using namespace std::chrono_literals;

constexpr int warning = 3;
const Json ping{{"jsonrpc", "2.0"}, {"id", "p"}, {"method", "ping"}};

class engine_store : public testing::Test {
protected:
    /// After it the engine has noticed that there is room again.
    void make_room() {
        store->set_full(false);
        ASSERT_TRUE(harness.turn_until([&] { return harness.engine().is_ready(); }));
    }
    unsigned status_of(const std::shared_ptr<test::FakeSink>& sink) {
        EXPECT_TRUE(harness.turn_until([&] { return sink->done(); }));
        return sink->status;
    }

    std::shared_ptr<store::MemoryStore> store = store::open_memory_store();
    EngineHarness harness{store};
};

TEST_F(engine_store, a_full_store_refuses_new_calls_with_503_and_takes_them_when_there_is_room_again) {
    std::atomic<int> effects{0};
    harness.add_tool("quick", [](CallPort&, const Json&) { return text_result("done"); });
    harness.add_tool("step",
                     [&](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return ++effects, "done"; })); });
    harness.add_tool("once",
                     [&](CallPort& port, const Json&) { return text_result(run_once(port, "a", [&] { return ++effects, "done"; })); });
    harness.add_tool("log", [](CallPort& port, const Json&) { return port.log(warning, "1", {}), text_result("done"); });
    harness.add_tool("transact", [&](CallPort& port, const Json&) {
        return text_result(port.transact("a", "string", [&](detail::TransactionPort&) { return ++effects, std::string("done"); }));
    });
    harness.start();
    const std::string session = harness.begin_session();
    store->set_full(true);
    const std::vector<std::string> tools{"quick", "step", "once", "log", "transact"};
    int id = 0;
    for (const std::string& tool : tools) {
        const auto answer = harness.call(session, ++id, tool);
        EXPECT_EQ(status_of(answer), 503u) << tool;
        EXPECT_FALSE(answer->streaming) << tool;
        EXPECT_EQ(answer->headers["Retry-After"], "5");
    }
    EXPECT_FALSE(harness.engine().is_ready());
    EXPECT_EQ(
        status_of(harness.post(
            {},
            {{"jsonrpc", "2.0"},
             {"id", 1},
             {"method", "initialize"},
             {"params",
              {{"protocolVersion", "2025-11-25"}, {"capabilities", Json::object()}, {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}})),
        503u);
    EXPECT_EQ(harness.await(harness.post(session, ping))["result"], Json::object());  // it is up, and says so
    EXPECT_EQ(effects, 0);
    make_room();
    id = 0;
    for (const std::string& tool : tools) {
        EXPECT_EQ(harness.await_text(harness.call(session, ++id, tool)), "done") << tool;  // the same requests again
    }
    EXPECT_EQ(effects, 3);
    EXPECT_TRUE(harness.log().has("the store takes entries again"));
}

TEST_F(engine_store, handlers_that_were_refused_on_a_full_store_leave_their_threads) {
    std::atomic<int> running{0};
    harness.options().limits.handler_threads = 2;
    harness.add_tool("once", [&](CallPort& port, const Json&) {
        struct Count {
            std::atomic<int>& running;
            explicit Count(std::atomic<int>& r) : running(r) { ++running; }
            ~Count() { --running; }
        } const count(running);
        return text_result(run_once(port, "a", [] { return "done"; }));
    });
    harness.start();
    const std::string session = harness.begin_session();
    store->set_full(true);
    for (int id = 1; id <= 5; ++id) {
        EXPECT_EQ(status_of(harness.call(session, id, "once")), 503u);
        EXPECT_TRUE(harness.turn_until([&] { return running == 0; }));
    }
    make_room();
}

TEST_F(engine_store, a_call_that_had_begun_when_the_disk_filled_up_waits_and_goes_on) {
    const Door door;
    std::atomic<int> effects{0};
    harness.add_tool("work", [&, door](CallPort& port, const Json&) {
        run_step(port, "a", [&] { return door.pass(), "1"; });
        run_once(port, "b", [&] { return ++effects, "2"; });
        port.log(warning, "\"said\"", {});
        return text_result("done");
    });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1 && answer->events.size() == 1; }));
    store->set_full(true);
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return harness.log().has("the store takes nothing for now"); }));
    EXPECT_EQ(effects, 0);
    EXPECT_FALSE(answer->done());
    make_room();
    EXPECT_EQ(harness.await_text(answer), "done");
    EXPECT_EQ(answer->events.size(), 3u);
    EXPECT_EQ(effects, 1);
}

TEST_F(engine_store, a_call_that_grows_old_on_a_full_store_is_refused_and_leaves_nothing_behind) {
    const Door door;
    std::atomic<int> runs{0};
    harness.options().limits.decide_after = 1ms;
    harness.add_tool("work", [&, door](CallPort& port, const Json&) {
        if (++runs == 1) {
            door.pass();
            port.log(warning, "\"to nobody\"", {});
        }
        return text_result("done");
    });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    store->set_full(true);
    const auto answer = harness.call(session, 1, "work");
    EXPECT_EQ(status_of(answer), 503u);
    const auto impatient = harness.call(session, 1, "work");  // the first attempt is still inside its handler
    harness.turn();
    EXPECT_TRUE(impatient->events.empty());
    make_room();
    door.open();
    harness.await(impatient);
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "work")), "done");
    EXPECT_TRUE(harness.stop());
    const auto row = store->call_of_request(session, "1").value();
    ASSERT_TRUE(row);
    EXPECT_EQ(row->answer_event, store->last_event(row->stream).value());
    EXPECT_EQ(row->answer_event, 1u);
}

TEST_F(engine_store, a_batch_that_meets_a_full_disk_half_way_is_answered_whole_once_there_is_room) {
    harness.options().limits.decide_after = 60s;
    harness.add_tool("quick", [](CallPort&, const Json&) { return text_result("quick"); });
    harness.add_tool("slow", [](CallPort& port, const Json&) {
        run_step(port, "a", [] { return "1"; });
        port.log(warning, "\"said\"", {});
        return text_result("slow");
    });
    harness.start();
    const std::string session = harness.begin_session("2025-03-26");
    // One of them is accepted, and then the disk is full.
    store->on_commit([this](std::uint64_t) -> std::optional<store::CommitFault> {
        if (!store->unfinished_calls().value().empty()) {
            store->set_full(true);
        }
        return std::nullopt;
    });
    const auto request = [](int id, const char* tool) {
        return Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", {{"name", tool}, {"arguments", Json::object()}}}};
    };
    const Json batch = Json::array({request(1, "slow"), request(2, "quick")});
    auto answer = harness.post(session, batch);
    ASSERT_TRUE(harness.turn_until([&] { return harness.log().has("the store takes nothing for now"); }));
    store->on_commit({});
    make_room();
    ASSERT_TRUE(harness.turn_until([&] { return answer->done() && store->unfinished_calls().value().empty(); }));
    std::set<std::string> texts;
    const auto read = [&](const Json& json) {
        if (json.contains("result")) {
            texts.insert(json["result"]["content"][0]["text"].get<std::string>());
        }
    };
    if (answer->streaming) {
        for (const std::string& message : answer->messages()) {
            read(Json::parse(message));
        }
    } else {
        // It met the other one before its row was written: all of the batch was refused. Each request may be sent again; while the first
        // attempt is on its way out, its id is still in use.
        EXPECT_EQ(answer->status, 503u);
        ASSERT_TRUE(harness.turn_until([&] {
            read(harness.await(harness.post(session, batch[0])));
            return texts.contains("slow");
        }));
        read(harness.await(harness.post(session, batch[1])));
    }
    EXPECT_EQ(texts, (std::set<std::string>{"quick", "slow"}));
    EXPECT_EQ(harness.await(harness.post(session, ping))["result"], Json::object());
}

TEST_F(engine_store, after_a_commit_of_unknown_outcome_nothing_is_answered_and_every_request_gets_503) {
    std::atomic<int> told{0};
    std::atomic<int> effects{0};
    harness.options().on_poisoned = [&](const std::string& sentence) {
        told += sentence.find("fsync failed") != std::string::npos ? 1 : 100;
    };
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        run_step(port, "a", [] { return "1"; });
        run_step(port, "b", [&] { return ++effects, "2"; });
        return text_result("done");
    });
    harness.add_tool("quick", [](CallPort&, const Json&) { return text_result("done"); });
    harness.start();
    const std::string session = harness.begin_session();
    std::atomic<bool> fails{false};
    store->on_commit([&](std::uint64_t) -> std::optional<store::CommitFault> {
        // The record of step a, not the acceptance.
        if (!fails && store->unfinished_calls().value().empty()) {
            return std::nullopt;
        }
        fails = true;
        return store::CommitFault{Failure{FailureCode::outcome_unknown, "fsync failed"}, false};
    });
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_TRUE(answer->messages().empty());
    EXPECT_EQ(effects, 0);
    EXPECT_FALSE(harness.engine().is_ready());
    for (int again = 0; again < 2; ++again) {
        EXPECT_EQ(status_of(harness.call(session, 2, "quick")), 503u);
        EXPECT_EQ(status_of(harness.post(session, ping)), 503u);
        EXPECT_EQ(status_of(harness.get(session)), 503u);
    }
    EXPECT_TRUE(harness.turn_until([&] { return told == 1; }));
    EXPECT_TRUE(harness.log().has("the store is poisoned: "));
    store->on_commit({});
}

TEST_F(engine_store, an_acceptance_or_an_answer_of_unknown_outcome_is_not_answered_at_all) {
    for (const std::string tool : {"quick", "step"}) {
        const auto poisoned = store::open_memory_store();
        EngineHarness server(poisoned);
        server.add_tool("quick", [](CallPort&, const Json&) { return text_result("done"); });
        server.add_tool("step", [](CallPort& port, const Json&) { return text_result(run_step(port, "a", [] { return "done"; })); });
        server.start();
        const std::string session = server.begin_session();
        poisoned->on_commit([](std::uint64_t) { return store::CommitFault{Failure{FailureCode::outcome_unknown, "fsync failed"}, true}; });
        const auto answer = server.call(session, 1, tool);
        ASSERT_TRUE(server.turn_until([&] { return answer->done(); }));
        EXPECT_TRUE(answer->aborted) << tool;  // not even a 503: it might have happened
        EXPECT_EQ(answer->status, 0u) << tool;
        poisoned->on_commit({});
    }
}

TEST_F(engine_store, what_an_unknown_outcome_had_applied_is_what_the_next_process_goes_on_from) {
    for (const bool applied : {true, false}) {
        const auto doubtful = store::open_memory_store();
        std::atomic<int> runs{0};
        std::string session;
        const auto tool = [&](CallPort&, const Json&) { return text_result(std::to_string(++runs)); };
        {
            EngineHarness server(doubtful);
            server.add_tool("work", tool);
            server.start();
            session = server.begin_session();
            doubtful->on_commit([&](std::uint64_t) {
                return store::CommitFault{Failure{FailureCode::outcome_unknown, "fsync failed"}, applied};
            });
            const auto answer = server.call(session, 1, "work");
            ASSERT_TRUE(server.turn_until([&] { return answer->aborted; }));
        }
        doubtful->on_commit({});
        doubtful->reopen();
        EngineHarness server(doubtful);
        server.add_tool("work", tool);
        server.start();
        EXPECT_EQ(server.await_text(server.call(session, 1, "work")), applied ? "1" : "2");
    }
}

TEST_F(engine_store, a_request_whose_lookup_fails_is_refused_and_does_not_run) {  // B42
    std::atomic<int> runs{0};
    harness.add_tool("work", [&](CallPort&, const Json&) { return ++runs, text_result("done"); });
    harness.start();
    const std::string session = harness.begin_session();
    harness.mortal_store().kill();
    EXPECT_EQ(status_of(harness.call(session, "a text is always looked up", "work")), 503u);
    EXPECT_EQ(runs, 0);
}

TEST_F(engine_store, events_that_cannot_be_read_end_the_connection_or_get_503_and_never_an_empty_stream) {
    harness.add_tool("work", [](CallPort& port, const Json&) { return text_result(run_step(port, "a", [] { return "done"; })); });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    harness.await(answer);
    harness.mortal_store().kill();
    EXPECT_EQ(status_of(harness.get(session, answer->events[0].id)), 503u);
}

TEST_F(engine_store, a_map_that_cannot_be_read_is_an_error_of_the_library_and_the_handler_may_go_on) {  // B25
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        std::string text;
        run_step(port, "a", [&] { return harness.mortal_store().kill(), "1"; });
        try {
            static_cast<void>(port.map_get("m", "k", true));
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::store_unavailable);
            throw;
        }
        return text_result(text);
    });
    harness.start();
    const auto answer = harness.call(harness.begin_session(), 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_TRUE(answer->messages().empty());
}

}  // namespace
}  // namespace durable_mcp
