// SPDX-License-Identifier: Apache-2.0
#include "journal/retry.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace durable_mcp::journal {
namespace {

TEST(retry, what_is_written_reads_back) {
    for (const Retry& retry : {Retry{1, 1'800'000'000'000, 100, {"Busy", "later"}},
                               Retry{std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::int64_t>::max(), 0, {"", "\"\n\xf0\x9f\x92\xb8"}}}) {
        const Retry back = read_retry(write_retry(retry));
        EXPECT_EQ(back.tries, retry.tries);
        EXPECT_EQ(back.next_ms, retry.next_ms);
        EXPECT_EQ(back.delay_ms, retry.delay_ms);
        EXPECT_EQ(back.last.type, retry.last.type);
        EXPECT_EQ(back.last.message, retry.last.message);
    }
}

TEST(retry, a_payload_that_is_none_is_a_try_that_may_be_repeated_at_once) {
    for (const char* payload : {"", "[]", "{}", R"({"tries":"many","next":null})"}) {
        const Retry back = read_retry(payload);
        EXPECT_EQ(back.tries, 1u) << payload;
        EXPECT_EQ(back.next_ms, 0) << payload;
        EXPECT_EQ(back.last.message, "the recorded failure cannot be read") << payload;
    }
}

}  // namespace
}  // namespace durable_mcp::journal
