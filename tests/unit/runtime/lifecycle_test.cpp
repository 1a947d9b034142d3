// SPDX-License-Identifier: Apache-2.0
// How calls end, what a boot takes up, how a server stops (semantics §2 and §6): B20 to B23, B51, B52.

#include <algorithm>
#include <limits>
#include <mutex>
#include <set>

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
using namespace std::chrono_literals;

/// Calls `tool` as request 1 and waits for a handler at `door`. The session, and the id of the priming event.
std::pair<std::string, std::string> begin_call(EngineHarness& harness, const std::string& tool, const Door& door) {
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, tool);
    EXPECT_TRUE(harness.turn_until([&] { return door.came() >= 1 && !answer->events.empty(); }));
    return {session, answer->events.empty() ? "" : answer->events[0].id};
}

// ── How a call ends ────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(engine_endings, a_tool_that_throws_is_finished_and_its_words_stay_in_the_log) {  // B20
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("fail", [&](CallPort&, const Json&) -> Json {
        ++runs;
        try {
            throw std::out_of_range("inner secret");
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer secret"));
        }
    });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "fail");
    const Json result = harness.await(answer)["result"];
    EXPECT_EQ(result["isError"], true);
    EXPECT_EQ(answer->body.find("secret"), std::string::npos) << answer->body;
    const std::string call = harness.store()->call_of_request(session, "1").value()->id;
    EXPECT_NE(answer->body.find(call), std::string::npos) << answer->body;
    EXPECT_TRUE(harness.log().has(call));
    EXPECT_TRUE(harness.log().has("outer secret\n  caused by std::out_of_range: inner secret"));
    EXPECT_EQ(harness.store()->call(call).value()->state, store::CallState::completed);
    EXPECT_EQ(runs, 1);
}

TEST(engine_endings, what_a_tool_says_to_its_client_is_said) {  // B20
    EngineHarness harness;
    harness.add_tool("refuse", [](CallPort&, const Json&) -> Json { throw ToolError("card declined"); });
    harness.add_tool("garbage", [](CallPort&, const Json&) -> Json { throw ToolError("not \xff utf-8"); });
    harness.add_tool("arguments", [](CallPort&, const Json&) -> Json { throw InvalidArguments("cents", "'cents' must be positive"); });
    harness.start();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "refuse")), "card declined");
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "garbage")), "not \uFFFD utf-8");
    const Json in_band = harness.await(harness.call(session, 3, "arguments"));
    EXPECT_EQ(in_band["result"]["isError"], true);
    EXPECT_EQ(in_band["result"]["content"][0]["text"], "'cents' must be positive");
    const Json as_error = harness.await(harness.call(harness.begin_session("2025-06-18"), 3, "arguments"));
    EXPECT_EQ(as_error["error"]["code"], -32602);
    EXPECT_EQ(as_error["error"]["message"], "'cents' must be positive");
}

TEST(engine_endings, a_prompt_or_a_resource_that_throws_ends_in_an_error_and_so_does_an_unknown_one_at_once) {  // B21
    EngineHarness harness;
    harness.add(mcp::ItemKind::prompt, "p", {{"name", "p"}}, [](CallPort&, const Json&) -> Json { throw std::runtime_error("secret"); });
    harness.add(mcp::ItemKind::prompt, "q", {{"name", "q"}}, [](CallPort&, const Json&) -> Json { throw ToolError("not today \xff"); });
    harness.add(mcp::ItemKind::resource, "r://a", {{"uri", "r://a"}, {"name", "a"}},
                [](CallPort&, const Json&) -> Json { throw std::runtime_error("secret"); });
    harness.add(mcp::ItemKind::resource, "r://b", {{"uri", "r://b"}, {"name", "b"}},
                [](CallPort&, const Json&) -> Json { throw ResourceNotFound("gone"); });
    harness.start();
    const std::string session = harness.begin_session();
    int id = 0;
    const auto ask = [&](const std::string& method, Json params) {
        const auto answer = harness.post(session, {{"jsonrpc", "2.0"}, {"id", ++id}, {"method", method}, {"params", std::move(params)}});
        Json error = harness.await(answer)["error"];
        EXPECT_EQ(answer->body.find("secret"), std::string::npos) << answer->body;
        return error;
    };
    EXPECT_EQ(ask("prompts/get", {{"name", "p"}})["code"], -32603);
    EXPECT_EQ(ask("prompts/get", {{"name", "q"}})["message"], "not today \uFFFD");
    EXPECT_EQ(ask("resources/read", {{"uri", "r://a"}})["code"], -32603);
    const Json gone = ask("resources/read", {{"uri", "r://b"}});
    EXPECT_EQ(gone["code"], -32002);
    EXPECT_EQ(gone["data"]["uri"], "r://b");
    EXPECT_EQ(ask("prompts/get", {{"name", "unknown"}})["code"], -32602);
    EXPECT_EQ(ask("resources/read", {{"uri", "r://unknown"}})["code"], -32002);
    EXPECT_EQ(ask("tools/call", {{"name", "unknown"}, {"arguments", Json::object()}})["code"], -32602);
}

