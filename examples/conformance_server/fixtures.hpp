// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the official conformance suite expects to find in a server: names, texts and bytes are its own, to the letter.

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

void add_tools(durable_mcp::DurableMCP& mcp);
void add_prompts(durable_mcp::DurableMCP& mcp);
void add_resources(durable_mcp::DurableMCP& mcp);

}  // namespace conformance
