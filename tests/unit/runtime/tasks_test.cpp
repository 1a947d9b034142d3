// SPDX-License-Identifier: Apache-2.0
// Tasks in both forms: the extension's of 2026-07-28 and the experimental one of 2025-11-25 (semantics §5, protocol §4).

#include <set>

#include "durable_mcp/error.hpp"
#include "unit/runtime/client_parts.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::ask_number;
using test::Door;
using test::elicitation;
using test::EngineHarness;
using test::error_of;
using test::FakeClock;
using test::FakeSink;
using test::number;
using test::on_each_store;
using test::result_of;
using test::run_step;
using test::StatelessClient;
using test::tasks_and;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

const std::string newest = "2025-11-25";

/// Waits at the door, then does what it is told to: "isError", "error", or text.
test::ToolFunction worker(const Door& door) {
    return [door](CallPort& port, const Json& arguments) -> Json {
        run_step(port, "wait", [&] { return door.pass(), "0"; });
        const std::string end = arguments.value("end", "done");
        if (end == "error") {
            throw ProtocolError(-32000, "no");
        }
        if (end == "isError") {
            throw ToolError("no");
        }
        return text_result(end);
    };
}
Json one_question(CallPort& port, const Json&) {
    return text_result(ask_number(port, "a"));
}
Json two_questions(CallPort& port, const Json&) {
    const auto answers = port.ask({test::number_question("a"), test::number_question("b")});
    return text_result(answers.at(0) + answers.at(1));
}

std::shared_ptr<FakeSink> ask_session(EngineHarness& harness, const std::string& session, const std::string& method, Json params,
                                      const Json& id) {
    return harness.post(session, {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
}
/// tools/call of revision 2025-11-25, as a task; what was answered.
Json begin_session_task(EngineHarness& harness, const std::string& session, const std::string& tool, Json arguments, const Json& id,
                        Json task = Json::object()) {
    return harness.await(
        ask_session(harness, session, "tools/call", {{"name", tool}, {"arguments", std::move(arguments)}, {"task", std::move(task)}}, id));
}
Json get_session_task(EngineHarness& harness, const std::string& session, const std::string& task) {
    return harness.await(ask_session(harness, session, "tasks/get", {{"taskId", task}}, "get"));
}

const StatelessClient& client() {
    static const StatelessClient one{.capabilities = tasks_and(elicitation())};
    return one;
}
Json get(EngineHarness& harness, const std::string& task) {
    return harness.await(client().ask(harness, "tasks/get", {{"taskId", task}}));
}
/// Turns until the task has that status; its last state.
Json await_status(EngineHarness& harness, const std::string& task, const std::string& status) {
    Json seen = Json::object();
    EXPECT_TRUE(harness.turn_until([&] {
        seen = get(harness, task);
        return seen.value("/result/status"_json_pointer, "") == status;
    })) << seen.dump();
    return result_of(seen);
}

TEST_P(on_each_store, a_task_is_on_disk_before_its_client_hears_of_it) {  // B45
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(door), "required"); });
    EngineHarness* harness = &world.boot();
    const Json created = result_of(harness->await(client().call(*harness, "work")));
    EXPECT_EQ(created["resultType"], "task");
    EXPECT_EQ(created["status"], "working");
    EXPECT_EQ(created["ttlMs"], 7 * 24 * 3600 * 1000);
    const std::string task = created["taskId"];
    world.crash([&] { door.open(); });  // right behind the answer
    harness = &world.boot();
    const Json done = await_status(*harness, task, "completed");
    EXPECT_EQ(done["resultType"], "complete");
    EXPECT_EQ(done["result"]["content"][0]["text"], "done");
    EXPECT_EQ(done["createdAt"], created["createdAt"]);
    world.crash();
    EXPECT_EQ(get(world.boot(), task)["result"], done);  // terminal: nothing changes any more
}

