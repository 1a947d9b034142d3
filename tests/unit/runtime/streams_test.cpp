// SPDX-License-Identifier: Apache-2.0
// What goes out on a stream, and coming back to it (semantics §4 and §5): B27, B28, B36 to B41.

#include "durable_mcp/error.hpp"
#include "runtime/stream.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::FakeSink;
using test::on_each_store;
using test::run_step;
using test::text_result;
using test::World;

constexpr int warning = 3;

/// A tool that logs a, b, (waits at the door), c.
test::ToolFunction chatty(const Door& door) {
    return [door](CallPort& port, const Json&) {
        port.log(warning, "\"a\"", "main");
        port.log(warning, "\"b\"", {});
        run_step(port, "wait", [&] { return door.pass(), "0"; });
        port.log(warning, "\"c\"", {});
        return text_result("done");
    };
}

/// The ids and payloads that a client has seen, in one text per event.
std::vector<std::string> seen(const FakeSink& sink) {
    std::vector<std::string> lines;
    for (const test::SeenEvent& event : sink.events) {
        lines.push_back(event.id + " " + event.data);
    }
    return lines;
}

std::string stream_of(const FakeSink& sink) {
    return runtime::read_event_id(sink.events.at(0).id)->stream;
}

TEST_P(on_each_store, a_stream_resumed_anywhere_any_number_of_times_in_any_process_says_the_same_bytes) {  // B36 B37
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", chatty(door)); });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1; }));
    door.open();
    first.await(answer);
    const auto whole = seen(*answer);
    ASSERT_EQ(whole.size(), 5u);  // priming, a, b, c, the answer
    for (int process = 0; process < 2; ++process) {
        EngineHarness& harness = process == 0 ? first : world.boot();
        for (std::size_t after = 0; after < whole.size(); ++after) {
            for (int time = 0; time < 2; ++time) {
                const auto resumed = harness.get(session, answer->events[after].id);
                ASSERT_TRUE(harness.turn_until([&] { return resumed->done(); }));
                EXPECT_EQ(resumed->status, 200u);
                EXPECT_TRUE(resumed->ended);  // B37: closes after the response, also when there was nothing left
                EXPECT_EQ(seen(*resumed), std::vector<std::string>(whole.begin() + static_cast<std::ptrdiff_t>(after) + 1, whole.end()));
            }
        }
        if (process == 0) {
            world.crash();
        }
    }
}

TEST(engine_streams, a_reader_that_comes_back_in_the_middle_catches_up_and_goes_on_live) {  // B37
    const Door door;
    EngineHarness harness;
    harness.add_tool("work", chatty(door));
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->events.size() == 3; }));
    answer->leave();
    const auto resumed = harness.get(session, answer->events[1].id);  // b was sent, and is asked for again
    ASSERT_TRUE(harness.turn_until([&] { return resumed->events.size() == 1; }));
    EXPECT_EQ(resumed->events[0].data, answer->events[2].data);
    EXPECT_FALSE(resumed->done());
    door.open();
    harness.await(resumed);
    EXPECT_EQ(resumed->events.size(), 3u);
    EXPECT_EQ(answer->events.size(), 3u);
}

TEST(engine_streams, a_second_connection_takes_the_stream_over_and_each_message_goes_to_one) {  // B39 B40
    const Door door;
    EngineHarness harness;
    harness.add_tool("work", chatty(door));
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->events.size() == 3; }));
    const auto second = harness.get(session, answer->events[2].id);
    EXPECT_TRUE(answer->aborted);
    door.open();
    harness.await(second);
    EXPECT_EQ(second->messages().size(), 2u);
    EXPECT_EQ(answer->events.size(), 3u);
}

