// SPDX-License-Identifier: Apache-2.0
// Questions to a session's client (semantics §4, B29 to B34): put once, answered once, whatever happens in between.

#include "durable_mcp/error.hpp"
#include "runtime/stream.hpp"
#include "unit/runtime/client_parts.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::ask_number;
using test::Door;
using test::elicitation;
using test::EngineHarness;
using test::FakeClock;
using test::FakeSink;
using test::number;
using test::on_each_store;
using test::questions_in;
using test::response;
using test::run_step;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

const std::string newest = "2025-11-25";

/// Asks for a, works, asks for b.
Json two_questions(CallPort& port, const Json&) {
    const std::string a = ask_number(port, "a");
    run_step(port, "between", [] { return "0"; });
    return text_result(a + "," + ask_number(port, "b"));
}
Json one_question(CallPort& port, const Json&) {
    return text_result(ask_number(port, "a"));
}

/// The id of the `nth` question that comes on the stream.
Json question_on(EngineHarness& harness, const std::shared_ptr<FakeSink>& sink, std::size_t nth = 0) {
    EXPECT_TRUE(harness.turn_until([&] { return questions_in(*sink).size() > nth; })) << "no question came";
    const auto questions = questions_in(*sink);
    return questions.size() > nth ? questions[nth]["id"] : Json();
}
unsigned status_of(EngineHarness& harness, const std::shared_ptr<FakeSink>& sink) {
    EXPECT_TRUE(harness.turn_until([&] { return sink->done(); }));
    return sink->status;
}
/// True when the row of the session's call 1 is that of one that was put down.
bool rests(EngineHarness& harness, const std::string& session) {
    const auto row = harness.store()->call_of_request(session, "1");
    return row && *row && (**row).state == store::CallState::suspended;
}

TEST(engine_questions, what_the_client_has_not_declared_is_not_asked) {  // B29 B50
    EngineHarness harness;
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        try {
            port.ask({test::number_question("a"), {"b", "roots/list", "{}", R"({"roots":{}})", {}}});
        } catch (const MissingCapability& error) {
            return text_result(error.required());
        }
        return text_result("asked");
    });
    harness.start();
    const auto answer = harness.call(harness.begin_session(newest, elicitation()), 1, "ask");
    EXPECT_EQ(harness.await_text(answer), R"({"roots":{}})");
    EXPECT_TRUE(questions_in(*answer).empty());  // a could have been put, and was not without b
}

TEST(engine_questions, a_question_is_no_larger_than_an_event_may_be) {  // limits.event_bytes
    EngineHarness harness;
    harness.options().limits.event_bytes = 500;
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        try {
            ask_number(port, std::string(500, 'x'));  // which its message quotes
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::limit_exceeded);
            return text_result(ask_number(port, "a"));
        }
        return text_result("asked");
    });
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    harness.post(session, response(question_on(harness, answer), number(3)));
    EXPECT_EQ(harness.await_text(answer), "3");
}

TEST(engine_questions, what_the_revision_has_no_words_for_is_not_asked_whatever_the_client_declares) {  // B29
    EngineHarness harness;
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        const bool says_so = Json::parse(port.client_json())["capabilities"].contains("elicitation");
        try {
            port.ask({test::number_question("a")});
        } catch (const MissingCapability&) {
            return text_result(says_so ? "may be asked, and is not" : "not asked");
        }
        return text_result("asked");
    });
    harness.start();
    const auto answer = harness.call(harness.begin_session("2025-03-26", elicitation()), 1, "ask");
    EXPECT_EQ(harness.await_text(answer), "not asked");
}

