// SPDX-License-Identifier: Apache-2.0
// What a request's id stands for, and taking a request back (semantics §4 and §5): B35, B36, B42, B43.

#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::on_each_store;
using test::run_step;
using test::text_result;
using test::World;

/// Echoes its argument and counts its runs.
test::ToolFunction echo(std::atomic<int>& runs) {
    return [&runs](CallPort&, const Json& arguments) { return text_result(arguments.dump() + " run " + std::to_string(++runs)); };
}

TEST_P(on_each_store, the_same_post_again_gets_the_same_answer_and_nothing_runs) {  // B36 B42
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("echo", echo(runs)); });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "echo", {{"a", 1}, {"b", 2}});
    first.await(answer);
    for (int process = 0; process < 2; ++process) {
        EngineHarness& harness = process == 0 ? first : world.boot();
        const auto again = harness.post_text(
            session, R"({"method":"tools/call","params":{"arguments":{"b":2, "a":1},"name":"echo"},"id":1,"jsonrpc":"2.0"})");
        harness.await(again);
        EXPECT_EQ(again->body, answer->body);
        const Json other = harness.await(harness.call(session, 1, "echo", {{"a", 2}}));
        EXPECT_EQ(other["error"]["code"], -32600);
        EXPECT_NE(other["error"]["message"].get<std::string>().find("used before"), std::string::npos);
        EXPECT_EQ(runs, 1);
        if (process == 0) {
            world.crash();
        }
    }
}

TEST(engine_requests, an_error_is_an_answer_like_any_other) {  // B36 B42
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("fail", [&](CallPort&, const Json&) -> Json {
        ++runs;
        throw ToolError("card declined");
    });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, "x", "fail");
    EXPECT_EQ(harness.await(answer)["result"]["isError"], true);
    const auto again = harness.call(session, "x", "fail");
    harness.await(again);
    EXPECT_EQ(again->body, answer->body);
    EXPECT_EQ(runs, 1);
}

TEST(engine_requests, the_same_post_again_attaches_to_the_running_call) {  // B40 B42
    const Door door;
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("work", [&, door](CallPort& port, const Json&) {
        ++runs;
        port.log(3, "\"hello\"", {});
        run_step(port, "wait", [&] { return door.pass(), "0"; });
        return text_result("done");
    });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->events.size() == 2 && door.came() == 1; }));
    const auto other = harness.call(session, 1, "work", {{"another", "request"}});
    EXPECT_EQ(harness.await(other)["error"]["code"], -32600);
    const auto again = harness.call(session, 1, "work");
    EXPECT_TRUE(answer->aborted);
    door.open();
    EXPECT_EQ(harness.await_text(again), "done");
    ASSERT_EQ(again->events.size(), 3u);  // all of it from the beginning
    EXPECT_EQ(again->events[0].id, answer->events[0].id);
    EXPECT_EQ(again->events[1].id, answer->events[1].id);
    EXPECT_EQ(again->events[1].data, answer->events[1].data);
    EXPECT_EQ(runs, 1);
}

TEST(engine_requests, the_same_post_again_after_a_crash_attaches_to_the_call_that_was_taken_up) {  // B42
    const Door door;
    std::atomic<int> runs{0};
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            if (++runs <= 2) {
                run_step(port, "wait", [&] { return door.pass(), "0"; });
            }
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1; }));
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "work")), "done");
    EXPECT_EQ(runs, 2);
}

TEST(engine_requests, the_same_post_again_before_anything_is_durable_gets_no_event_id) {  // B42
    const Door door;
    EngineHarness harness;
    harness.options().limits.decide_after = std::chrono::seconds(60);
    harness.add_tool("work", [&, door](CallPort&, const Json&) { return door.pass(), text_result("done"); });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    answer->leave();
    const auto again = harness.call(session, 1, "work");
    harness.turn();
    EXPECT_TRUE(again->events.empty());  // an id that only this process knows is a promise that a crash breaks
    door.open();
    EXPECT_EQ(harness.await_text(again), "done");
    EXPECT_FALSE(again->streaming);
}

