// SPDX-License-Identifier: Apache-2.0
// The official TypeScript SDK, both generations and both eras, against example servers: it uses all that there is, and it gets the answer of a call
// whose server was killed, in the middle of a step or between a question and its answer. The clients are tests/support/js/*.mjs; skipped, with the
// reason, where they have not been fetched from npm.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "interop/example_server.hpp"

namespace durable_mcp::interop {
namespace {

using namespace std::chrono_literals;
using testing_support::ChildProcess;

/// The parameter says which SDK, and, for the second one, which revision: "1x", "2x", "2x_2026".
class typescript_sdk : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override { testing_support::require_javascript("sdk_" + GetParam().substr(0, 2)); }
};

/// Those that have a stream to come back to.
using typescript_sdk_in_a_session = typescript_sdk;

TEST_P(typescript_sdk, lists_and_uses_everything) {
    ExampleServer server(DURABLE_MCP_CONFORMANCE_SERVER);
    ChildProcess client(javascript("call_everything.mjs", {GetParam(), server.url()}));
    const auto code = client.wait_for_end(60s);
    EXPECT_EQ(code, 0) << client.output();
}

TEST_P(typescript_sdk, answers_a_question_whose_server_was_killed_and_gets_the_answer_of_the_call) {
    ExampleServer server(DURABLE_MCP_ASK_THE_USER);
    const std::string gate = server.folder() / "gate";
    ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
    const int open_gate = open(gate.c_str(), O_RDWR | O_CLOEXEC);  // the client waits for something to read in it before it answers
    ASSERT_GE(open_gate, 0);

    ChildProcess client(javascript("answer_late.mjs", {GetParam(), server.url(), "book", R"({"flight":"LH 400"})",
                                                       R"({"passenger":"Ada","meal":"vegetarian"})", gate}));
    ASSERT_TRUE(client.wait_for_line("question: Who flies", 30s)) << client.output();
    server.kill_and_restart();
    EXPECT_EQ(server.ledger(), std::vector<std::string>{"hold a seat in LH 400"});

    EXPECT_EQ(write(open_gate, "\n", 1), 1);
    const auto code = client.wait_for_end(60s);
    close(open_gate);
    EXPECT_EQ(code, 0) << client.output();
    EXPECT_NE(client.output().find("answer: Ticket for Ada: LH 400 12A, with a meal."), std::string::npos) << client.output();
    EXPECT_EQ(server.ledger(), (std::vector<std::string>{"hold a seat in LH 400", "issue a ticket for LH 400 12A"}));
}

TEST_P(typescript_sdk_in_a_session, gets_the_answer_of_a_call_whose_server_was_killed) {
    ExampleServer server(DURABLE_MCP_CRASH_AND_RESUME);
    ChildProcess client(javascript("resume.mjs", {GetParam(), server.url(), "count_to_ten", "{}"}));
    // The third step's progress has reached the client, so that the step is recorded; the fourth one is at its work.
    ASSERT_TRUE(client.wait_for_line("progress 3", 30s)) << client.output();
    server.kill();
    const auto before = server.ledger();
    server.kill_and_restart();
    const auto code = client.wait_for_end(60s);
    EXPECT_EQ(code, 0) << client.output();

    const auto steps = server.ledger();
    EXPECT_GT(steps.size(), before.size()) << "the second server had nothing left to do: it was killed too late";
    EXPECT_EQ(steps.size(), 10u);
    EXPECT_EQ(std::set<std::string>(steps.begin(), steps.end()).size(), steps.size()) << "a recorded step ran again";
}

std::string name_of(const testing::TestParamInfo<std::string>& param) {
    return "sdk_" + param.param;
}

INSTANTIATE_TEST_SUITE_P(of, typescript_sdk, testing::Values("1x", "2x", "2x_2026"), name_of);
INSTANTIATE_TEST_SUITE_P(of, typescript_sdk_in_a_session, testing::Values("1x", "2x"), name_of);

}  // namespace
}  // namespace durable_mcp::interop
