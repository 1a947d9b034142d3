// SPDX-License-Identifier: Apache-2.0
// Questions as clients of 2026-07-28 are asked them: the request is answered with what is asked (input_required) and a sealed requestState,
// and sent again with both. Nothing here differs from question_tools.cpp: a handler does not know how its questions travel. The key of an
// answer is the alias.
#include <string>
#include <vector>

#include <durable_mcp/durable_mcp.hpp>
#include <durable_mcp/typed.hpp>

#include "conformance_server/fixtures.hpp"

namespace conformance {

using durable_mcp::DurableContext;
using durable_mcp::Elicited;
using durable_mcp::PromptResult;
using durable_mcp::Root;
using durable_mcp::Sampled;
using durable_mcp::SamplingRequest;

namespace {

// The forms, as structs.
struct Person {
    std::string name;
};
struct Favourite {
    std::string color;
};
struct Confirmation {
    bool ok;
};
struct Situation {
    std::string context;
};

std::string list(const std::vector<Root>& roots) {
    std::string text = std::to_string(roots.size()) + " root(s):";
    for (const Root& root : roots) {
        text += " " + root.uri;
    }
    return text;
}

std::string greet_user(DurableContext& context) {
    return "Hello, " + context.elicit<Person>("user_name", "What is your name?").value().name + "!";
}

std::string ask_for_capital(DurableContext& context) {
    return context.sample("capital_question", SamplingRequest(100).user("What is the capital of France?")).text();
}

std::string ask_for_roots(DurableContext& context) {
    return list(context.list_roots("client_roots"));
}

/// Whatever a handler knows when it asks is in its journal, and not in the requestState: that is a sealed pointer to the call. Changed by
/// one byte, or sent with another request, it opens nothing.
std::string confirm(DurableContext& context) {
    const auto code = context.at_least_once("code", [] { return std::string("state-ok"); });
    return context.elicit<Confirmation>("confirm", "Please confirm").value().ok ? code : "not confirmed";
}

/// Three at once: one round trip.
std::string ask_for_everything(DurableContext& context) {
    const auto [person, greeting, roots] =
        context.ask(durable_mcp::elicitation<Person>("user_name", "What is your name?"),
                    durable_mcp::sampling("greeting", SamplingRequest(50).user("Generate a greeting")), durable_mcp::roots("client_roots"));
    return greeting.text() + " " + person.value().name + ", " + list(roots);
}

/// One after the other: two round trips, and a new requestState in each.
std::string ask_twice(DurableContext& context) {
    const auto name = context.elicit<Person>("step1", "Step 1: What is your name?").value().name;
    const auto color = context.elicit<Favourite>("step2", "Step 2: What is your favorite color?").value().color;
    return name + " likes " + color;
}

/// Asks only what the client can be asked.
std::string ask_what_is_possible(DurableContext& context) {
    const auto client = context.client();
    std::string text = "Asked for";
    if (client.has_sampling()) {
        text += " a greeting: " + context.sample("greeting", SamplingRequest(50).user("Generate a greeting")).text();
    }
    if (client.has_elicitation()) {
        text += " a name: " + context.elicit<Person>("user_name", "What is your name?").value().name;
    }
    if (client.has_roots()) {
        text += " roots: " + list(context.list_roots("client_roots"));
    }
    return text;
}

/// Prompts may ask too.
PromptResult ask_for_context(DurableContext& context) {
    const auto situation = context.elicit<Situation>("user_context", "What context should the prompt use?").value();
    return PromptResult().user("Use this context: " + situation.context);
}

}  // namespace

void add_round_trip_tools(durable_mcp::DurableMCP& mcp) {
    mcp.tool("test_input_required_result_elicitation", "Greets the user, whose name it asks for.", greet_user);
    mcp.tool("test_input_required_result_sampling", "Asks the client's model for a capital.", ask_for_capital);
    mcp.tool("test_input_required_result_list_roots", "Asks for the client's folders.", ask_for_roots);
    mcp.tool("test_input_required_result_request_state", "Remembers something over a question.", confirm);
    mcp.tool("test_input_required_result_multiple_inputs", "Asks three things at once.", ask_for_everything);
    mcp.tool("test_input_required_result_multi_round", "Asks two things, one after the other.", ask_twice);
    mcp.tool("test_input_required_result_tampered_state", "Asks, and refuses a state that was changed.", confirm);
    mcp.tool("test_input_required_result_capabilities", "Asks what the client can be asked.", ask_what_is_possible);
    mcp.prompt("test_input_required_result_prompt", "A prompt that depends on what the user says.", ask_for_context);
}

}  // namespace conformance