TEST(engine_tasks, an_unknown_task_and_one_of_the_other_form_are_refused_alike) {
    const Door door;
    EngineHarness harness;
    harness.add_tool("work", worker(door), "optional", [](runtime::HandlerTarget& target) { target.inline_wait = 0ms; });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session(newest);
    const std::string mine = result_of(harness.await(client().call(harness, "work")))["taskId"];
    const std::string sessions = result_of(begin_session_task(harness, session, "work", Json::object(), 1))["task"]["taskId"];
    for (const std::string& task : {std::string("nothing"), sessions}) {
        for (const std::string method : {"tasks/get", "tasks/cancel"}) {
            const Json answer = harness.await(client().ask(harness, method, {{"taskId", task}}));
            EXPECT_EQ(error_of(answer), -32602);
            EXPECT_EQ(answer["error"]["message"], "There is no such task");
        }
        EXPECT_EQ(error_of(harness.await(client().ask(harness, "tasks/update", {{"taskId", task}, {"inputResponses", Json::object()}}))),
                  -32602);
    }
    EXPECT_EQ(error_of(get_session_task(harness, session, mine)), -32602);
    EXPECT_EQ(result_of(get_session_task(harness, session, sessions))["status"], "working");
}

TEST_P(on_each_store, how_a_task_ends_is_told_in_the_words_of_its_era) {
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(door), "optional"); });
    EngineHarness& harness = world.boot();
    door.open();
    const std::string session = harness.begin_session(newest);
    int id = 0;
    for (const std::string end : {"done", "isError", "error"}) {
        const std::string task = result_of(begin_session_task(harness, session, "work", {{"end", end}}, ++id))["task"]["taskId"];
        const Json result = harness.await(ask_session(harness, session, "tasks/result", {{"taskId", task}}, ++id));
        EXPECT_EQ(result["id"], id);
        if (end == "error") {
            EXPECT_EQ(error_of(result), -32000);
        } else {
            EXPECT_EQ(result["result"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], task);
        }
        EXPECT_EQ(result_of(get_session_task(harness, session, task))["status"], end == "done" ? "completed" : "failed");
    }
    harness.stop();
    World later(GetParam(), [&](EngineHarness& next) { next.add_tool("work", worker(door), "required"); });
    EngineHarness& other = later.boot();
    for (const std::string end : {"done", "isError", "error"}) {
        const std::string task = result_of(other.await(client().call(other, "work", {{"end", end}})))["taskId"];
        const Json detail = await_status(other, task, end == "error" ? "failed" : "completed");
        EXPECT_EQ(detail.contains("error"), end == "error");
        EXPECT_EQ(detail.value("/result/isError"_json_pointer, false), end == "isError");
    }
}

TEST_P(on_each_store, a_task_asks_by_inputRequests_and_takes_answers_one_by_one) {  // B30 B33
    World world(GetParam(), [](EngineHarness& harness) { harness.add_tool("ask", two_questions, "required"); });
    EngineHarness* harness = &world.boot();
    const std::string task = result_of(harness->await(client().call(*harness, "ask")))["taskId"];
    ASSERT_TRUE(
        harness->turn_until([&] { return result_of(get(*harness, task))["inputRequests"].size() == 2; }));  // they come to disk one by one
    const auto update = [&](Json responses) {
        const Json said =
            harness->await(client().ask(*harness, "tasks/update", {{"taskId", task}, {"inputResponses", std::move(responses)}}));
        EXPECT_EQ(result_of(said)["resultType"], "complete") << said;
    };
    update({{"z", number(1)}, {"a", nullptr}});
    EXPECT_EQ(await_status(*harness, task, "input_required")["inputRequests"].size(), 2u);
    update({{"b", number(2)}});
    world.crash();
    harness = &world.boot();
    EXPECT_TRUE(await_status(*harness, task, "input_required")["inputRequests"].contains("a"));
    EXPECT_EQ(result_of(get(*harness, task))["inputRequests"].size(), 1u);
    update({{"a", number(1)}, {"b", number(9)}});
    EXPECT_EQ(await_status(*harness, task, "completed")["result"]["content"][0]["text"], number(1).dump() + number(2).dump());
    update({{"a", number(5)}});  // too late: acknowledged, and nothing changes
    EXPECT_EQ(result_of(get(*harness, task))["status"], "completed");
}

