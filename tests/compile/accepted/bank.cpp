// SPDX-License-Identifier: Apache-2.0
// The program of design.md §2, word for word, with a charge() of its own.
#include <durable_mcp/durable_mcp.hpp>

using durable_mcp::DurableContext;
using durable_mcp::DurableMCP;

std::string charge(const std::string& account, std::int64_t cents) { return account + ":" + std::to_string(cents); }

int main() {
    DurableMCP mcp({.name = "bank", .version = "1.0.0", .path = "/mcp", .store = durable_mcp::sqlite("bank.db")});

    mcp.tool("transfer", "Move money between two accounts.",
             {"from", "to", "cents"},
             [](DurableContext& context, std::string from, std::string to, std::int64_t cents) {
                 auto receipt = context.at_most_once("charge card", [&] { return charge(from, cents); });
                 context.transact("book", [&](auto& state) { state.map("ledger").insert(receipt, to); });
                 context.report_progress(1, 1);
                 return receipt;                       // a string, a number, a struct, a json, a ToolResult
             });

    mcp.run();                                        // until SIGINT or SIGTERM: http://127.0.0.1:9991/mcp
}
