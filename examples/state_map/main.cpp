// SPDX-License-Identifier: Apache-2.0
// A bank whose accounts live in the server itself: a sorted map, kept in the store. Money moves in transactions, which are applied as a
// whole and exactly once, whatever happens to the process; no other database is needed.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <durable_mcp/durable_mcp.hpp>

#include "arguments.hpp"

using durable_mcp::arg;
using durable_mcp::DurableContext;
using durable_mcp::ToolError;
using durable_mcp::Transaction;

namespace {

std::string deposit(DurableContext& context, const std::string& account, std::int64_t cents) {
    const auto balance = context.transact("deposit", [&](Transaction& state) {
        auto accounts = state.map("accounts");
        const auto total = accounts.get<std::int64_t>(account).value_or(0) + cents;
        accounts.insert(account, total);
        return total;
    });
    return account + " has " + std::to_string(balance) + " cents";
}

std::string transfer(DurableContext& context, const std::string& from, const std::string& to, std::int64_t cents) {
    // It runs again when another call has changed what it read, so it does nothing but read and write. Both accounts change, or none.
    const bool moved = context.transact("transfer", [&](Transaction& state) {
        auto accounts = state.map("accounts");
        const auto available = accounts.get<std::int64_t>(from).value_or(0);
        if (available < cents || from == to) {
            return false;
        }
        accounts.insert(from, available - cents);
        accounts.insert(to, accounts.get<std::int64_t>(to).value_or(0) + cents);
        return true;
    });
    if (!moved) {
        throw ToolError(from + " cannot pay " + std::to_string(cents) + " cents to " + to);
    }
    return std::to_string(cents) + " cents moved from " + from + " to " + to;
}

std::map<std::string, std::int64_t> list_balances(DurableContext& context, const std::optional<std::string>& prefix) {
    // live(): what is there now. Without it the rows would be recorded with the call, which a mere answer does not need.
    const auto rows = context.map("accounts").live().range<std::int64_t>({.prefix = prefix.value_or(""), .limit = 100});
    return {rows.begin(), rows.end()};
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "state_map");
    durable_mcp::DurableMCP mcp(
        {.name = "bank", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    mcp.tool("deposit", "Puts money into an account, and opens it where there is none.",
             {"account", arg("cents").minimum(1).maximum(1'000'000'000)}, deposit);
    mcp.tool("transfer", "Moves money from one account to another.", {"from", "to", arg("cents").minimum(1)}, transfer);
    mcp.tool("list_balances", "The first 100 accounts in the order of their names.", {arg("prefix", "only names that begin with it")},
             list_balances, {.read_only = true});

    return examples::serve(mcp);
}