TEST(engine_endings, a_result_that_is_too_large_or_no_json_is_an_error_and_the_call_is_finished) {  // limits.result_bytes
    EngineHarness harness;
    harness.options().limits.result_bytes = 200;
    harness.add_tool("large", [](CallPort&, const Json&) { return text_result(std::string(200, 'x')); });
    harness.add_tool("fits", [](CallPort&, const Json&) { return text_result(std::string(100, 'x')); });
    harness.add_tool("bytes", [](CallPort&, const Json&) { return text_result("\xff"); });
    harness.add_tool("nan", [](CallPort&, const Json&) {
        Json result = text_result("x");
        result["structuredContent"] = {{"x", std::numeric_limits<double>::quiet_NaN()}};
        return result;
    });
    harness.start();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await(harness.call(session, 1, "large"))["error"]["code"], -32603);
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "fits")), std::string(100, 'x'));
    EXPECT_EQ(harness.await(harness.call(session, 3, "bytes"))["error"]["code"], -32603);
    EXPECT_EQ(harness.await(harness.call(session, 4, "nan"))["error"]["code"], -32603);
    EXPECT_EQ(harness.store()->call_of_request(session, "1").value()->state, store::CallState::completed);
}

TEST(engine_endings, the_words_of_an_error_have_the_same_limit_as_a_result) {  // limits.result_bytes
    EngineHarness harness;
    harness.options().limits.result_bytes = 300;
    harness.add_tool("tool error", [](CallPort&, const Json&) -> Json { throw ToolError(std::string(301, 'x')); });
    harness.add_tool("message", [](CallPort&, const Json&) -> Json { throw ProtocolError(-32000, std::string(301, 'x')); });
    harness.add_tool("data", [](CallPort&, const Json&) -> Json { throw ProtocolError(-32000, "x", Json(std::string(301, 'x')).dump()); });
    harness.add_tool("fits", [](CallPort&, const Json&) -> Json { throw ToolError(std::string(100, 'x')); });
    harness.start();
    const std::string session = harness.begin_session();
    int id = 0;
    for (const char* const tool : {"tool error", "message", "data"}) {
        Json answer = harness.await(harness.call(session, ++id, tool));
        EXPECT_EQ(answer["error"]["code"], -32603) << answer;
        EXPECT_NE(answer.dump().find("larger than this server sends"), std::string::npos) << answer;
    }
    EXPECT_EQ(harness.await_text(harness.call(session, ++id, "fits")), std::string(100, 'x'));
}

// ── What a boot takes up ───────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(on_each_store, a_call_that_kills_its_process_again_and_again_is_quarantined) {  // B22, limits.crashed_attempts
    std::vector<Door> doors(4);
    std::atomic<int> runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().limits.crashed_attempts = 3;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            run_step(port, "first", [] { return "1"; });
            run_step(port, "deadly", [&, door = doors[static_cast<std::size_t>(runs++)]] { return door.pass(), "2"; });
            return text_result("survived");
        });
    });
    EngineHarness* harness = &world.boot();
    const auto [session, cursor] = begin_call(*harness, "work", doors[0]);
    for (std::size_t death = 0; death < 3; ++death) {
        ASSERT_TRUE(harness->turn_until([&] { return doors[death].came() == 1; })) << death;
        world.crash([&] { doors[death].open(); });
        harness = &world.boot();
    }
    const Json answer = harness->await(harness->get(session, cursor));
    EXPECT_EQ(answer["error"]["code"], -32603);
    EXPECT_NE(answer["error"]["message"].get<std::string>().find("ended its server 3 times and is not run again"), std::string::npos)
        << answer;
    EXPECT_EQ(harness->store()->call_of_request(session, "1").value()->state, store::CallState::quarantined);
    EXPECT_EQ(runs, 3);
    EXPECT_TRUE(harness->log().has("it is quarantined"));
    world.crash();
    harness = &world.boot();
    EXPECT_EQ(harness->await(harness->get(session, cursor)), answer);  // final
    EXPECT_EQ(runs, 3);
}

