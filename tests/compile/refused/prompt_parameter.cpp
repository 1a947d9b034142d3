// SPDX-License-Identifier: Apache-2.0
// says: those of prompts and resource templates are std::string or std::optional<std::string>
#include <durable_mcp/server.hpp>

void offer(durable_mcp::DurableMCP& server) {
    server.prompt("p", "", {"n"}, [](int) { return "x"; });
}
