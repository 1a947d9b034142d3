// SPDX-License-Identifier: Apache-2.0
#include "http/head_check.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using durable_mcp::base::Limits;
using durable_mcp::http::check_head;
using durable_mcp::http::check_unfinished_head;
using durable_mcp::http::CheckedHead;

unsigned status_of(const std::string& raw, const Limits& limits = {}) {
    CheckedHead head;
    const auto refusal = check_head(raw, limits, head);
    return refusal ? refusal->status : 200;
}

std::string post(const std::string& fields) {
    return "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

TEST(head_check, an_ordinary_post_passes_and_is_understood) {
    const std::string raw =
        "POST /mcp?x=1 HTTP/1.1\r\nHost: localhost:99\r\nContent-Length: 12\r\nAccept:  a, b \t\r\nEmpty:\r\nexpect: "
        "100-Continue\r\nConnection: keep-alive\r\n\r\n";
    CheckedHead head;
    ASSERT_FALSE(check_head(raw, {}, head));
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.path, "/mcp");
    EXPECT_EQ(head.host, "localhost:99");
    EXPECT_EQ(head.content_length, 12u);
    EXPECT_EQ(head.find("ACCEPT"), "a, b");
    EXPECT_NE(head.find("empty").data(), nullptr);
    EXPECT_EQ(head.find("absent").data(), nullptr);
    EXPECT_TRUE(head.has_body());
    EXPECT_TRUE(head.keep_alive);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_FALSE(head.chunked);
    EXPECT_FALSE(head.http_1_0);
}

// Of two fields a proxy may have looked at the last one, where we look at the first.
TEST(head_check, a_field_that_is_there_more_than_once_is_read_as_a_list) {
    CheckedHead head;
    const std::string raw = post("Accept: application/json\r\nMcp-Name: pay\r\naccept: text/event-stream\r\nMCP-NAME: refund\r\nA: \r\nMcp-Name:\r\n");
    ASSERT_FALSE(check_head(raw, {}, head));
    EXPECT_EQ(head.find("Accept"), "application/json, text/event-stream");
    const auto name = head.find("Mcp-Name");
    EXPECT_EQ(name, "pay, refund, ");
    EXPECT_EQ(head.find("Mcp-Name"), name);
    EXPECT_EQ(name, "pay, refund, ") << "what was found before stays";
    EXPECT_NE(head.find("a").data(), nullptr);
}

TEST(head_check, connection_close_is_found_in_a_list) {
    CheckedHead head;
    ASSERT_FALSE(check_head(post("Connection: foo , Close\r\n"), {}, head));
    EXPECT_FALSE(head.keep_alive);
}

TEST(head_check, http_1_0_is_accepted_without_keep_alive) {
    CheckedHead head;
    const std::string raw = "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    ASSERT_FALSE(check_head(raw, {}, head));
    EXPECT_TRUE(head.http_1_0);
    EXPECT_FALSE(head.keep_alive);
    EXPECT_FALSE(head.expects_continue);
}

struct Row {
    const char* what;
    std::string raw;
    unsigned status;
};

