// SPDX-License-Identifier: Apache-2.0
// subscriptions/listen of 2026-07-28, and resources/subscribe of the session era (protocol §3.2, semantics §4 and §5).

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

const std::string tag = "io.modelcontextprotocol/subscriptionId";

const StatelessClient& client() {
    static const StatelessClient one{.capabilities = tasks_and(elicitation())};
    return one;
}
std::shared_ptr<FakeSink> listen(EngineHarness& harness, Json wanted, const Json& id = 1) {
    return client().ask(harness, "subscriptions/listen", {{"notifications", std::move(wanted)}}, id);
}
std::vector<Json> messages_of(const FakeSink& sink) {
    std::vector<Json> messages;
    for (const std::string& text : sink.messages()) {
        messages.push_back(Json::parse(text));
    }
    return messages;
}
std::vector<std::string> methods_of(const FakeSink& sink) {
    std::vector<std::string> methods;
    for (Json message : messages_of(sink)) {
        methods.push_back(message.value("method", "result"));
    }
    return methods;
}
using Methods = std::vector<std::string>;
const std::string acknowledged = "notifications/subscriptions/acknowledged";

void add_all(EngineHarness& harness) {
    harness.add_tool(
        "ask", [](CallPort& port, const Json&) { return text_result(ask_number(port, "a")); }, "optional",
        [](runtime::HandlerTarget& target) { target.inline_wait = 0ms; });
    harness.add_tool("touch", [](CallPort& port, const Json& arguments) {
        port.send_resource_updated(arguments.at("uri").get<std::string>());
        port.send_list_changed("prompts");
        return text_result("done");
    });
    for (const std::string uri : {"test://a", "test://b"}) {
        harness.add(mcp::ItemKind::resource, uri, {{"uri", uri}, {"name", uri}}, [](CallPort&, const Json&) {
            return Json{{"contents", Json::array()}};
        });
    }
    harness.add(mcp::ItemKind::prompt, "p", {{"name", "p"}}, [](CallPort&, const Json&) { return Json{{"messages", Json::array()}}; });
}

TEST(engine_listeners, the_acknowledgement_is_first_and_says_what_is_honoured_and_every_message_has_the_tag) {
    EngineHarness harness;
    add_all(harness);
    harness.start();
    const auto number_id = listen(harness, {{"promptsListChanged", true}, {"resourceSubscriptions", {"test://a", "test://none"}}}, 7);
    const auto text_id = listen(harness, {{"toolsListChanged", true}, {"resourcesListChanged", false}}, "7");
    EXPECT_EQ(harness.await_text(client().call(harness, "touch", {{"uri", "test://a"}})), "done");
    EXPECT_EQ(harness.await_text(client().call(harness, "touch", {{"uri", "test://b"}})), "done");
    harness.engine().replace_catalog(harness.catalog(), {mcp::ItemKind::tool, mcp::ItemKind::resource});
    harness.turn_for(10ms);
    EXPECT_EQ(methods_of(*number_id), (Methods{acknowledged, "notifications/resources/updated", "notifications/prompts/list_changed",
                                               "notifications/prompts/list_changed"}));
    EXPECT_EQ(messages_of(*number_id)[0]["params"]["notifications"],
              (Json{{"promptsListChanged", true}, {"resourceSubscriptions", Json::array({"test://a"})}}));
    EXPECT_EQ(messages_of(*number_id)[1]["params"]["uri"], "test://a");
    EXPECT_EQ(methods_of(*text_id), (Methods{acknowledged, "notifications/tools/list_changed"}));
    for (Json message : messages_of(*number_id)) {
        EXPECT_EQ(message["params"]["_meta"][tag], 7);
        EXPECT_TRUE(message["params"]["_meta"][tag].is_number());
    }
    for (Json message : messages_of(*text_id)) {
        EXPECT_EQ(message["params"]["_meta"][tag], "7");
    }
    EXPECT_FALSE(number_id->ended);
}

