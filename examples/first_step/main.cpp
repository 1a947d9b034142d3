// SPDX-License-Identifier: Apache-2.0
// Steps, one after the other: what they return is recorded, so that a handler that runs again goes on where it stopped.
//
// The rules to remember:
//   - what has an effect, or takes long, or may come out differently the next time, is in a step;
//   - what stands between the steps is run again after a crash, so it is cheap and has no effects;
//   - every step of a call has a name of its own, its alias; in a loop, context.key() makes one for each round.
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <durable_mcp/durable_mcp.hpp>

#include "arguments.hpp"

using durable_mcp::DurableContext;
using durable_mcp::LogLevel;

namespace {

/// Stands for a slow service on the network that does not know every city.
std::int64_t ask_for_temperature(const std::string& city) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    if (city.empty()) {
        throw std::invalid_argument("a city has a name");
    }
    return 10 + static_cast<std::int64_t>(city.size());
}

std::map<std::string, std::int64_t> report_weather(DurableContext& context, const std::vector<std::string>& cities) {
    std::map<std::string, std::int64_t> report;
    double done = 0;
    for (const auto& city : cities) {
        try {
            // It is safe to ask twice, so at_least_once will do: after a crash in the middle of a step, the step runs again.
            report[city] = context.at_least_once(context.key("ask", city), [&] { return ask_for_temperature(city); });
        } catch (const durable_mcp::StepFailed& error) {
            // That a step failed is recorded too: the branch that is taken here is taken again by every later attempt.
            context.log(LogLevel::warning, error.what(), "weather");
        }
        context.report_progress(++done, static_cast<double>(cities.size()), city);
    }
    return report;  // an object: the client gets it as text and as structured content
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "first_step");
    durable_mcp::DurableMCP mcp(
        {.name = "weather", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    mcp.tool("report_weather", "The temperatures of some cities, in degrees Celsius.",
             {durable_mcp::arg("cities", "each of them once").min_items(1).max_items(100)}, report_weather);

    return examples::serve(mcp);
}