TEST_P(on_each_store, a_cancellation_is_durable_idempotent_and_final) {  // B35
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", worker(door), "optional", [](runtime::HandlerTarget& target) { target.inline_wait = 0ms; });
        harness.add_tool("ask", one_question, "required");
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const std::string running = result_of(harness->await(client().call(*harness, "work")))["taskId"];
    const std::string resting = result_of(harness->await(client().call(*harness, "ask")))["taskId"];
    const std::string sessions = result_of(begin_session_task(*harness, session, "work", Json::object(), 1))["task"]["taskId"];
    await_status(*harness, resting, "input_required");
    const auto blocked = ask_session(*harness, session, "tasks/result", {{"taskId", sessions}}, "r");
    for (const std::string& task : {running, resting, running, resting}) {
        EXPECT_EQ(result_of(harness->await(client().ask(*harness, "tasks/cancel", {{"taskId", task}})))["resultType"], "complete");
        EXPECT_EQ(result_of(get(*harness, task))["status"], "cancelled");
    }
    const Json said = harness->await(ask_session(*harness, session, "tasks/cancel", {{"taskId", sessions}}, 2));
    EXPECT_EQ(result_of(said)["status"], "cancelled");
    EXPECT_EQ(error_of(harness->await(blocked)), -32602);  // who waits for its result is told
    EXPECT_EQ(result_of(get_session_task(*harness, session, sessions))["status"], "cancelled");
    world.crash([&] { door.open(); });
    harness = &world.boot();
    harness->turn_for(20ms);
    for (const std::string& task : {running, resting}) {
        EXPECT_EQ(result_of(get(*harness, task))["status"], "cancelled");
    }
    EXPECT_EQ(error_of(harness->await(ask_session(*harness, session, "tasks/cancel", {{"taskId", sessions}}, 3))), -32602);
    EXPECT_EQ(error_of(harness->await(ask_session(*harness, session, "tasks/result", {{"taskId", sessions}}, 4))), -32602);
}

TEST(engine_tasks, that_a_task_was_cancelled_is_told_when_it_is_on_disk) {  // B35
    const Door door;
    World world([&](EngineHarness& harness) { harness.add_tool("work", worker(door), "required"); });
    EngineHarness* harness = &world.boot();
    const std::string task = result_of(harness->await(client().call(*harness, "work")))["taskId"];
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    const Door disk;
    harness->mortal_store().hold_commits(disk);
    const auto cancel = client().ask(*harness, "tasks/cancel", {{"taskId", task}});
    ASSERT_TRUE(harness->turn_until([&] { return disk.came() == 1; }));
    EXPECT_EQ(result_of(get(*harness, task))["status"], "working");
    EXPECT_FALSE(cancel->done());
    world.crash([&] { disk.open(), door.open(); });  // nobody has heard that it was taken back, and it was not
    await_status(world.boot(), task, "completed");
}

TEST(engine_tasks, the_result_of_one_that_waits_for_its_turn_can_be_asked_for_although_its_tool_is_gone) {  // B23 B51
    Door door;
    const auto slow = [&](CallPort& port, const Json&) { return text_result(run_step(port, "a", [door] { return door.pass(), "0"; })); };
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("slow", slow, "optional");
        harness.add_tool("vanishing", slow, "optional");
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    begin_session_task(*harness, session, "slow", Json::object(), 1);
    clock.advance(1s);
    const std::string task = result_of(begin_session_task(*harness, session, "vanishing", Json::object(), 2))["task"]["taskId"];
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 2; }));
    world.crash([&] { door.open(); });
    door = Door();
    world.set_up_as([&](EngineHarness& next) {
        next.options().limits.recovery_concurrency = 1;
        next.add_tool("slow", slow, "optional");
    });
    harness = &world.boot();
    const Door::Opener opener(door);
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    const auto waiting = ask_session(*harness, session, "tasks/result", {{"taskId", task}}, 3);
    harness->turn();
    EXPECT_FALSE(waiting->done());
    door.open();
    EXPECT_EQ(error_of(harness->await(waiting)), -32602);
}

TEST(engine_tasks, a_cancellation_that_comes_too_late_changes_no_result) {  // B35
    EngineHarness harness;
    const Door door;
    door.open();
    harness.add_tool("work", worker(door), "optional");
    harness.start();
    const std::string session = harness.begin_session(newest);
    const std::string task = result_of(begin_session_task(harness, session, "work", Json::object(), 1))["task"]["taskId"];
    harness.await(ask_session(harness, session, "tasks/result", {{"taskId", task}}, 2));
    EXPECT_EQ(error_of(harness.await(ask_session(harness, session, "tasks/cancel", {{"taskId", task}}, 3))), -32602);
    EXPECT_EQ(result_of(get_session_task(harness, session, task))["status"], "completed");
}

