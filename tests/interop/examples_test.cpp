// SPDX-License-Identifier: Apache-2.0
// What all examples have in common, whatever they show: `--port`, `--store` and `--ledger` are heeded, and they say where they listen.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

#include "interop/example_server.hpp"
#include "interop/raw_client.hpp"

namespace durable_mcp::interop {
namespace {

using Example = std::pair<const char*, const char*>;  // name, path

class every_example : public testing::TestWithParam<Example> {};

TEST_P(every_example, takes_its_port_and_store_and_says_where_it_listens) {
    ExampleServer server(GetParam().second);
    EXPECT_NE(server.port(), 9991) << "--port 0 is any free one";
    EXPECT_TRUE(std::filesystem::exists(server.folder() / "calls.db"));
    server.kill_and_restart();  // on the same port and store, or it throws
    EXPECT_FALSE(SessionClient(server.port(), "2025-11-25").welcome().at("serverInfo").at("name").get<std::string>().empty());
    const Json tools = ask_stateless(server.port(), "tools/list", Json::object()).result().at("tools");
    EXPECT_FALSE(tools.empty());
}

INSTANTIATE_TEST_SUITE_P(, every_example,
                         testing::Values(Example{"ask_the_user", DURABLE_MCP_ASK_THE_USER}, Example{"at_most_once", DURABLE_MCP_AT_MOST_ONCE},
                                         Example{"conformance_server", DURABLE_MCP_CONFORMANCE_SERVER},
                                         Example{"crash_and_resume", DURABLE_MCP_CRASH_AND_RESUME}, Example{"first_step", DURABLE_MCP_FIRST_STEP},
                                         Example{"hello_tool", DURABLE_MCP_HELLO_TOOL},
                                         Example{"idempotent_order", DURABLE_MCP_IDEMPOTENT_ORDER}, Example{"long_task", DURABLE_MCP_LONG_TASK},
                                         Example{"state_map", DURABLE_MCP_STATE_MAP}, Example{"typed_tools", DURABLE_MCP_TYPED_TOOLS}),
                         [](const auto& example) { return example.param.first; });

}  // namespace
}  // namespace durable_mcp::interop
