// SPDX-License-Identifier: Apache-2.0
// A server with the fixtures that the official conformance suite (@modelcontextprotocol/conformance) asks for, and so an example of
// everything that a server can do, by theme. tests/conformance drives it; so can you: start it, then `npx @modelcontextprotocol/conformance
// server --url http://127.0.0.1:9991/mcp`.
#include <durable_mcp/server.hpp>

#include "arguments.hpp"
#include "conformance_server/fixtures.hpp"

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "conformance_server");
    durable_mcp::DurableMCP mcp(
        {.name = "mcp-conformance-test-server", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});
    conformance::add_content_tools(
        mcp);  // the suite calls the first tool without arguments, to see what its headers do: it must be a harmless one
    conformance::add_schema_tools(mcp);
    conformance::add_reporting_tools(mcp);
    conformance::add_question_tools(mcp);
    conformance::add_round_trip_tools(mcp);
    conformance::add_task_tools(mcp);
    conformance::add_prompts(mcp);
    conformance::add_resources(mcp);
    return examples::serve(mcp);
}
