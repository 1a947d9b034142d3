// SPDX-License-Identifier: Apache-2.0
#include "journal/fault.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace durable_mcp::journal {
namespace {

TEST(fault, a_written_fault_reads_back) {
    using namespace std::string_literals;
    for (const Fault& fault : {Fault{"std::runtime_error", "no money"}, Fault{"", ""}, Fault{"E", "\"quoted\"\n\\"},
                               Fault{"Ä", "\xf0\x9f\x92\xb8"}, Fault{"E", "a\0b"s}}) {
        const Fault back = read_fault(write_fault(fault));
        EXPECT_EQ(back.type, fault.type);
        EXPECT_EQ(back.message, fault.message);
    }
}

TEST(fault, a_message_that_is_not_utf8_is_recorded_all_the_same) {
    const std::string payload = write_fault({"E", "bad \xff byte"});
    EXPECT_TRUE(base::Json::accept(payload));
    const Fault back = read_fault(payload);
    EXPECT_EQ(back.type, "E");
    EXPECT_EQ(back.message, "bad \xef\xbf\xbd byte");
}

TEST(fault, a_message_that_is_no_message_any_more_is_cut_off_between_two_characters) {
    const std::string longest(longest_message, 'x');
    EXPECT_EQ(cut_short({"E", longest}).message, longest);
    EXPECT_EQ(cut_short({"E", longest + "y"}).message, longest + "…");
    EXPECT_EQ(cut_short({"E", longest.substr(1) + "\u00e4"}).message, longest.substr(1) + "…");
    EXPECT_EQ(cut_short({"E", longest.substr(3) + "\xf0\x9f\x92\xb8"}).message, longest.substr(3) + "…");
    EXPECT_LE(cut_short({"E", std::string(10'000'000, '\x80')}).message.size(), longest_message + 3);
    EXPECT_EQ(cut_short({"E", longest + "y"}).type, "E");
}

TEST(fault, a_payload_that_is_none_says_so) {
    for (const char* payload : {"", "x", "null", "[]", "{}", R"({"type":"E"})", R"({"message":"m"})", R"({"type":1,"message":"m"})",
                                R"({"type":"E","message":null})", "{\"type\":\"\xff\",\"message\":\"m\"}"}) {
        const Fault back = read_fault(payload);
        EXPECT_EQ(back.type, "") << payload;
        EXPECT_EQ(back.message, "the recorded failure cannot be read") << payload;
    }
}

TEST(fault, what_a_later_release_adds_is_ignored) {
    EXPECT_EQ(read_fault(R"({"type":"E","message":"m","cause":{"type":"F"}})").message, "m");
}

}  // namespace
}  // namespace durable_mcp::journal
