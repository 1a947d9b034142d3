// SPDX-License-Identifier: Apache-2.0
// A call of many slow steps, to be killed in the middle. Each step leaves a line in a file, the ledger, which shows afterwards what ran,
// and in which order; a step that ran twice would be there twice. examples/quickstart does all of that by itself.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>

#include <durable_mcp/durable_mcp.hpp>

#include "arguments.hpp"

using durable_mcp::arg;
using durable_mcp::DurableContext;

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "crash_and_resume");
    durable_mcp::DurableMCP mcp(
        {.name = "crash_and_resume", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    mcp.tool("count_to_ten", "Counts slowly, and survives kill -9 while it does.",
             {arg("steps", "how far to count").minimum(1).maximum(1000).by_default(10)},
             [ledger = arguments.ledger](DurableContext& context, std::int64_t steps) {
                 for (std::int64_t i = 1; i <= steps; ++i) {
                     context.at_least_once(context.key("count", i), [&] {
                         // The slow part first: whoever is killed in it has not done anything yet. The record of this step follows the line
                         // at once; a process killed between the two would write the line again, which is why it is called at *least* once.
                         std::this_thread::sleep_for(std::chrono::milliseconds(500));
                         std::ofstream(ledger, std::ios::app) << "step " << i << " of call " << context.call_id() << std::endl;
                     });
                     // Leaves when the step is on disk: what the client has seen will not be done again.
                     context.report_progress(static_cast<double>(i), static_cast<double>(steps));
                 }
                 return "counted to " + std::to_string(steps) + " in " + std::to_string(context.attempt()) +
                        " attempt(s), the last one in process " + std::to_string(getpid());
             });

    return examples::serve(mcp);
}
