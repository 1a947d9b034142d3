// SPDX-License-Identifier: Apache-2.0
// A tool whose work survives kill -9. Call it, kill the process while it sleeps, start it again: the client gets its answer, and that was
// written by the process that is dead.
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include <durable_mcp/durable_mcp.hpp>

#include "arguments.hpp"

using durable_mcp::DurableContext;

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "hello_tool");
    durable_mcp::DurableMCP mcp(
        {.name = "hello", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    mcp.tool("hello", "Greets somebody, and takes its time.", {"name"}, [](DurableContext& context, std::string name) {
        // A step runs once, and what it returned is on disk. A process that comes later does not run it: it reads.
        auto greeting =
            context.at_least_once("write greeting", [&] { return "Hello, " + name + "! Written by process " + std::to_string(getpid()); });
        std::this_thread::sleep_for(std::chrono::seconds(5));  // kill -9 me now
        return greeting + ", delivered by process " + std::to_string(getpid()) + ".";
    });

    return examples::serve(mcp);
}