TEST_P(on_each_store, a_listener_for_a_task_gets_its_state_at_once_and_then_each_change) {
    World world(GetParam(), add_all);
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session("2025-11-25", elicitation());
    const std::string task = result_of(harness->await(client().call(*harness, "ask")))["taskId"];
    const std::string sessions =
        result_of(harness->await(harness->post(session, {{"jsonrpc", "2.0"},
                                                         {"id", 1},
                                                         {"method", "tools/call"},
                                                         {"params", {{"name", "ask"}, {"task", Json::object()}}}})))["task"]["taskId"];
    const auto first = listen(*harness, {{"taskIds", {task, "nothing", sessions}}}, "first");
    ASSERT_TRUE(harness->turn_until(
        [&] { return !messages_of(*first).empty() && messages_of(*first).back()["params"].value("status", "") == "input_required"; }));
    EXPECT_EQ(methods_of(*first).front(), acknowledged);
    EXPECT_EQ(messages_of(*first)[0]["params"]["notifications"], (Json{{"taskIds", Json::array({task})}}));
    harness->await(harness->post(session, {{"jsonrpc", "2.0"}, {"id", 2}, {"method", "tasks/cancel"}, {"params", {{"taskId", sessions}}}}));
    harness->turn_for(10ms);
    for (Json message : messages_of(*first)) {
        EXPECT_NE(message["params"].value("taskId", ""), sessions);  // of the other form: as unknown as "nothing"
    }
    world.crash();
    harness = &world.boot();
    const auto again = listen(*harness, {{"taskIds", Json::array({task})}}, "again");  // what it missed is in the first notification
    ASSERT_TRUE(harness->turn_until(
        [&] { return messages_of(*again).size() > 1 && messages_of(*again).back()["params"].value("status", "") == "input_required"; }));
    harness->await(client().ask(*harness, "tasks/update", {{"taskId", task}, {"inputResponses", {{"a", number(3)}}}}));
    ASSERT_TRUE(harness->turn_until([&] { return messages_of(*again).back()["params"].value("status", "") == "completed"; }));
    Json last = messages_of(*again).back();
    EXPECT_EQ(last["method"], "notifications/tasks");
    EXPECT_EQ(last["params"]["taskId"], task);
    EXPECT_EQ(last["params"]["result"]["content"][0]["text"], "3");
    EXPECT_EQ(last["params"]["_meta"][tag], "again");
}

TEST(engine_listeners, of_tasks_that_are_nobodys_nothing_is_acknowledged_and_a_store_that_cannot_be_asked_is_said_so) {
    EngineHarness harness;
    add_all(harness);
    harness.start();
    const auto listener = listen(harness, {{"taskIds", {"nothing"}}, {"promptsListChanged", true}});
    ASSERT_TRUE(harness.turn_until([&] { return !listener->messages().empty(); }));
    EXPECT_EQ(messages_of(*listener)[0]["params"]["notifications"], (Json{{"promptsListChanged", true}}));
    harness.mortal_store().kill();
    const auto refused = listen(harness, {{"taskIds", {"nothing"}}});
    ASSERT_TRUE(harness.turn_until([&] { return refused->done(); }));
    EXPECT_EQ(refused->status, 503u);
}

TEST(engine_listeners, what_changed_a_resource_is_on_disk_before_anybody_hears_of_it) {
    const Door door;
    EngineHarness harness;
    add_all(harness);
    harness.add_tool("work", [door](CallPort& port, const Json&) {
        run_step(port, "write", [&] { return door.pass(), "0"; });
        port.send_resource_updated("test://a");
        return text_result("done");
    });
    harness.start();
    const Door::Opener opener(door);
    const auto listener = listen(harness, {{"resourceSubscriptions", {"test://a"}}});
    const auto answer = client().call(harness, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    const Door disk;
    const Door::Opener disk_opener(disk);
    harness.mortal_store().hold_commits(disk);
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return disk.came() == 1; }));  // the record of the step
    harness.turn_for(20ms);
    EXPECT_EQ(methods_of(*listener), Methods{acknowledged});
    disk.open();
    EXPECT_EQ(harness.await_text(answer), "done");
    EXPECT_EQ(methods_of(*listener), (Methods{acknowledged, "notifications/resources/updated"}));
}

