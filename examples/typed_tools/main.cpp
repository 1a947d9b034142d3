// SPDX-License-Identifier: Apache-2.0
// Plain structs as arguments and results: the struct is the schema that clients see, the parser that names what does not fit
// ("items[2].count"), and the documentation. There is no macro, and nothing to keep in step.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <durable_mcp/durable_mcp.hpp>
#include <durable_mcp/typed.hpp>

#include "arguments.hpp"

using durable_mcp::DurableContext;
using durable_mcp::field;
using durable_mcp::format;
using durable_mcp::maximum;
using durable_mcp::max_length;
using durable_mcp::minimum;

namespace {

enum class Shipping { standard, express };

struct Item {
    std::string name;
    field<std::int64_t, "how many of it", minimum<1>, maximum<100>> count = 1;  // an initialiser is a default
};

// Two ways to pay: clients say {"type": "Card", …} or {"type": "Invoice", …}.
struct Card {
    field<std::string, "what the payment page gave you", max_length<64>> token;
};
struct Invoice {
    std::chrono::days due{30};
};

struct Order {
    field<std::vector<Item>, "what to send"> items;
    std::variant<Card, Invoice> payment;
    Shipping shipping = Shipping::standard;
    field<std::optional<std::string>, "where the receipt goes", format<"email">> mail;  // may be left out
};

struct Receipt {
    std::string number;
    std::int64_t cents = 0;
    std::chrono::sys_seconds booked;
};

/// Stands for the catalogue.
std::int64_t price_of(const Item& item) { return static_cast<std::int64_t>(item.name.size()) * 100 * item.count; }

Receipt place_order(DurableContext& context, const Order& order) {
    std::int64_t cents = order.shipping == Shipping::express ? 900 : 400;
    for (const Item& item : *order.items) {
        cents += price_of(item);
    }
    // A struct is also what a step returns. It is recorded under its name and the names and types of its members: change them, and a call
    // that began before the change, and comes back after it, fails rather than read something else.
    return context.at_most_once("book", [&] {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        return Receipt{"R-" + std::to_string(now.time_since_epoch().count()), cents, now};
    });
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "typed_tools");
    durable_mcp::DurableMCP mcp(
        {.name = "shop", .version = "1.0.0", .port = arguments.port, .store = durable_mcp::sqlite(arguments.store)});

    // No names: the members of Order are the arguments. The receipt has an output schema, and is structured content.
    mcp.tool("place_order", "Orders from the catalogue.", place_order, {.destructive = true});

    return examples::serve(mcp);
}
