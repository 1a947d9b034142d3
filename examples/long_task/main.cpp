// SPDX-License-Identifier: Apache-2.0
// A tool that takes longer than anybody waits. A client that knows tasks gets a handle at once, and asks for the result when it likes: from another
// connection, after its own restart, after ours. A client that does not know tasks simply waits.
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <durable_mcp/durable_mcp.hpp>

#include "arguments.hpp"

using durable_mcp::arg;
using durable_mcp::DurableContext;
using durable_mcp::Tasks;

namespace {

/// Stands for something that takes hours.
std::int64_t count_words(std::int64_t chapter, const std::string& ledger) {
    std::this_thread::sleep_for(std::chrono::seconds(1));  // kill -9 me now: what is counted already stays counted
    examples::write_down(ledger, "counted chapter " + std::to_string(chapter));
    return 1'000 + chapter;
}

std::int64_t count_book(DurableContext& context, std::int64_t chapters, const std::string& ledger) {
    context.become_task();  // a client that knows tasks has its handle from here on: do not let it wait first
    std::int64_t words = 0;
    for (std::int64_t chapter = 1; chapter <= chapters; ++chapter) {
        words += context.at_least_once(context.key("count", chapter), [&] { return count_words(chapter, ledger); });
        context.report_progress(static_cast<double>(chapter), static_cast<double>(chapters));
    }
    return words;
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "long_task");
    durable_mcp::DurableMCP mcp(
        {.name = "library", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    mcp.tool("count_book", "Counts the words of a book.", {arg("chapters").minimum(1).maximum(1'000)},
             [&](DurableContext& context, std::int64_t chapters) { return count_book(context, chapters, arguments.ledger); },
             {.read_only = true, .task = Tasks::allowed, .task_ttl = std::chrono::hours(24), .poll_interval = std::chrono::seconds(2)});

    return examples::serve(mcp);
}
