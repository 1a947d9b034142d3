// SPDX-License-Identifier: Apache-2.0
#include "auth/base64url.hpp"

#include <gtest/gtest.h>

#include <set>

namespace durable_mcp::auth {
namespace {

using namespace std::string_literals;

TEST(base64url, the_vectors_of_rfc_4648_without_padding) {
    EXPECT_EQ(to_base64url(""), "");
    EXPECT_EQ(to_base64url("f"), "Zg");
    EXPECT_EQ(to_base64url("fo"), "Zm8");
    EXPECT_EQ(to_base64url("foo"), "Zm9v");
    EXPECT_EQ(to_base64url("foob"), "Zm9vYg");
    EXPECT_EQ(to_base64url("fooba"), "Zm9vYmE");
    EXPECT_EQ(to_base64url("foobar"), "Zm9vYmFy");
    EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-");
}

TEST(base64url, whatever_was_encoded_comes_back) {
    std::string bytes;
    for (int i = 0; i < 600; ++i) {
        EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
        bytes.push_back(static_cast<char>(i * 37));
    }
}

TEST(base64url, bytes_have_one_text_only) {
    for (const std::string text : {"Z", "Zm9vY", "Zg==", "Zg=", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm v", "Zm9v\n", "Zm9\xff"}) {
        EXPECT_FALSE(from_base64url(text)) << text;
    }
    EXPECT_FALSE(from_base64url("Zm9\0"s));
    std::set<std::string> seen;
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            if (const auto bytes = from_base64url(std::string{static_cast<char>(a), static_cast<char>(b)})) {
                EXPECT_TRUE(seen.insert(*bytes).second);
            }
        }
    }
    EXPECT_EQ(seen.size(), 256u);
}

}  // namespace
}  // namespace durable_mcp::auth