TEST(engine_streams, calls_of_one_session_do_not_hear_each_other) {  // B39
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json& arguments) {
        port.log(warning, arguments.at("say").dump(), {});
        return text_result(arguments.at("say").get<std::string>());
    });
    harness.start();
    const std::string session = harness.begin_session();
    const auto standalone = harness.get(session);
    const auto one = harness.call(session, 1, "work", {{"say", "one"}});
    const auto two = harness.call(session, 2, "work", {{"say", "two"}});
    EXPECT_EQ(harness.await_text(one), "one");
    EXPECT_EQ(harness.await_text(two), "two");
    EXPECT_EQ(one->messages().size(), 2u);
    EXPECT_EQ(two->messages().size(), 2u);
    EXPECT_TRUE(standalone->messages().empty());
}

TEST_P(on_each_store, what_was_logged_before_a_crash_is_not_sent_again_and_the_same_line_twice_is_two_lines) {  // B27
    const Door door;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            run_step(port, "first", [] { return "0"; });
            port.log(warning, "\"again\"", {});
            port.log(warning, "\"again\"", {});
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            port.log(warning, "\"again\"", {});
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && answer->events.size() == 3; }));
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    const auto resumed = harness.get(session, answer->events[0].id);
    EXPECT_EQ(harness.await_text(resumed), "done");
    ASSERT_EQ(resumed->events.size(), 4u);
    EXPECT_EQ(resumed->events[0].id, answer->events[1].id);
    EXPECT_EQ(resumed->events[1].id, answer->events[2].id);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(Json::parse(resumed->events[i].data)["params"]["data"], "again");
    }
}

TEST_P(on_each_store, progress_never_goes_down_also_not_after_a_replay) {  // B28
    const Door door;
    double step = 0.5;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            port.report_progress(step, 3.0, "working");
            port.report_progress(step * 2, 3.0, "working");
            port.report_progress(step, {}, {});
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            port.report_progress(step * 3, 3.0, {});
            port.report_progress(3, 3.0, {});
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work", Json::object(), {{"progressToken", "p"}});
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && answer->events.size() == 3; }));
    EXPECT_EQ(Json::parse(answer->events[1].data)["params"],
              (Json{{"progressToken", "p"}, {"progress", 0.5}, {"total", 3.0}, {"message", "working"}}));
    EXPECT_EQ(Json::parse(answer->events[2].data)["params"]["progress"], 1.0);
    world.crash([&] { door.open(); });
    step = 0.25;
    EngineHarness& harness = world.boot();
    const auto resumed = harness.get(session, answer->events[2].id);
    EXPECT_EQ(harness.await_text(resumed), "done");
    ASSERT_EQ(resumed->events.size(), 2u);
    EXPECT_EQ(Json::parse(resumed->events[0].data)["params"]["progress"], 3);
}

TEST(engine_streams, without_a_progress_token_no_progress_is_sent_and_nothing_is_accepted_for_it) {  // B27
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) { return port.report_progress(1, {}, {}), text_result("done"); });
    harness.start();
    const auto answer = harness.call(harness.begin_session(), 1, "work");
    EXPECT_EQ(harness.await_text(answer), "done");
    EXPECT_FALSE(answer->streaming);
}

TEST(engine_streams, what_lies_below_the_sessions_log_level_is_not_sent) {  // B47
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        for (int level = 0; level < 8; ++level) {
            port.log(level, std::to_string(level), "l");
        }
        return text_result("done");
    });
    harness.start();
    const std::string session = harness.begin_session();
    const auto first = harness.call(session, 1, "work");
    EXPECT_EQ(harness.await_text(first), "done");
    EXPECT_EQ(first->messages().size(), 8u);  // from info on, and the answer
    const Json set = harness.await(
        harness.post(session, {{"jsonrpc", "2.0"}, {"id", 2}, {"method", "logging/setLevel"}, {"params", {{"level", "alert"}}}}));
    EXPECT_EQ(set["result"], Json::object());
    const auto second = harness.call(session, 3, "work");
    EXPECT_EQ(harness.await_text(second), "done");
    ASSERT_EQ(second->messages().size(), 3u);
    EXPECT_EQ(Json::parse(second->messages()[0])["params"], (Json{{"level", "alert"}, {"logger", "l"}, {"data", 6}}));
}

