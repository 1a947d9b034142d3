// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/engine.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using test::EngineHarness;
using test::run_step;
using test::text_result;

TEST(engine_calls, a_quick_call_without_steps_is_answered_as_plain_json) {
    EngineHarness harness;
    harness.add_tool("hello", [](detail::CallPort&, const Json&) { return text_result("hi"); });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "hello");
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    EXPECT_EQ(answer->status, 200u);
    EXPECT_FALSE(answer->streaming);
    EXPECT_EQ(Json::parse(answer->body)["result"]["content"][0]["text"], "hi");
    EXPECT_EQ(Json::parse(answer->body)["id"], 1);
}

TEST(engine_calls, a_call_with_a_step_becomes_a_primed_stream_that_ends_with_the_answer) {
    EngineHarness harness;
    harness.add_tool("work",
                     [](detail::CallPort& port, const Json&) { return text_result(run_step(port, "a", [] { return "\"done\""; })); });
    harness.start();
    const std::string session = harness.begin_session();
    const auto answer = harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
    ASSERT_TRUE(answer->streaming);
    ASSERT_EQ(answer->events.size(), 2u);
    EXPECT_EQ(answer->events[0].data, "");
    EXPECT_TRUE(answer->events[0].id.ends_with(".0"));
    EXPECT_TRUE(answer->events[1].id.ends_with(".1"));
    EXPECT_EQ(answer->retry, "5000");
    EXPECT_TRUE(answer->ended);
}

TEST(engine_calls, calls_that_grow_old_are_accepted_and_become_a_stream_although_they_do_nothing_durable) {  // limits.decide_after
    for (const bool is_batch : {false, true}) {
        const test::Door door;
        EngineHarness harness;
        harness.options().limits.decide_after = std::chrono::milliseconds(1);
        harness.add_tool("work", [door](detail::CallPort&, const Json&) { return door.pass(), text_result("done"); });
        harness.start();
        const test::Door::Opener opener(door);
        const std::string session = harness.begin_session(is_batch ? "2025-03-26" : "2025-11-25");
        Json requests = Json::array();
        for (int id = 1; id <= (is_batch ? 2 : 1); ++id) {
            requests.push_back(
                {{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", {{"name", "work"}, {"arguments", Json::object()}}}});
        }
        const auto answer = harness.post(session, is_batch ? requests : requests[0]);
        ASSERT_TRUE(harness.turn_until([&] { return answer->streaming; }));
        EXPECT_EQ(harness.store()->unfinished_calls()->size(), requests.size());  // all of them, before the first id leaves
        door.open();
        ASSERT_TRUE(harness.turn_until([&] { return answer->done(); }));
        EXPECT_EQ(answer->messages().size(), requests.size());
    }
}

TEST(engine_calls, a_recorded_step_is_not_run_again_after_a_reboot_and_the_resumed_client_gets_the_answer) {  // B1, B37
    const auto store = store::open_memory_store();
    std::atomic<int> first_runs{0};
    std::atomic<int> second_runs{0};
    std::atomic<bool> hold{true};
    const auto tool = [&](detail::CallPort& port, const Json&) {
        run_step(port, "first", [&] {
            ++first_runs;
            return "1";
        });
        run_step(port, "second", [&] {
            ++second_runs;
            while (hold) {
                std::this_thread::yield();
            }
            return "2";
        });
        run_step(port, "third", [&] { return "3"; });
        return text_result("all");
    };
    std::string session;
    std::string cursor;
    {
        EngineHarness harness(store);
        harness.add_tool("work", tool);
        harness.start();
        session = harness.begin_session();
        const auto answer = harness.call(session, 1, "work");
        ASSERT_TRUE(harness.turn_until([&] { return second_runs == 1; }));
        cursor = answer->events.at(0).id;
        std::thread releaser([&] { hold = false; });
        EXPECT_TRUE(harness.stop());
        releaser.join();
    }
    EngineHarness harness(store);
    harness.add_tool("work", tool);
    harness.start();
    const auto resumed = harness.get(session, cursor);
    ASSERT_TRUE(harness.turn_until([&] { return resumed->done(); }));
    ASSERT_EQ(resumed->messages().size(), 1u);
    EXPECT_EQ(Json::parse(resumed->messages()[0])["result"]["content"][0]["text"], "all");
    EXPECT_EQ(first_runs, 1);
    EXPECT_EQ(second_runs, 1);  // it ran to its end while the server drained, and was recorded
}

}  // namespace
}  // namespace durable_mcp