TEST(engine_boot, a_call_whose_journal_has_a_hole_is_quarantined_and_takes_nobody_with_it) {
    std::atomic<int> runs{0};
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&](CallPort&, const Json&) { return ++runs, text_result("done"); });
    });
    const std::string session = world.boot().begin_session();
    EXPECT_TRUE(world.stop());
    store::CallRow row;
    row.id = row.stream = std::string(32, 'c');
    row.session = session;
    row.request_id = "1";
    row.document = R"({"method":"tools/call","params":{"name":"work","arguments":{}},"revision":"2025-11-25"})";
    const auto entry = [](std::uint64_t seq) {
        return journal::Entry{seq, journal::EntryKind::step_completed, "s:" + std::to_string(seq), "string", "\"x\""};
    };
    const store::Group group{store::InsertCall{row}, store::AppendEntry{row.id, entry(1)}, store::AppendEntry{row.id, entry(3)}};
    const store::Group* const groups[] = {&group};
    ASSERT_TRUE(world.open_store()->commit(groups).has_value());
    EngineHarness& harness = world.boot();
    const Json answer = harness.await(harness.get(session, row.stream + ".0"));
    EXPECT_EQ(answer["error"]["code"], -32603) << answer;
    EXPECT_EQ(harness.store()->call(row.id).value()->state, store::CallState::quarantined);
    EXPECT_TRUE(harness.log().has("its journal is not whole"));
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "work")), "done");
    EXPECT_EQ(runs, 1);
}

TEST(engine_boot, attempts_that_make_an_entry_or_end_in_a_planned_stop_are_not_held_against_a_call) {  // B22
    std::vector<Door> doors(7);
    std::atomic<std::size_t> runs{0};
    World world([&](EngineHarness& harness) {
        harness.options().limits.crashed_attempts = 2;
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            const std::size_t run = runs++;
            for (std::size_t i = 0; i < std::min<std::size_t>(run + 1, 3); ++i) {
                run_step(port, "s" + std::to_string(i), [&, door = doors[run]] { return i == run ? door.pass() : void(), "1"; });
            }
            if (run < 6) {
                doors[run].pass();
                run_step(port, "last", [] { return "1"; });
            }
            return text_result(std::to_string(port.attempt()));
        });
    });
    EngineHarness* harness = &world.boot();
    const auto [session, cursor] = begin_call(*harness, "work", doors[0]);
    for (std::size_t death = 0; death < 3; ++death) {  // each of these has one entry more than the one before
        ASSERT_TRUE(harness->turn_until([&] { return doors[death].came() == 1; })) << death;
        world.crash([&] { doors[death].open(); });
        harness = &world.boot();
    }
    for (std::size_t stop = 3; stop < 6; ++stop) {  // and these none, but they were put down on purpose
        ASSERT_TRUE(harness->turn_until([&] { return doors[stop].came() == 1; })) << stop;
        EXPECT_TRUE(harness->stop(5s, [&] { doors[stop].open(); }));
        harness = &world.boot();
    }
    EXPECT_EQ(harness->await_text(harness->get(session, cursor)), "7");
}

