// SPDX-License-Identifier: Apache-2.0
// Prompts, and what helps to fill in the arguments of one.
#include <string>
#include <vector>

#include <durable_mcp/durable_mcp.hpp>

#include "conformance_server/fixtures.hpp"

namespace conformance {

using durable_mcp::arg;
using durable_mcp::Content;
using durable_mcp::PromptResult;
using durable_mcp::Role;

void add_prompts(durable_mcp::DurableMCP& mcp) {
    mcp.prompt("test_simple_prompt", "One message.", [] { return "This is a simple prompt for testing."; });
    mcp.prompt("test_prompt_with_arguments", "One message with two arguments in it.",
               {arg("arg1", "the first one"), arg("arg2", "the second one")}, [](const std::string& arg1, const std::string& arg2) {
                   return "Prompt with arguments: arg1='" + arg1 + "', arg2='" + arg2 + "'";
               });
    mcp.completion("test_prompt_with_arguments", "arg1", [](const std::string& typed) {
        std::vector<std::string> values;
        for (const std::string value : {"testValue1", "testValue2", "otherValue"}) {
            if (value.starts_with(typed)) {
                values.push_back(value);
            }
        }
        return values;
    });
    mcp.prompt("test_prompt_with_embedded_resource", "A resource, and what to do with it.", {arg("resourceUri", "the resource")},
               [](const std::string& uri) {
                   PromptResult prompt;
                   prompt.add(Role::user, Content::resource(uri, "Embedded resource content for testing.", "text/plain"));
                   prompt.user("Please process the embedded resource above.");
                   return prompt;
               });
    mcp.prompt("test_prompt_with_image", "A picture, and what to do with it.", [] {
        PromptResult prompt;
        prompt.add(Role::user, Content::image(png(), "image/png"));
        prompt.user("Please analyze the image above.");
        return prompt;
    });
}

}  // namespace conformance
