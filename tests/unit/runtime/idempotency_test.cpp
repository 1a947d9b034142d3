// SPDX-License-Identifier: Apache-2.0
// Idempotency keys (semantics §5, B44): one key, one call, whoever asks and in whichever era.

#include "durable_mcp/error.hpp"
#include "unit/runtime/client_parts.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::error_of;
using test::FakeClock;
using test::on_each_store;
using test::result_of;
using test::run_step;
using test::StatelessClient;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

/// Counts its runs, waits at the door.
test::ToolFunction worker(std::atomic<int>& runs, const Door& door) {
    return [&runs, door](CallPort& port, const Json& arguments) {
        const std::string run = run_step(port, "work", [&] { return door.pass(), std::to_string(++runs); });
        if (arguments.contains("fail")) {
            throw ProtocolError(-32000, "no");
        }
        return text_result(run);
    };
}
void by_argument(runtime::HandlerTarget& target) {
    target.idempotency_argument = "order";
}
void by_key(runtime::HandlerTarget& target) {
    target.takes_idempotency_keys = true;
}

std::shared_ptr<test::FakeSink> session_call(EngineHarness& harness, const std::string& session, const Json& id, const Json& arguments,
                                             const Json& more = Json::object()) {
    Json params{{"name", "work"}, {"arguments", arguments}};
    params.update(more);
    return harness.post(session, {{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", params}});
}

TEST_P(on_each_store, a_key_attaches_while_its_call_runs_and_repeats_the_answer_afterwards_in_both_eras) {  // B44
    std::atomic<int> runs{0};
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(runs, door), "forbidden", by_argument); });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session();
    const StatelessClient client;
    const auto first = client.call(*harness, "work", {{"order", 7}}, Json::object(), "one");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    const auto second = client.call(*harness, "work", {{"order", 7}}, Json::object(), 2);
    const auto third = session_call(*harness, session, 3, {{"order", 7}});
    harness->turn_for(20ms);
    EXPECT_EQ(runs, 0);
    first->leave();  // a key leads to it: nobody's leaving takes it back
    harness->turn_for(10ms);
    door.open();
    EXPECT_EQ(harness->await_text(second), "1");
    const Json said = harness->await(third);
    EXPECT_EQ(said["id"], 3);
    EXPECT_EQ(said["result"]["content"][0]["text"], "1");
    EXPECT_FALSE(said["result"].contains("resultType"));  // in the words of its era
    world.crash();
    harness = &world.boot();
    const Json again = harness->await(client.call(*harness, "work", {{"order", 7}}, Json::object(), "x"));
    EXPECT_EQ(again["id"], "x");
    EXPECT_EQ(again["result"]["resultType"], "complete");
    EXPECT_EQ(harness->await_text(session_call(*harness, session, 9, {{"order", 7}})), "1");
    EXPECT_EQ(harness->await_text(session_call(*harness, harness->begin_session(), 1, {{"order", 7}})), "1");
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(harness->await_text(client.call(*harness, "work", {{"order", 8}})), "2");
}

TEST_P(on_each_store, a_keyed_call_of_a_session_is_reached_from_the_other_era_and_over_a_crash) {  // B44 B45
    std::atomic<int> runs{0};
    Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(runs, door), "forbidden", by_argument); });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session();
    session_call(*harness, session, 1, {{"order", 7}});
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    EXPECT_TRUE(harness->turn_until([deleted = harness->request("DELETE", {{"Mcp-Session-Id", session}}, {})] { return deleted->done(); }));
    world.crash([&] { door.open(); });
    door = Door();
    harness = &world.boot();  // the session is gone; the key is not
    const auto answer = StatelessClient().call(*harness, "work", {{"order", 7}});
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    door.open();
    EXPECT_NE(result_of(harness->await(answer)), Json());
    EXPECT_EQ(harness->store()->unfinished_calls()->size(), 0u);
}

