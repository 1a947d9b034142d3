// SPDX-License-Identifier: Apache-2.0
// What every consumer project builds and runs: a server with a tool comes up and goes down, and an exception crosses the library's border.
#include <durable_mcp/durable_mcp.hpp>

#include <chrono>
#include <cstdio>
#include <string>

int main() {
    durable_mcp::DurableMCP server({.name = "consumer", .version = "1.0.0", .port = 0, .store = durable_mcp::memory()});
    server.tool("greet", "Greets.", {"name"}, [](std::string name) { return "Hello, " + name + "!"; });
    server.start();
    const bool listens = server.port() != 0;
    server.stop(std::chrono::seconds(1));

    bool caught = false;
    try {
        durable_mcp::DurableMCP unreachable({.name = "consumer", .version = "1.0.0", .port = 0, .store = durable_mcp::sqlite("/dev/null/calls.db")});
        unreachable.start();
    } catch (const durable_mcp::Error& error) {
        caught = true;
        std::printf("as it should be: %s\n", error.what());
    }
    std::puts(listens && caught ? "the consumer runs" : "the consumer failed");
    return listens && caught ? 0 : 1;
}
