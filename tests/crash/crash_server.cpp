// SPDX-License-Identifier: Apache-2.0
// The server that dies. Its tools (script.hpp) use everything that promises something, and act on a world that remembers.
//
//     crash_server PORT STORE WORLD BOOT      (PORT 0: any; prints "listening on PORT" when it serves; ends well on SIGTERM)

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include <pthread.h>
#include <csignal>

#include <durable_mcp/durable_mcp.hpp>

#include "crash/script.hpp"
#include "crash/world.hpp"

using durable_mcp::AtMostOnceFailedBeforeCompleting;
using durable_mcp::DurableContext;
using durable_mcp::DurableMCP;
using durable_mcp::LogLevel;
using durable_mcp::Next;
using nlohmann::json;

namespace {

struct TurnedAway : std::runtime_error {
    TurnedAway() : std::runtime_error("turned away") {}
};

struct Actor {
    durable_mcp::crash::WorldLink world;
    long boot;

    std::uint64_t act(DurableContext& context, const std::string& key, const std::string& step, bool may_refuse = false) const {
        const std::uint64_t number = world.act(key, step, context.idempotency_key(step), context.attempt(), boot, may_refuse);
        if (number == 0) {
            throw TurnedAway();
        }
        return number;
    }
};

json run_steps(const Actor& actor, DurableContext& context, const std::string& key) {
    json receipts = json::array();
    for (int i = 0; i < durable_mcp::crash::rounds; ++i) {
        context.log(LogLevel::info, "tick " + key);
        const std::string step = "step" + std::to_string(i);
        receipts.push_back(context.at_least_once(step, [&] {
            context.log(LogLevel::info, "tick " + key);  // the same words as outside: a replay that skips this one must not lose another
            return actor.act(context, key, step);
        }));
        context.report_progress(i + 1, durable_mcp::crash::rounds);
    }
    context.log(LogLevel::info, "tick " + key);
    return {{"key", key}, {"receipts", receipts}};
}

/// Steps that take their time, for whoever changes his mind in the middle.
json run_patiently(const Actor& actor, DurableContext& context, const std::string& key) {
    json receipts = json::array();
    for (int i = 0; i < durable_mcp::crash::rounds; ++i) {
        const std::string step = "step" + std::to_string(i);
        receipts.push_back(context.at_least_once(step, [&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(8));
            return actor.act(context, key, step);
        }));
        context.report_progress(i + 1, durable_mcp::crash::rounds);
    }
    return {{"key", key}, {"receipts", receipts}};
}

/// A loop whose rounds sleep: on their thread, and without one.
json run_rounds(const Actor& actor, DurableContext& context, const std::string& key) {
    const json receipts = context.loop("rounds", json::array(), [&](const json& before) -> Next<json, json> {
        const std::size_t i = before.size();
        json after = before;
        after.push_back(context.at_least_once("act", [&] { return actor.act(context, key, "step" + std::to_string(i)); }));
        context.log(LogLevel::info, "round " + key);
        context.map("rounds").insert(key, i);
        context.sleep_for("nap", std::chrono::milliseconds(i == 1 ? 60 : 3));
        // Holds at once: what the round itself has written is there.
        context.until("written", [&]() -> std::optional<bool> {
            return context.map("rounds").get<std::size_t>(key) == i ? std::optional(true) : std::nullopt;
        });
        context.report_progress(static_cast<double>(i + 1), durable_mcp::crash::rounds);
        if (after.size() == durable_mcp::crash::rounds) {
            return durable_mcp::done(after);
        }
        return durable_mcp::again(after);
    });
    context.log(LogLevel::info, "round " + key);
    return {{"key", key}, {"receipts", receipts}};
}

/// A question between two steps, whose answer is kept under it.
json run_ask(const Actor& actor, DurableContext& context, const std::string& key) {
    json receipts = json::array();
    receipts.push_back(context.at_least_once("step0", [&] { return actor.act(context, key, "step0"); }));
    const json reply = context.elicit("reply", "Who is it?", durable_mcp::Form().text("name")).value();
    receipts.push_back(context.at_least_once("step1", [&] { return actor.act(context, key, "step1"); }));
    return {{"key", key}, {"receipts", receipts}, {"reply", reply.at("name")}};
}

