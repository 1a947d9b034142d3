// SPDX-License-Identifier: Apache-2.0
#include "base/hash.hpp"

#include <gtest/gtest.h>

namespace durable_mcp::base {
namespace {

// These values are on disk: another result would make every stored payload look damaged.
TEST(hash, the_checksums_on_disk_are_xxh3_with_64_bits) {
    EXPECT_EQ(hash64(""), 0x2d06800538d394c2u);
    EXPECT_NE(hash64("a"), hash64("b"));
    EXPECT_NE(hash64(std::string_view("a\0", 2)), hash64("a"));
}

TEST(hash, the_digest_of_a_request_is_xxh3_with_128_bits_in_hexadecimal) {
    EXPECT_EQ(hash128_hex(""), "99aa06d3014798d86001c324468d497f");
    EXPECT_NE(hash128_hex("a"), hash128_hex("b"));
}

}  // namespace
}  // namespace durable_mcp::base