TEST_P(on_each_store, a_keyed_call_can_ask_what_its_client_declared_also_when_only_the_key_leads_to_it) {  // B29 B44 B50
    World world(GetParam(), [](EngineHarness& harness) {
        harness.add_tool(
            "work",
            [](CallPort& port, const Json&) {
                const std::string client = Json::parse(port.client_json())["name"];
                return text_result(client + test::ask_number(port, "a"));
            },
            "forbidden", by_argument);
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session("2025-11-25", test::elicitation());
    const auto first = session_call(*harness, session, 1, {{"order", 7}});
    ASSERT_TRUE(harness->turn_until([&] { return test::questions_in(*first).size() == 1; }));
    ASSERT_TRUE(harness->turn_until([deleted = harness->request("DELETE", {{"Mcp-Session-Id", session}}, {})] { return deleted->done(); }));
    world.crash();
    harness = &world.boot();  // its session is gone, and with it what the session's row said
    const StatelessClient other;
    const Json asked = result_of(harness->await(other.call(*harness, "work", {{"order", 7}})));
    ASSERT_TRUE(asked.contains("inputRequests")) << asked;
    const Json more{{"requestState", asked["requestState"]}, {"inputResponses", {{"a", test::number(3)}}}};
    EXPECT_EQ(harness->await_text(other.call(*harness, "work", {{"order", 7}}, more)), "test3");
}

TEST_P(on_each_store, the_same_keyed_post_again_is_the_same_request) {  // B42 B44
    std::atomic<int> runs{0};
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(runs, door), "forbidden", by_argument); });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session();
    const Door disk;
    const Door::Opener disk_opener(disk);
    harness->mortal_store().hold_commits(disk);  // both look the key up, and find nothing
    const auto first = session_call(*harness, session, 1, {{"order", 7}});
    const auto second = session_call(*harness, session, 1, {{"order", 7}});
    ASSERT_TRUE(harness->turn_until([&] { return first->aborted || second->aborted; }));  // one of them took over
    disk.open();
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    EXPECT_EQ(error_of(harness->await(session_call(*harness, session, 1, {{"order", 8}}))), -32600);
    door.open();
    EXPECT_EQ(harness->await_text(first->aborted ? second : first), "1");
    for (int process = 0; process < 2; ++process) {
        EXPECT_EQ(harness->await_text(session_call(*harness, session, 1, {{"order", 7}})), "1");
        if (process == 0) {
            world.crash();
            harness = &world.boot();
        }
    }
    EXPECT_EQ(runs, 1);
}

TEST(engine_keys, a_second_request_hears_that_its_call_is_a_task_when_that_is_on_disk) {  // B44 B45
    const Door door;
    EngineHarness harness;
    harness.add_tool(
        "work",
        [door](CallPort& port, const Json&) {
            door.pass();
            return port.become_task(), text_result("done");
        },
        "optional", by_argument);
    harness.start();
    const Door::Opener opener(door);
    const StatelessClient client{.capabilities = test::tasks_and()};
    const auto first = client.call(harness, "work", {{"order", 1}});
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    const Door disk;
    const Door::Opener disk_opener(disk);
    harness.mortal_store().hold_commits(disk);
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return disk.came() == 1; }));
    const auto second = client.call(harness, "work", {{"order", 1}}, Json::object(), 2);
    harness.turn_for(20ms);
    EXPECT_FALSE(first->done()) << first->body;
    EXPECT_FALSE(second->done()) << second->body;  // after a crash there would be no such task
    disk.open();
    EXPECT_EQ(result_of(harness.await(first))["resultType"], "task");
    EXPECT_EQ(result_of(harness.await(second))["taskId"], result_of(harness.await(first))["taskId"]);
}

TEST(engine_keys, a_key_may_stand_in_the_params_in_meta_or_in_the_header_and_the_argument_counts_before) {  // B44
    std::atomic<int> runs{0};
    Door door;
    door.open();
    EngineHarness harness;
    harness.add_tool("work", worker(runs, door), "forbidden", by_key);
    harness.add_tool("both", worker(runs, door), "forbidden", [](runtime::HandlerTarget& target) { by_key(target), by_argument(target); });
    harness.add_tool("none", worker(runs, door), "forbidden");
    harness.start();
    StatelessClient meta;
    meta.meta["durable-mcp/idempotencyKey"] = "k";
    StatelessClient header;
    header.headers["Idempotency-Key"] = "k";
    const StatelessClient plain;
    EXPECT_EQ(harness.await_text(plain.call(harness, "work", Json::object(), {{"idempotencyKey", "k"}})), "1");
    EXPECT_EQ(harness.await_text(meta.call(harness, "work")), "1");
    EXPECT_EQ(harness.await_text(header.call(harness, "work")), "1");
    EXPECT_EQ(harness.await_text(session_call(harness, harness.begin_session(), 1, Json::object(), {{"idempotencyKey", "k"}})), "1");
    EXPECT_EQ(harness.await_text(plain.call(harness, "work")), "2");  // no key, no memory
    EXPECT_EQ(harness.await_text(plain.call(harness, "work")), "3");
    EXPECT_EQ(harness.await_text(meta.call(harness, "none")), "4");  // it takes none
    EXPECT_EQ(harness.await_text(meta.call(harness, "none")), "5");
    EXPECT_EQ(harness.await_text(meta.call(harness, "both", {{"order", "a"}})), "6");  // another tool
    EXPECT_EQ(harness.await_text(meta.call(harness, "both", {{"order", "b"}})), "7");
    EXPECT_EQ(harness.await_text(meta.call(harness, "both")), "8");
    EXPECT_EQ(error_of(harness.await(plain.call(harness, "both", {{"order", std::string(2000, 'x')}}))), -32602);
}

