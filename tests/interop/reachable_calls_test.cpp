// SPDX-License-Identifier: Apache-2.0
// Calls that can be reached from elsewhere, over a kill: by the handle of a task, which no client on npm knows yet, and by an idempotency key.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "interop/example_server.hpp"
#include "interop/raw_client.hpp"

namespace durable_mcp::interop {
namespace {

using namespace std::chrono_literals;

const Json knows_tasks{{"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};

/// Looks again until `condition` holds; false after half a minute. For what nobody tells: a ledger that grows, a task that has to be asked for.
bool eventually(const std::function<bool()>& condition) {
    for (const auto until = std::chrono::steady_clock::now() + 30s; std::chrono::steady_clock::now() < until;) {
        if (condition()) {
            return true;
        }
        std::this_thread::sleep_for(50ms);
    }
    return false;
}

std::string text_of(const Json& result) {
    return result.at("content").at(0).at("text");
}

std::ptrdiff_t times(const std::vector<std::string>& ledger, const std::string& deed) {
    return std::count(ledger.begin(), ledger.end(), deed);
}

// ── examples/long_task ────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(long_task, is_completed_by_the_server_that_follows_a_killed_one) {
    ExampleServer server(DURABLE_MCP_LONG_TASK);
    const Json created = ask_stateless(server.port(), "tools/call", {{"name", "count_book"}, {"arguments", {{"chapters", 4}}}}, knows_tasks).result();
    ASSERT_EQ(created.value("resultType", ""), "task") << created;
    EXPECT_EQ(created.at("status"), "working");
    EXPECT_EQ(created.at("ttlMs"), 24 * 3600 * 1000);
    const std::string task = created.at("taskId");

    // The second chapter is counted only when the first one is recorded.
    ASSERT_TRUE(eventually([&] { return server.ledger().size() >= 2; }));
    server.kill_and_restart();

    Json seen = ask_stateless(server.port(), "tasks/get", {{"taskId", task}}, knows_tasks).result();
    EXPECT_EQ(seen.at("status"), "working") << "a task resolves at once, also in another process";
    EXPECT_EQ(seen.at("createdAt"), created.at("createdAt"));
    ASSERT_TRUE(eventually([&] {
        seen = ask_stateless(server.port(), "tasks/get", {{"taskId", task}}, knows_tasks).result();
        return seen.at("status") != "working";
    }));
    EXPECT_EQ(seen.at("status"), "completed") << seen;
    EXPECT_EQ(text_of(seen.at("result")), "4010");

    const auto ledger = server.ledger();
    EXPECT_EQ(times(ledger, "counted chapter 1"), 1) << "a recorded step ran again";
    for (const char* later : {"counted chapter 2", "counted chapter 3", "counted chapter 4"}) {
        EXPECT_GE(times(ledger, later), 1) << later;
    }
    EXPECT_LE(ledger.size(), 5u) << "no more than the step that was killed may run twice";
}

TEST(long_task, is_an_ordinary_call_for_a_client_that_does_not_know_tasks) {
    ExampleServer server(DURABLE_MCP_LONG_TASK);
    const Json result = ask_stateless(server.port(), "tools/call", {{"name", "count_book"}, {"arguments", {{"chapters", 1}}}}).result();
    EXPECT_EQ(result.at("resultType"), "complete");
    EXPECT_EQ(text_of(result), "1001");
}

// ── examples/idempotent_order ─────────────────────────────────────────────────────────────────────────────────────────────

Json order(const std::string& id, int count) {
    return {{"name", "order"}, {"arguments", {{"order_id", id}, {"what", "apples"}, {"count", count}}}};
}

TEST(idempotent_order, is_carried_out_once_however_often_it_is_sent_and_in_whichever_era) {
    ExampleServer server(DURABLE_MCP_IDEMPOTENT_ORDER);
    EXPECT_EQ(text_of(ask_stateless(server.port(), "tools/call", order("A-1", 3)).result()), "Order number 1: 3 × apples.");
    EXPECT_EQ(text_of(ask_stateless(server.port(), "tools/call", order("A-1", 3)).result()), "Order number 1: 3 × apples.");
    for (int i = 0; i < 2; ++i) {
        const SessionClient in_a_session(server.port(), "2025-11-25");
        EXPECT_EQ(text_of(in_a_session.post(request(1, "tools/call", order("A-1", 3))).result()), "Order number 1: 3 × apples.");
    }
    EXPECT_EQ(ask_stateless(server.port(), "tools/call", order("A-1", 4)).error_code(), -32602) << "the same key with other arguments";
    EXPECT_EQ(text_of(ask_stateless(server.port(), "tools/call", order("A-2", 4)).result()), "Order number 2: 4 × apples.");
    EXPECT_EQ(server.ledger(), (std::vector<std::string>{"charge for A-1", "pack A-1", "charge for A-2", "pack A-2"}));
}

TEST(idempotent_order, is_carried_out_once_when_its_server_is_killed_and_it_is_sent_again) {
    ExampleServer server(DURABLE_MCP_IDEMPOTENT_ORDER);
    const auto lost = std::async(std::launch::async, [port = server.port()] {
        EXPECT_THROW(ask_stateless(port, "tools/call", order("B-1", 3)), testing_support::Lost);
    });
    // It is packed only when the charge is recorded.
    ASSERT_TRUE(eventually([&] { return times(server.ledger(), "pack B-1") == 1; }));
    server.kill();
    lost.wait();
    server.kill_and_restart();

    EXPECT_EQ(text_of(ask_stateless(server.port(), "tools/call", order("B-1", 3)).result()), "Order number 1: 3 × apples.");
    EXPECT_EQ(text_of(ask_stateless(server.port(), "tools/call", order("B-1", 3)).result()), "Order number 1: 3 × apples.");
    const std::vector<std::string> charged_once{"charge for B-1", "pack B-1", "pack B-1"};  // the step that was interrupted ran again
    EXPECT_EQ(server.ledger(), charged_once);
}

}  // namespace
}  // namespace durable_mcp::interop
