// SPDX-License-Identifier: Apache-2.0
// A server with the fixtures that the official conformance suite (@modelcontextprotocol/conformance) asks for. tests/conformance drives it;
// so can you: start it, then `npx @modelcontextprotocol/conformance server --url http://127.0.0.1:9991/mcp`.
#include <durable_mcp/server.hpp>

#include "arguments.hpp"
#include "conformance_server/fixtures.hpp"

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "conformance_server");
    durable_mcp::DurableMCP mcp(
        {.name = "mcp-conformance-test-server", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});
    conformance::add_tools(mcp);
    conformance::add_prompts(mcp);
    conformance::add_resources(mcp);
    return examples::serve(mcp);
}