TEST(engine_questions, a_choice_of_several_values_is_not_put_to_a_revision_without_a_word_for_it) {  // B29
    EngineHarness harness;
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        const Json params = Json::parse(R"({"mode":"form","message":"?","requestedSchema":{"type":"object","properties":{
            "toppings":{"type":"array","items":{"type":"string","enum":["a","b"]}}}}})");
        const detail::QuestionRequest several{"several", "elicitation/create", params.dump(), R"({"elicitation":{"form":{}}})", {}};
        try {
            port.ask({test::number_question("a"), several});
        } catch (const MissingCapability& error) {
            EXPECT_NE(std::string(error.what()).find("2025-06-18, has no word for 'toppings'"), std::string::npos) << error.what();
            return text_result("not asked");
        }
        return text_result("asked");
    });
    harness.start();
    const auto older = harness.call(harness.begin_session("2025-06-18", elicitation()), 1, "ask");
    EXPECT_EQ(harness.await_text(older), "not asked");
    EXPECT_TRUE(questions_in(*older).empty());
    const auto newer = harness.call(harness.begin_session(newest, elicitation()), 1, "ask");
    question_on(harness, newer, 1);
    EXPECT_EQ(questions_in(*newer).size(), 2u);
}

TEST_P(on_each_store, a_question_is_an_event_of_the_stream_and_its_answer_goes_on) {  // B30
    World world(GetParam(), [](EngineHarness& harness) { harness.add_tool("ask", two_questions); });
    EngineHarness& harness = world.boot();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    const Json first = question_on(harness, answer);
    const auto& event = answer->events.back();
    EXPECT_FALSE(event.id.empty());
    EXPECT_EQ(Json::parse(event.data)["params"]["message"], "how many for a?");
    EXPECT_EQ(status_of(harness, harness.post(session, response(first, number(3)))), 202u);
    const Json second = question_on(harness, answer, 1);
    EXPECT_NE(first, second);
    EXPECT_EQ(status_of(harness, harness.post(session, response(second, number(4)))), 202u);
    EXPECT_EQ(harness.await_text(answer), "3,4");
}

TEST(engine_questions, an_answer_is_durable_before_it_is_acknowledged) {  // B30
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.add_tool("ask", one_question);
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    const Json id = question_on(harness, answer);
    ASSERT_TRUE(harness.turn_until([&] { return rests(harness, session); }));
    store->set_full(true);
    const auto said = harness.post(session, response(id, number(3)));
    harness.turn_for(50ms);
    EXPECT_FALSE(said->done());
    EXPECT_FALSE(answer->done());
    store->set_full(false);
    EXPECT_EQ(status_of(harness, said), 202u);
    EXPECT_EQ(harness.await_text(answer), "3");
}

TEST(engine_questions, calls_that_wait_for_answers_give_their_threads_back) {  // B32
    EngineHarness harness;
    harness.options().limits.handler_threads = 2;
    harness.options().limits.short_wait = 5ms;
    harness.add_tool("ask", one_question);
    harness.add_tool("quick", [](CallPort&, const Json&) { return text_result("done"); });
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    std::vector<std::shared_ptr<FakeSink>> waiting;
    std::vector<Json> ids;
    for (int i = 1; i <= 12; ++i) {
        waiting.push_back(harness.call(session, i, "ask"));
    }
    for (const auto& sink : waiting) {
        ids.push_back(question_on(harness, sink));
    }
    EXPECT_EQ(harness.await_text(harness.call(session, 100, "quick")), "done");
    for (std::size_t i = waiting.size(); i-- > 0;) {
        EXPECT_EQ(status_of(harness, harness.post(session, response(ids[i], number(static_cast<int>(i))))), 202u);
        EXPECT_EQ(harness.await_text(waiting[i]), std::to_string(i));
    }
}

