// SPDX-License-Identifier: Apache-2.0
// Everything that a step can be told, as a program writes it.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <durable_mcp/server.hpp>

using namespace std::chrono_literals;
using durable_mcp::Branch;
using durable_mcp::DurableContext;
using durable_mcp::Outcome;
using durable_mcp::retryable;

struct Unreachable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Gateway {
    std::string charge(std::int64_t cents, const std::string& key) const { return key + std::to_string(cents); }
    std::optional<std::string> find(std::string_view key) const { return std::string(key); }
    int price(int shop) const { return shop; }
};

std::string work(DurableContext& context, std::int64_t cents) {
    const Gateway gateway;
    const std::string receipt =
        context.at_most_once("charge", [&] { return gateway.charge(cents, context.idempotency_key("charge")); },
                             {.retryable = retryable<Unreachable>, .reconcile = [&](std::string_view key) -> Outcome<std::string> {
                                  const auto found = gateway.find(key);
                                  return found ? Outcome<std::string>::done(*found) : Outcome<std::string>::not_done();
                              }});
    const int rate = context.at_least_once("rate", [&](std::stop_token stop) { return stop.stop_requested() ? 0 : gateway.price(1); },
                                           {.retry = {.attempts = 5, .retry_if = retryable<Unreachable>}, .timeout = 3s});
    std::vector<Branch<int>> branches;
    for (int shop = 0; shop < rate; ++shop) {
        branches.emplace_back([&gateway, shop] { return gateway.price(shop); });
    }
    int best = rate;
    for (const int price : context.parallel("prices", branches, {.limit = 4, .retry = {.attempts = 2}})) {
        best = std::min(best, price);
    }
    for (const auto& settled : context.parallel_settled<int>("others", {[&] { return gateway.price(2); }, [&] { return gateway.price(3); }})) {
        best = settled.ok() ? std::min(best, settled.value()) : best;
    }
    const auto at = std::chrono::system_clock::to_time_t(context.now("at"));
    return receipt + context.uuid("id") + std::to_string(best) + std::to_string(at) + std::to_string(context.random("dice", 6));
}
