// SPDX-License-Identifier: Apache-2.0
#include "base/limits.hpp"

#include <gtest/gtest.h>

namespace durable_mcp::base {
namespace {

constexpr Limits limits;

TEST(limits, what_is_inside_something_is_not_larger_than_it) {
    EXPECT_LE(limits.header_line_bytes, limits.header_bytes);
    EXPECT_LE(limits.target_bytes, limits.header_line_bytes);
    EXPECT_LE(limits.uri_bytes, limits.body_bytes);
    EXPECT_LE(limits.body_bytes, limits.input_bytes);
    EXPECT_LE(limits.handshake_bytes, limits.body_bytes);
    EXPECT_LE(limits.alias_bytes, limits.map_key_bytes);
    EXPECT_LE(limits.connections_per_peer, limits.connections);
    EXPECT_LE(limits.sessions_per_principal, limits.sessions);
    EXPECT_LE(limits.running_calls_per_session, limits.running_calls);
    EXPECT_LE(limits.event_bytes, limits.event_bytes_per_stream);
    EXPECT_LE(limits.batch_bytes, limits.queued_bytes);
}

TEST(limits, what_one_call_may_store_fits_through_the_commit_queue) {
    EXPECT_LE(limits.step_value_bytes, limits.queued_bytes);
    EXPECT_LE(limits.result_bytes, limits.queued_bytes);
    EXPECT_LE(limits.event_bytes, limits.queued_bytes);
    EXPECT_LE(limits.result_bytes, limits.event_bytes) << "a result is the last event of its stream";
}

TEST(limits, times_fit_the_clients_and_proxies_of_today) {
    using namespace std::chrono_literals;
    EXPECT_GT(limits.idle_timeout, 60s) << "common proxies close idle connections after 60 s";
    EXPECT_LT(limits.keep_alive_comment, 30s) << "common load balancers close silent streams after 30 s";
    EXPECT_LT(limits.retry_after * 3, 60s) << "two attempts, at retry and at twice retry, within a request's 60 s";
    EXPECT_LT(limits.decide_after, 1s);
}

}  // namespace
}  // namespace durable_mcp::base
