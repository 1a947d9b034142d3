// SPDX-License-Identifier: Apache-2.0
// The typed side of waits and loops: what is asked of the library, and what becomes of its answer.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "durable_mcp/context.hpp"
#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using namespace std::chrono_literals;

struct Waits : testing::Test {
    FakePort port;
    DurableContext context{port};
};

TEST_F(Waits, any_duration_is_slept_for_and_none_is_cut_short) {  // B17
    context.sleep_for("a", 2h);
    context.sleep_for("b", 1500us);
    context.sleep_until("c", std::chrono::system_clock::time_point(1234567890us));
    EXPECT_EQ(port.said, (std::vector<std::string>{"sleep a for 7200000", "sleep b for 2", "sleep c until 1234568"}));
}

TEST_F(Waits, a_signal_has_a_type_and_one_that_does_not_come_expires) {  // B18
    port.answers["approve"] = "17";
    EXPECT_EQ(context.wait_for_signal<int>("approval", "approve"), 17);
    context.wait_for_signal("again", "approve");
    EXPECT_THROW(static_cast<void>(context.wait_for_signal<std::string>("wrong", "approve")), StepMismatchError);
    try {
        context.wait_for_signal<int>("late", "other", {.deadline = 1h});
        FAIL() << "it did not come";
    } catch (const WaitExpired& error) {
        EXPECT_EQ(error.alias(), "late");
        EXPECT_NE(std::string(error.what()).find("'other'"), std::string::npos);
    }
}

TEST_F(Waits, false_zero_and_the_empty_text_are_values_of_a_condition) {  // B14
    EXPECT_EQ(context.until("a", [] { return std::optional<bool>(false); }), false);
    EXPECT_EQ(context.until("b", [] { return std::optional<int>(0); }), 0);
    EXPECT_EQ(context.until("c", [] { return std::optional<std::string>(""); }), "");
    EXPECT_THROW(context.until("d", [] { return std::optional<int>(); }, {.deadline = 1s}), WaitExpired);
    EXPECT_EQ(context.until_changes("e", [] { return false; }), false);  // B15
}

TEST_F(Waits, a_loop_hands_on_and_ends_with_a_value_or_with_none) {  // B16
    const int sum = context.loop("sum", 1, [&](int n) -> Next<int, int> {
        if (n < 100) {
            return again(2 * n);
        }
        return done(n);
    });
    EXPECT_EQ(sum, 128);
    int rounds = 0;
    context.loop("count", std::string(), [&](const std::string& text) -> Next<std::string> {
        ++rounds;
        if (text.size() < 3) {
            return again(text + "x");
        }
        return done();
    });
    EXPECT_EQ(rounds, 4);
}

}  // namespace
}  // namespace durable_mcp::api
