// SPDX-License-Identifier: Apache-2.0
// Every script, every crash: one handler that uses everything the machine offers; killed, put down or cancelled at every moment.
//
// The values of its at_least_once steps differ each time their body runs, so that a value which was used before it was durable shows.
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "unit/journal/crash_world.hpp"

namespace durable_mcp::journal::crash_world {
namespace {

const Words once_keys = {"s:charge", "s:notify", "s:mail"};
const Words least_keys = {"s:reserve", "s:item/0", "s:item/1"};

std::string numbered(const std::string& what, int invocation) { return what + " " + std::to_string(invocation); }

/// Runs an at_most_once step; what became of it in one word where there is no value.
std::string settle(Attempt& attempt, const std::string& key, const std::function<std::string(int)>& body) {
    try {
        return attempt.step(once(key), body);
    } catch (const Interrupted&) {
        return "unknown";
    } catch (const StepFailed& failed) {
        return failed.fault.message;
    }
}

std::string handler(Attempt& attempt, World& world) {
    attempt.log("begin");
    const std::string order = attempt.step(least("s:reserve"), [](int n) { return numbered("order", n); });
    attempt.log("reserved " + order);
    attempt.report_progress(1);
    for (int i = 0; i < 2; ++i) {  // twice the same: told apart by occurrence
        attempt.step(map_write(attempt.next_occurrence("m:insert/orders/" + order)), [](int) { return ""; });
    }
    const std::string seen = attempt.step(map_read("m:count/orders#1"), [&](int) {
        int writes = 0;
        for (const Entry& entry : world.all<Entry>()) {
            writes += entry.kind == EntryKind::map_written ? 1 : 0;
        }
        return std::to_string(writes);
    });
    attempt.log("working");
    const std::string charge = settle(attempt, "s:charge", [](int) { return "charged"; });
    attempt.log("charge: " + charge);
    attempt.log("working");
    const std::string book = attempt.transaction(transact("s:book"), charge + " for " + order);
    attempt.report_progress(2);
    const std::string notify = settle(attempt, "s:notify", [](int) -> std::string { throw Fault{"Declined", "declined"}; });
    attempt.log("notify: " + notify);
    std::string mail;
    while (mail.empty()) {
        try {
            mail = settle(attempt, "s:mail", [](int n) -> std::string { return n == 1 ? throw Retryable{} : "mailed"; });
        } catch (const Retryable&) {
        }
    }
    std::string items;
    for (int i = 0; i < 2; ++i) {
        items += attempt.step(least("s:item/" + std::to_string(i)), [](int n) { return numbered(" item", n); });
        attempt.log("working");
    }
    std::string last;
    try {
        last = attempt.step(least("s:last"), [](int n) -> std::string { throw Fault{"Tired", numbered("gave up", n)}; });
    } catch (const StepFailed& failed) {
        last = failed.fault.message;
    }
    attempt.report_progress(3);
    return order + "|" + seen + "|" + charge + "|" + book + "|" + notify + "|" + mail + "|" + items + "|" + last;
}

/// What the journal says became of a step.
std::string recorded(const World& world, const std::string& key) {
    const Entry entry = world.entry(key).value_or(Entry{});
    switch (entry.kind) {
        case EntryKind::once_interrupted: return "unknown";
        case EntryKind::once_failed:
        case EntryKind::step_failed: return read_fault(entry.payload).message;
        default: return entry.payload;
    }
}

/// What must have come of it in the end, read off the journal.
std::string expected_outcome(const World& world) {
    const auto of = [&](const char* key) { return recorded(world, key); };
    const std::string book = of("s:charge") + " for " + of("s:reserve");
    return of("s:reserve") + "|2|" + of("s:charge") + "|" + book + "|" + of("s:notify") + "|" + of("s:mail") + "|" + of("s:item/0") + of("s:item/1") + "|" + of("s:last");
}

Words expected_events(const World& world) {
    return {"begin", "reserved " + recorded(world, "s:reserve"), "progress 1.000000", "working", "charge: " + recorded(world, "s:charge"),
            "working", "progress 2.000000", "notify: " + recorded(world, "s:notify"), "working", "working", "progress 3.000000"};
}

enum class End { finished, crashed, suspended, cancelled };

End run_attempt(World& world, Plan plan) {
    world.plan = plan;
    Attempt attempt(world);
    try {
        attempt.finish(handler(attempt, world));
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

/// Keys whose body may have been running when the process died.
std::set<std::string> open_keys(const World& world) {
    std::set<std::string> open;
    for (const std::string& key : once_keys) {
        if (const auto entry = world.entry(key); entry && entry->kind == EntryKind::once_started) {
            open.insert(key);
        }
    }
    return open;
}

/// Runs what is left of the call without further harm and judges the whole. "" when all is well.
std::string finish_and_judge(World world, const std::set<std::string>& interrupted) {
    if (world.all<Finished>().empty() && run_attempt(world, {}) != End::finished) {
        world.violate("an attempt that nothing happened to does not finish");
    }
    if (!world.violation.empty()) {
        return world.violation;
    }
    const auto finished = world.all<Finished>();
    if (finished.size() != 1 || finished[0].outcome != expected_outcome(world)) {
        return "the outcome is " + (finished.empty() ? "missing" : finished[0].outcome) + ", the journal says " + expected_outcome(world);
    }
    Words events;
    for (const Event& event : world.all<Event>()) {
        events.push_back(event.text);
    }
    if (events != expected_events(world)) {
        return "events are lost, repeated or out of order: " + ::testing::PrintToString(events);
    }
    if (world.all<Accept>().size() != 1) {
        return "the call was not accepted once";
    }
    for (const std::string& key : once_keys) {
        const bool is_unknown = recorded(world, key) == "unknown";
        if (is_unknown != interrupted.contains(key)) {
            return key + (is_unknown ? " is held interrupted and was not" : " was interrupted and is not held so");
        }
        if (world.effects[key] > 1 || (key != "s:mail" && world.invocations[key] > 1)) {
            return key + " executed more than once";
        }
        if (!is_unknown && key != "s:notify" && world.effects[key] != 1) {
            return key + " has a value and did not execute";
        }
    }
    for (const std::string& key : least_keys) {
        if (world.effects[key] < 1) {
            return key + " never executed";
        }
    }
    std::set<std::pair<std::string, EntryKind>> seen;
    for (const Entry& entry : world.all<Entry>()) {
        const bool may_repeat = entry.kind == EntryKind::once_started || entry.kind == EntryKind::once_reset;
        if (!seen.emplace(entry.key, entry.kind).second && !may_repeat) {
            return entry.key + " has two entries of a kind";
        }
    }
    return "";
}

constexpr Committing all_ways[] = {Committing::each_at_once, Committing::when_awaited, Committing::one_item_per_wait};

std::string label(Committing way, std::size_t moment, std::size_t kept) {
    return "way " + std::to_string(static_cast<int>(way)) + ", moment " + std::to_string(moment) + ", kept " + std::to_string(kept) + ": ";
}

TEST(every_crash, the_script_alone_comes_to_its_end) {
    for (const Committing way : all_ways) {
        World world;
        world.committing = way;
        ASSERT_EQ(run_attempt(world, {}), End::finished);
        EXPECT_EQ(world.all<Finished>().at(0).outcome,
                  "order 1|2|charged|charged for order 1|declined|mailed| item 1 item 1|gave up 1");
        EXPECT_EQ(finish_and_judge(world, {}), "");
        EXPECT_GT(world.moment, 60u);
    }
}

TEST(every_crash, a_handler_survives_a_crash_at_every_moment) {  // contract 2, B1, B7–B13, B27, B28
    for (const Committing way : all_ways) {
        std::size_t moment = 0;
        bool has_interrupted = false;
        for (End end = End::crashed; end == End::crashed;) {
            World world;
            world.committing = way;
            end = run_attempt(world, {++moment});
            for (std::size_t kept = 0; kept <= world.disk.size() - world.durable; ++kept) {
                World survivor = world;
                survivor.die(kept);
                const auto interrupted = open_keys(survivor);
                has_interrupted = has_interrupted || !interrupted.empty();
                const std::string problem = finish_and_judge(survivor, interrupted);
                ASSERT_EQ(problem, "") << label(way, moment, kept);
            }
        }
        EXPECT_GT(moment, 60u);
        EXPECT_TRUE(has_interrupted);
    }
}

TEST(every_crash, a_handler_survives_a_second_crash_at_every_moment_of_its_replay) {
    for (std::size_t first = 1;; ++first) {
        World once_dead;
        if (run_attempt(once_dead, {first}) != End::crashed) {
            break;
        }
        for (const bool tail_survives : {false, true}) {
            World survivor = once_dead;
            survivor.die(tail_survives ? survivor.disk.size() - survivor.durable : 0);
            if (!survivor.all<Finished>().empty()) {
                continue;
            }
            const auto interrupted_first = open_keys(survivor);
            for (std::size_t second = 1;; ++second) {
                World twice_dead = survivor;
                if (run_attempt(twice_dead, {second}) != End::crashed) {
                    break;
                }
                twice_dead.die(0);
                auto interrupted = open_keys(twice_dead);
                interrupted.insert(interrupted_first.begin(), interrupted_first.end());
                const std::string problem = finish_and_judge(twice_dead, interrupted);
                ASSERT_EQ(problem, "") << label(twice_dead.committing, first, tail_survives) << "second " << second;
            }
        }
    }
}

TEST(every_crash, a_handler_that_is_suspended_at_any_moment_comes_to_the_same_end) {  // B52: a graceful stop poisons nothing
    for (const Committing way : all_ways) {
        std::size_t moment = 0;
        for (bool has_happened = true; has_happened;) {
            World world;
            world.committing = way;
            const End end = run_attempt(world, {++moment, Happening::suspension});
            has_happened = world.moment >= moment;
            if (end == End::suspended) {
                world.boot();
            }
            const std::string problem = finish_and_judge(world, {});
            ASSERT_EQ(problem, "") << label(way, moment, 0);
        }
        EXPECT_GT(moment, 60u);
    }
}

TEST(every_crash, a_handler_that_is_cancelled_at_any_moment_executes_nothing_more) {  // B35
    for (const Committing way : all_ways) {
        std::size_t moment = 0;
        for (bool has_happened = true; has_happened;) {
            World world;
            world.committing = way;
            const End end = run_attempt(world, {++moment, Happening::cancellation});
            has_happened = world.moment >= moment;
            ASSERT_EQ(world.violation, "") << label(way, moment, 0);
            ASSERT_NE(end, End::suspended);
            ASSERT_EQ(open_keys(world), std::set<std::string>{}) << label(way, moment, 0);  // what had started was recorded
            ASSERT_EQ(world.durable, world.disk.size());
        }
        EXPECT_GT(moment, 60u);
    }
}

}  // namespace
}  // namespace durable_mcp::journal::crash_world
