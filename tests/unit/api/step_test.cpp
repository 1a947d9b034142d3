// SPDX-License-Identifier: Apache-2.0
// What a step can be told, as programs write it.
#include "durable_mcp/step.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "durable_mcp/context.hpp"
#include "unit/api/fake_port.hpp"

namespace durable_mcp {
namespace {

using namespace std::chrono_literals;

struct step : testing::Test {
    api::FakePort port;
    DurableContext durable{port};
};

struct Busy : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// ── Retries ──

TEST_F(step, without_options_is_tried_once_and_has_no_time_out) {
    durable.at_least_once("a", [] {});
    EXPECT_EQ(port.step_asked->retry.attempts, 1u);
    EXPECT_EQ(port.step_asked->timeout, 0ms);
    EXPECT_FALSE(port.step_asked->takes_stop);
}

TEST_F(step, hands_its_policy_through) {
    bool was_asked = false;
    durable.at_least_once(
        "a", [](std::stop_token) { return 1; },
        {.retry = {.attempts = 5,
                   .initial = 10ms,
                   .maximum = 1s,
                   .factor = 1.5,
                   .jitter = 0,
                   .retry_if =
                       [&](const std::exception_ptr& thrown) {
                           was_asked = true;
                           return retryable<Busy>(thrown);
                       }},
         .timeout = 3s});
    const detail::StepRequest& asked = *port.step_asked;
    EXPECT_EQ(asked.kind, detail::StepKind::at_least_once);
    EXPECT_EQ(asked.retry.attempts, 5u);
    EXPECT_EQ(asked.retry.initial, 10ms);
    EXPECT_EQ(asked.retry.maximum, 1s);
    EXPECT_EQ(asked.retry.factor, 1.5);
    EXPECT_EQ(asked.retry.jitter, 0);
    EXPECT_NE(asked.retry.retry_if, nullptr);
    EXPECT_EQ(asked.timeout, 3s);
    EXPECT_TRUE(asked.takes_stop);
    EXPECT_FALSE(was_asked);
}

TEST_F(step, takes_a_list_of_exceptions_for_its_predicate) {
    const RetryPolicy policy{.attempts = 2, .retry_if = retryable<Busy>};
    EXPECT_TRUE(policy.retry_if(std::make_exception_ptr(Busy("b"))));
    EXPECT_FALSE(policy.retry_if(std::make_exception_ptr(std::runtime_error("r"))));
    EXPECT_FALSE(Retryable{}(std::make_exception_ptr(Busy("b"))));
}

TEST_F(step, refuses_a_policy_that_makes_no_sense_before_anything_runs) {
    const auto refuses = [&](const AtLeastOnceOptions& options) {
        EXPECT_THROW(durable.at_least_once("a", [](std::stop_token) {}, options), std::invalid_argument);
    };
    refuses({.retry = {.initial = -1ms}});
    refuses({.retry = {.initial = 2s, .maximum = 1s}});
    refuses({.retry = {.factor = 0.9}});
    refuses({.retry = {.factor = std::numeric_limits<double>::quiet_NaN()}});
    refuses({.retry = {.jitter = -0.1}});
    refuses({.retry = {.jitter = 1.1}});
    refuses({.timeout = -1ms});
    EXPECT_THROW(durable.at_least_once("a", [] {}, {.timeout = 1s}), std::invalid_argument);  // nobody there to be asked
    EXPECT_TRUE(port.recorded.empty());
}

TEST_F(step, gives_its_callable_a_stop_token_if_it_takes_one) {
    EXPECT_EQ(durable.at_least_once("a", [](std::stop_token stop) { return stop.stop_requested() ? 1 : 2; }), 2);
    EXPECT_EQ(durable.at_most_once("b", [](const std::stop_token&) { return "text"; }), "text");
    EXPECT_TRUE(port.step_asked->takes_stop);
    EXPECT_EQ(port.types["b"], "string");
}

// ── Reconciling (B11a) ──

TEST_F(step, a_receiver_says_done_with_a_value_not_done_or_unknown) {  // B11a
    const auto told = [&](const Outcome<int>& outcome) {
        durable.at_most_once("pay", [] { return 1; }, {.reconcile = [&](std::string_view) { return outcome; }});
        return port.reconciled;
    };
    EXPECT_EQ(told(Outcome<int>::done(7)), "0 7");
    EXPECT_EQ(told(Outcome<int>::not_done()), "1 ");
    EXPECT_EQ(told(Outcome<int>::unknown()), "2 ");
}

TEST_F(step, a_receiver_is_asked_by_the_idempotency_key_and_may_stand_beside_retryable) {  // B11a
    std::string key;
    durable.at_most_once(
        "pay", [] { return "receipt"; },
        {.retryable = retryable<Busy>, .reconcile = [&](std::string_view asked) -> Outcome<std::string> {
             key = asked;
             return Outcome<std::string>::done("receipt");
         }});
    EXPECT_EQ(key, "key of pay");
    EXPECT_EQ(port.reconciled, "0 \"receipt\"");
    durable.at_most_once("tell", [] {}, {.reconcile = [](std::string_view) { return Outcome<void>::done(); }});
    EXPECT_EQ(port.reconciled, "0 null");
    durable.at_most_once("plain", [] {});
    EXPECT_EQ(port.step_asked->reconcile, nullptr);
}

TEST_F(step, a_value_of_a_receiver_that_cannot_be_stored_is_not_encodable) {  // B11a B12
    EXPECT_THROW(durable.at_most_once("pay", [] { return 1.0; }, {.reconcile = [](std::string_view) { return Outcome<double>::done(std::nan("")); }}),
                 detail::NotEncodable);
}

// ── Side by side ──

TEST_F(step, branches_may_be_a_list_of_lambdas_or_a_vector) {
    int shared = 0;
    const std::vector<int> listed = durable.parallel<int>("listed", {[] { return 1; }, [&](std::stop_token) { return ++shared + 1; }}, {.limit = 2});
    EXPECT_EQ(listed, (std::vector<int>{1, 2}));
    std::vector<Branch<std::string>> branches;
    for (const char* name : {"a", "b"}) {
        branches.emplace_back([name] { return name; });
    }
    EXPECT_EQ(durable.parallel("made", branches), (std::vector<std::string>{"a", "b"}));
    durable.parallel<void>("nothing", {[&] { ++shared; }, [&] { ++shared; }});
    EXPECT_EQ(shared, 3);
    EXPECT_TRUE(durable.parallel<int>("none", {}).empty());
    EXPECT_EQ(port.types["listed"], "int32");
    EXPECT_EQ(port.types["nothing"], "void");
    EXPECT_EQ(port.said, (std::vector<std::string>{"parallel listed limit 2", "parallel made limit 0", "parallel nothing limit 0", "parallel none limit 0"}));
}

TEST_F(step, the_first_failure_leaves_a_parallel_step) {
    try {
        durable.parallel<int>("all", {[] { return 1; }, []() -> int { throw Busy("b"); }});
        FAIL();
    } catch (const StepFailed& failed) {
        EXPECT_EQ(failed.alias(), "all[1]");
    }
}

TEST_F(step, settled_branches_say_what_became_of_each) {
    const auto settled = durable.parallel_settled<int>("all", {[] { return 1; }, []() -> int { throw Busy("b"); }});
    ASSERT_EQ(settled.size(), 2u);
    EXPECT_TRUE(settled[0].ok());
    EXPECT_EQ(settled[0].value(), 1);
    EXPECT_EQ(settled[0].failure(), nullptr);
    EXPECT_FALSE(settled[1].ok());
    EXPECT_EQ(settled[1].failure()->alias(), "all[1]");
    EXPECT_THROW(static_cast<void>(settled[1].value()), StepFailed);
    const auto nothing = durable.parallel_settled<void>("nothing", {[] {}, [] { throw Busy("b"); }});
    EXPECT_TRUE(nothing[0].ok());
    EXPECT_THROW(nothing[1].value(), StepFailed);
}

TEST_F(step, a_parallel_time_out_needs_branches_that_can_all_be_asked_to_stop) {
    EXPECT_THROW(durable.parallel<int>("all", {[] { return 1; }, [](std::stop_token) { return 2; }}, {.timeout = 1s}), std::invalid_argument);
    EXPECT_NO_THROW(durable.parallel<int>("all", {[](std::stop_token) { return 2; }}, {.timeout = 1s}));
}

TEST_F(step, a_call_that_is_put_off_leaves_its_handler) {  // B20
    try {
        durable.retry_later(1h);
    } catch (const Unwind& unwind) {
        EXPECT_EQ(unwind.reason(), Unwind::Reason::suspended);
    }
    EXPECT_EQ(port.said.back(), "later 3600000");
}

// ── Values ──

TEST_F(step, drawn_values_have_their_types) {
    EXPECT_EQ(durable.now("at").time_since_epoch(), 1'800'000'000'123ms);
    EXPECT_EQ(durable.random("any"), 7u);
    EXPECT_EQ(durable.random("dice", 6), 5u);
    EXPECT_EQ(durable.uuid("id"), "uuid of id");
    EXPECT_THROW(static_cast<void>(durable.random("dice", 0)), std::invalid_argument);
}

}  // namespace
}  // namespace durable_mcp
