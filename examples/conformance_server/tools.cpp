// SPDX-License-Identifier: Apache-2.0
// The tools of the suite. Each one shows one kind of answer, or one thing that may happen before the answer.
#include <chrono>
#include <string>
#include <thread>

#include <durable_mcp/durable_mcp.hpp>

#include "conformance_server/fixtures.hpp"

namespace conformance {

using durable_mcp::Content;
using durable_mcp::DurableContext;
using durable_mcp::DurableMCP;
using durable_mcp::LogLevel;
using durable_mcp::ToolError;
using durable_mcp::ToolResult;

namespace {

void pause(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

/// Only listed: what the client is shown must be this, word for word.
constexpr const char* schema_with_everything = R"({
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"}
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": false
})";

ToolResult answer_with_everything() {
    return {Content::text("Multiple content types test:"), Content::image(png(), "image/png"),
            Content::resource("test://mixed-content-resource", R"({"test":"data","value":123})", "application/json")};
}

std::string log_while_working(DurableContext& context) {
    context.log(LogLevel::info, "Tool execution started");
    pause(50);
    context.log(LogLevel::info, "Tool processing data");
    pause(50);
    context.log(LogLevel::info, "Tool execution completed");
    return "Tool with logging executed successfully";
}

std::string report_while_working(DurableContext& context) {
    for (const int percent : {0, 50, 100}) {
        if (percent != 0) {
            pause(50);
        }
        context.report_progress(percent, 100, "Completed step " + std::to_string(percent) + " of 100");
    }
    return "Tool with progress executed successfully";
}

/// The answer comes long after the stream has been primed, so that a client that has lost the connection by then gets it by its
/// Last-Event-ID.
std::string answer_after_reconnection(DurableContext& context) {
    context.at_least_once("wait", [] { pause(100); });
    return "Reconnection test completed successfully. If you received this, the client properly reconnected after stream closure.";
}

}  // namespace

void add_tools(DurableMCP& mcp) {
    // The suite calls the first tool without arguments, to see what its headers do: it must be a harmless one.
    mcp.tool("test_simple_text", "Answers with a text.", [] { return "This is a simple text response for testing."; });
    mcp.tool("test_image_content", "Answers with a picture.", [] { return Content::image(png(), "image/png"); });
    mcp.tool("test_audio_content", "Answers with a sound.", [] { return Content::audio(wav(), "audio/wav"); });
    mcp.tool("test_embedded_resource", "Answers with a resource.",
             [] { return Content::resource("test://embedded-resource", "This is an embedded resource content.", "text/plain"); });
    mcp.tool("test_multiple_content_types", "Answers with a text, a picture and a resource.", answer_with_everything);
    mcp.tool("test_tool_with_logging", "Logs three times before it answers.", log_while_working);
    mcp.tool("test_tool_with_progress", "Reports its progress three times before it answers.", report_while_working);
    mcp.tool("test_error_handling", "Fails.",
             []() -> std::string { throw ToolError("This tool intentionally returns an error for testing"); });
    mcp.tool("test_reconnection", "Answers late, to be asked again for its answer.", answer_after_reconnection);
    mcp.tool("json_schema_2020_12_tool", "Has a schema that uses most of what JSON Schema 2020-12 offers.",
             durable_mcp::json_schema(schema_with_everything),
             [](const nlohmann::json& arguments) { return "Called with " + arguments.dump(); });
}

}  // namespace conformance