TEST_P(on_each_store, other_arguments_under_the_same_key_are_a_conflict_and_numbers_count_by_value) {  // B44
    std::atomic<int> runs{0};
    Door door;
    door.open();
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(runs, door), "forbidden", by_argument); });
    EngineHarness& harness = world.boot();
    const StatelessClient client;
    EXPECT_EQ(harness.await_text(client.call(harness, "work", {{"order", 1}, {"n", 1}})), "1");
    EXPECT_EQ(harness.await_text(client.call(harness, "work", {{"n", 1.0}, {"order", 1}})), "1");
    const Json conflict = harness.await(client.call(harness, "work", {{"order", 1}, {"n", 2}}));
    EXPECT_EQ(error_of(conflict), -32602);
    EXPECT_EQ(conflict["error"]["data"]["type"], "idempotency_key_conflict");
    EXPECT_EQ(error_of(harness.await(session_call(harness, harness.begin_session(), 1, {{"order", 1}}))), -32602);
    EXPECT_EQ(harness.await_text(client.call(harness, "work", {{"order", "big"}, {"n", 9007199254740992}})), "2");
    EXPECT_EQ(error_of(harness.await(client.call(harness, "work", {{"order", "big"}, {"n", 9007199254740993}}))), -32602);
}

TEST_P(on_each_store, an_error_is_kept_under_its_key_too) {  // B44
    std::atomic<int> runs{0};
    Door door;
    door.open();
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(runs, door), "forbidden", by_argument); });
    const Json arguments{{"order", 1}, {"fail", true}};
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session();
    EXPECT_EQ(error_of(harness->await(session_call(*harness, session, 1, arguments))), -32000);
    EXPECT_EQ(error_of(harness->await(session_call(*harness, session, 2, arguments))), -32000);
    world.crash();
    harness = &world.boot();
    EXPECT_EQ(error_of(harness->await(StatelessClient().call(*harness, "work", arguments))), -32000);
    EXPECT_EQ(runs, 1);
}

TEST_P(on_each_store, of_many_at_once_one_runs) {  // B44
    std::atomic<int> runs{0};
    Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", worker(runs, door), "forbidden", by_argument); });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session();
    std::vector<std::shared_ptr<test::FakeSink>> answers;
    for (int i = 1; i <= 6; ++i) {
        answers.push_back(StatelessClient().call(harness, "work", {{"order", 1}}));
        answers.push_back(session_call(harness, session, i, {{"order", 1}}));
    }
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    harness.turn_for(20ms);
    EXPECT_EQ(door.came(), 1);
    door.open();
    for (const auto& answer : answers) {
        EXPECT_EQ(harness.await_text(answer), "1");
    }
    EXPECT_EQ(harness.await_text(session_call(harness, session, 7, {{"order", 1}})), "1");
}

TEST(engine_keys, who_asks_right_when_the_row_is_durable_finds_the_call) {  // B44
    std::atomic<int> runs{0};
    const Door door;
    EngineHarness harness;
    harness.add_tool("work", worker(runs, door), "forbidden", by_argument);
    harness.start();
    const Door::Opener opener(door);
    harness.turn_for(10ms);
    const Door news;
    const Door::Opener news_opener(news);
    harness.mortal_store().hold_news_of_commits(news);
    const StatelessClient client;
    const auto first = client.call(harness, "work", {{"order", 1}});
    ASSERT_TRUE(harness.turn_until([&] { return news.came() == 1; }));  // everybody can read its row, and the loop has not heard of it
    const auto second = client.call(harness, "work", {{"order", 1}}, Json::object(), 2);
    harness.turn_for(20ms);
    EXPECT_FALSE(second->done()) << second->body;
    news.open();
    door.open();
    EXPECT_EQ(harness.await_text(first), "1");
    EXPECT_EQ(harness.await_text(second), "1");
}