TEST(engine_streams, an_id_that_names_no_event_of_the_session_gets_a_prompt_400) {  // B41
    const Door door;
    EngineHarness harness;
    harness.add_tool("work", chatty(door));
    harness.start();
    const Door::Opener opener(door);
    const std::string mine = harness.begin_session();
    const std::string other = harness.begin_session();
    const auto answer = harness.call(mine, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->events.size() == 3; }));
    const std::string stream = stream_of(*answer);
    const auto status_of = [&](const std::string& session, const std::string& id) {
        const auto sink = harness.get(session, id);
        EXPECT_TRUE(harness.turn_until([&] { return sink->ended; })) << id;
        EXPECT_FALSE(sink->streaming) << id;
        return sink->status;
    };
    for (const std::string& id :
         {std::string("nonsense"), std::string("."), std::string("a.1"), stream, stream + ".", stream + ".x", stream + ".-1",
          stream + ".1x", stream + ".99999999999999999999999", stream + ".4", std::string(32, 'A') + ".1", std::string(5000, 'z')}) {
        EXPECT_EQ(status_of(mine, id), 400u) << id;
    }
    EXPECT_EQ(status_of(other, stream + ".1"), 400u);  // a foreign stream that runs
    door.open();
    harness.await(answer);
    EXPECT_EQ(status_of(other, stream + ".1"), 400u);  // … and one that has ended
    EXPECT_EQ(status_of(mine, stream + ".9"), 400u);
    EXPECT_FALSE(answer->aborted);
}

TEST_P(on_each_store, the_standalone_stream_survives_a_crash_and_is_resumed_where_it_was_left) {  // B38 B41
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("change", [](CallPort& port, const Json&) { return port.send_list_changed("tools"), text_result("done"); });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto reader = first.get(session);
    ASSERT_TRUE(first.turn_until([&] { return reader->events.size() == 1; }));
    EXPECT_TRUE(reader->events[0].id.ends_with(".0"));
    EXPECT_EQ(reader->retry, "5000");
    EXPECT_EQ(first.await_text(first.call(session, 1, "change")), "done");
    ASSERT_TRUE(first.turn_until([&] { return reader->events.size() == 2; }));
    EXPECT_EQ(Json::parse(reader->events[1].data)["method"], "notifications/tools/list_changed");
    reader->leave();
    EXPECT_EQ(first.await_text(first.call(session, 2, "change")), "done");
    world.crash();
    EngineHarness& harness = world.boot();
    for (int time = 0; time < 2; ++time) {
        const auto resumed = harness.get(session, reader->events[1].id);
        ASSERT_TRUE(harness.turn_until([&] { return resumed->events.size() == 1; }));
        EXPECT_TRUE(resumed->events[0].id.ends_with(".2"));
        EXPECT_FALSE(resumed->done());  // it goes on
        if (time == 1) {
            EXPECT_EQ(harness.await_text(harness.call(session, 3, "change")), "done");
            EXPECT_TRUE(harness.turn_until([&] { return resumed->events.size() == 2; }));
        }
    }
}

TEST(engine_streams, a_new_get_begins_where_the_standalone_stream_is_and_takes_it_over) {  // B38 B40
    EngineHarness harness;
    harness.add_tool("change", [](CallPort& port, const Json&) { return port.send_list_changed("resources"), text_result("done"); });
    harness.start();
    const std::string session = harness.begin_session();
    const auto first = harness.get(session);
    ASSERT_TRUE(harness.turn_until([&] { return first->events.size() == 1; }));
    harness.await(harness.call(session, 1, "change"));
    ASSERT_TRUE(harness.turn_until([&] { return first->events.size() == 2; }));
    const auto second = harness.get(session);
    ASSERT_TRUE(harness.turn_until([&] { return second->events.size() == 1; }));
    EXPECT_TRUE(first->aborted);
    EXPECT_EQ(second->events[0].id, first->events[1].id);
    EXPECT_TRUE(second->messages().empty());
}

