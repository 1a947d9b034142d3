// SPDX-License-Identifier: Apache-2.0
// A payment whose receiver can be asked, and a step that is tried again: killed, put down or cancelled at every moment.
#include <gtest/gtest.h>

#include <utility>

#include "unit/journal/crash_world.hpp"

namespace durable_mcp::journal::crash_world {
namespace {

constexpr std::uint64_t tries_allowed = 4;

/// The receiver keeps what it was told, whatever becomes of us: an effect has happened when the body came to its end.
Word honest(const World& world) { return world.effects.contains("s:pay") && world.effects.at("s:pay") > 0 ? Word::done : Word::not_done; }

std::string handler(Attempt& attempt, World& world, bool receiver_knows) {
    const std::string order = attempt.step(least("s:order"), [](int n) { return "order " + std::to_string(n); });
    std::string paid;
    try {
        paid = attempt.step(
            reconciled("s:pay"), [](int) { return std::string("receipt"); },
            [&] { return std::pair(receiver_knows ? honest(world) : Word::unknown, std::string("receipt")); });
    } catch (const Interrupted&) {
        paid = "unknown";
    }
    attempt.log("paid: " + paid);
    std::string told;
    try {
        // It fails for ever, and may be tried four times in all.
        told = attempt.step(least("s:tell"), [&](int) -> std::string {
            if (attempt.tries_of("s:tell") + 1 < tries_allowed) {
                throw Retryable{};
            }
            throw Fault{"Busy", "after " + std::to_string(tries_allowed)};
        });
    } catch (const StepFailed& failed) {
        told = failed.fault.message;
    }
    return order + "|" + paid + "|" + told;
}

enum class End { finished, crashed, suspended, cancelled };

End run_attempt(World& world, Plan plan, bool receiver_knows) {
    world.plan = plan;
    Attempt attempt(world);
    try {
        attempt.finish(handler(attempt, world, receiver_knows));
        return End::finished;
    } catch (const Crash&) {
        return End::crashed;
    } catch (const Unwound& unwound) {
        try {
            attempt.flush();
        } catch (const Crash&) {
            return End::crashed;
        }
        return unwound.reason == Leave::cancelled ? End::cancelled : End::suspended;
    }
}

std::uint64_t retries(const World& world) {
    std::uint64_t count = 0;
    for (const Entry& entry : world.all<Entry>()) {
        count += entry.kind == EntryKind::step_retried ? 1 : 0;
    }
    return count;
}

/// Runs what is left without further harm and judges the whole. "" when all is well.
std::string finish_and_judge(World world, bool receiver_knows) {
    if (world.all<Finished>().empty() && run_attempt(world, {}, receiver_knows) != End::finished) {
        return "an attempt that nothing happened to does not finish " + world.violation;
    }
    if (!world.violation.empty()) {
        return world.violation;
    }
    const std::string outcome = world.all<Finished>().at(0).outcome;
    const std::string paid = outcome.substr(outcome.find('|') + 1);
    if (receiver_knows && !paid.starts_with("receipt|")) {
        return "the receiver knew, and the outcome is " + outcome;
    }
    if (world.effects["s:pay"] > 1) {
        return "paid twice";
    }
    if (paid.starts_with("receipt") && world.effects["s:pay"] != 1) {
        return "a receipt without a payment";
    }
    if (world.all<Event>().size() != 1 || world.all<Event>()[0].text != "paid: " + paid.substr(0, paid.find('|'))) {
        return "what was said is not what came of it";
    }
    if (retries(world) != tries_allowed - 1 || !outcome.ends_with("after " + std::to_string(tries_allowed))) {
        return "the tries were counted wrongly: " + outcome;
    }
    return "";
}

constexpr Committing all_ways[] = {Committing::each_at_once, Committing::when_awaited, Committing::one_item_per_wait};

std::string label(Committing way, std::size_t moment, std::size_t kept) {
    return "way " + std::to_string(static_cast<int>(way)) + ", moment " + std::to_string(moment) + ", kept " + std::to_string(kept);
}

TEST(reconcile_crash, a_payment_whose_receiver_can_be_asked_happens_once_whenever_the_process_dies) {  // B11a
    for (const bool receiver_knows : {true, false}) {
        for (const Committing way : all_ways) {
            std::size_t moment = 0;
            for (End end = End::crashed; end == End::crashed;) {
                World world;
                world.committing = way;
                end = run_attempt(world, {++moment}, receiver_knows);
                for (std::size_t kept = 0; kept <= world.disk.size() - world.durable; ++kept) {
                    World survivor = world;
                    survivor.die(kept);
                    ASSERT_EQ(finish_and_judge(survivor, receiver_knows), "") << label(way, moment, kept);
                }
            }
            EXPECT_GT(moment, 20u);
        }
    }
}

TEST(reconcile_crash, also_when_it_dies_again_at_any_moment_of_asking) {  // B11a
    std::size_t deaths_while_asking = 0;
    for (std::size_t first = 1;; ++first) {
        World once_dead;
        if (run_attempt(once_dead, {first}, true) != End::crashed) {
            break;
        }
        for (std::size_t kept = 0; kept <= once_dead.disk.size() - once_dead.durable; ++kept) {
            World survivor = once_dead;
            survivor.die(kept);
            if (!survivor.all<Finished>().empty()) {
                continue;
            }
            const bool asks = survivor.entry("s:pay").value_or(Entry{}).kind == EntryKind::once_started;
            for (std::size_t second = 1;; ++second) {
                World twice_dead = survivor;
                if (run_attempt(twice_dead, {second}, true) != End::crashed) {
                    break;
                }
                deaths_while_asking += asks ? 1 : 0;
                for (std::size_t tail = 0; tail <= twice_dead.disk.size() - twice_dead.durable; ++tail) {
                    World last = twice_dead;
                    last.die(tail);
                    ASSERT_EQ(finish_and_judge(last, true), "") << label(once_dead.committing, first, kept) << ", second " << second << ", " << tail;
                }
            }
        }
    }
    EXPECT_GT(deaths_while_asking, 20u);
}

TEST(reconcile_crash, a_stop_at_any_moment_poisons_nothing) {  // B11a, B52
    for (const Committing way : all_ways) {
        // Once at any moment of the first attempt, and once at any moment of the one that asks.
        for (const bool has_crashed : {false, true}) {
            World before;
            before.committing = way;
            if (has_crashed) {
                while (before.entry("s:pay").value_or(Entry{}).kind != EntryKind::once_started || before.durable < before.disk.size()) {
                    const std::size_t moment = before.moment + 1;
                    before = World{};
                    before.committing = way;
                    ASSERT_EQ(run_attempt(before, {moment}, true), End::crashed);
                }
                before.die(0);
            }
            std::size_t moment = 0;
            for (bool has_happened = true; has_happened;) {
                World world = before;
                const End end = run_attempt(world, {++moment, Happening::suspension}, true);
                has_happened = world.moment >= moment;
                if (end == End::suspended) {
                    world.boot();
                }
                ASSERT_EQ(finish_and_judge(world, true), "") << label(way, moment, 0);
            }
        }
    }
}

TEST(reconcile_crash, a_cancellation_at_any_moment_asks_and_tries_nothing_more) {  // B35
    for (const Committing way : all_ways) {
        std::size_t moment = 0;
        for (bool has_happened = true; has_happened;) {
            World world;
            world.committing = way;
            run_attempt(world, {++moment, Happening::cancellation}, true);
            has_happened = world.moment >= moment;
            ASSERT_EQ(world.violation, "") << label(way, moment, 0);
            ASSERT_EQ(world.durable, world.disk.size());
        }
    }
}

}  // namespace
}  // namespace durable_mcp::journal::crash_world