TEST_P(on_each_store, after_a_crash_the_same_question_waits_under_the_same_id_and_any_process_takes_the_answer) {  // B31 B33
    Door history;
    history.open();
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.mortal_store().hold_histories(history);
        harness.add_tool("ask", two_questions);
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest, elicitation());
    const auto answer = harness->call(session, 1, "ask");
    const Json first = question_on(*harness, answer);
    const std::string start = answer->events.front().id;
    world.crash();

    history = Door();
    harness = &world.boot();  // the answer comes before its client has resumed, and before the history was read
    const auto said = harness->post(session, response(first, number(3)));
    harness->turn_for(5ms);
    EXPECT_FALSE(said->done());
    history.open();
    EXPECT_EQ(status_of(*harness, said), 202u);
    world.crash();

    harness = &world.boot();
    const auto resumed = harness->get(session, start);
    EXPECT_EQ(question_on(*harness, resumed), first);
    const Json second = question_on(*harness, resumed, 1);
    EXPECT_EQ(status_of(*harness, harness->post(session, response(first, number(77)))), 202u);  // too late: the first one stays
    EXPECT_EQ(status_of(*harness, harness->post(session, response(second, number(4)))), 202u);
    EXPECT_EQ(harness->await_text(resumed), "3,4");
    EXPECT_EQ(questions_in(*resumed).size(), 2u);  // B33: each was put once
}

TEST_P(on_each_store, a_call_may_rest_over_a_planned_stop) {  // B31 B52
    World world(GetParam(), [](EngineHarness& harness) { harness.add_tool("ask", one_question); });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest, elicitation());
    const auto answer = harness->call(session, 1, "ask");
    const Json id = question_on(*harness, answer);
    const std::string seen = answer->events.back().id;
    ASSERT_TRUE(harness->turn_until([&] { return rests(*harness, session); }));
    EXPECT_TRUE(world.stop());
    EXPECT_EQ(answer->retry, "5000");
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    EXPECT_EQ(status_of(*harness, harness->post(session, response(id, number(5)))), 202u);
    EXPECT_EQ(harness->await_text(resumed), "5");
}

TEST(engine_questions, an_answer_that_comes_before_the_history_is_read_is_refused_by_a_stop_and_never_lost_in_silence) {  // B31
    const Door door;
    FakeClock clock;  // who was first is taken up first
    World world([&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.recovery_concurrency = 1;
        harness.add_tool("ask", one_question);
        harness.add_tool(
            "slow", [door](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return door.pass(), "0"; })); });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest, elicitation());
    const auto slow = harness->call(session, 2, "slow");
    ASSERT_TRUE(harness->turn_until([&] { return door.came() == 1; }));
    clock.advance(1s);
    const Json id = question_on(*harness, harness->call(session, 1, "ask"));
    world.crash([&] { door.open(); });

    const Door second;
    world.set_up_as([&](EngineHarness& next) {
        next.options().clock = &clock;
        next.options().limits.recovery_concurrency = 1;
        next.add_tool("ask", one_question);
        next.add_tool(
            "slow", [second](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return second.pass(), "0"; })); });
    });
    harness = &world.boot();
    const Door::Opener opener(second);
    ASSERT_TRUE(harness->turn_until([&] { return second.came() == 1; }));
    const auto said = harness->post(session, response(id, number(3)));
    harness->turn_for(20ms);
    EXPECT_FALSE(said->done());  // its call waits behind the slow one
    harness->stop(5s, [&] { second.open(); });
    EXPECT_EQ(said->status, 503u);
}

