// SPDX-License-Identifier: Apache-2.0
// Calls of the stateless era (2026-07-28): answered whole, taken back by a lost connection, or come back for with a sealed state (B45,
// B46).

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
using test::run_once;
using test::run_step;
using test::StatelessClient;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

constexpr int warning = 3;

Json one_question(CallPort& port, const Json&) {
    return text_result(ask_number(port, "a"));
}

/// What a client comes back with.
Json with_state(const Json& result, Json responses = nullptr) {
    Json more{{"requestState", result["requestState"]}};
    if (!responses.is_null()) {
        more["inputResponses"] = std::move(responses);
    }
    return more;
}
Json await_result(EngineHarness& harness, const std::shared_ptr<FakeSink>& sink) {
    const Json answer = harness.await(sink);
    EXPECT_TRUE(answer.is_object() && answer.contains("result")) << answer.dump();
    return result_of(answer);
}
std::string text_of(const Json& result) {
    return result.value("/content/0/text"_json_pointer, "");
}
std::size_t unfinished(EngineHarness& harness) {
    return harness.store()->unfinished_calls()->size();
}

TEST(engine_stateless, the_code_of_the_error_alone_decides_about_the_status) {
    EngineHarness harness;
    harness.add_tool("data", [](CallPort&, const Json&) -> Json { throw ProtocolError(5, "no", R"({"code":-32021})"); });
    harness.add_tool("longer", [](CallPort&, const Json&) -> Json { throw ProtocolError(-320210, "no"); });
    harness.add_tool("lacks", [](CallPort& port, const Json&) { return text_result(ask_number(port, "a")); });
    harness.start();
    const StatelessClient client;
    for (const auto& [tool, status] : {std::pair("data", 200u), std::pair("longer", 200u), std::pair("lacks", 400u)}) {
        for (const Json& id : {Json(1), Json(std::string(1'024, '\x01')), Json("\"error\":{\"code\":-32021,")}) {
            const auto answer = client.call(harness, tool, Json::object(), Json::object(), id);
            harness.await(answer);
            EXPECT_EQ(answer->status, status) << tool << " " << id.dump().substr(0, 40);
        }
    }
}

TEST(engine_stateless, a_call_without_durable_acts_is_answered_whole_and_writes_nothing) {  // B45
    EngineHarness harness;
    harness.add_tool("quick", [](CallPort&, const Json&) { return text_result("done"); });
    harness.add_tool("step", [](CallPort& port, const Json&) { return text_result(run_step(port, "a", [] { return "stepped"; })); });
    harness.start();
    ASSERT_TRUE(harness.turn_until([&] { return harness.store()->secrets()->size() == 1; }));
    harness.turn_for(5ms);
    const int before = harness.mortal_store().writes;
    const auto answer = StatelessClient().call(harness, "quick", Json::object(), Json::object(), "x");
    const Json said = harness.await(answer);
    EXPECT_FALSE(answer->streaming);
    EXPECT_EQ(answer->status, 200u);
    EXPECT_EQ(said["id"], "x");
    EXPECT_EQ(said["result"]["resultType"], "complete");
    EXPECT_EQ(text_of(said["result"]), "done");
    harness.turn_for(20ms);
    EXPECT_EQ(harness.mortal_store().writes, before);
    EXPECT_EQ(harness.await_text(StatelessClient().call(harness, "step")), "stepped");
    harness.turn_for(5ms);
    EXPECT_GT(harness.mortal_store().writes, before);
    EXPECT_EQ(unfinished(harness), 0u);  // and it left with its answer
}

TEST(engine_stateless, who_hangs_up_takes_the_call_back_and_a_session_client_does_not) {  // B35 B45
    for (const bool is_stateless : {true, false}) {
        const Door door;
        std::atomic<int> steps{0};
        EngineHarness harness;
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            run_step(port, "first", [&] { return ++steps, door.pass(), "0"; });
            port.log(warning, "\"between\"", {});
            return text_result(run_step(port, "second", [&] { return ++steps, "done"; }));
        });
        harness.start();
        const Door::Opener opener(door);
        StatelessClient client;
        client.meta["io.modelcontextprotocol/logLevel"] = "debug";
        const std::string session = harness.begin_session();
        const auto answer = is_stateless ? client.call(harness, "work") : harness.call(session, 1, "work");
        ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
        const std::size_t seen = answer->events.size();
        answer->leave();
        harness.turn_for(10ms);
        door.open();
        if (is_stateless) {
            ASSERT_TRUE(harness.turn_until([&] { return unfinished(harness) == 0; }));
            harness.turn_for(20ms);
            EXPECT_EQ(steps, 1);
            EXPECT_EQ(answer->events.size(), seen);
            EXPECT_TRUE(answer->body.empty());
        } else {
            ASSERT_TRUE(harness.turn_until([&] { return steps == 2 && unfinished(harness) == 0; }));
        }
    }
}

TEST(engine_stateless, logs_go_out_at_the_level_of_their_request_and_progress_with_its_token) {  // B27 B28
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        port.log(warning, "\"w\"", {});
        port.log(warning + 1, "\"e\"", {});
        port.report_progress(1, 2, {});
        port.report_progress(0.5, 2, {});
        return text_result("done");
    });
    harness.start();
    EXPECT_FALSE([&] {
        const auto plain = StatelessClient().call(harness, "work");
        harness.await(plain);
        return plain->streaming;
    }());
    StatelessClient client;
    client.meta = {{"io.modelcontextprotocol/logLevel", "error"}, {"progressToken", "t"}};
    const auto answer = client.call(harness, "work");
    EXPECT_EQ(harness.await_text(answer), "done");
    const auto messages = answer->messages();
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(Json::parse(messages[0])["params"]["data"], "e");
    EXPECT_EQ(Json::parse(messages[1])["params"]["progressToken"], "t");
    EXPECT_EQ(Json::parse(messages[1])["params"]["progress"], 1);
    for (const auto& event : answer->events) {
        EXPECT_TRUE(event.id.empty());  // nothing of it can be asked for again
    }
}