TEST_P(on_each_store, the_result_of_a_session_task_blocks_and_brings_its_questions) {  // B30
    World world(GetParam(), [](EngineHarness& harness) { harness.add_tool("ask", one_question, "optional"); });
    EngineHarness* harness = &world.boot();
    std::string session = harness->begin_session(newest, elicitation());
    const std::string task = result_of(begin_session_task(*harness, session, "ask", Json::object(), 1))["task"]["taskId"];
    auto blocked = ask_session(*harness, session, "tasks/result", {{"taskId", task}}, 2);
    ASSERT_TRUE(harness->turn_until([&] { return test::questions_in(*blocked).size() == 1; }));
    const Json question = test::questions_in(*blocked)[0];
    EXPECT_EQ(question["params"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], task);
    EXPECT_EQ(result_of(get_session_task(*harness, session, task))["status"], "input_required");
    world.crash();
    harness = &world.boot();
    session = harness->begin_session(newest, elicitation());  // another session of the same principal
    blocked = ask_session(*harness, session, "tasks/result", {{"taskId", task}}, 3);
    ASSERT_TRUE(harness->turn_until([&] { return test::questions_in(*blocked).size() == 1; }));
    EXPECT_EQ(test::questions_in(*blocked)[0]["id"], question["id"]);
    harness->post(session, test::response(question["id"], number(8)));
    const Json result = harness->await(blocked);
    EXPECT_EQ(result["id"], 3);
    EXPECT_EQ(result["result"]["content"][0]["text"], "8");
    EXPECT_EQ(result["result"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], task);
}

TEST_P(on_each_store, tasks_are_listed_in_pages_and_outlive_their_session) {  // B48
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().limits.tasks_page = 2;
        harness.add_tool("work", worker(door), "optional", [](runtime::HandlerTarget& target) { target.inline_wait = 0ms; });
    });
    EngineHarness* harness = &world.boot();
    std::string session = harness->begin_session(newest);
    std::set<std::string> begun;
    for (int id = 1; id <= 5; ++id) {
        begun.insert(result_of(begin_session_task(*harness, session, "work", {{"end", std::to_string(id)}}, id))["task"]["taskId"]);
    }
    harness->await(client().call(*harness, "work"));  // of the other form: on no list
    EXPECT_TRUE(harness->turn_until([&] { return harness->request("DELETE", {{"Mcp-Session-Id", session}}, {})->done(); }));
    session = harness->begin_session(newest);
    std::set<std::string> listed;
    Json params = Json::object();
    for (const std::size_t size : {2u, 2u, 1u}) {
        const Json page = result_of(harness->await(ask_session(*harness, session, "tasks/list", params, "l")));
        EXPECT_EQ(page["tasks"].size(), size);
        for (const Json& task : page["tasks"]) {
            listed.insert(task["taskId"].get<std::string>());
            EXPECT_EQ(task["status"], "working");
        }
        params = {{"cursor", page.value("nextCursor", "")}};
        EXPECT_EQ(page.contains("nextCursor"), size == 2);
    }
    EXPECT_EQ(listed, begun);
    world.crash([&] { door.open(); });
    harness = &world.boot();  // its session is gone, and it goes on
    for (const std::string& task : begun) {
        const Json result = harness->await(ask_session(*harness, session, "tasks/result", {{"taskId", task}}, task));
        EXPECT_TRUE(result.contains("result")) << result;
    }
}

