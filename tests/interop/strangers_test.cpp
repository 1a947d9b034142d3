// SPDX-License-Identifier: Apache-2.0
// Clients that are not the SDK: the MCP client of OpenAI's Agents SDK, and the Inspector's command line, which also judges the tools' schemas.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "interop/example_server.hpp"

namespace durable_mcp::interop {
namespace {

using namespace std::chrono_literals;
using testing_support::ChildProcess;

void expect_success(const std::string& script, std::vector<std::string> arguments) {
    ExampleServer server(DURABLE_MCP_CONFORMANCE_SERVER);
    arguments.push_back(server.url());
    ChildProcess client(javascript(script, std::move(arguments)));
    const auto code = client.wait_for_end(90s);
    EXPECT_EQ(code, 0) << client.output();
}

TEST(openai_agents, lists_and_calls_everything) {
    testing_support::require_javascript("openai_agents");
    if (!IsSkipped() && !HasFatalFailure()) {
        expect_success("openai_agents.mjs", {});
    }
}

class inspector : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override { testing_support::require_javascript("inspector"); }
};

TEST_P(inspector, lists_and_calls_and_finds_no_fault_in_a_schema) {
    expect_success("inspector.mjs", {GetParam()});
}

INSTANTIATE_TEST_SUITE_P(era, inspector, testing::Values("legacy", "modern", "auto"), [](const auto& param) { return param.param; });

}  // namespace
}  // namespace durable_mcp::interop