TEST(engine_listeners, a_handler_that_outlives_the_stop_does_not_wait_for_the_loop) {  // B52
    const Door door;
    std::atomic<bool> left{false};
    EngineHarness harness;
    harness.add_tool("work", [&, door](CallPort& port, const Json&) {
        struct Mark {
            std::atomic<bool>& left;
            ~Mark() { left = true; }
        } const mark{left};
        run_step(port, "write", [&] { return door.pass(), "0"; });
        port.send_resource_updated("test://a");
        return text_result("done");
    });
    harness.start();
    const Door::Opener opener(door);
    harness.call(harness.begin_session(), 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    const Door disk;
    const Door::Opener disk_opener(disk);
    harness.mortal_store().hold_commits(disk);
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return disk.came() == 1; }));
    EXPECT_FALSE(harness.stop(20ms));
    disk.open();
    EXPECT_TRUE(harness.turn_until([&] { return left.load(); }));
}

TEST(engine_listeners, a_stop_ends_each_stream_with_its_result_and_a_hung_up_listener_is_forgotten) {
    EngineHarness harness;
    add_all(harness);
    harness.options().limits.listeners = 2;
    harness.start();
    const auto stays = listen(harness, {{"promptsListChanged", true}}, 1);
    const auto leaves = listen(harness, {{"promptsListChanged", true}}, 2);
    EXPECT_EQ(error_of(harness.await(listen(harness, Json::object(), 3))), -32603);  // there are as many as there may be
    leaves->leave();
    const auto next = listen(harness, Json::object(), 4);
    EXPECT_EQ(methods_of(*next), Methods{acknowledged});
    harness.await(client().call(harness, "touch", {{"uri", "test://a"}}));
    harness.turn_for(5ms);
    EXPECT_EQ(leaves->messages().size(), 1u);
    harness.stop();
    EXPECT_EQ(methods_of(*stays).back(), "result");
    const Json end = messages_of(*stays).back();
    EXPECT_EQ(end["id"], 1);
    EXPECT_EQ(end["result"]["resultType"], "complete");
    EXPECT_EQ(end["result"]["_meta"][tag], 1);
    EXPECT_TRUE(stays->ended);
    EXPECT_FALSE(leaves->ended);
}

TEST(engine_listeners, a_replay_tells_listeners_nothing_again) {  // B27
    Door door;
    World world([&](EngineHarness& harness) {
        add_all(harness);
        harness.add_tool(
            "work",
            [door](CallPort& port, const Json&) {
                port.send_list_changed("prompts");
                port.send_resource_updated("test://a");
                run_step(port, "a", [] { return "0"; });
                run_step(port, "b", [&] { return door.pass(), "0"; });
                port.send_resource_updated("test://b");
                return text_result("done");
            },
            "required");
    });
    EngineHarness* harness = &world.boot();
    const Json wanted{{"promptsListChanged", true}, {"resourceSubscriptions", {"test://a", "test://b"}}};
    const auto first = listen(*harness, wanted);
    harness->await(client().call(*harness, "work"));
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    EXPECT_EQ(methods_of(*first), (Methods{acknowledged, "notifications/prompts/list_changed", "notifications/resources/updated"}));
    world.crash([&] { door.open(); });
    door = Door();
    harness = &world.boot();
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    const auto second = listen(*harness, wanted);
    door.open();
    ASSERT_TRUE(harness->turn_until([&] { return second->messages().size() == 2; }));
    harness->turn_for(5ms);
    ASSERT_EQ(second->messages().size(), 2u);
    EXPECT_EQ(messages_of(*second)[1]["params"]["uri"], "test://b");
}

// ── resources/subscribe ────────────────────────────────────────────────────────────────────────────────────────────────────

