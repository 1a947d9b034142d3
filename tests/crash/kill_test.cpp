// SPDX-License-Identifier: Apache-2.0
// The main thing: a server that is killed anywhere, again and again, and clients that notice nothing but the time it takes.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "crash/campaign.hpp"

namespace durable_mcp::crash {
namespace {

bool is_long() {
    return std::getenv("DURABLE_MCP_LONG") != nullptr;
}

/// For builds with sanitizers, in which everything takes several times as long.
bool is_short() {
    return std::getenv("DURABLE_MCP_SHORT") != nullptr;
}

// Every point that a server under load passes, and how many passages may lie before the fatal one.
struct Point {
    const char* name;
    long most;
};
constexpr Point points[] = {
    {"req.parsed", 12},
    {"dedup.before_lookup", 4},
    {"dedup.after_insert", 4},
    {"session.after_create_before_reply", 2},
    {"call.before_commit", 8},
    {"call.after_commit_before_reply", 8},
    {"result.after_commit_before_send", 8},
    {"step.before_commit", 12},
    {"step.before_run", 8},
    {"step.after_effect_before_record", 8},
    {"once.after_effect_before_record", 4},
    {"step.after_record", 8},
    {"transact.before_commit", 3},
    {"transact.after_commit", 3},
    {"event.after_append_before_write", 16},
    {"event.mid_write", 12},
    {"wait.begun", 4},
    {"wait.due", 2},
    {"wait.before_record", 4},
    {"loop.before_carry", 4},
    {"loop.carried", 4},
    {"question.answer_recorded", 4},
    {"commit.before", 40},
    {"commit.after", 40},
    {"recover.each_call", 3},
};

std::vector<Blow> plan_blows(int per_point, int random_ones, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Blow> blows;
    for (const Point& point : points) {
        for (int i = 0; i < per_point; ++i) {
            blows.push_back({Blow::Kind::point, point.name, 1 + static_cast<long>(random() % static_cast<unsigned long>(point.most))});
        }
    }
    for (int i = 0; i < per_point; ++i) {
        blows.push_back({Blow::Kind::checkpoint, "ckpt.begin", 1});
        blows.push_back({Blow::Kind::checkpoint, "ckpt.mid", 1});
        blows.push_back({Blow::Kind::drain, "shutdown.draining", 1});
        blows.push_back({Blow::Kind::stop, {}, 1});
    }
    for (int i = 0; i < random_ones; ++i) {
        blows.push_back({Blow::Kind::random, {}, 1});
    }
    std::shuffle(blows.begin(), blows.end(), random);
    return blows;
}

void show(const Report& report) {
    std::printf("%d kills, %d stops, %zu calls answered (%zu batches, %zu asked, %zu by key, %zu tasks), %zu withdrawn, %zu effects, "
                "%zu interrupted at_most_once steps, %zu standalone events, %zu sessions ended, %zu violations\n",
                report.all_kills(), report.stops, report.calls, report.batches, report.asked, report.keyed, report.tasks, report.withdrawn,
                report.effects, report.unknown, report.listened, report.ended, report.violations.size());
    for (const auto& [point, count] : report.kills) {
        std::printf("  %-36s %d\n", point.c_str(), count);
    }
    for (const std::string& violation : report.violations) {
        ADD_FAILURE() << violation;
    }
}

TEST(kill, at_every_named_point_and_at_random_moments_breaks_no_promise) {
    const int per_point = is_long() ? 100 : is_short() ? 2 : 6;
    const int random_ones = is_long() ? 3000 : is_short() ? 12 : 80;
    const int least = is_short() ? 1 : 5;
    const char* given = std::getenv("DURABLE_MCP_CRASH_SEED");
    const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atol(given)) : std::random_device{}();
    std::printf("DURABLE_MCP_CRASH_SEED=%u\n", seed);
    Campaign::Plan plan;
    plan.seed = seed;
    if (is_short()) {
        plan.until_point = std::chrono::seconds(12);
        plan.patience = std::chrono::seconds(60);
        plan.looked_at_again = 60;
    }
    Campaign campaign(plan);
    campaign.run(plan_blows(per_point, random_ones, seed));
    const Report report = campaign.finish();
    show(report);
    if (report.violations.empty()) {
        EXPECT_GE(report.all_kills(), is_short() ? 50 : 200);
        for (const Point& point : points) {
            EXPECT_GE(report.kills.count(point.name) ? report.kills.at(point.name) : 0, least) << point.name;
        }
        for (const char* point : {"ckpt.begin", "ckpt.mid", "shutdown.draining"}) {
            EXPECT_GE(report.kills.count(point) ? report.kills.at(point) : 0, least) << point;
        }
        EXPECT_GT(report.unknown, 0u) << "no at_most_once step was ever interrupted: the kills do not hit";
        EXPECT_GT(report.batches, 0u);
        EXPECT_GT(report.asked, 0u);
        EXPECT_GT(report.keyed, 0u);
        EXPECT_GT(report.tasks, 0u);
        EXPECT_GT(report.withdrawn, 0u);
        EXPECT_GT(report.listened, 0u);
        EXPECT_GT(report.ended, 0u);
    }
}

TEST(kill, at_every_statement_of_the_first_migration_leaves_a_store_that_opens) {
    int kills = 0;
    for (int round = 0; round < (is_long() ? 10 : 1); ++round) {
        Campaign::Plan plan;
        plan.clients = 1;
        Campaign campaign(plan);
        // Each attempt gets one statement further, over what the ones before have left.
        for (long nth = 1; !campaign.server().start("migrate.each_statement:" + std::to_string(nth)); ++nth) {
            const auto end = campaign.server().wait(std::chrono::seconds(1));
            ASSERT_TRUE(end && end->was_killed());
            ++kills;
            ASSERT_LT(nth, 200);
        }
        campaign.server().send(9);
        ASSERT_TRUE(campaign.server().wait(std::chrono::seconds(5)));
        campaign.run({{Blow::Kind::random, {}, 1}});
        show(campaign.finish());
    }
    EXPECT_GE(kills, 5);
    std::printf("  %-36s %d\n", "migrate.each_statement", kills);
}

// B52
TEST(stop, in_good_order_interrupts_no_step_and_loses_no_call) {
    Campaign campaign(Campaign::Plan{});
    campaign.run(std::vector<Blow>(is_long() ? 200 : is_short() ? 4 : 12, Blow{Blow::Kind::stop, {}, 1}));
    const Report report = campaign.finish();
    show(report);
    EXPECT_EQ(report.unknown, 0u);
    EXPECT_GT(report.calls, 0u);
}

}  // namespace
}  // namespace durable_mcp::crash
