// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the official conformance suite expects to find in a server: names, texts and bytes are its own, to the letter. A file for each
// theme, in the order in which the themes build on each other.

#include <durable_mcp/content.hpp>
#include <durable_mcp/server.hpp>

namespace conformance {

/// A picture of one red pixel.
inline durable_mcp::Bytes png() {
    return durable_mcp::Bytes::from_base64(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==");
}

/// A sound of two samples.
inline durable_mcp::Bytes wav() {
    return durable_mcp::Bytes::from_base64("UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=");
}

void add_content_tools(durable_mcp::DurableMCP& mcp);     ///< every kind of answer
void add_schema_tools(durable_mcp::DurableMCP& mcp);      ///< arguments by a schema written by hand, also in headers
void add_reporting_tools(durable_mcp::DurableMCP& mcp);   ///< what a client hears before the answer
void add_question_tools(durable_mcp::DurableMCP& mcp);    ///< questions to the user and to the model
void add_round_trip_tools(durable_mcp::DurableMCP& mcp);  ///< questions as clients without a session are asked them (2026-07-28)
void add_task_tools(durable_mcp::DurableMCP& mcp);        ///< answers that are fetched later
void add_prompts(durable_mcp::DurableMCP& mcp);           ///< and the completion of one's argument
void add_resources(durable_mcp::DurableMCP& mcp);

}  // namespace conformance