TEST(engine_keys, the_id_of_a_request_is_no_key) {  // B44
    std::atomic<int> runs{0};
    Door door;
    door.open();
    EngineHarness harness;
    harness.add_tool("work", worker(runs, door), "forbidden", by_argument);
    harness.start();
    for (int i = 1; i <= 2; ++i) {
        EXPECT_EQ(harness.await_text(StatelessClient().call(harness, "work", Json::object(), Json::object(), 1)), std::to_string(i));
    }
}

TEST(engine_keys, a_store_that_is_full_refuses_a_keyed_call_at_once) {  // B44
    std::atomic<int> runs{0};
    Door door;
    door.open();
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.add_tool("work", worker(runs, door), "forbidden", by_argument);
    harness.start();
    const std::string session = harness.begin_session();
    store->set_full(true);
    const auto stateless = StatelessClient().call(harness, "work", {{"order", 1}});
    const auto in_session = session_call(harness, session, 1, {{"order", 2}});
    ASSERT_TRUE(harness.turn_until([&] { return stateless->done() && in_session->done(); }));
    EXPECT_EQ(stateless->status, 503u);
    EXPECT_EQ(in_session->status, 503u);
    store->set_full(false);
    ASSERT_TRUE(harness.turn_until([&] { return harness.engine().is_ready(); }));
    EXPECT_EQ(harness.await_text(StatelessClient().call(harness, "work", {{"order", 1}})), "1");
    EXPECT_EQ(harness.await_text(session_call(harness, session, 1, {{"order", 2}})), "2");
}

TEST(engine_keys, a_key_that_is_looked_up_while_the_server_stops_is_refused) {  // B44 B52
    std::atomic<int> runs{0};
    Door door;
    door.open();
    EngineHarness harness;
    harness.add_tool("work", worker(runs, door), "forbidden", by_argument);
    harness.start();
    const Door lookup;
    harness.mortal_store().hold_lookups(lookup);
    const auto answer = StatelessClient().call(harness, "work", {{"order", 1}});
    ASSERT_TRUE(harness.turn_until([&] { return lookup.came() == 1; }));
    EXPECT_TRUE(harness.stop(5s, [&] { lookup.open(); }));
    EXPECT_EQ(answer->status, 503u);
    EXPECT_EQ(runs, 0);
}

TEST(engine_keys, a_key_in_a_batch_is_refused_rather_than_overlooked) {  // B44
    std::atomic<int> runs{0};
    Door door;
    door.open();
    EngineHarness harness;
    harness.add_tool("work", worker(runs, door), "forbidden", by_argument);
    harness.start();
    const std::string session = harness.begin_session("2025-03-26");
    const Json call{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"}, {"params", {{"name", "work"}, {"arguments", {{"order", 1}}}}}};
    const Json answers = harness.await(harness.post_text(session, Json::array({call}).dump()));
    EXPECT_EQ(error_of(answers[0]), -32600);
    EXPECT_EQ(runs, 0);
}

TEST_P(on_each_store, an_answer_is_kept_as_long_as_its_key_and_a_call_that_works_is_not_given_up) {  // B44
    std::atomic<int> runs{0};
    FakeClock clock;
    Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", worker(runs, door), "forbidden", by_argument);
    });
    EngineHarness* harness = &world.boot();
    StatelessClient().call(*harness, "work", {{"order", 1}});
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    world.crash([&] { door.open(); });
    clock.advance(25h);
    door = Door();
    harness = &world.boot();  // and sweeps
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    harness->turn_for(20ms);
    const auto answer = StatelessClient().call(*harness, "work", {{"order", 1}});
    door.open();
    EXPECT_NE(result_of(harness->await(answer)), Json());
    const int before = runs;
    world.crash();
    harness = &world.boot();  // now it is over, and its time too
    ASSERT_TRUE(harness->turn_until([&] { return harness->store()->expired_handles(clock.wall_ms(), nullptr, 1)->empty(); }));
    EXPECT_EQ(harness->await_text(StatelessClient().call(*harness, "work", {{"order", 1}})), std::to_string(before + 1));
}

}  // namespace
}  // namespace durable_mcp