TEST_P(on_each_store, a_question_ends_the_exchange_and_the_state_leads_back_also_from_before_a_crash) {  // B45
    std::atomic<int> steps{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("ask", [&](CallPort& port, const Json&) {
            run_step(port, "before", [&] { return ++steps, "0"; });
            const std::string a = ask_number(port, "a");
            return text_result(a + "," + ask_number(port, "b"));
        });
    });
    EngineHarness* harness = &world.boot();
    const StatelessClient client{.capabilities = elicitation()};
    Json result = await_result(*harness, client.call(*harness, "ask", {{"x", 1}}));
    EXPECT_EQ(result["resultType"], "input_required");
    ASSERT_EQ(result["inputRequests"].size(), 1u);
    EXPECT_EQ(result["inputRequests"]["a"]["method"], "elicitation/create");
    world.crash();
    harness = &world.boot();
    result = await_result(*harness, client.call(*harness, "ask", {{"x", 1.0}}, with_state(result, {{"a", number(3)}})));
    EXPECT_EQ(result["resultType"], "input_required");
    ASSERT_EQ(result["inputRequests"].size(), 1u);
    EXPECT_TRUE(result["inputRequests"].contains("b"));
    result = await_result(*harness, client.call(*harness, "ask", {{"x", 1}}, with_state(result, {{"b", number(4)}}), 77));
    EXPECT_EQ(text_of(result), "3,4");
    EXPECT_EQ(steps, 1);
}

