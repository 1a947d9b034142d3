// SPDX-License-Identifier: Apache-2.0
//
// Our side of the comparison: `add` writes nothing (P1), `quick` commits its answer, `step` has one at_least_once step and `once` one
// at_most_once step (P2, P4), `ten_steps` has ten (P3).

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include <durable_mcp/durable_mcp.hpp>

int main(int argc, char** argv) {
    using durable_mcp::DurableContext;
    const std::string store = argc > 1 ? argv[1] : "";
    durable_mcp::DurableMCP mcp({.name = "benchmark",
                                 .version = "1",
                                 .port = 0,
                                 .store = store.empty() ? durable_mcp::memory() : durable_mcp::sqlite(store)});
    const auto add = [](std::int64_t a, std::int64_t b) { return a + b; };
    mcp.tool("add", "Adds.", {"a", "b"}, add, {.durability = durable_mcp::Durability::none});
    mcp.tool("quick", "Adds, and commits the answer.", {"a", "b"}, add);
    mcp.tool("step", "Adds in one step.", {"a", "b"}, [](DurableContext& context, std::int64_t a, std::int64_t b) {
        return context.at_least_once("add", [&] { return a + b; });
    });
    mcp.tool("once", "Adds in one step that runs at most once.", {"a", "b"}, [](DurableContext& context, std::int64_t a, std::int64_t b) {
        return context.at_most_once("add", [&] { return a + b; });
    });
    mcp.tool("ten_steps", "Adds in ten steps.", {"a", "b"}, [](DurableContext& context, std::int64_t a, std::int64_t b) {
        std::int64_t sum = 0;
        for (int i = 0; i < 10; ++i) {
            sum = context.at_least_once(context.key("add", i), [&] { return a + b; });
        }
        return sum;
    });
    mcp.start();
    std::printf("listening on %s\n", mcp.url().c_str());
    std::fflush(stdout);
    for (;;) {
        std::this_thread::sleep_for(std::chrono::hours(1));
    }
}