TEST(engine_requests, one_request_of_a_batch_sent_again_alone_is_refused_and_disturbs_nothing) {  // B42
    const Door door;
    EngineHarness harness;
    harness.add_tool("work", [&, door](CallPort&, const Json&) { return door.pass(), text_result("done"); });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session("2025-03-26");
    const auto request = [](int id) {
        return Json{
            {"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", {{"name", "work"}, {"arguments", Json::object()}}}};
    };
    const auto answer = harness.post(session, Json::array({request(1), request(2)}));
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 2; }));
    const auto again = harness.post(session, request(1));
    EXPECT_EQ(harness.await(again)["error"]["code"], -32600);
    EXPECT_FALSE(answer->aborted);
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_EQ(answer->messages().size() + (answer->streaming ? 0 : Json::parse(answer->body).size()), 2u);
}

TEST_P(on_each_store, odd_ids_are_each_themselves_also_after_a_crash) {  // B43
    std::atomic<int> runs{0};
    const std::vector<std::string> ids{
        "1",      "\"1\"", "-1",    "0",      "9007199254740992", "9007199254740993",    "\"a/b/../c?d#e\"",
        "\"é𝄞\"", "\"\"",  "\" \"", "\"01\"", "\"null\"",         "9223372036854775807", "-9223372036854775808"};
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("echo", echo(runs)); });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto ask = [&](EngineHarness& harness, const std::string& id) {
        const auto answer = harness.post_text(
            session, R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":{"name":"echo","arguments":{"same":true}}})");
        harness.await(answer);
        return answer->body;
    };
    std::vector<std::string> answers;
    for (const std::string& id : ids) {
        answers.push_back(ask(first, id));
        EXPECT_NE(answers.back().find("\"id\":" + id + ","), std::string::npos) << answers.back();
    }
    EXPECT_EQ(runs, static_cast<int>(ids.size()));
    world.crash();
    EngineHarness& harness = world.boot();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        EXPECT_EQ(ask(harness, ids[i]), answers[i]);
    }
    EXPECT_EQ(runs, static_cast<int>(ids.size()));
}

TEST(engine_requests, two_sessions_may_use_the_same_id) {  // B43
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("echo", echo(runs));
    harness.start();
    harness.await(harness.call(harness.begin_session(), 1, "echo"));
    harness.await(harness.call(harness.begin_session(), 1, "echo"));
    EXPECT_EQ(runs, 2);
}

// ── Cancellation ───────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(on_each_store, a_cancellation_is_durable_before_it_is_acknowledged_and_a_crash_does_not_bring_the_call_back) {  // B35
    const Door door;
    std::atomic<int> runs{0};
    std::atomic<bool> noticed{false};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            ++runs;
            run_step(port, "wait", [&] { return door.pass(), "kept"; });
            noticed = port.cancelled();
            run_step(port, "never", [&] { return "x"; });
            ADD_FAILURE() << "a step began after the cancellation";
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1; }));
    const std::string call = first.store()->call_of_request(session, "1").value()->id;
    const auto cancel = first.cancel(session, 1);
    ASSERT_TRUE(first.turn_until([&] {
        const bool done = cancel->done();
        EXPECT_TRUE(!done || first.store()->call(call).value()->state == store::CallState::cancelled);
        return done;
    }));
    EXPECT_EQ(cancel->status, 202u);
    ASSERT_TRUE(first.turn_until([&] { return answer->done(); }));
    EXPECT_TRUE(answer->messages().empty());
    door.open();
    ASSERT_TRUE(
        first.turn_until([&] { return first.store()->entries(call).value().size() == 1; }));  // what had begun finished and is recorded
    EXPECT_EQ(first.store()->entries(call).value()[0].payload, "kept");
    world.crash();
    EXPECT_TRUE(noticed);
    EngineHarness& harness = world.boot();
    const Json again = harness.await(harness.call(session, 1, "work"));
    EXPECT_EQ(again["error"]["message"], "This request was cancelled");
    EXPECT_EQ(runs, 1);
}