TEST(engine_stateless, wrong_unknown_and_missing_answers_are_asked_for_again) {  // B34 B45
    EngineHarness harness;
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        const auto answers = port.ask({test::number_question("a"), test::number_question("b")});
        return text_result(answers.at(0) + answers.at(1));
    });
    harness.start();
    const StatelessClient client{.capabilities = elicitation()};
    Json result = await_result(harness, client.call(harness, "ask"));
    EXPECT_EQ(result["inputRequests"].size(), 2u);
    for (const Json& wrong : {Json(nullptr), Json{{"a", nullptr}}, Json{{"a", {{"action", "maybe"}}}}, Json{{"z", number(1)}},
                              Json{{"a", {{"action", "accept"}, {"content", {{"n", "x"}}}}}}}) {
        result = await_result(harness, client.call(harness, "ask", Json::object(), with_state(result, wrong)));
        EXPECT_EQ(result["resultType"], "input_required") << wrong;
        EXPECT_EQ(result["inputRequests"].size(), 2u) << wrong;
    }
    result = await_result(harness, client.call(harness, "ask", Json::object(), with_state(result, {{"b", number(2)}, {"z", 1}})));
    EXPECT_EQ(result["inputRequests"].size(), 1u);
    result = await_result(harness, client.call(harness, "ask", Json::object(), with_state(result, {{"a", number(1)}, {"b", number(9)}})));
    EXPECT_EQ(text_of(result), number(1).dump() + number(2).dump());  // b was answered before: the first one stays
}

TEST_P(on_each_store, answers_may_come_with_the_first_request_and_are_kept_with_it) {  // B45
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("ask", [&](CallPort& port, const Json&) {
            run_step(port, "before", [&] { return door.pass(), "0"; });
            return text_result(ask_number(port, "a") + ask_number(port, "b"));
        });
    });
    EngineHarness& harness = world.boot();
    door.open();
    const StatelessClient client{.capabilities = elicitation()};
    const Json more{{"inputResponses", {{"a", number(1)}, {"b", {{"action", "maybe"}}}}}};
    const Json result = await_result(harness, client.call(harness, "ask", Json::object(), more));
    ASSERT_EQ(result["inputRequests"].size(), 1u);
    EXPECT_TRUE(result["inputRequests"].contains("b"));
    EXPECT_EQ(text_of(await_result(harness, client.call(harness, "ask", Json::object(), with_state(result, {{"b", number(2)}})))), "12");
}

TEST(engine_stateless, what_the_request_that_began_the_call_declared_counts) {  // B29 B50
    EngineHarness harness;
    harness.add_tool("ask", [](CallPort& port, const Json&) { return ask_number(port, "a"), text_result(ask_number(port, "b")); });
    harness.start();
    const auto refused = StatelessClient().call(harness, "ask");
    EXPECT_EQ(error_of(harness.await(refused)), -32021);
    EXPECT_EQ(refused->status, 400u);
    const Json first = await_result(harness, StatelessClient{.capabilities = elicitation()}.call(harness, "ask"));
    const Json second =
        await_result(harness, StatelessClient().call(harness, "ask", Json::object(), with_state(first, {{"a", number(1)}})));
    EXPECT_TRUE(second["inputRequests"].contains("b"));
}

TEST(engine_stateless, the_same_state_twice_attaches_and_is_answered_again_afterwards) {  // B36 B45
    const Door door;
    std::atomic<int> runs{0};
    EngineHarness harness;
    harness.add_tool("ask", [&, door](CallPort& port, const Json&) {
        const std::string a = ask_number(port, "a");
        return text_result(run_step(port, "work", [&] { return ++runs, door.pass(), a; }));
    });
    harness.start();
    const Door::Opener opener(door);
    const StatelessClient client{.capabilities = elicitation()};
    const Json more = with_state(await_result(harness, client.call(harness, "ask")), {{"a", number(7)}});
    const auto one = client.call(harness, "ask", Json::object(), more, 2);
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    const auto two = client.call(harness, "ask", Json::object(), more, "three");
    harness.turn_for(5ms);
    one->leave();  // the other one still waits: nothing is taken back
    harness.turn_for(5ms);
    door.open();
    const Json said = harness.await(two);
    EXPECT_EQ(said["id"], "three");
    EXPECT_EQ(text_of(said["result"]), "7");
    const Json again = harness.await(client.call(harness, "ask", Json::object(), more, 4));
    EXPECT_EQ(again["id"], 4);
    EXPECT_EQ(text_of(result_of(again)), "7");
    EXPECT_EQ(runs, 1);
}

