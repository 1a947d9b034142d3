// SPDX-License-Identifier: Apache-2.0
// What a client hears before the answer, and beside it: log messages, progress, that a list has changed.
#include <chrono>
#include <string>

#include <durable_mcp/durable_mcp.hpp>

#include "conformance_server/fixtures.hpp"
#include "conformance_server/pause.hpp"

namespace conformance {

using durable_mcp::DurableContext;
using durable_mcp::LogLevel;
using namespace std::chrono_literals;

namespace {

std::string log_while_working(DurableContext& context) {
    context.log(LogLevel::info, "Tool execution started");
    pause(50ms);
    context.log(LogLevel::info, "Tool processing data");
    pause(50ms);
    context.log(LogLevel::info, "Tool execution completed");
    return "Tool with logging executed successfully";
}

/// A client hears of the levels that it has asked for: by logging/setLevel, and since 2026-07-28 with each request, or of none.
std::string log_at_each_level(DurableContext& context) {
    context.log(LogLevel::debug, "A detail");
    context.log(LogLevel::info, "Something happened");
    context.log(LogLevel::warning, "Something is odd");
    context.log(LogLevel::error, "Something went wrong");
    return "Logged at four levels";
}

std::string report_while_working(DurableContext& context) {
    for (const int percent : {0, 50, 100}) {
        if (percent != 0) {
            pause(50ms);
        }
        context.report_progress(percent, 100, "Completed step " + std::to_string(percent) + " of 100");
    }
    return "Tool with progress executed successfully";
}

/// The answer comes long after the stream has been primed, so that a client that has lost the connection by then gets it by its
/// Last-Event-ID.
std::string answer_after_reconnection(DurableContext& context) {
    context.at_least_once("wait", [] { pause(100ms); });
    return "Reconnection test completed successfully. If you received this, the client properly reconnected after stream closure.";
}

}  // namespace

void add_reporting_tools(durable_mcp::DurableMCP& mcp) {
    mcp.tool("test_tool_with_logging", "Logs three times before it answers.", log_while_working);
    mcp.tool("test_logging_tool", "Logs at four levels.", log_at_each_level);
    mcp.tool("test_tool_with_progress", "Reports its progress three times before it answers.", report_while_working);
    mcp.tool("test_reconnection", "Answers late, to be asked again for its answer.", answer_after_reconnection);
    mcp.tool("test_trigger_tool_change", "Tells whoever listens that the list of tools has changed.", [](DurableContext& context) {
        context.send_tools_list_changed();
        return "Told";
    });
    mcp.tool("test_trigger_prompt_change", "Tells whoever listens that the list of prompts has changed.", [](DurableContext& context) {
        context.send_prompts_list_changed();
        return "Told";
    });
}

}  // namespace conformance