json run_once(const Actor& actor, DurableContext& context, const std::string& key) {
    context.log(LogLevel::info, "charging " + key);
    json charge = nullptr;
    std::string outcome = "charged";
    for (bool again = true; again;) {
        again = false;
        try {
            charge = context.at_most_once("charge", [&] { return actor.act(context, key, "charge", true); },
                                          {.retryable = durable_mcp::retryable<TurnedAway>});
        } catch (const TurnedAway&) {
            again = true;
        } catch (const AtMostOnceFailedBeforeCompleting& error) {
            outcome = error.cause() == AtMostOnceFailedBeforeCompleting::Cause::interrupted ? "unknown" : "failed";
        }
    }
    const auto receipt = context.at_least_once("receipt", [&] { return actor.act(context, key, "receipt"); });
    context.log(LogLevel::info, "charging " + key);
    context.report_progress(1, 1);
    return {{"key", key}, {"outcome", outcome}, {"charge", charge}, {"receipt", receipt}};
}

/// A payment whose receiver can be asked, a step that is turned away at first, and several at once.
json run_settle(const Actor& actor, DurableContext& context, const std::string& key) {
    context.log(LogLevel::info, "settling " + key);
    const auto paid = context.at_most_once("pay", [&] { return actor.act(context, key, "pay"); },
                                           {.reconcile = [&](std::string_view idempotency_key) -> durable_mcp::Outcome<std::uint64_t> {
                                               const std::uint64_t found = actor.world.find(idempotency_key);
                                               return found == 0 ? durable_mcp::Outcome<std::uint64_t>::not_done()
                                                                 : durable_mcp::Outcome<std::uint64_t>::done(found);
                                           }});
    const auto told = context.at_least_once("tell", [&] { return actor.act(context, key, "tell", true); },
                                            {.retry = {.attempts = 0, .initial = std::chrono::milliseconds(1)}});
    std::vector<durable_mcp::Branch<std::uint64_t>> branches;
    for (int i = 0; i < durable_mcp::crash::rounds; ++i) {
        branches.emplace_back([&actor, &context, &key, i] { return actor.act(context, key, "fan" + std::to_string(i)); });
    }
    const auto fan = context.parallel("fan", branches, {.limit = 2});
    context.report_progress(1, 1);
    return {{"key", key}, {"pay", paid}, {"tell", told}, {"fan", fan}};
}

json run_book(DurableContext& context, const std::string& key, std::int64_t amount) {
    const auto sum = context.transact("book", [&](auto& state) {
        auto left = state.map("left");
        auto right = state.map("right");
        const std::int64_t total = left.template get<std::int64_t>("total").value_or(0) + amount;
        left.insert("total", total);
        right.insert("total", right.template get<std::int64_t>("total").value_or(0) - amount);
        right.insert("times " + key, right.template get<std::int64_t>("times " + key).value_or(0) + 1);
        context.log(LogLevel::info, "booked " + key);
        return total;
    });
    context.log(LogLevel::info, "booked " + key);
    context.report_progress(1, 1);
    return {{"key", key}, {"sum", sum}};
}

json run_notes(DurableContext& context, const std::string& key) {
    const bool claimed = context.user_map<std::string>("claims").compare_and_set(key, std::nullopt, std::string(context.call_id()));
    auto notes = context.map("notes");
    for (int i = 0; i < durable_mcp::crash::rounds; ++i) {
        notes.insert(key + "/" + std::to_string(i), i);
        context.report_progress(i + 1, durable_mcp::crash::rounds);
    }
    notes.remove(key + "/0");
    const auto rows = notes.range({.prefix = key + "/"});
    context.log(LogLevel::info, "noted " + key);
    return {{"key", key}, {"rows", rows.size()}, {"claimed", claimed}};
}

json read_all(DurableContext& context) {
    json result = {{"left", context.map("left").live().get<std::int64_t>("total").value_or(0)},
                   {"right", context.map("right").live().get<std::int64_t>("total").value_or(0)},
                   {"notes", context.map("notes").live().count()},
                   {"twice", json::array()},
                   {"booked", 0}};
    std::string start = "times ";
    for (;;) {
        const auto rows = context.map("right").live().range<std::int64_t>({.start = start, .prefix = "times "});
        for (const auto& [key, times] : rows) {
            result["booked"] = result["booked"].get<std::int64_t>() + 1;
            if (times != 1) {
                result["twice"].push_back(key);
            }
        }
        if (rows.size() < 10'000) {
            return result;
        }
        start = rows.back().first + '\0';
    }
}

