// SPDX-License-Identifier: Apache-2.0
// A planned stop (B52): what finishes, what is put down for the next process, and what clients are told.


#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::on_each_store;
using test::run_once;
using test::run_step;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

TEST_P(on_each_store, a_planned_stop_lets_the_running_step_finish_and_suspends_the_rest) {  // B52
    const Door door;
    std::atomic<int> once_runs{0};
    std::atomic<int> after_runs{0};
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const std::string paid = run_once(port, "pay", [&] { return ++once_runs, door.pass(), "paid"; });
            const std::string after = run_once(port, "after", [&] { return ++after_runs, "after"; });
            return text_result(paid + " " + after);
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && answer->events.size() == 1; }));
    const std::string cursor = answer->events[0].id;
    answer->retry.clear();
    EXPECT_TRUE(first.stop(5s, [&] { door.open(); }));
    EXPECT_EQ(after_runs, 0);
    EXPECT_TRUE(answer->ended);
    EXPECT_TRUE(answer->messages().empty());
    EXPECT_EQ(answer->retry, "5000");  // come back
    EXPECT_EQ(first.store()->call_of_request(session, "1").value()->state, store::CallState::suspended);
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(session, cursor)), "paid after");
    EXPECT_EQ(once_runs, 1);
    EXPECT_EQ(after_runs, 1);
}

TEST(engine_stop, a_call_that_had_done_nothing_durable_is_accepted_by_the_stop_and_goes_on_in_the_next_process) {  // B52
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.options().limits.decide_after = 60s;
        harness.add_tool(
            "work", [door](CallPort& port, const Json&) { return door.pass(), text_result(run_step(port, "a", [] { return "done"; })); });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1; }));
    EXPECT_TRUE(first.stop(5s, [&] { door.open(); }));
    ASSERT_EQ(answer->events.size(), 1u);
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(session, answer->events[0].id)), "done");
}

TEST(engine_stop, an_answer_that_is_ready_before_the_deadline_still_reaches_its_client) {  // B52
    const Door door;
    EngineHarness harness;
    harness.add_tool("work",
                     [door](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return door.pass(), "done"; })); });
    harness.start();
    const auto answer = harness.call(harness.begin_session(), 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    EXPECT_TRUE(harness.stop(5s, [&] { door.open(); }));
    EXPECT_EQ(harness.await_text(answer), "done");
}

TEST(engine_stop, an_at_most_once_body_that_outlives_the_deadline_counts_as_interrupted) {  // B12 B52
    const auto store = store::open_memory_store();
    std::string call;
    {
        const Door door;
        const auto tool = [door](CallPort& port, const Json&) {
            try {
                run_once(port, "pay", [&] { return door.pass(), "paid"; });
            } catch (const AtMostOnceFailedBeforeCompleting& error) {
                return text_result(error.cause() == AtMostOnceFailedBeforeCompleting::Cause::interrupted ? "interrupted" : "failed");
            }
            return text_result("paid");
        };
        EngineHarness first(store);
        first.add_tool("work", tool);
        first.start();
        EngineHarness second(store);
        const Door::Opener opener(door);
        const std::string session = first.begin_session();
        const auto answer = first.call(session, 1, "work");
        ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && !answer->events.empty(); }));
        call = store->call_of_request(session, "1").value()->id;
        EXPECT_FALSE(first.stop(20ms));
        EXPECT_TRUE(answer->ended);
        EXPECT_TRUE(first.log().has("some handlers did not come back within 20 ms"));
        second.add_tool("work", tool);
        second.start();
        EXPECT_EQ(second.await_text(second.get(session, answer->events[0].id)), "interrupted");
    }
    // What came back from the dead has written nothing.
    const auto entries = store->entries(call).value();
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].kind, journal::EntryKind::once_started);
    EXPECT_EQ(entries[1].kind, journal::EntryKind::once_interrupted);
    EXPECT_EQ(store->last_event(store->call(call).value()->stream).value(), 1u);
}

TEST(engine_stop, no_event_id_leaves_for_a_call_whose_acceptance_the_stop_could_not_wait_for) {  // B52
    const Door commit;
    const Door door;
    const auto store = store::open_memory_store();
    EngineHarness harness(store);
    harness.options().limits.decide_after = 60s;
    harness.add_tool("work", [door](CallPort&, const Json&) { return door.pass(), text_result("done"); });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
    store->on_commit([commit](std::uint64_t) { return commit.pass(), std::nullopt; });
    const Door::Opener opener(door);
    const Door::Opener commit_opener(commit);
    EXPECT_FALSE(harness.stop(20ms));
    EXPECT_TRUE(answer->done());
    EXPECT_TRUE(answer->events.empty());
    EXPECT_EQ(answer->status, 503u);
    store->on_commit({});
}

TEST(engine_stop, what_comes_while_it_stops_is_answered_503) {  // B52
    const Door door;
    EngineHarness harness;
    harness.add_tool("work",
                     [door](CallPort& port, const Json&) { return text_result(run_step(port, "a", [&] { return door.pass(), "done"; })); });
    harness.start();
    const std::string session = harness.begin_session();
    harness.call(session, 1, "work");
    const auto reader = harness.get(session);
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1 && reader->events.size() == 1; }));
    std::shared_ptr<test::FakeSink> late;
    EXPECT_TRUE(harness.stop(5s, [&] {
        late = harness.call(session, 2, "work");
        door.open();
    }));
    ASSERT_TRUE(late);
    EXPECT_EQ(late->status, 503u);
    EXPECT_EQ(late->headers["Retry-After"], "5");
    EXPECT_TRUE(reader->ended);
    EXPECT_EQ(reader->retry, "5000");
}

TEST(engine_stop, a_second_stop_returns) {  // B52
    EngineHarness harness;
    harness.start();
    const auto engine = std::dynamic_pointer_cast<runtime::Engine>(harness.engine().shared_from_this());
    EXPECT_TRUE(harness.stop());
    EXPECT_TRUE(engine->stop(10s));
}

TEST(engine_stop, a_handler_that_swallows_the_unwinding_is_found_out) {
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            run_step(port, "a", [&] { return door.pass(), "1"; });
            try {
                run_step(port, "b", [] { return "2"; });
            } catch (...) {  // what nobody should write
            }
            return text_result("swallowed");
        });
    });
    EngineHarness& first = world.boot();
    const std::string session = first.begin_session();
    const auto answer = first.call(session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1; }));
    EXPECT_TRUE(first.stop(5s, [&] { door.open(); }));
    EXPECT_EQ(first.await(answer)["error"]["code"], -32603);
    EXPECT_TRUE(first.log().has("the handler swallowed durable_mcp::Unwind"));
}

}  // namespace
}  // namespace durable_mcp