TEST(head_check, every_form_on_which_parsers_disagree_is_refused) {
    using namespace std::string_literals;
    const Row rows[] = {
        // reliability.md §0 row 3: what Beast 1.81 takes
        {"identity", post("Transfer-Encoding: identity\r\n"), 400},
        {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n"), 400},
        {"identity, chunked", post("Transfer-Encoding: identity, chunked\r\n"), 400},
        {"xchunked", post("Transfer-Encoding: xchunked\r\n"), 400},
        {"empty transfer encoding", post("Transfer-Encoding:\r\n"), 400},
        {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", 400},
        {"two Hosts", post("Host: localhost\r\n"), 400},
        {"obs-fold", post("A: b\r\n c\r\n"), 400},
        {"obs-fold with a tab", post("A: b\r\n\tc\r\n"), 400},
        {"obs-fold at the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"absolute form", "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        // what it refuses by itself, and we too
        {"CL and TE", post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"TE and CL", post("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), 400},
        {"two CLs", post("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
        {"two equal CLs", post("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
        {"list of CLs", post("Content-Length: 1, 1\r\n"), 400},
        {"CL with a sign", post("Content-Length: +1\r\n"), 400},
        {"negative CL", post("Content-Length: -1\r\n"), 400},
        {"hexadecimal CL", post("Content-Length: 0x4\r\n"), 400},
        {"empty CL", post("Content-Length: \r\n"), 400},
        {"bare line feed", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"bare line feed after a field", post("A: b\nC: d\r\n"), 400},
        {"bare carriage return", post("A: b\rC: d\r\n"), 400},
        {"NUL in a value", post("A: b\0c\r\n"s), 400},
        {"NUL in a name", post("A\0b: c\r\n"s), 400},
        // the rest of §5
        {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"authority form", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"fragment in the target", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"control character in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"raw byte in the target", "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"method not a token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"empty method", " / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", 400},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400},
        {"lower-case http", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"space before the colon", post("A : b\r\n"), 400},
        {"no colon", post("Abc\r\n"), 400},
        {"empty name", post(": b\r\n"), 400},
        {"name not a token", post("A@: b\r\n"), 400},
        {"DEL in a value", post("A: \x7f\r\n"), 400},
        {"Upgrade", post("Upgrade: h2c\r\n"), 400},
        {"Trailer", post("Trailer: X\r\n"), 400},
        {"other expectation", post("Expect: fireworks\r\n"), 400},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400},
        {"Host with an impossible port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
        {"Host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400},
        {"Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        {"nothing", "\r\n\r\n", 400},
        {"empty line in front", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"no empty line at the end", "GET / HTTP/1.1\r\nHost: a\r\n", 400},
        // limits
        {"CL over the limit", post("Content-Length: 4194305\r\n"), 413},
        {"CL beyond 64 bits", post("Content-Length: 99999999999999999999999\r\n"), 413},
        {"long target", "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"long line", post("A: " + std::string(8192, 'a') + "\r\n"), 431},
        {"large head",
         post("A: " + std::string(8000, 'a') + "\r\nB: " + std::string(8000, 'a') + "\r\nC: " + std::string(800, 'a') + "\r\n"), 431},
        // and what must stay possible
        {"CL at the limit", post("Content-Length: 4194304\r\n"), 200},
        {"CL zero", post("Content-Length: 0\r\n"), 200},
        {"Chunked in capitals", post("Transfer-Encoding: CHUNKED\r\n"), 200},
        {"IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200},
        {"obs-text in a value", post("A: \xc3\xa4\r\n"), 200},
        {"unknown method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 200},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(status_of(row.raw), row.status) << row.what;
    }
}

TEST(head_check, one_field_more_than_the_limit_is_refused) {
    std::string fields;
    for (int i = 0; i < 99; ++i) {
        fields += "A: b\r\n";
    }
    EXPECT_EQ(status_of(post(fields)), 200u);  // with Host: 100
    EXPECT_EQ(status_of(post(fields + "A: b\r\n")), 431u);
}

TEST(head_check, the_limits_are_those_it_was_given) {
    Limits limits;
    limits.body_bytes = 10;
    EXPECT_EQ(status_of(post("Content-Length: 10\r\n"), limits), 200u);
    EXPECT_EQ(status_of(post("Content-Length: 11\r\n"), limits), 413u);
    limits.header_bytes = 50;
    EXPECT_EQ(status_of(post("A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"), limits), 431u);
}

TEST(head_check, a_hopeless_beginning_is_not_waited_for) {
    const Limits limits;
    EXPECT_FALSE(check_unfinished_head("", limits));
    EXPECT_FALSE(check_unfinished_head("PO", limits));
    EXPECT_FALSE(check_unfinished_head("POST /mcp HTTP/1.1\r\nHost: a\r", limits));
    EXPECT_EQ(check_unfinished_head("\x16\x03\x01", limits)->status, 400u);  // TLS
    EXPECT_EQ(check_unfinished_head("POST / HTTP/1.1\nHost: a\n\n", limits)->status, 400u);
    EXPECT_EQ(check_unfinished_head(std::string(33, 'A'), limits)->status, 400u);
    EXPECT_EQ(check_unfinished_head("POST /" + std::string(limits.header_bytes, 'a'), limits)->status, 431u);
}

}  // namespace