TEST(engine_stateless, whoever_waits_too_long_is_sent_away_with_a_state_and_comes_back) {  // B45
    const Door door;
    std::atomic<int> runs{0};
    EngineHarness harness;
    harness.add_tool(
        "work",
        [&, door](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return ++runs, door.pass(), "done"; })); },
        "forbidden", [](runtime::HandlerTarget& target) { target.inline_wait = 20ms; });
    harness.start();
    const Door::Opener opener(door);
    const StatelessClient client;
    Json result = await_result(harness, client.call(harness, "work"));
    for (int leg = 0; leg < 2; ++leg) {
        EXPECT_EQ(result["resultType"], "input_required");
        EXPECT_FALSE(result.contains("inputRequests"));
        if (leg == 0) {
            result = await_result(harness, client.call(harness, "work", Json::object(), with_state(result)));
        }
    }
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return unfinished(harness) == 0; }));  // between two legs it runs on
    EXPECT_EQ(text_of(await_result(harness, client.call(harness, "work", Json::object(), with_state(result)))), "done");
    EXPECT_EQ(runs, 1);
}

TEST(engine_stateless, a_leg_that_is_lost_while_its_state_is_on_the_way_to_disk_takes_the_call_back) {  // B35 B45
    const Door door;
    std::atomic<int> steps{0};
    EngineHarness harness;
    harness.add_tool(
        "work",
        [&, door](CallPort& port, const Json&) {
            run_step(port, "a", [&] { return ++steps, door.pass(), "0"; });
            return text_result(run_step(port, "b", [&] { return ++steps, "done"; }));
        },
        "forbidden", [](runtime::HandlerTarget& target) { target.inline_wait = 20ms; });
    harness.start();
    const Door::Opener opener(door);
    const Door disk;
    const Door::Opener disk_opener(disk);
    harness.mortal_store().hold_handles(disk);
    const auto answer = StatelessClient().call(harness, "work");
    ASSERT_TRUE(harness.turn_until([&] { return disk.came() == 1; }));
    EXPECT_FALSE(answer->done());
    answer->leave();
    disk.open();
    ASSERT_TRUE(harness.turn_until([&] { return unfinished(harness) == 0; }));
    door.open();
    EXPECT_TRUE(harness.stop());
    EXPECT_LE(steps, 1);
}

TEST(engine_stateless, a_store_that_is_full_refuses_a_state_at_once) {  // B45
    const Door door;
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.add_tool(
        "work", [&, door](CallPort& port, const Json&) { return door.pass(), text_result(run_step(port, "a", [] { return "done"; })); },
        "forbidden", [](runtime::HandlerTarget& target) { target.inline_wait = 20ms; });
    harness.start();
    const Door::Opener opener(door);
    harness.turn_for(5ms);
    store->set_full(true);
    const auto answer = StatelessClient().call(harness, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_EQ(answer->status, 503u);
    store->set_full(false);
    door.open();
    EXPECT_TRUE(harness.turn_until([&] { return harness.engine().is_ready(); }));
}

TEST_P(on_each_store, a_planned_stop_hands_a_state_over_and_the_next_process_finishes) {  // B45 B52
    std::atomic<int> runs{0};
    std::atomic<bool> is_inside{false};
    Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            run_step(port, "a", [&] { return ++runs, is_inside = true, door.pass(), "0"; });
            return text_result(run_step(port, "b", [&] { return ++runs, "done"; }));
        });
    });
    EngineHarness* harness = &world.boot();
    const auto answer = StatelessClient().call(*harness, "work");
    ASSERT_TRUE(harness->turn_until([&] { return is_inside.load(); }));
    EXPECT_TRUE(harness->stop(5s, [&] { door.open(); }));
    const Json result = result_of(Json::parse(answer->body));
    ASSERT_EQ(result["resultType"], "input_required");
    harness = &world.boot();
    EXPECT_EQ(text_of(await_result(*harness, StatelessClient().call(*harness, "work", Json::object(), with_state(result)))), "done");
    EXPECT_EQ(runs, 2);
}

