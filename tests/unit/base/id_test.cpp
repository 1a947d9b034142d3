// SPDX-License-Identifier: Apache-2.0
#include "base/id.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

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

TEST(id, a_uuid_is_of_version_4_and_every_other_bit_is_random) {
    FilledWith zeros(0), ones(0xff);
    EXPECT_EQ(random_uuid(zeros), "00000000-0000-4000-8000-000000000000");
    EXPECT_EQ(random_uuid(ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    EXPECT_NE(random_uuid(system_random()), random_uuid(system_random()));
}

/// Gives out these numbers, one after the other.
class Numbers final : public Random {
public:
    explicit Numbers(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
    void fill(std::span<std::byte> bytes) override {
        std::memcpy(bytes.data(), &numbers_.at(next_++), bytes.size());
    }

private:
    std::vector<std::uint64_t> numbers_;
    std::size_t next_ = 0;
};

TEST(random_number, below_a_bound_every_number_is_as_likely_as_any_other) {
    Numbers numbers({7, 0xffff'ffff'ffff'ffff});
    EXPECT_EQ(random_number(numbers), 7u);
    EXPECT_EQ(random_number(numbers), 0xffff'ffff'ffff'ffff);
    // 2^64 leaves 4 over when it is divided by 6: the four lowest are drawn again.
    Numbers uneven({0, 3, 4, 10});
    EXPECT_EQ(random_number(uneven, 6), 4u);
    EXPECT_EQ(random_number(uneven, 6), 4u);
    Numbers any({5, 5});
    EXPECT_EQ(random_number(any, 1), 0u);
    EXPECT_EQ(random_number(any, 0xffff'ffff'ffff'ffff), 5u);
}

}  // namespace
}  // namespace durable_mcp::base
