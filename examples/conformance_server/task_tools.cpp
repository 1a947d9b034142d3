// SPDX-License-Identifier: Apache-2.0
// Answers that are fetched later. A client that knows tasks gets a handle, and asks for the result, or answers questions, when it likes;
// every other client of a tool that allows tasks calls it as any tool.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <durable_mcp/durable_mcp.hpp>
#include <durable_mcp/typed.hpp>

#include "conformance_server/fixtures.hpp"
#include "conformance_server/pause.hpp"

namespace conformance {

using durable_mcp::arg;
using durable_mcp::DurableContext;
using durable_mcp::Form;
using durable_mcp::ProtocolError;
using durable_mcp::Tasks;
using durable_mcp::ToolError;
using durable_mcp::ToolOptions;
using namespace std::chrono_literals;

namespace {

/// Of tools whose calls are tasks from the first moment, wherever the client knows tasks.
const ToolOptions task_at_once = {.task = Tasks::allowed, .inline_wait = 0ms};

/// A second of work, unless the client takes the call back.
void work_for_a_second(const DurableContext& context) {
    for (auto worked = 0ms; worked < 1s && !context.cancelled(); worked += 20ms) {
        pause(20ms);
    }
}

/// Each second is a step: what is computed is not computed again. A call that was taken back leaves at its next step.
std::string compute_slowly(DurableContext& context, std::int64_t seconds, const std::optional<std::string>& label) {
    for (std::int64_t second = 1; second <= seconds; ++second) {
        context.at_least_once(context.key("compute", second), [&] { work_for_a_second(context); });
        context.report_progress(static_cast<double>(second), static_cast<double>(seconds));
    }
    return "Computed " + label.value_or("something") + " for " + std::to_string(seconds) + " s";
}

/// The tool says no: a task with that result is completed.
std::string fail_slowly(DurableContext& context) {
    context.at_least_once("work", [&] { work_for_a_second(context); });
    throw ToolError("The job failed");
}

/// The call ends in a JSON-RPC error: such a task has failed.
std::string break_slowly(DurableContext& context) {
    context.at_least_once("work", [] { pause(100ms); });
    throw ProtocolError(-32603, "The job could not be run");
}

struct Consent {
    bool confirm;
};

std::string delete_if_confirmed(DurableContext& context, const std::string& filename) {
    const auto consent = context.elicit<Consent>("confirm", "Delete " + filename + "?");
    return consent.accepted() && consent.value().confirm ? "Deleted " + filename : "Kept " + filename;
}

/// Two questions that are open at the same time, and are answered in any order.
std::string ask_two_people(DurableContext& context) {
    const auto [first, second] = context.ask(durable_mcp::elicitation("first", "What does the first one say?", Form().text("name")),
                                             durable_mcp::elicitation("second", "What does the second one say?", Form().text("name")));
    return first.value().at("name").get<std::string>() + " and " + second.value().at("name").get<std::string>();
}

struct Visitor {
    std::string name;
};

/// First a question, which the caller waits for; then a task.
std::string ask_and_work(DurableContext& context) {
    const auto visitor = context.elicit<Visitor>("user_name", "What is your name?").value();
    context.become_task();
    context.at_least_once("work", [] { pause(200ms); });
    return "Worked for " + visitor.name;
}

}  // namespace

void add_task_tools(durable_mcp::DurableMCP& mcp) {
    mcp.tool("greet", "Greets, at once.", {"name"}, [](const std::string& name) { return "Hello, " + name + "!"; });
    mcp.tool("slow_compute", "Computes for some seconds.", {arg("seconds").minimum(0).maximum(3'600), arg("label", "what to call it")},
             compute_slowly, task_at_once);
    mcp.tool("failing_job", "Fails after a second. Only for clients that know tasks.", fail_slowly, {.task = Tasks::required});
    mcp.tool("protocol_error_job", "Ends in an error of the protocol.", break_slowly, task_at_once);
    mcp.tool("confirm_delete", "Deletes a file, if the user confirms it.", {"filename"}, delete_if_confirmed, task_at_once);
    mcp.tool("multi_input", "Asks two questions at once.", ask_two_people, task_at_once);
    mcp.tool("test_tool_with_task", "Asks for a name, and works on as a task.", ask_and_work, {.task = Tasks::allowed});
}

}  // namespace conformance