TEST(engine_stateless, a_stop_hands_a_state_to_whoever_has_just_come_back_to_a_call_that_rests) {  // B45 B52
    World world([](EngineHarness& harness) { harness.add_tool("ask", one_question); });
    EngineHarness* harness = &world.boot();
    const StatelessClient client{.capabilities = elicitation()};
    const Json asked = await_result(*harness, client.call(*harness, "ask"));
    const Door disk;
    harness->mortal_store().hold_commits(disk);
    const auto back = client.call(*harness, "ask", Json::object(), with_state(asked, {{"a", number(3)}}));
    ASSERT_TRUE(harness->turn_until([&] { return disk.came() == 1; }));  // the answer is on its way to disk
    EXPECT_TRUE(harness->stop(5s, [&] { disk.open(); }));
    ASSERT_EQ(back->status, 200u) << back->body;
    const Json result = result_of(Json::parse(back->body));
    ASSERT_EQ(result["resultType"], "input_required");
    harness = &world.boot();
    EXPECT_EQ(text_of(await_result(*harness, client.call(*harness, "ask", Json::object(), with_state(result)))), "3");
}

TEST(engine_stateless, a_stop_that_cannot_wait_for_a_handler_hands_a_state_over_too) {  // B45 B52
    std::atomic<int> runs{0};
    Door door;
    const auto store = store::open_memory_store();
    const auto work = [&](CallPort& port, const Json&) {
        run_step(port, "a", [&] { return ++runs, door.pass(), "0"; });
        return text_result("done");
    };
    EngineHarness first(store);
    first.add_tool("work", work);
    first.start();
    const Door::Opener opener(door);
    const auto answer = StatelessClient().call(first, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1; }));
    EXPECT_FALSE(first.stop(1s));  // the next process will go on with it: who asked must not have to ask anew
    ASSERT_EQ(answer->status, 200u) << answer->body;
    const Json result = result_of(Json::parse(answer->body));
    ASSERT_EQ(result["resultType"], "input_required");
    first.mortal_store().kill();
    door.open();
    EngineHarness second(store);
    second.add_tool("work", work);
    second.start();
    EXPECT_EQ(text_of(await_result(second, StatelessClient().call(second, "work", Json::object(), with_state(result)))), "done");
    EXPECT_EQ(runs, 2);
}

TEST_P(on_each_store, a_running_call_that_nobody_can_reach_starts_nothing_new_after_a_crash) {  // B9 B45
    std::atomic<int> runs{0};
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            run_once(port, "pay", [&] { return ++runs, door.pass(), "0"; });
            return text_result(run_step(port, "b", [&] { return ++runs, "done"; }));
        });
    });
    EngineHarness* harness = &world.boot();
    StatelessClient().call(*harness, "work");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    const std::string id = harness->store()->unfinished_calls()->at(0).id;
    world.crash([&] { door.open(); });
    runs = 0;
    harness = &world.boot();
    ASSERT_TRUE(harness->turn_until([&] { return unfinished(*harness) == 0; }));
    harness->turn_for(20ms);
    EXPECT_EQ(runs, 0);
    EXPECT_EQ((*harness->store()->call(id))->state, store::CallState::cancelled);
    EXPECT_EQ(harness->store()->entries(id)->back().kind, journal::EntryKind::once_interrupted);
}

TEST_P(on_each_store, what_ended_with_its_process_is_forgotten_a_day_later) {
    FakeClock clock;
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            return text_result(run_step(port, "a", [&] { return door.pass(), "0"; }));
        });
    });
    EngineHarness* harness = &world.boot();
    StatelessClient().call(*harness, "work");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    const std::string id = harness->store()->unfinished_calls()->at(0).id;
    world.crash([&] { door.open(); });
    harness = &world.boot();
    ASSERT_TRUE(harness->turn_until([&] { return unfinished(*harness) == 0; }));
    clock.advance(23h);
    world.crash();
    harness = &world.boot();
    harness->turn_for(20ms);
    EXPECT_TRUE(harness->store()->call(id)->has_value());
    clock.advance(2h);
    world.crash();
    harness = &world.boot();  // and sweeps
    EXPECT_TRUE(harness->turn_until([&] { return !harness->store()->call(id)->has_value(); }));
}