TEST(engine_boot, a_call_whose_tool_is_gone_ends_in_an_error_that_names_it) {  // B23
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("vanishing", [door](CallPort& port, const Json&) {
            return text_result(run_step(port, "w", [&] { return door.pass(), "0"; }));
        });
    });
    const auto [session, cursor] = begin_call(world.boot(), "vanishing", door);
    world.crash([&] { door.open(); });
    world.set_up_as([](EngineHarness&) {});
    EngineHarness& harness = world.boot();
    const Json answer = harness.await(harness.get(session, cursor));
    EXPECT_EQ(answer["id"], 1);
    EXPECT_EQ(answer["error"]["code"], -32602);
    EXPECT_NE(answer["error"]["message"].get<std::string>().find("'vanishing' is no longer offered"), std::string::npos) << answer;
    EXPECT_TRUE(harness.store()->unfinished_calls().value().empty());
    const Json again = harness.await(harness.call(session, 1, "vanishing"));  // whether it is offered is asked first
    EXPECT_TRUE(again.contains("error")) << again;
}

TEST(engine_boot, a_call_whose_arguments_the_new_handler_rejects_ends_in_that_error) {  // B23
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool(
            "work", [door](CallPort& port, const Json&) { return text_result(run_step(port, "w", [&] { return door.pass(), "0"; })); });
    });
    const auto [session, cursor] = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    world.set_up_as([](EngineHarness& harness) {
        harness.add_tool("work", [](CallPort&, const Json&) -> Json { throw InvalidArguments("x", "'x' is missing"); });
    });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(session, cursor)), "'x' is missing");
    EXPECT_TRUE(harness.store()->unfinished_calls().value().empty());
}