TEST(engine_streams, a_reader_far_behind_is_served_in_portions) {  // B37, limits.stream_buffer_bytes
    EngineHarness harness;
    harness.options().limits.stream_buffer_bytes = 400;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        for (int i = 0; i < 600; ++i) {
            port.log(warning, std::to_string(i), {});
        }
        return text_result("done");
    });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    EXPECT_EQ(harness.await_text(answer), "done");
    const int reads_before = harness.mortal_store().event_reads;
    const auto resumed = harness.get(session, answer->events[0].id);
    EXPECT_EQ(harness.await_text(resumed), "done");
    const auto whole = seen(*answer);
    EXPECT_EQ(seen(*resumed), std::vector<std::string>(whole.begin() + 1, whole.end()));
    EXPECT_GT(harness.mortal_store().event_reads - reads_before, 100);
}

TEST(engine_streams, a_stream_has_room_for_so_many_events_and_bytes) {  // limits.events_per_stream, event_bytes, event_bytes_per_stream
    EngineHarness harness;
    harness.options().limits.events_per_stream = 3;
    harness.options().limits.event_bytes = 200;
    harness.options().limits.event_bytes_per_stream = 400;
    harness.add_tool("work", [](CallPort& port, const Json& arguments) {
        const std::string payload = '"' + std::string(arguments.at("bytes").get<std::size_t>(), 'x') + '"';
        int sent = 0;
        try {
            for (; sent < 10; ++sent) {
                port.log(warning, payload, {});
            }
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::limit_exceeded);
        }
        return text_result(std::to_string(sent));
    });
    harness.start();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "work", {{"bytes", 1}})), "3");    // events
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "work", {{"bytes", 100}})), "2");  // bytes of all
    EXPECT_EQ(harness.await_text(harness.call(session, 3, "work", {{"bytes", 200}})), "0");  // bytes of one
}

// ── Lists that change ──────────────────────────────────────────────────────────────────────────────────────────────────────

constexpr mcp::ItemKind tools = mcp::ItemKind::tool;
constexpr mcp::ItemKind prompts = mcp::ItemKind::prompt;

TEST(engine_announcements, a_changed_list_is_told_to_every_reader_and_to_nobody_who_never_listened) {
    EngineHarness harness;
    harness.start();
    const std::string one = harness.begin_session();
    const std::string two = harness.begin_session();
    const std::string deaf = harness.begin_session();
    const auto first = harness.get(one);
    const auto second = harness.get(two);
    ASSERT_TRUE(harness.turn_until([&] { return first->events.size() == 1 && second->events.size() == 1; }));
    harness.engine().replace_catalog(harness.catalog(), {tools, prompts});
    ASSERT_TRUE(harness.turn_until([&] { return first->messages().size() == 2 && second->messages().size() == 2; }));
    EXPECT_EQ(Json::parse(first->messages()[0]), (Json{{"jsonrpc", "2.0"}, {"method", "notifications/tools/list_changed"}}));
    EXPECT_EQ(Json::parse(second->messages()[1])["method"], "notifications/prompts/list_changed");
    const auto late = harness.get(deaf);
    ASSERT_TRUE(harness.turn_until([&] { return late->events.size() == 1; }));
    EXPECT_TRUE(late->messages().empty());
}

TEST(engine_announcements, who_is_away_finds_one_announcement_of_each_kind_and_news_after_he_was_back) {
    EngineHarness harness;
    harness.start();
    const std::string session = harness.begin_session();
    const auto reader = harness.get(session);
    ASSERT_TRUE(harness.turn_until([&] { return reader->events.size() == 1; }));
    reader->leave();
    for (int time = 0; time < 3; ++time) {
        harness.engine().replace_catalog(harness.catalog(), {tools});
        harness.turn();
    }
    const auto back = harness.get(session, reader->events[0].id);
    ASSERT_TRUE(harness.turn_until([&] { return back->messages().size() == 1; }));
    EXPECT_EQ(harness.store()->last_event(stream_of(*reader)).value(), 1u);
    back->leave();
    // What he has been told does not stand for what changes now.
    harness.engine().replace_catalog(harness.catalog(), {tools});
    const auto again = harness.get(session, back->events[0].id);
    EXPECT_TRUE(harness.turn_until([&] { return again->messages().size() == 1; }));
}

