// SPDX-License-Identifier: Apache-2.0
#include "base/id.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace durable_mcp::base {
namespace {

class FilledWith final : public Random {
public:
    explicit FilledWith(int byte) : byte_(byte) {}
    void fill(std::span<std::byte> bytes) override { std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(byte_)); }

private:
    int byte_;
};

TEST(id, random_ids_differ_and_look_like_ids) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = random_id(system_random());
        EXPECT_TRUE(is_id(id)) << id;
        EXPECT_TRUE(seen.insert(id).second);
    }
}

TEST(id, every_random_bit_reaches_the_text) {
    FilledWith zeros(0), ones(0xff);
    EXPECT_EQ(random_id(zeros), std::string(32, '-'));
    EXPECT_EQ(random_id(ones), std::string(32, 'z'));
}

TEST(id, ordered_ids_sort_by_time_whatever_their_random_bits) {
    FilledWith zeros(0), ones(0xff);
    std::string previous;
    for (const std::int64_t now : {0LL, 1LL, 63LL, 64LL, 1'000'000LL, 1'764'000'000'000LL, 1'764'000'000'001LL, (1LL << 48) - 1}) {
        const std::string low = ordered_id(zeros, now), high = ordered_id(ones, now);
        EXPECT_LT(previous, low);
        EXPECT_LT(low, high);
        EXPECT_TRUE(is_id(low) && is_id(high));
        previous = high;
    }
}

TEST(id, nothing_else_is_an_id) {
    const std::string id = random_id(system_random());
    EXPECT_FALSE(is_id(""));
    EXPECT_FALSE(is_id(id + "a"));
    EXPECT_FALSE(is_id(id.substr(1)));
    for (const char c : {'/', '+', '=', ' ', '\0', '\n', '.', ':', '\x7f', '\xc3'}) {
        EXPECT_FALSE(is_id(id.substr(1) + c));
    }
}

}  // namespace
}  // namespace durable_mcp::base