std::shared_ptr<FakeSink> subscribe(EngineHarness& harness, const std::string& session, const std::string& verb, const std::string& uri) {
    return harness.post(session, {{"jsonrpc", "2.0"}, {"id", verb + uri}, {"method", "resources/" + verb}, {"params", {{"uri", uri}}}});
}

TEST_P(on_each_store, a_subscription_is_kept_over_a_crash_and_what_was_said_while_its_client_was_away_waits) {  // B38 B47
    World world(GetParam(), add_all);
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session();
    const std::string other = harness->begin_session();
    auto standalone = harness->get(session);
    const auto others = harness->get(other);
    ASSERT_TRUE(harness->turn_until([&] { return !standalone->events.empty() && !others->events.empty(); }));
    EXPECT_EQ(result_of(harness->await(subscribe(*harness, session, "subscribe", "test://a"))), Json::object());
    EXPECT_EQ(result_of(harness->await(subscribe(*harness, session, "subscribe", "test://b"))), Json::object());
    EXPECT_EQ(result_of(harness->await(subscribe(*harness, session, "unsubscribe", "test://b"))), Json::object());
    const std::string seen = standalone->events.back().id;
    world.crash();
    harness = &world.boot();
    harness->await(client().call(*harness, "touch", {{"uri", "test://b"}}));
    harness->await(client().call(*harness, "touch", {{"uri", "test://a"}}));
    world.crash();
    harness = &world.boot();
    standalone = harness->get(session, seen);
    ASSERT_TRUE(harness->turn_until([&] { return !standalone->messages().empty(); }));
    harness->turn_for(10ms);
    EXPECT_EQ(methods_of(*standalone), Methods{"notifications/resources/updated"});
    EXPECT_EQ(messages_of(*standalone)[0]["params"]["uri"], "test://a");
    EXPECT_TRUE(others->messages().empty());
}

TEST_P(on_each_store, a_crash_between_an_update_and_its_record_loses_nothing) {  // B27
    Door door;
    std::atomic<bool> is_inside{false};
    World world(GetParam(), [&](EngineHarness& harness) {
        add_all(harness);
        harness.add_tool(
            "work",
            [&, door](CallPort& port, const Json&) {
                run_step(port, "a", [&] { return is_inside = true, door.pass(), "0"; });
                port.send_resource_updated("test://a");
                return text_result("done");
            },
            "required");
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session();
    const auto standalone = harness->get(session);
    ASSERT_TRUE(harness->turn_until([&] { return !standalone->events.empty(); }));
    const std::string seen = standalone->events.back().id;
    harness->await(subscribe(*harness, session, "subscribe", "test://a"));
    harness->await(client().call(*harness, "work"));
    ASSERT_TRUE(harness->turn_until([&] { return is_inside.load(); }));
    world.crash([&] { door.open(); });  // the attempt says it to a store that takes nothing any more
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    ASSERT_TRUE(harness->turn_until([&] { return !resumed->messages().empty(); }));
    EXPECT_EQ(messages_of(*resumed)[0]["params"]["uri"], "test://a");
}

TEST(engine_subscriptions, there_are_no_more_than_there_may_be_and_a_full_store_is_said_so) {  // B47
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    add_all(harness);
    harness.options().limits.subscriptions_per_session = 1;
    harness.start();
    const std::string session = harness.begin_session();
    store->set_full(true);
    const auto refused = subscribe(harness, session, "subscribe", "test://a");
    ASSERT_TRUE(harness.turn_until([&] { return refused->done(); }));
    EXPECT_EQ(refused->status, 503u);
    store->set_full(false);
    ASSERT_TRUE(harness.turn_until([&] { return harness.engine().is_ready(); }));
    EXPECT_EQ(result_of(harness.await(subscribe(harness, session, "subscribe", "test://b"))),
              Json::object());  // the refused one does not count
    EXPECT_EQ(error_of(harness.await(subscribe(harness, session, "subscribe", "test://a"))), -32603);
}

}  // namespace
}  // namespace durable_mcp