TEST_P(on_each_store, cancelling_what_is_not_journaled_leaves_a_tombstone) {  // B35
    const Door door;
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().limits.decide_after = std::chrono::seconds(60);
        harness.add_tool("work", [&, door](CallPort&, const Json&) { return ++runs, door.pass(), text_result("done"); });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1; }));
    EXPECT_FALSE(first.store()->call_of_request(session, "1").value().has_value());
    const auto cancel = first.cancel(session, 1);
    first.await(cancel);
    EXPECT_EQ(cancel->status, 202u);
    ASSERT_TRUE(first.store()->call_of_request(session, "1").value().has_value());
    EXPECT_EQ(first.store()->call_of_request(session, "1").value()->state, store::CallState::cancelled);
    EXPECT_TRUE(answer->done());
    EXPECT_EQ(answer->body, "");
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await(harness.call(session, 1, "work"))["error"]["message"], "This request was cancelled");
    EXPECT_EQ(runs, 1);
}

TEST(engine_requests, a_late_cancellation_is_acknowledged_and_undoes_nothing) {  // B35
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("echo", echo(runs));
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "echo");
    harness.await(answer);
    const auto cancel = harness.cancel(session, 1);
    harness.await(cancel);
    EXPECT_EQ(cancel->status, 202u);
    const auto unknown = harness.cancel(session, "never asked");
    harness.await(unknown);
    EXPECT_EQ(unknown->status, 202u);
    const auto again = harness.call(session, 1, "echo");
    harness.await(again);
    EXPECT_EQ(again->body, answer->body);
}

TEST(engine_requests, a_cancellation_of_another_sessions_request_cancels_nothing) {  // B35
    const Door door;
    EngineHarness harness;
    harness.add_tool(
        "work", [&, door](CallPort& port, const Json&) { return text_result(run_step(port, "w", [&] { return door.pass(), "done"; })); });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    harness.await(harness.cancel(harness.begin_session(), 1));
    harness.await(harness.cancel(session, "1"));  // "1" is not 1
    door.open();
    EXPECT_EQ(harness.await_text(answer), "done");
}

TEST(engine_requests, a_second_cancellation_is_not_acknowledged_before_the_first_is_durable) {  // B35
    const Door door;
    const Door commit;
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.options().limits.decide_after = std::chrono::seconds(60);
    harness.add_tool("work", [&, door](CallPort&, const Json&) { return door.pass(), text_result("done"); });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    store->on_commit([commit](std::uint64_t) { return commit.pass(), std::nullopt; });
    const Door::Opener commit_opener(commit);
    const auto first = harness.cancel(session, 1);
    const auto second = harness.cancel(session, 1);
    ASSERT_TRUE(harness.turn_until([&] { return commit.came() == 1; }));
    harness.turn();
    EXPECT_FALSE(first->done());
    EXPECT_FALSE(second->done());
    commit.open();
    harness.await(first);
    harness.await(second);
    EXPECT_EQ(second->status, 202u);
    store->on_commit({});
}

TEST(engine_requests, a_late_cancellation_is_not_acknowledged_before_the_end_of_the_call_is_durable) {  // B35
    const Door commit;
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.options().limits.decide_after = std::chrono::seconds(60);
    harness.add_tool("work", [](CallPort&, const Json&) { return text_result("done"); });
    harness.start();
    const std::string session = harness.begin_session();
    store->on_commit([commit](std::uint64_t) { return commit.pass(), std::nullopt; });
    const Door::Opener opener(commit);
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return commit.came() == 1; }));  // its answer is on the way to disk
    const auto cancel = harness.cancel(session, 1);
    harness.turn();
    EXPECT_FALSE(cancel->done()) << "a process that died now would let the next one run the call";
    commit.open();
    harness.await(cancel);
    EXPECT_EQ(cancel->status, 202u);
    EXPECT_EQ(harness.await_text(answer), "done");
    store->on_commit({});
}