TEST(engine_boot, unfinished_calls_run_again_a_bounded_number_at_a_time) {  // B51, limits.recovery_concurrency
    const Door before;
    const Door after;
    std::atomic<bool> is_second{false};
    std::mutex mutex;
    std::set<int> begun;
    World world([&](EngineHarness& harness) {
        harness.options().limits.recovery_concurrency = 2;
        harness.add_tool("work", [&](CallPort& port, const Json& arguments) {
            if (is_second) {
                const std::lock_guard lock(mutex);
                begun.insert(arguments.at("number").get<int>());
            }
            run_step(port, "w", [&] { return (is_second ? after : before).pass(), "0"; });
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    for (int id = 1; id <= 5; ++id) {
        first.call(session, id, "work", {{"number", id}});
    }
    ASSERT_TRUE(first.turn_until([&] { return before.came() == 5; }));
    world.crash([&] { before.open(); });
    is_second = true;
    EngineHarness& harness = world.boot();
    const Door::Opener opener(after);
    ASSERT_TRUE(harness.turn_until([&] { return after.came() == 2; }));
    const Json ping{{"jsonrpc", "2.0"}, {"id", "p"}, {"method", "ping"}};
    EXPECT_EQ(harness.await(harness.post(session, ping))["result"], Json::object());  // others are served meanwhile
    EXPECT_EQ(after.came(), 2);
    int waiting = 1;
    while (begun.contains(waiting)) {
        ++waiting;
    }
    harness.await(harness.cancel(session, waiting));  // one that waits for its turn can be taken back
    after.open();
    EXPECT_TRUE(harness.turn_until([&] { return harness.store()->unfinished_calls().value().empty(); }));
    EXPECT_EQ(after.came(), 4);
    EXPECT_EQ(harness.store()->call_of_request(session, std::to_string(waiting)).value()->state, store::CallState::cancelled);
}

TEST(engine_boot, a_server_that_stops_before_it_has_taken_everything_up_leaves_the_rest_for_the_next) {  // B51 B52
    Door door;
    World world([&](EngineHarness& harness) {
        harness.options().limits.recovery_concurrency = 1;
        harness.add_tool(
            "work", [&](CallPort& port, const Json&) { return text_result(run_step(port, "w", [door] { return door.pass(), "done"; })); });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    std::vector<std::shared_ptr<test::FakeSink>> answers;
    for (int id = 1; id <= 3; ++id) {
        answers.push_back(first.call(session, id, "work"));
    }
    ASSERT_TRUE(first.turn_until([&] {
        return door.came() == 3 && std::all_of(answers.begin(), answers.end(), [](const auto& answer) { return !answer->events.empty(); });
    }));
    world.crash([&] { door.open(); });
    door = Door();
    EngineHarness& second = world.boot();
    ASSERT_TRUE(second.turn_until([&] { return door.came() == 1; }));
    std::vector<std::shared_ptr<test::FakeSink>> waiting;
    for (const auto& answer : answers) {
        waiting.push_back(second.get(session, answer->events[0].id));
    }
    EXPECT_TRUE(second.stop(5s, [&] { door.open(); }));
    std::size_t answered = 0;
    for (const auto& sink : waiting) {
        EXPECT_TRUE(sink->ended);  // answered, or sent away with its call untouched
        answered += sink->messages().size();
    }
    EXPECT_EQ(answered, 1u);
    EXPECT_EQ(door.came(), 1);
    EngineHarness& third = world.boot();
    for (const auto& answer : answers) {
        EXPECT_EQ(third.await_text(third.get(session, answer->events[0].id)), "done");
    }
    EXPECT_TRUE(third.turn_until([&] { return third.store()->unfinished_calls().value().empty(); }));
}

const Json initialize{
    {"jsonrpc", "2.0"},
    {"id", 1},
    {"method", "initialize"},
    {"params", {{"protocolVersion", "2025-11-25"}, {"capabilities", Json::object()}, {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}};

TEST(engine_boot, what_arrives_while_it_boots_is_held_and_answered_when_the_store_is_open) {  // B51
    World world([](EngineHarness&) {});
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    world.crash();
    EngineHarness harness(world.open_store());
    harness.start(true);
    EXPECT_FALSE(harness.engine().is_ready());
    const auto old_session = harness.post(session, {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "ping"}});
    const auto new_session = harness.post({}, initialize);
    const auto unknown = harness.get("unknown");
    harness.turn();
    EXPECT_FALSE(old_session->done() || new_session->done() || unknown->done());
    harness.open();
    EXPECT_TRUE(harness.engine().is_ready());
    EXPECT_EQ(harness.await(old_session)["result"], Json::object());
    harness.await(new_session);
    EXPECT_EQ(new_session->status, 200u);
    harness.await(unknown);
    EXPECT_EQ(unknown->status, 404u);
}

TEST(engine_boot, what_was_held_for_too_long_gets_503_and_never_400_or_404) {  // B51, limits.boot_hold
    struct StandingClock final : base::Clock {
        std::int64_t wall_ms() const override { return 1'800'000'000'000; }
        std::chrono::steady_clock::time_point steady() const override { return begin + passed.load(); }
        const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
        std::atomic<std::chrono::milliseconds> passed{0ms};
    } clock;
    EngineHarness harness;
    harness.options().clock = &clock;
    harness.options().limits.boot_hold = 20ms;
    harness.start(true);
    const auto first = harness.get("unknown");
    const auto second = harness.post({}, initialize);
    clock.passed = 20ms;
    harness.await(first);
    harness.await(second);
    for (const auto& sink : {first, second}) {
        EXPECT_EQ(sink->status, 503u);
        EXPECT_EQ(sink->headers["Retry-After"], "5");
    }
    const auto third = harness.post({}, initialize);
    harness.open();
    harness.await(third);
    EXPECT_EQ(third->status, 200u);
}

TEST(engine_boot, a_server_that_is_stopped_while_it_boots_answers_what_it_held) {  // B51 B52
    EngineHarness harness;
    harness.start(true);
    const auto held = harness.post({}, initialize);
    EXPECT_TRUE(harness.stop());
    EXPECT_EQ(held->status, 503u);
}

TEST(engine_boot, a_store_that_turns_out_to_be_damaged_half_way_is_let_go_of) {
    const Door door;
    const auto work = [door](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return door.pass(), "0"; })); };
    World world([&](EngineHarness& harness) { harness.add_tool("work", work); });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    first.call(session, 1, "work");
    first.call(session, 2, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 2; }));
    world.crash([&] { door.open(); });
    EngineHarness second(world.open_store());
    second.add_tool("work", work);
    second.mortal_store().handle_reads_left = 1;  // one of the calls is found, the other cannot be
    second.start(true);
    EXPECT_THROW(second.open(), std::runtime_error);
    second.crash();  // nobody stops what never began; it expects that nothing is left
}

TEST(engine_boot, a_store_that_cannot_be_read_refuses_to_open_with_its_sentence) {
    EngineHarness harness;
    harness.mortal_store().kill();
    harness.start(true);
    EXPECT_THROW(harness.open(), std::runtime_error);
    EXPECT_FALSE(harness.engine().is_ready());
}

}  // namespace
}  // namespace durable_mcp