TEST_P(on_each_store, a_task_whose_time_is_over_is_cancelled_and_then_forgotten) {
    const Door door;
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", worker(door), "optional", [](runtime::HandlerTarget& target) { target.task_ttl = 1min; });
        harness.add_tool("ask", one_question, "required", [](runtime::HandlerTarget& target) { target.task_ttl = 1min; });
    });
    EngineHarness* harness = &world.boot();
    std::string session = harness->begin_session(newest);
    const Json begun = result_of(begin_session_task(*harness, session, "work", Json::object(), 1, {{"ttl", 30'000}}))["task"];
    EXPECT_EQ(begun["ttl"], 30'000);
    EXPECT_EQ(result_of(begin_session_task(*harness, session, "work", Json::object(), 2, {{"ttl", 3600'000}}))["task"]["ttl"], 60'000);
    const std::string resting = result_of(harness->await(client().call(*harness, "ask")))["taskId"];
    await_status(*harness, resting, "input_required");
    clock.advance(45s);
    world.crash([&] { door.open(); });
    harness = &world.boot();
    await_status(*harness, resting, "input_required");
    ASSERT_TRUE(harness->turn_until([&] { return harness->store()->unfinished_calls()->size() == 1; }));  // whether it was over or could end
    clock.advance(1min);
    world.crash();
    harness = &world.boot();  // its sweep ends what rests
    ASSERT_TRUE(harness->turn_until([&] { return harness->store()->unfinished_calls()->empty(); }));
    world.crash();
    harness = &world.boot();  // and this one forgets it
    ASSERT_TRUE(harness->turn_until([&] { return harness->store()->expired_handles(clock.wall_ms(), nullptr, 10)->empty(); }));
    EXPECT_EQ(error_of(get(*harness, resting)), -32602);
    EXPECT_EQ(error_of(get_session_task(*harness, session, begun["taskId"])), -32602);
}

TEST(engine_tasks, what_is_over_and_stays_for_now_hides_nothing_from_the_sweep) {
    const Door door;
    FakeClock clock;
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.recovery_concurrency = 1;
        harness.add_tool("work", worker(door));
    });
    const std::string session = world.boot().begin_session(newest);
    EXPECT_TRUE(world.stop());
    // As many calls with a key as make several pages, whose session can still ask for them; a finished one whose time was over later.
    const auto insert = [&](const std::string& id, bool is_finished) {
        store::CallRow row;
        row.id = row.stream = id;
        row.session = is_finished ? "" : session;
        row.request_id = Json(id).dump();
        row.document = R"({"method":"tools/call","params":{"name":"work","arguments":{}},"revision":"2025-11-25"})";
        row.state = is_finished ? store::CallState::completed : store::CallState::suspended;
        store::HandleRow handle;
        handle.call = id;
        handle.idempotency_key = "key of " + id;
        handle.reach = static_cast<std::uint32_t>(store::Reach::key);
        handle.created_ms = clock.wall_ms() - (is_finished ? 10'000 : 20'000);
        handle.ttl_ms = 1'000;
        handle.document = "{}";
        const store::Group group{store::InsertCall{row}, store::PutHandle{handle}};
        const store::Group* const groups[] = {&group};
        ASSERT_TRUE(world.open_store()->commit(groups).has_value());
    };
    constexpr int kept = 600;
    for (int i = 0; i < kept; ++i) {
        insert("call-" + std::to_string(1'000 + i), false);
    }
    insert("finished", true);
    EngineHarness& harness = world.boot();  // and sweeps
    const Door::Opener opener(door);
    EXPECT_TRUE(harness.turn_until([&] { return !harness.store()->call("finished")->has_value(); }));
    EXPECT_EQ(harness.store()->expired_handles(clock.wall_ms(), nullptr, 2 * kept)->size(), std::size_t{kept});
}

TEST_P(on_each_store, a_call_becomes_a_task_when_it_says_so_or_takes_too_long) {  // B45
    for (const bool says_so : {true, false}) {
        Door door;
        std::atomic<int> said_yes{0};
        World world(GetParam(), [&](EngineHarness& harness) {
            harness.add_tool(
                "work",
                [&, door, says_so](CallPort& port, const Json&) {
                    if (says_so && port.become_task()) {
                        ++said_yes;
                    }
                    return text_result(run_step(port, "wait", [&] { return door.pass(), "done"; }));
                },
                // One that says so is not made a task by anything else.
                "optional", [&](runtime::HandlerTarget& target) { target.inline_wait = says_so ? std::chrono::milliseconds(1h) : 30ms; });
        });
        EngineHarness* harness = &world.boot();
        const Json created = result_of(harness->await(client().call(*harness, "work")));
        ASSERT_EQ(created["resultType"], "task") << created;
        // Its client is told by the loop, and the handler goes on by itself.
        EXPECT_TRUE(harness->turn_until([&] { return said_yes == (says_so ? 1 : 0); }));
        if (!says_so) {
            // A client that knows no tasks gets a state instead.
            const Json state = result_of(harness->await(StatelessClient().call(*harness, "work")));
            EXPECT_EQ(state["resultType"], "input_required");
        }
        world.crash([&] { door.open(); });
        harness = &world.boot();
        EXPECT_EQ(await_status(*harness, created["taskId"], "completed")["result"]["content"][0]["text"], "done");
    }
}

TEST(engine_tasks, a_task_that_is_begun_while_the_server_stops_is_still_told_of) {  // B52
    const Door door;
    World world([&](EngineHarness& harness) { harness.add_tool("work", worker(door), "required"); });
    EngineHarness* harness = &world.boot();
    harness->turn_for(10ms);
    const Door disk;
    harness->mortal_store().hold_commits(disk);
    const auto answer = client().call(*harness, "work");
    ASSERT_TRUE(harness->turn_until([&] { return disk.came() == 1; }));  // its row is on the way to disk
    EXPECT_TRUE(harness->stop(5s, [&] { disk.open(); }));
    ASSERT_FALSE(answer->body.empty());
    const Json created = result_of(Json::parse(answer->body));
    ASSERT_EQ(created["resultType"], "task") << answer->body;
    door.open();
    await_status(world.boot(), created["taskId"], "completed");
}

TEST_P(on_each_store, a_session_task_with_an_idempotency_key_is_begun_once) {  // B44
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", worker(door), "optional", [](runtime::HandlerTarget& target) { target.idempotency_argument = "order"; });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const std::string task = result_of(begin_session_task(*harness, session, "work", {{"order", 1}}, 1))["task"]["taskId"];
    EXPECT_EQ(result_of(begin_session_task(*harness, session, "work", {{"order", 1}}, 2))["task"]["taskId"], task);
    EXPECT_EQ(error_of(begin_session_task(*harness, session, "work", {{"order", 1}, {"end", "x"}}, 3)), -32602);
    EXPECT_NE(result_of(begin_session_task(*harness, session, "work", {{"order", 2}}, 4))["task"]["taskId"], task);
    world.crash([&] { door.open(); });
    harness = &world.boot();
    harness->await(ask_session(*harness, session, "tasks/result", {{"taskId", task}}, 5));
    const Json again = result_of(begin_session_task(*harness, session, "work", {{"order", 1}}, 6));
    EXPECT_EQ(again["task"]["taskId"], task);
    EXPECT_EQ(again["task"]["status"], "completed");
    EXPECT_EQ(harness->await_text(harness->call(session, 7, "work", {{"order", 1}})), "done");  // and inline, by the same key
}

TEST_P(on_each_store, the_same_request_for_a_session_task_again_is_answered_with_the_same_task) {  // B42
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(door), "optional"); });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest);
    const auto begin = [&](Json arguments) { return begin_session_task(*harness, session, "work", std::move(arguments), 1); };
    const std::string task = result_of(begin({{"end", "x"}}))["task"]["taskId"];
    EXPECT_EQ(result_of(begin({{"end", "x"}}))["task"]["taskId"], task);
    EXPECT_EQ(error_of(begin({{"end", "y"}})), -32600);
    world.crash([&] { door.open(); });
    harness = &world.boot();
    EXPECT_EQ(result_of(begin({{"end", "x"}}))["task"]["taskId"], task);
    EXPECT_EQ(error_of(begin({{"end", "y"}})), -32600);
}

TEST(engine_tasks, there_are_no_more_open_ones_than_there_may_be) {
    const Door door;
    EngineHarness harness;
    harness.options().limits.tasks_per_principal = 2;
    harness.add_tool("work", worker(door), "required");
    harness.start();
    const Door::Opener opener(door);
    std::vector<std::shared_ptr<FakeSink>> answers;
    for (int i = 0; i < 5; ++i) {
        answers.push_back(client().call(harness, "work"));  // at once
    }
    int begun = 0;
    for (const auto& answer : answers) {
        begun += harness.await(answer).contains("result") ? 1 : 0;
    }
    EXPECT_EQ(begun, 2);
}

TEST(engine_tasks, a_task_that_cannot_be_taken_up_is_refused_and_not_waited_for) {
    auto store = store::open_memory_store();
    store::CallRow row;
    row.id = "0123456789abcdefghijklmnop";
    row.request_id = "1";
    row.stream = row.id;
    row.document = "what is this?";
    store::HandleRow handle;
    handle.call = row.id;
    handle.reach = static_cast<std::uint32_t>(store::Reach::session_task) | static_cast<std::uint32_t>(store::Reach::task);
    handle.document = "{}";
    const store::Group group{store::InsertCall{row}, store::PutHandle{handle}};
    const store::Group* const groups[] = {&group};
    ASSERT_TRUE(store->commit(groups).has_value());
    EngineHarness harness(store);
    harness.add_tool("work", one_question, "optional");
    harness.start();
    const std::string session = harness.begin_session(newest);
    for (const char* const method : {"tasks/result", "tasks/cancel"}) {
        const auto answer = ask_session(harness, session, method, {{"taskId", row.id}}, method);
        ASSERT_TRUE(harness.turn_until([&] { return answer->done(); })) << method;
        EXPECT_EQ(answer->status, 503u) << method;
    }
}

}  // namespace
}  // namespace durable_mcp
