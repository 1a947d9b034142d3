// SPDX-License-Identifier: Apache-2.0
// Every kind of answer. None of these tools takes arguments, or does anything.
#include <string>

#include <durable_mcp/durable_mcp.hpp>

#include "conformance_server/fixtures.hpp"

namespace conformance {

using durable_mcp::Content;
using durable_mcp::ToolError;
using durable_mcp::ToolResult;

namespace {

ToolResult answer_with_everything() {
    return {Content::text("Multiple content types test:"), Content::image(png(), "image/png"),
            Content::resource("test://mixed-content-resource", R"({"test":"data","value":123})", "application/json")};
}

}  // namespace

void add_content_tools(durable_mcp::DurableMCP& mcp) {
    mcp.tool("test_simple_text", "Answers with a text.", [] { return "This is a simple text response for testing."; });
    mcp.tool("test_image_content", "Answers with a picture.", [] { return Content::image(png(), "image/png"); });
    mcp.tool("test_audio_content", "Answers with a sound.", [] { return Content::audio(wav(), "audio/wav"); });
    mcp.tool("test_embedded_resource", "Answers with a resource.",
             [] { return Content::resource("test://embedded-resource", "This is an embedded resource content.", "text/plain"); });
    mcp.tool("test_multiple_content_types", "Answers with a text, a picture and a resource.", answer_with_everything);
    mcp.tool("test_error_handling", "Fails.",
             []() -> std::string { throw ToolError("This tool intentionally returns an error for testing"); });
}

}  // namespace conformance