TEST(engine_announcements, lists_that_change_in_turn_while_nobody_reads_do_not_pile_up) {
    EngineHarness harness;
    harness.start();
    const std::string session = harness.begin_session();
    const auto reader = harness.get(session);
    ASSERT_TRUE(harness.turn_until([&] { return reader->events.size() == 1; }));
    reader->leave();
    for (int time = 0; time < 20; ++time) {
        harness.engine().replace_catalog(harness.catalog(), {tools, prompts});
        harness.turn();
    }
    const std::string stream = stream_of(*reader);
    ASSERT_TRUE(harness.turn_until([&] { return harness.store()->last_event(stream).value() >= 2; }));
    EXPECT_TRUE(harness.stop());
    EXPECT_EQ(harness.store()->last_event(stream).value(), 2u);
}

// ── Batches ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Json request_of(const Json& id, const std::string& method, Json params = Json::object()) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}
Json call_of(const Json& id, const std::string& tool) {
    return request_of(id, "tools/call", {{"name", tool}, {"arguments", Json::object()}});
}

void add_batch_tools(EngineHarness& harness, const Door& door) {
    harness.add_tool("quick", [](CallPort&, const Json&) { return text_result("quick"); });
    harness.add_tool("slow", [door](CallPort& port, const Json&) {
        door.pass();
        run_step(port, "s", [] { return "0"; });
        return text_result("slow");
    });
}

TEST(engine_batches, a_batch_in_which_nothing_is_durable_is_answered_as_one_array) {
    EngineHarness harness;
    harness.options().limits.decide_after = std::chrono::seconds(60);
    harness.add_tool(
        "quick", [](CallPort&, const Json&) { return text_result("quick"); }, runtime::Durability::none);
    harness.start();
    const std::string session = harness.begin_session("2025-03-26");
    const auto answer = harness.post(session, Json::array({request_of(1, "ping"), call_of("two", "quick"), request_of(3, "unknown/method"),
                                                           Json{{"jsonrpc", "2.0"}, {"method", "notifications/roots/list_changed"}}}));
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_FALSE(answer->streaming);
    std::map<std::string, Json> by_id;
    for (const Json& one : Json::parse(answer->body)) {
        by_id[one["id"].dump()] = one;
    }
    ASSERT_EQ(by_id.size(), 3u);
    EXPECT_EQ(by_id["1"]["result"], Json::object());
    EXPECT_EQ(by_id["\"two\""]["result"]["content"][0]["text"], "quick");
    EXPECT_EQ(by_id["3"]["error"]["code"], -32601);
}

TEST(engine_batches, a_batch_with_a_durable_act_becomes_a_stream_on_which_every_recorded_answer_has_its_id) {  // B36 B37
    const Door door;
    EngineHarness harness;
    harness.options().limits.decide_after = std::chrono::seconds(60);
    add_batch_tools(harness, door);
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session("2025-03-26");
    const auto answer = harness.post(session, Json::array({call_of(1, "quick"), call_of(2, "slow"), request_of(3, "ping")}));
    ASSERT_TRUE(harness.turn_until([&] { return harness.store()->call_of_request(session, "1").value().has_value() && door.came() == 1; }));
    harness.turn();
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_TRUE(answer->streaming);
    ASSERT_EQ(answer->messages().size(), 3u);
    std::string first_id;
    for (const test::SeenEvent& event : answer->events) {
        const Json id = Json::parse(event.data)["id"];
        EXPECT_EQ(event.id.empty(), id == 3) << event.id << " " << event.data;  // a ping is not recorded
        first_id = id == 1 ? event.id : first_id;
    }
    const auto resumed = harness.get(session, first_id);
    harness.await(resumed);
    ASSERT_EQ(resumed->messages().size(), 1u);
    EXPECT_EQ(Json::parse(resumed->messages()[0])["id"], 2);
}