void offer_tools(DurableMCP& server, const Actor& actor) {
    server.tool("steps", "", {"key"}, [&actor](DurableContext& context, std::string key) { return run_steps(actor, context, key); });
    server.tool("rounds", "", {"key"}, [&actor](DurableContext& context, std::string key) { return run_rounds(actor, context, key); });
    server.tool("patient", "", {"key"}, [&actor](DurableContext& context, std::string key) { return run_patiently(actor, context, key); });
    server.tool("announce", "", {"key"}, [](DurableContext& context, std::string key) {
        context.send_tools_list_changed();
        context.send_prompts_list_changed();
        context.send_resources_list_changed();
        return json{{"key", key}};
    });
    server.tool("once", "", {"key"}, [&actor](DurableContext& context, std::string key) { return run_once(actor, context, key); });
    server.tool("settle", "", {"key"}, [&actor](DurableContext& context, std::string key) { return run_settle(actor, context, key); });
    server.tool("book", "", {"key", "amount"},
                [](DurableContext& context, std::string key, std::int64_t amount) { return run_book(context, key, amount); });
    server.tool("notes", "", {"key"}, [](DurableContext& context, std::string key) { return run_notes(context, key); });
    server.tool("ask", "", {"key"}, [&actor](DurableContext& context, std::string key) { return run_ask(actor, context, key); });
    // By their key, calls without a session outlive their connections. `amount` is what a second one may say differently.
    server.tool("keyed", "", {"key", "amount"},
                [&actor](DurableContext& context, std::string key, std::int64_t) { return run_once(actor, context, key); },
                {.idempotency_argument = "key"});
    server.tool("keyed_ask", "", {"key", "amount"},
                [&actor](DurableContext& context, std::string key, std::int64_t) { return run_ask(actor, context, key); },
                {.idempotency_argument = "key"});
    server.tool("task", "", {"key", "amount"},
                [&actor](DurableContext& context, std::string key, std::int64_t) { return run_patiently(actor, context, key); },
                {.task = durable_mcp::Tasks::allowed, .inline_wait = std::chrono::milliseconds(0), .idempotency_argument = "key"});
    // Its answer is different each time it runs, so that a second run shows.
    server.tool("quick", "", {"key"}, [](DurableContext& context, std::string key) {
        return json{{"key", key}, {"call", context.call_id()}};
    });
    // Around the moment at which an unanswered call is accepted without having done anything.
    server.tool("slow", "", {"key", "ms"}, [](DurableContext& context, std::string key, std::int64_t ms) {
        std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        return json{{"key", key}, {"call", context.call_id()}};
    });
    // Enough for the store to want a checkpoint.
    server.tool("bulk", "", {"key"}, [](DurableContext& context, std::string key) {
        context.map("bulk").insert("blob", key + std::string(std::size_t{5} << 20, 'x'));
        return json{{"key", key}};
    });
    server.tool("audit", "", [](DurableContext& context) { return read_all(context); });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: crash_server PORT STORE WORLD BOOT\n");
        return 2;
    }
    const Actor actor{durable_mcp::crash::WorldLink(argv[3]), std::atol(argv[4])};
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    durable_mcp::Options options;
    options.name = "crash";
    options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    options.store = durable_mcp::sqlite(argv[2]);
    options.log_level = LogLevel::warning;
    options.limits.crashed_attempts = 10'000;  // a call must not be given up here, however often it meets a kill
    options.limits.retry_after = std::chrono::milliseconds(10);
    options.limits.reask_after = std::chrono::hours(1);  // a question that is put again is an event that the script does not know
    DurableMCP server(std::move(options));
    offer_tools(server, actor);
    server.start();
    std::printf("listening on %d\n", server.port());
    std::fflush(stdout);
    int number = 0;
    sigwait(&ending, &number);
    server.stop(std::chrono::seconds(5));
    return 0;
}