TEST_P(on_each_store, a_refusal_is_raised_on_every_replay_and_a_wrong_shape_is_one) {  // B34
    World world(GetParam(), [](EngineHarness& harness) {
        harness.add_tool("ask", [](CallPort& port, const Json&) {
            std::string said;
            for (const char* const alias : {"a", "b"}) {
                try {
                    said += ask_number(port, alias) + ";";
                } catch (const QuestionRefused& error) {
                    said += std::to_string(error.code()) + ";";
                }
            }
            return text_result(said + ask_number(port, "c"));
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest, elicitation());
    const auto answer = harness->call(session, 1, "ask");
    const Json a = question_on(*harness, answer);
    harness->post(session, {{"jsonrpc", "2.0"}, {"id", a}, {"error", {{"code", -1}, {"message", "no"}}}});
    const Json b = question_on(*harness, answer, 1);
    harness->post(session, response(b, number(1)["content"]));
    const Json c = question_on(*harness, answer, 2);
    const std::string seen = answer->events.back().id;
    world.crash();
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    EXPECT_EQ(status_of(*harness, harness->post(session, response(c, number(9)))), 202u);
    EXPECT_EQ(harness->await_text(resumed), "-1;-32602;9");
}

TEST(engine_questions, a_declined_form_is_an_answer) {  // B30
    EngineHarness harness;
    harness.add_tool("ask", one_question);
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    harness.post(session, response(question_on(harness, answer), {{"action", "decline"}}));
    EXPECT_EQ(harness.await_text(answer), "decline");
}

TEST_P(on_each_store, a_deadline_is_recorded_once_and_passes_while_nobody_runs) {  // B34
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("ask", [](CallPort& port, const Json&) {
            try {
                return text_result(ask_number(port, "a", 1h));
            } catch (const QuestionExpired&) {
                return text_result("expired");
            }
        });
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest, elicitation());
    const auto answer = harness->call(session, 1, "ask");
    const Json id = question_on(*harness, answer);
    const std::string seen = answer->events.back().id;
    clock.set_wall_by(48h);
    harness->turn_for(20ms);
    EXPECT_FALSE(answer->done());  // somebody has set the clock: no hour has passed
    clock.set_wall_by(-48h);
    clock.advance(50min);
    harness->turn_for(20ms);
    EXPECT_FALSE(answer->done());
    world.crash();
    harness = &world.boot();  // a deadline that began anew would end an hour from here
    const auto resumed = harness->get(session, seen);
    harness->turn_for(20ms);
    EXPECT_FALSE(resumed->ended);
    clock.advance(11min);
    EXPECT_EQ(harness->await_text(resumed), "expired");
    EXPECT_EQ(status_of(*harness, harness->post(session, response(id, number(1)))), 202u);  // too late, and said so to nobody
}

TEST(engine_questions, an_unanswered_question_is_put_once_more_behind_a_resume_and_only_then) {  // B31
    EngineHarness harness;
    harness.options().limits.reask_after = 30ms;
    harness.add_tool("ask", one_question);
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    const Json id = question_on(harness, answer);
    harness.turn_for(60ms);
    EXPECT_EQ(answer->messages().size(), 1u);  // nobody was away
    answer->leave();
    const auto before = harness.get(session, answer->events.front().id);  // this resume delivers it by itself
    harness.turn_for(60ms);
    EXPECT_EQ(before->messages().size(), 1u);
    for (int time = 0; time < 2; ++time) {
        const auto behind = harness.get(session, answer->events.back().id);
        ASSERT_TRUE(harness.turn_until([&] { return behind->messages().size() == 2; }));
        harness.turn_for(60ms);
        EXPECT_EQ(behind->messages().size(), 2u);  // once, however often it is resumed
        EXPECT_EQ(questions_in(*behind).at(0)["id"], id.get<std::string>() + ".2");
        const Json withdrawn = Json::parse(behind->messages().at(1));
        EXPECT_EQ(withdrawn["method"], "notifications/cancelled");
        EXPECT_EQ(withdrawn["params"]["requestId"], id);
    }
    const auto last = harness.get(session, answer->events.front().id);
    EXPECT_EQ(status_of(harness, harness.post(session, response(id, number(6)))), 202u);  // to the old id
    EXPECT_EQ(harness.await_text(last), "6");
}

TEST(engine_questions, a_resume_right_after_a_boot_counts_although_the_history_is_not_read_yet_and_an_answer_ends_it) {  // B31 B33
    Door history;
    history.open();
    World world([&](EngineHarness& harness) {
        harness.options().limits.reask_after = 40ms;
        harness.mortal_store().hold_histories(history);
        harness.add_tool("ask", one_question);
    });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest, elicitation());
    const auto answer = harness->call(session, 1, "ask");
    const Json id = question_on(*harness, answer);
    const std::string seen = answer->events.back().id;
    world.crash();
    history = Door();
    harness = &world.boot();
    const auto resumed = harness->get(session, seen);
    harness->turn_for(5ms);
    history.open();
    const Json again = question_on(*harness, resumed);
    EXPECT_EQ(again, id.get<std::string>() + ".2");
    const std::string behind_it = resumed->events.back().id;
    ASSERT_TRUE(harness->turn_until([&] { return resumed->messages().size() == 2; }));
    world.crash();
    harness = &world.boot();  // it was put twice, and is not put a third time
    const auto third = harness->get(session, behind_it);
    harness->turn_for(100ms);
    EXPECT_TRUE(questions_in(*third).empty());
    EXPECT_EQ(status_of(*harness, harness->post(session, response(again, number(6)))), 202u);
    EXPECT_EQ(harness->await_text(third), "6");
}

TEST(engine_questions, an_answer_from_another_session_or_to_nothing_changes_nothing) {  // B30
    EngineHarness harness;
    harness.add_tool("ask", one_question);
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const std::string other = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    const Json id = question_on(harness, answer);
    EXPECT_EQ(status_of(harness, harness.post(other, response(id, number(1)))), 202u);
    for (const Json& wrong : {Json(7), Json("x"), Json(id.get<std::string>() + ".3"), Json(id.get<std::string>().substr(0, 20))}) {
        EXPECT_EQ(status_of(harness, harness.post(session, response(wrong, number(1)))), 202u);
    }
    harness.turn_for(20ms);
    EXPECT_FALSE(answer->done());
    harness.post(session, response(id, number(2)));
    EXPECT_EQ(harness.await_text(answer), "2");
}

TEST(engine_questions, two_answers_at_once_count_once) {  // B33
    EngineHarness harness;
    harness.add_tool("ask", two_questions);
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    const Json first = question_on(harness, answer);
    const auto one = harness.post(session, response(first, number(1)));
    const auto two = harness.post(session, response(first, number(2)));
    EXPECT_EQ(status_of(harness, one), 202u);
    EXPECT_EQ(status_of(harness, two), 202u);
    harness.post(session, response(question_on(harness, answer, 1), number(4)));
    EXPECT_EQ(harness.await_text(answer), "1,4");  // the second is not taken for b's
}

TEST_P(on_each_store, a_call_that_rests_is_taken_back_for_good) {  // B35
    World world(GetParam(), [](EngineHarness& harness) { harness.add_tool("ask", one_question); });
    EngineHarness* harness = &world.boot();
    const std::string session = harness->begin_session(newest, elicitation());
    const auto answer = harness->call(session, 1, "ask");
    const Json id = question_on(*harness, answer);
    ASSERT_TRUE(harness->turn_until([&] { return rests(*harness, session); }));
    EXPECT_EQ(status_of(*harness, harness->cancel(session, 1)), 202u);
    EXPECT_TRUE(harness->turn_until([&] { return answer->ended; }));
    EXPECT_EQ(answer->messages().size(), 1u);
    EXPECT_EQ(status_of(*harness, harness->post(session, response(id, number(1)))), 202u);
    world.crash();
    harness = &world.boot();
    EXPECT_EQ(harness->await(harness->call(session, 1, "ask"))["error"]["message"], "This request was cancelled");
}

TEST(engine_questions, an_answer_and_a_cancellation_that_meet_end_cancelled) {  // B35
    std::atomic<int> attempts{0};
    EngineHarness harness;
    harness.options().limits.short_wait = 1ms;
    harness.add_tool("ask", [&](CallPort& port, const Json&) { return ++attempts, text_result(ask_number(port, "a")); });
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    const Json id = question_on(harness, answer);
    ASSERT_TRUE(harness.turn_until([&] { return rests(harness, session); }));
    harness.turn_for(10ms);
    harness.post(session, response(id, number(1)));
    const auto cancelled = harness.cancel(session, 1);
    EXPECT_EQ(status_of(harness, cancelled), 202u);
    harness.turn_for(20ms);
    EXPECT_EQ(attempts, 1);
    EXPECT_EQ((*harness.store()->call_of_request(session, "1"))->state, store::CallState::cancelled);
}

TEST(engine_questions, a_cancellation_finds_a_call_that_is_about_to_rest) {  // B35
    // The loop stands still while the handler leaves, so that the cancellation is there before the news that it rests.
    EngineHarness harness;
    harness.options().limits.short_wait = 1ms;
    harness.options().limits.write_stall = 1ms;  // nobody tells its client where to resume from
    harness.add_tool("ask", one_question);
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    for (int i = 0; i < 10'000 && !rests(harness, session); ++i) {
        std::this_thread::sleep_for(1ms);
    }
    ASSERT_TRUE(rests(harness, session));
    EXPECT_EQ(status_of(harness, harness.cancel(session, 1)), 202u);
    harness.turn_for(20ms);
    EXPECT_EQ((*harness.store()->call_of_request(session, "1"))->state, store::CallState::cancelled);
    EXPECT_TRUE(answer->done());
}

TEST(engine_questions, delete_ends_a_call_that_rests_with_its_session) {  // B35 B48
    EngineHarness harness;
    harness.add_tool("ask", one_question);
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    question_on(harness, answer);
    ASSERT_TRUE(harness.turn_until([&] { return rests(harness, session); }));
    EXPECT_EQ(status_of(harness, harness.request("DELETE", {{"Mcp-Session-Id", session}}, {})), 200u);
    EXPECT_TRUE(answer->done());
    EXPECT_FALSE(harness.store()->call_of_request(session, "1")->has_value());
}

TEST(engine_questions, a_handler_that_swallows_its_unwinding_at_a_question_is_found_out) {  // B32
    EngineHarness harness;
    harness.options().limits.short_wait = 1ms;
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        try {
            return text_result(ask_number(port, "a"));
        } catch (...) {
            return text_result("caught");
        }
    });
    harness.start();
    const auto answer = harness.call(harness.begin_session(newest, elicitation()), 1, "ask");
    EXPECT_EQ(harness.await(answer)["error"]["code"], -32603);
    EXPECT_TRUE(harness.log().has("swallowed durable_mcp::Unwind"));
}

