// SPDX-License-Identifier: Apache-2.0
// What an earlier version left in the middle (tests/golden), taken up by this one: semantics §6, B54.

#include <filesystem>

#include "golden/golden_tools.hpp"
#include "mcp/session.hpp"
#include "runtime/stream.hpp"
#include "support/temporary_directory.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using test::Door;
using test::EngineHarness;
using test::FakeSink;
using test::result_of;
using test::StatelessClient;

/// This program on a copy of a golden store.
class Upgraded {
public:
    explicit Upgraded(int schema) : harness_(open_copy("store-schema-" + std::to_string(schema) + "-server.db")) {
        clock_.now_ms = golden::written_ms + 1'000;
        door_.open();
        harness_.options().clock = &clock_;
        golden::add_tools(harness_, "this program", door_);
        for (const store::SessionRow& row : harness_.store()->sessions().value()) {
            sessions_[Json::parse(row.document)["revision"].get<std::string>()] = row.id;
        }
        harness_.start();
    }
    EngineHarness& harness() { return harness_; }
    store::Store& store() { return *harness_.store(); }
    const std::string& session(const std::string& revision) { return sessions_.at(revision); }
    store::CallRow call_of(const std::string& revision, const std::string& request) {
        return store().call_of_request(session(revision), Json(request).dump()).value().value();
    }
    /// Its client comes back with the last event id that it saw.
    std::shared_ptr<FakeSink> resume(const std::string& revision, const std::string& request, std::uint64_t seen) {
        return harness_.get(session(revision), runtime::write_event_id(call_of(revision, request).stream, seen));
    }

private:
    std::shared_ptr<store::Store> open_copy(const std::string& golden) {
        std::filesystem::copy_file(std::string(DURABLE_MCP_SOURCE_DIR) + "/tests/golden/" + golden, directory_ / "store.db");
        auto opened = store::open_sqlite_store({.path = directory_ / "store.db", .ballast_bytes = 0});
        if (!opened) {
            throw std::runtime_error(opened.error().sentence);
        }
        return *opened;
    }

    testing_support::TemporaryDirectory directory_;
    Door door_;
    test::FakeClock clock_;
    EngineHarness harness_;
    std::map<std::string, std::string> sessions_;
};

class golden_store : public testing::TestWithParam<int> {
protected:
    /// What a step says that was recorded by the earlier program.
    static std::string before() { return "schema " + std::to_string(GetParam()); }
};
const std::string newest = golden::session_revisions.back();

TEST_P(golden_store, its_unfinished_calls_finish_in_the_revision_in_which_they_were_asked) {  // B54
    Upgraded upgraded(GetParam());
    EngineHarness& harness = upgraded.harness();
    for (const std::string& revision : golden::session_revisions) {
        const Json answer = harness.await(upgraded.resume(revision, "unfinished", 1));
        EXPECT_EQ(answer["id"], "unfinished") << revision;
        EXPECT_EQ(answer["result"]["content"][0]["text"], before() + ", this program") << revision;
        EXPECT_EQ(answer["result"].contains("structuredContent"), revision >= "2025-06-18") << revision << answer;
        EXPECT_FALSE(answer["result"].contains("resultType")) << revision;
    }
    const Json keyed = harness.await(StatelessClient().call(harness, "order", {{"order", golden::order}}));
    EXPECT_EQ(keyed["result"]["content"][0]["text"], before() + ", this program") << keyed;
    EXPECT_EQ(keyed["result"]["resultType"], "complete");
    EXPECT_TRUE(harness.turn_until([&] { return upgraded.store().unfinished_calls()->size() == 2; })) << "those that wait for an answer";
}

TEST_P(golden_store, what_ran_at_most_once_is_not_run_again_and_what_was_answered_is_answered_the_same) {  // B54
    Upgraded upgraded(GetParam());
    EngineHarness& harness = upgraded.harness();
    EXPECT_EQ(harness.await_text(upgraded.resume(newest, "interrupted", 0)), "nobody knows");
    const std::string& session = upgraded.session(newest);
    const auto finished = upgraded.call_of(newest, "finished");
    const auto again = harness.call(session, "finished", "count");
    EXPECT_EQ(harness.await_text(again), "1");
    EXPECT_EQ(again->body, upgraded.store().events(finished.stream, finished.answer_event - 1, 1)->front().payload);
    EXPECT_EQ(upgraded.store().snapshot().value()->get("counts", "calls").value()->value, "1");
    EXPECT_EQ(harness.await_text(harness.call(session, "cancelled", "work")), "This request was cancelled");
    EXPECT_EQ(harness.await_text(harness.call(session, "new", "count")), "2");
}

TEST_P(golden_store, its_questions_take_their_answers) {  // B54
    Upgraded upgraded(GetParam());
    EngineHarness& harness = upgraded.harness();
    const auto resumed = upgraded.resume(newest, "asked", 0);
    ASSERT_TRUE(harness.turn_until([&] { return test::questions_in(*resumed).size() == 2; }));
    const auto taken = harness.post(upgraded.session(newest), test::response(test::questions_in(*resumed)[1]["id"], test::number(2)));
    EXPECT_EQ(harness.await_text(resumed), "1 and 2");
    EXPECT_EQ(taken->status, 202u);

    const auto state = upgraded.store().snapshot().value()->get(golden::client_map, "requestState").value();
    ASSERT_TRUE(state);
    const Json more{{"requestState", Json::parse(state->value)}, {"inputResponses", {{"a", test::number(3)}, {"b", test::number(4)}}}};
    EXPECT_EQ(harness.await_text(golden::stateless_asker().call(harness, "ask", Json::object(), more)), "3 and 4");
}

TEST_P(golden_store, its_tasks_and_its_standalone_stream_are_there) {  // B54
    Upgraded upgraded(GetParam());
    EngineHarness& harness = upgraded.harness();
    const std::string session_task = upgraded.call_of(newest, "task").id;
    const Json result = harness.await(harness.post(
        upgraded.session(newest), {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tasks/result"}, {"params", {{"taskId", session_task}}}}));
    EXPECT_EQ(result["result"]["content"][0]["text"], before() + ", this program") << result;
    const auto handles = upgraded.store().handles("", static_cast<std::uint32_t>(store::Reach::task), "", 9);
    ASSERT_TRUE(handles && handles->size() == 1);
    Json task;
    ASSERT_TRUE(harness.turn_until([&] {
        task = result_of(harness.await(StatelessClient{.capabilities = test::tasks_and()}.ask(harness, "tasks/get", {{"taskId", handles->front().call}})));
        return task["status"] != "working";
    }));
    EXPECT_EQ(task["result"]["content"][0]["text"], before() + ", this program") << task;

    for (const store::SessionRow& row : upgraded.store().sessions().value()) {
        if (row.id == upgraded.session(newest)) {
            const std::string stream = mcp::session_from_document(row.id, row.owner, row.document)->standalone_stream;
            const auto standalone = harness.get(row.id, runtime::write_event_id(stream, 0));
            EXPECT_TRUE(harness.turn_until([&] { return standalone->messages().size() == 1; }));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(of_schema, golden_store, testing::Values(2), testing::PrintToStringParamName());

}  // namespace
}  // namespace durable_mcp
