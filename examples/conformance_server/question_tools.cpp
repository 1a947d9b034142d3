// SPDX-License-Identifier: Apache-2.0
// Questions in the middle of a call: to the user, by forms of every shape, and to the client's model. A question has an alias, as a step
// has, and outlives the process: whoever answers it after a restart is heard.
#include <string>

#include <durable_mcp/durable_mcp.hpp>

#include "conformance_server/fixtures.hpp"

namespace conformance {

using durable_mcp::Action;
using durable_mcp::arg;
using durable_mcp::DurableContext;
using durable_mcp::Elicited;
using durable_mcp::Form;
using durable_mcp::SamplingRequest;

namespace {

std::string name_of(Action action) {
    switch (action) {
        case Action::accept:
            return "accept";
        case Action::decline:
            return "decline";
        case Action::cancel:
            break;
    }
    return "cancel";
}

std::string describe(const Elicited<nlohmann::json>& answer) {
    return "action=" + name_of(answer.action) + ", content=" + (answer.content ? answer.content->dump() : "{}");
}

std::string ask_the_model(DurableContext& context, const std::string& prompt) {
    return "LLM response: " + context.sample("answer", SamplingRequest(100).user(prompt)).text();
}

std::string ask_the_user(DurableContext& context, const std::string& message) {
    return "User response: " + describe(context.elicit("user", message, Form().text("username").email("email")));
}

/// What is filled in already when the user sees it.
std::string ask_with_defaults(DurableContext& context) {
    const Form form = Form()
                          .text("name", {.description = "Who you are", .by_default = "John Doe"})
                          .integer("age", {.description = "In years", .by_default = 30})
                          .number("score", {.description = "Reached so far", .by_default = 95.5})
                          .choice("status", {"active", "inactive", "pending"}, {.description = "Of the account", .by_default = "active"})
                          .boolean("verified", {.description = "Whether somebody has looked", .by_default = true});
    return "Elicitation completed: " + describe(context.elicit("account", "Please review the account", form));
}

std::string ask_with_choices(DurableContext& context) {
    const Form form =
        Form()
            .choice("untitledSingle", {"option1", "option2", "option3"})
            .titled_choice("titledSingle", {{"value1", "First Option"}, {"value2", "Second Option"}, {"value3", "Third Option"}})
            .legacy_choice("legacyEnum", {{"opt1", "Option One"}, {"opt2", "Option Two"}, {"opt3", "Option Three"}})
            .choices("untitledMulti", {"option1", "option2", "option3"})
            .titled_choices("titledMulti", {{"value1", "First Choice"}, {"value2", "Second Choice"}, {"value3", "Third Choice"}});
    return "Elicitation completed: " + describe(context.elicit("choices", "Please choose", form));
}

/// A client that has not declared that it has a model is told what is missing (-32021): MissingCapability leaves the handler before
/// anything is asked. A tool that could do without would look at context.client().has_sampling() first.
std::string need_the_model(DurableContext& context) {
    return context.sample("greeting", SamplingRequest(50).user("Say hello")).text();
}

}  // namespace

void add_question_tools(durable_mcp::DurableMCP& mcp) {
    mcp.tool("test_sampling", "Asks the client's model.", {arg("prompt", "what to ask")}, ask_the_model);
    mcp.tool("test_elicitation", "Asks the user for a name and an address.", {arg("message", "what to say")}, ask_the_user);
    mcp.tool("test_elicitation_sep1034_defaults", "Asks the user to look over what is filled in already.", ask_with_defaults);
    mcp.tool("test_elicitation_sep1330_enums", "Asks the user to choose, in all five ways.", ask_with_choices);
    mcp.tool("test_streaming_elicitation", "Asks the user whether to go on.",
             [](DurableContext& context) { return describe(context.elicit("go_on", "Shall it go on?", Form().boolean("yes"))); });
    mcp.tool("test_missing_capability", "Needs a client that has a model.", need_the_model);
}

}  // namespace conformance
