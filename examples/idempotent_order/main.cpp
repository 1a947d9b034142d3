// SPDX-License-Identifier: Apache-2.0
// A call that may be sent twice and counts once: by a client that lost its connection, an agent that was restarted, a user who clicked again.
// The argument `order_id` is the call's key. The second call with it does not run: it waits for the first one, or gets its answer, also when the
// server was killed in between. With other arguments beside the same key it is refused.
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <durable_mcp/durable_mcp.hpp>

#include "arguments.hpp"

using durable_mcp::arg;
using durable_mcp::DurableContext;
using durable_mcp::Transaction;

namespace {

std::string order(DurableContext& context, const std::string& ledger, const std::string& order_id, const std::string& what, std::int64_t count) {
    // Within one call, steps see to it that nothing is done twice.
    context.at_most_once("charge", [&] { examples::write_down(ledger, "charge for " + order_id); });
    context.at_least_once("pack", [&] {
        examples::write_down(ledger, "pack " + order_id);
        std::this_thread::sleep_for(std::chrono::milliseconds(500));  // kill -9 me now, and order the same again
    });
    const auto number = context.transact("book", [&](Transaction& state) {
        auto numbers = state.map("numbers");
        const auto next = numbers.get<std::int64_t>("last").value_or(0) + 1;  // not a count(), which would read every order there is
        numbers.insert("last", next);
        state.map("orders").insert(order_id, std::to_string(count) + " × " + what);
        return next;
    });
    return "Order number " + std::to_string(number) + ": " + std::to_string(count) + " × " + what + ".";
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "idempotent_order");
    durable_mcp::DurableMCP mcp(
        {.name = "shop", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    // `idempotency_keys` takes keys from elsewhere as well: `_meta["durable-mcp/idempotencyKey"]`, and the header Idempotency-Key.
    mcp.tool("order", "Orders something, once per order_id.", {arg("order_id", "chosen by whoever orders"), "what", arg("count").minimum(1)},
             [&](DurableContext& context, const std::string& order_id, const std::string& what, std::int64_t count) {
                 return order(context, arguments.ledger, order_id, what, count);
             },
             {.destructive = false, .idempotent = true, .idempotency_argument = "order_id", .idempotency_keys = true});

    return examples::serve(mcp);
}