TEST(engine_batches, a_call_of_a_batch_is_cancelled_without_the_others) {  // B35
    const Door door;
    EngineHarness harness;
    add_batch_tools(harness, door);
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session("2025-03-26");
    const auto answer = harness.post(session, Json::array({call_of(1, "slow"), call_of(2, "slow")}));
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 2; }));
    harness.await(harness.cancel(session, 1));
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    ASSERT_EQ(answer->messages().size(), 1u);
    EXPECT_EQ(Json::parse(answer->messages()[0])["id"], 2);
}

TEST(engine_batches, a_batch_of_notifications_is_answered_202_when_all_of_them_are_durable) {
    EngineHarness harness;
    harness.start();
    const std::string session = harness.begin_session("2025-03-26");
    const auto answer = harness.post(
        session, Json::array({Json{{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}},
                              Json{{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 9}}}}}));
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_EQ(answer->status, 202u);
    EXPECT_EQ(answer->body, "");
}

TEST(engine_batches, a_batch_longer_than_the_limit_or_in_a_revision_without_them_is_400) {  // limits.batch_messages
    EngineHarness harness;
    harness.options().limits.batch_messages = 2;
    harness.start();
    const std::string old = harness.begin_session("2025-03-26");
    const std::string newest = harness.begin_session();
    const auto status_of = [&](const std::string& session, const Json& batch) {
        const auto answer = harness.post(session, batch);
        harness.await(answer);
        return answer->status;
    };
    EXPECT_EQ(status_of(old, Json::array({request_of(1, "ping"), request_of(2, "ping")})), 200u);
    EXPECT_EQ(status_of(old, Json::array({request_of(1, "ping"), request_of(2, "ping"), request_of(3, "ping")})), 400u);
    EXPECT_EQ(status_of(newest, Json::array({request_of(1, "ping")})), 400u);
}

TEST(engine_streams, the_first_step_waits_until_the_client_has_been_told_where_to_resume) {  // B37
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("work", [&](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return ++runs, "x"; })); });
    harness.start();
    const auto answer = harness.call(harness.begin_session(), 1, "work");
    answer->holds_flushes = true;
    ASSERT_TRUE(harness.turn_until([&] { return !answer->held_flushes.empty(); }));
    harness.turn();
    EXPECT_EQ(runs, 0);
    answer->held_flushes.front()();
    EXPECT_EQ(harness.await_text(answer), "x");
}

TEST(engine_streams, a_client_that_does_not_read_keeps_no_step_and_no_stop_waiting_for_ever) {  // B52, limits.write_stall
    for (const bool stops : {true, false}) {
        EngineHarness harness;
        harness.options().limits.write_stall = stops ? std::chrono::milliseconds(60'000) : std::chrono::milliseconds(10);
        std::atomic<int> runs{0};
        harness.add_tool("work",
                         [&](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return ++runs, "x"; })); });
        harness.start();
        const auto answer = harness.call(harness.begin_session(), 1, "work");
        answer->holds_flushes = true;
        ASSERT_TRUE(harness.turn_until([&] { return !answer->held_flushes.empty(); }));
        if (stops) {
            EXPECT_TRUE(harness.stop());
        } else {
            EXPECT_EQ(harness.await_text(answer), "x");
        }
        EXPECT_EQ(runs, stops ? 0 : 1);
    }
}

TEST(engine_streams, an_older_revision_gets_no_priming_event_and_no_retry) {
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) { return text_result(run_step(port, "a", [] { return "x"; })); });
    harness.start();
    const auto answer = harness.call(harness.begin_session("2025-06-18"), 1, "work");
    EXPECT_EQ(harness.await_text(answer), "x");
    EXPECT_TRUE(answer->streaming);
    EXPECT_EQ(answer->events.size(), 1u);
    EXPECT_EQ(answer->retry, "");
}

}  // namespace
}  // namespace durable_mcp
