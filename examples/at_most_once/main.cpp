// SPDX-License-Identifier: Apache-2.0
// Paying with a card: an effect that must not happen twice, whatever happens to the process. The price is that sometimes nobody can say
// whether it happened; the library says exactly when that is so, and the handler decides what to do about it.
//
// Try the cards "declined" and "unreachable", and kill -9 the process while it charges any other.
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>

#include <durable_mcp/durable_mcp.hpp>

#include "arguments.hpp"

using durable_mcp::arg;
using durable_mcp::AtMostOnceFailedBeforeCompleting;
using durable_mcp::DurableContext;
using durable_mcp::ToolError;

namespace {

/// The bank could not be reached: nothing happened, for certain.
struct Unreachable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Stands for the bank. `key` lets it, and us, find the payment again.
std::string charge(const std::string& card, std::int64_t cents, const std::string& key) {
    if (card == "unreachable") {
        throw Unreachable("the bank does not answer");
    }
    std::this_thread::sleep_for(std::chrono::seconds(3));  // kill -9 me now
    if (card == "declined") {
        throw std::runtime_error("the bank declined the card");
    }
    return std::to_string(cents) + " cents charged, receipt " + key;
}

std::string charge_card(DurableContext& context, const std::string& card, std::int64_t cents) {
    const std::string key = context.idempotency_key("charge");  // the same in every attempt
    for (int tries = 1;; ++tries) {
        try {
            return context.at_most_once("charge", [&] { return charge(card, cents, key); },
                                        {.retryable = durable_mcp::retryable<Unreachable>});
        } catch (const Unreachable& error) {
            // As if the step had never begun, so the alias may be used again.
            if (tries == 3) {
                throw ToolError(std::string("Not charged: ") + error.what() + ". Try again later.");
            }
        } catch (const AtMostOnceFailedBeforeCompleting& error) {
            switch (error.cause()) {
                case AtMostOnceFailedBeforeCompleting::Cause::interrupted:
                    // The process died inside charge(). Charging again might take the money twice, so we never do.
                    throw ToolError("It is not known whether the card was charged: ask the bank for receipt " + key +
                                    " before you try again.");
                case AtMostOnceFailedBeforeCompleting::Cause::failed:
                    // charge() threw, which was recorded: so says every later attempt too.
                    throw ToolError(std::string("The payment failed: ") + error.what());
            }
            throw;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "at_most_once");
    durable_mcp::DurableMCP mcp(
        {.name = "till", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    mcp.tool("charge_card", "Charges a card.", {"card", arg("cents", "amount in cents").minimum(1)}, charge_card,
             {.destructive = true, .idempotent = false});

    return examples::serve(mcp);
}