TEST(engine_requests, a_tool_without_durability_is_cancelled_at_once_and_leaves_no_trace) {  // B35
    const Door door;
    EngineHarness harness;
    std::atomic<bool> noticed{false};
    harness.add_tool(
        "work", [&, door](CallPort& port, const Json&) { return door.pass(), noticed = port.cancelled(), text_result("done"); },
        runtime::Durability::none);
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    const auto cancel = harness.cancel(session, 1);
    harness.await(cancel);
    EXPECT_TRUE(answer->done());
    door.open();
    EXPECT_TRUE(harness.turn_until([&] { return noticed.load(); }));
    EXPECT_FALSE(harness.store()->call_of_request(session, "1").value().has_value());
    EXPECT_EQ(answer->body, "");
}

// ── How many at a time ─────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(engine_requests, a_request_that_was_read_holds_its_body_no_longer) {
    EngineHarness harness;
    harness.start();
    const auto request = std::make_shared<test::FakeRequest>("POST",
                                                             std::map<std::string, std::string, std::less<>>{
                                                                 {"Accept", "application/json, text/event-stream"},
                                                                 {"Content-Type", "application/json"},
                                                                 {"Mcp-Session-Id", harness.begin_session()}},
                                                             R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
    const auto sink = std::make_shared<test::FakeSink>();
    harness.engine().serve(request, sink);
    EXPECT_EQ(harness.await(sink)["result"], Json::object());
    EXPECT_TRUE(request->body().empty()) << "an answer may take hours";
}

TEST(engine_requests, more_calls_than_may_run_are_refused_with_503_and_later_taken) {  // limits.running_calls, running_calls_per_session
    for (const bool per_session : {true, false}) {
        const Door door;
        EngineHarness harness;
        (per_session ? harness.options().limits.running_calls_per_session : harness.options().limits.running_calls) = 2;
        harness.add_tool("work", [&, door](CallPort&, const Json&) { return door.pass(), text_result("done"); });
        harness.start();
        const Door::Opener opener(door);
        const std::string session = harness.begin_session();
        const std::string other = harness.begin_session();
        const auto one = harness.call(session, 1, "work");
        const auto two = harness.call(session, 2, "work");
        const auto three = harness.call(session, 3, "work");
        harness.await(three);
        EXPECT_EQ(three->status, 503u);
        EXPECT_EQ(three->headers["Retry-After"], "5");
        const auto elsewhere = harness.call(other, 1, "work");
        harness.turn();
        EXPECT_EQ(elsewhere->status, per_session ? 0u : 503u);
        door.open();
        EXPECT_EQ(harness.await_text(one), "done");
        EXPECT_EQ(harness.await_text(two), "done");
        EXPECT_EQ(harness.await_text(harness.call(session, 3, "work")), "done");
        harness.await(elsewhere);
    }
}

TEST(engine_requests,
     a_call_that_is_one_too_many_in_a_batch_gets_an_error_and_the_others_their_answers) {  // limits.running_calls_per_session
    const Door door;
    EngineHarness harness;
    harness.options().limits.running_calls_per_session = 1;
    harness.add_tool("work", [&, door](CallPort&, const Json&) { return door.pass(), text_result("done"); });
    harness.start();
    const Door::Opener opener(door);
    Json batch = Json::array();
    for (int id = 1; id <= 2; ++id) {
        batch.push_back(
            {{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", {{"name", "work"}, {"arguments", Json::object()}}}});
    }
    const auto answer = harness.post(harness.begin_session("2025-03-26"), batch);
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    std::vector<Json> answers;
    for (const std::string& text : answer->messages()) {
        answers.push_back(Json::parse(text));
    }
    if (!answer->streaming) {
        answers = Json::parse(answer->body).get<std::vector<Json>>();
    }
    ASSERT_EQ(answers.size(), 2u);
    const bool first_is_error = answers[0].contains("error");
    EXPECT_EQ(answers[first_is_error ? 0 : 1]["error"]["code"], -32603);
    EXPECT_EQ(answers[first_is_error ? 1 : 0]["result"]["content"][0]["text"], "done");
}

}  // namespace
}  // namespace durable_mcp