TEST_P(on_each_store, between_two_legs_a_call_survives_a_crash_and_with_a_leg_open_it_does_not) {  // B45
    for (const bool comes_back : {false, true}) {
        std::atomic<int> runs{0};
        Door door;
        runtime::HandlerTarget* work = nullptr;
        World world(GetParam(), [&](EngineHarness& harness) {
            harness.add_tool(
                "work",
                [&](CallPort& port, const Json&) {
                    run_step(port, "a", [&] { return ++runs, door.pass(), "0"; });
                    return text_result(run_step(port, "b", [&] { return ++runs, "done"; }));
                },
                "forbidden", [&](runtime::HandlerTarget& target) { work = &target, target.inline_wait = 30ms; });
        });
        EngineHarness* harness = &world.boot();
        const StatelessClient client;
        const Json result = await_result(*harness, client.call(*harness, "work"));
        ASSERT_EQ(result["resultType"], "input_required");
        if (comes_back) {
            work->inline_wait = 1h;  // the second leg stays open
            client.call(*harness, "work", Json::object(), with_state(result));
            const std::string call = harness->store()->unfinished_calls()->at(0).id;
            ASSERT_TRUE(harness->turn_until([&] { return (*harness->store()->handle(call))->reach == 0; }));
        }
        world.crash([&] { door.open(); });
        runs = 0;
        harness = &world.boot();
        ASSERT_TRUE(harness->turn_until([&] { return unfinished(*harness) == 0; }));
        const Json said = harness->await(client.call(*harness, "work", Json::object(), with_state(result)));
        if (comes_back) {
            EXPECT_EQ(runs, 0);
            EXPECT_EQ(error_of(said), -32602);
        } else {
            EXPECT_GE(runs, 1);
            EXPECT_EQ(text_of(result_of(said)), "done");
        }
    }
}

TEST(engine_stateless, prompts_and_resources_come_back_as_tools_do) {  // B45
    EngineHarness harness;
    harness.add(mcp::ItemKind::prompt, "p", {{"name", "p"}}, [](CallPort& port, const Json&) {
        return Json{{"messages", Json::array({{{"role", "user"}, {"content", {{"type", "text"}, {"text", ask_number(port, "a")}}}}})}};
    });
    harness.add(mcp::ItemKind::resource, "test://r", {{"uri", "test://r"}, {"name", "r"}}, [](CallPort& port, const Json&) {
        return Json{{"contents", Json::array({{{"uri", "test://r"}, {"text", ask_number(port, "a")}}})}};
    });
    harness.start();
    const StatelessClient client{.capabilities = elicitation()};
    Json prompt{{"name", "p"}, {"arguments", Json::object()}};
    prompt.update(with_state(await_result(harness, client.ask(harness, "prompts/get", prompt)), {{"a", number(1)}}));
    EXPECT_EQ(await_result(harness, client.ask(harness, "prompts/get", prompt))["messages"][0]["content"]["text"], "1");
    Json resource{{"uri", "test://r"}};
    resource.update(with_state(await_result(harness, client.ask(harness, "resources/read", resource)), {{"a", number(2)}}));
    EXPECT_EQ(await_result(harness, client.ask(harness, "resources/read", resource))["contents"][0]["text"], "2");
}

TEST(engine_stateless, two_requests_with_one_id_have_nothing_to_do_with_each_other) {  // B43 B46
    EngineHarness harness;
    harness.add_tool("echo", [](CallPort& port, const Json& arguments) {
        return text_result(run_step(port, "a", [&] { return arguments.at("say").get<std::string>(); }));
    });
    harness.start();
    const auto one = StatelessClient().call(harness, "echo", {{"say", "one"}}, Json::object(), 1);
    const auto two = StatelessClient().call(harness, "echo", {{"say", "two"}}, Json::object(), 1);
    EXPECT_EQ(harness.await_text(one), "one");
    EXPECT_EQ(harness.await_text(two), "two");
}

}  // namespace
}  // namespace durable_mcp