TEST(engine_questions, a_late_cancellation_undoes_no_answer_also_of_one_that_swallowed_its_unwinding) {  // B32 B35
    const Door door;
    EngineHarness harness;
    harness.options().limits.short_wait = 1ms;
    harness.add_tool("ask", [door](CallPort& port, const Json&) {
        try {
            return text_result(ask_number(port, "a"));
        } catch (...) {
            return door.pass(), text_result("caught");
        }
    });
    harness.start();
    const Door::Opener opener(door);
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    const Door disk;
    const Door::Opener disk_opener(disk);
    harness.mortal_store().hold_commits(disk);
    door.open();
    ASSERT_TRUE(harness.turn_until([&] { return disk.came() == 1; }));  // its answer is on the way to disk
    const auto cancelled = harness.cancel(session, 1);
    disk.open();
    EXPECT_EQ(status_of(harness, cancelled), 202u);
    EXPECT_EQ(harness.await(answer)["error"]["code"], -32603);
    EXPECT_TRUE(harness.stop());
    const auto row = harness.store()->call_of_request(session, "1").value();
    ASSERT_TRUE(row);
    EXPECT_EQ(row->state, store::CallState::completed);
    EXPECT_NE(row->answer_event, 0u);
}

TEST(engine_questions, several_at_once_are_answered_in_any_order) {  // B30
    EngineHarness harness;
    harness.options().limits.short_wait = 1ms;
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        const auto answers = port.ask({test::number_question("a"), test::number_question("b")});
        return text_result(answers.at(0) + answers.at(1));
    });
    harness.start();
    const std::string session = harness.begin_session(newest, elicitation());
    const auto answer = harness.call(session, 1, "ask");
    const Json b = question_on(harness, answer, 1);
    EXPECT_EQ(status_of(harness, harness.post(session, response(b, number(2)))), 202u);
    harness.turn_for(20ms);
    EXPECT_EQ(status_of(harness, harness.post(session, response(question_on(harness, answer), number(1)))), 202u);
    EXPECT_EQ(harness.await_text(answer), number(1).dump() + number(2).dump());
    EXPECT_EQ(questions_in(*answer).size(), 2u);
}

}  // namespace
}  // namespace durable_mcp
