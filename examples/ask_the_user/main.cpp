// SPDX-License-Identifier: Apache-2.0
// A question to the user in the middle of a tool. Call it, and before you answer, kill -9 the process and start it again: the question is still
// the same one, and whichever process is there takes the answer. What was done before the question is not done again.
#include <chrono>
#include <optional>
#include <string>

#include <durable_mcp/durable_mcp.hpp>
#include <durable_mcp/typed.hpp>

#include "arguments.hpp"

using durable_mcp::DurableContext;
using durable_mcp::QuestionExpired;
using durable_mcp::ToolError;

namespace {

enum class Meal { standard, vegetarian, none };

/// The form that the user sees. Flat: text, numbers, booleans and choices.
struct Wishes {
    std::string passenger;
    Meal meal = Meal::standard;
    std::optional<std::string> remark;
};

/// Stands for an airline's booking system, to which nothing may be said twice.
struct Airline {
    std::string ledger;

    std::string hold_seat(const std::string& flight) {
        examples::write_down(ledger, "hold a seat in " + flight);
        return flight + " 12A";
    }
    void release_seat(const std::string& seat) { examples::write_down(ledger, "release " + seat); }
    std::string issue_ticket(const std::string& seat, const Wishes& wishes) {
        examples::write_down(ledger, "issue a ticket for " + seat);
        return "Ticket for " + wishes.passenger + ": " + seat + (wishes.meal == Meal::none ? "." : ", with a meal.");
    }
};

std::string book(DurableContext& context, Airline& airline, const std::string& flight) {
    const auto seat = context.at_most_once("hold seat", [&] { return airline.hold_seat(flight); });

    // While we wait, no thread does: the handler leaves here, and runs again from its first line when there is an answer. The seat above is then
    // read from the journal.
    std::optional<Wishes> wishes;
    try {
        const auto answer = context.elicit<Wishes>("wishes", "Who flies, and what may it be to eat?", {.deadline = std::chrono::hours(24)});
        if (answer.accepted()) {
            wishes = answer.value();
        }
    } catch (const QuestionExpired&) {  // a day has passed
    }
    if (!wishes) {
        context.at_least_once("release seat", [&] { airline.release_seat(seat); });
        throw ToolError("Not booked: nobody said who flies. The seat is free again.");
    }
    return context.at_most_once("issue ticket", [&] { return airline.issue_ticket(seat, *wishes); });
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = examples::read_arguments(argc, argv, "ask_the_user");
    Airline airline{arguments.ledger};
    durable_mcp::DurableMCP mcp(
        {.name = "airline",
         .version = "1.0.0",
         .port = arguments.port,
         .store = durable_mcp::sqlite(arguments.store),
         // A client without a session may come back so long: a little longer than its user may take, so that the deadline is heard of.
         .limits = {.state_lifetime = std::chrono::hours(25)}});

    mcp.tool("book", "Books a flight.", {"flight"},
             [&](DurableContext& context, const std::string& flight) { return book(context, airline, flight); }, {.destructive = true});

    return examples::serve(mcp);
}
