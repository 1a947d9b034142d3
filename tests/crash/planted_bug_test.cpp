// SPDX-License-Identifier: Apache-2.0
// Tests the tester: each of these bugs is in the library, behind a switch that only this build has, and each of them must be seen.

#include <gtest/gtest.h>

#include <cstdio>
#include <ostream>

#include "crash/campaign.hpp"

namespace durable_mcp::crash {
namespace {

struct Planted {
    std::string bug;
    std::vector<std::string> points;  ///< where it hurts to die, if anywhere
    std::vector<Habit> habits = {};   ///< what clients do who must see it by themselves; empty: everything
    std::string seen_by = {};         ///< what the test is called where a bug is seen in more than one way
};

void PrintTo(const Planted& planted, std::ostream* out) {
    *out << planted.bug << planted.seen_by;
}

class planted_bug : public testing::TestWithParam<Planted> {};

TEST_P(planted_bug, is_seen) {
    Campaign::Plan plan;
    plan.bug = GetParam().bug;
    plan.patience = std::chrono::seconds(8);
    plan.looked_at_again = 100;
    plan.habits = GetParam().habits;
    Campaign campaign(plan);
    std::vector<Blow> blows;
    for (long round = 0; round < 15; ++round) {
        for (const std::string& point : GetParam().points) {
            blows.push_back({Blow::Kind::point, point, 1 + round % 9});
        }
        blows.push_back({Blow::Kind::random, {}, 1});
    }
    campaign.run(blows);
    const Report report = campaign.finish();
    ASSERT_FALSE(report.violations.empty()) << report.all_kills() << " kills, " << report.calls << " calls, and nobody saw it";
    std::printf("after %d kills: %s\n", report.all_kills(), report.violations.front().c_str());
}

INSTANTIATE_TEST_SUITE_P(, planted_bug,
                         testing::Values(Planted{"ack_before_commit", {"commit.before"}}, Planted{"event_before_commit", {"commit.before"}},
                                         Planted{"rerun_recorded_step", {"step.after_record"}},
                                         Planted{"rerun_interrupted_step", {"once.after_effect_before_record"}},
                                         Planted{"start_without_record", {"once.after_effect_before_record"}},
                                         Planted{"split_transaction", {"transact.split"}},
                                         Planted{"reuse_event_id", {"event.after_append_before_write"}},
                                         Planted{"repeat_event", {"step.after_record"}}, Planted{"restart_loop", {"loop.carried"}}, Planted{"drop_event", {}},
                                         Planted{"resume_off_by_one", {}}, Planted{"read_foreign_stream", {}},
                                         Planted{"reword_answer", {}}, Planted{"cancel_without_record", {}, {Habit::cancel}},
                                         Planted{"end_session_without_record", {}, {Habit::leave}},
                                         Planted{"drop_event", {}, {Habit::listen}, "_of_the_standalone_stream"},
                                         Planted{"rerun_recorded_step", {"commit.after"}, {Habit::listen}, "_of_the_standalone_stream"},
                                         Planted{"rerun_recorded_step", {"step.after_record"}, {Habit::key}, "_of_a_keyed_call"},
                                         Planted{"rerun_interrupted_step", {"once.after_effect_before_record"}, {Habit::key}, "_of_a_keyed_call"},
                                         Planted{"ack_before_commit", {"commit.before"}, {Habit::task}, "_of_a_task"},
                                         Planted{"ack_before_commit", {"commit.before"}, {Habit::ask}, "_of_a_call_that_asks"},
                                         Planted{"cancel_without_record", {}, {Habit::task}, "_of_a_task"},
                                         Planted{"drop_event", {}, {Habit::batch}, "_of_a_batch"},
                                         Planted{"repeat_event", {"step.after_record"}, {Habit::batch}, "_of_a_batch"}),
                         [](const auto& planted) { return planted.param.bug + planted.param.seen_by; });

}  // namespace
}  // namespace durable_mcp::crash
