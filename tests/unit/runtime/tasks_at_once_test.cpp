// SPDX-License-Identifier: Apache-2.0
// Tools whose calls are tasks from the first moment: for clients that know tasks. And tasks that end while they are asked about.
#include <chrono>
#include <thread>

#include "unit/runtime/client_parts.hpp"

namespace durable_mcp::test {
namespace {

using namespace std::chrono_literals;

void makes_tasks_at_once(runtime::HandlerTarget& target) {
    target.inline_wait = 0ms;
}

TEST(tasks_at_once, a_client_that_knows_tasks_gets_one_before_the_call_has_ended) {
    EngineHarness harness;
    const Door door;
    harness.add_tool(
        "work", [door](auto&, const auto&) { return door.pass(), text_result("done"); }, "optional", makes_tasks_at_once);
    harness.start();
    const Door::Opener opener(door);
    const StatelessClient client{tasks_and(), base::Json::object(), {}};

    const base::Json created = result_of(harness.await(client.call(harness, "work")));
    EXPECT_EQ(created.value("resultType", ""), "task");
    const base::Json got = result_of(harness.await(client.ask(harness, "tasks/get", {{"taskId", created.value("taskId", "")}})));
    EXPECT_EQ(got.value("status", ""), "working") << got;
}

TEST(tasks_at_once, a_client_that_knows_no_tasks_waits_rather_than_being_told_to_come_back_at_once) {
    EngineHarness harness;
    const Door door;
    harness.add_tool(
        "work", [door](auto&, const auto&) { return door.pass(), text_result("done"); }, "optional", makes_tasks_at_once);
    harness.start();
    const Door::Opener opener(door);

    const auto asked = StatelessClient{}.call(harness, "work");
    harness.turn_for(30ms);
    ASSERT_FALSE(asked->done()) << asked->body;
    door.open();
    EXPECT_EQ(harness.await_text(asked), "done");
}

// The loop once waited for itself here: whoever is told that the call was taken back looks at the call.
TEST(tasks_at_once, a_task_may_be_taken_back_while_its_result_is_on_its_way) {
    EngineHarness harness;
    const Door door;
    harness.add_tool(
        "work", [door](auto&, const auto&) { return door.pass(), text_result("done"); }, "required");
    harness.start();
    const Door::Opener opener(door);
    const StatelessClient client{tasks_and(), base::Json::object(), {}};
    const std::string task = result_of(harness.await(client.call(harness, "work"))).value("taskId", "");
    ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));

    const int written = harness.mortal_store().writes;
    door.open();
    while (harness.mortal_store().writes == written) {  // not turned: the loop has not heard of the result
        std::this_thread::yield();
    }
    EXPECT_EQ(result_of(harness.await(client.ask(harness, "tasks/cancel", {{"taskId", task}}))).value("resultType", ""), "complete");
    EXPECT_TRUE(harness.turn_until([&] {
        return result_of(harness.await(client.ask(harness, "tasks/get", {{"taskId", task}}))).value("status", "") == "completed";
    })) << "what was done stays done";
}

}  // namespace
}  // namespace durable_mcp::test
