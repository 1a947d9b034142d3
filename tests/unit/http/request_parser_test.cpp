// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using durable_mcp::base::Limits;
using durable_mcp::http::check_head;
using durable_mcp::http::CheckedHead;
using durable_mcp::http::RequestParser;

struct Outcome {
    unsigned status = 0;  ///< 0: more is needed, 200: complete
    std::string body;
    std::size_t left = 0;  ///< bytes that belong to the next message
};

/// Feeds a chunked body in pieces of `piece` bytes, as a connection would: what was not taken is offered again.
Outcome decode(const std::string& bytes, std::size_t piece, const Limits& limits = {}) {
    const std::string raw = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    CheckedHead head;
    RequestParser parser(limits);
    Outcome outcome;
    EXPECT_FALSE(check_head(raw, limits, head));
    EXPECT_FALSE(parser.begin(raw, head, outcome.body));
    std::string held;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        held += bytes.substr(at, piece);
        const auto progress = parser.feed(held);
        held.erase(0, progress.consumed);
        if (progress.refusal) {
            outcome.status = progress.refusal->status;
            return outcome;
        }
        if (parser.is_complete()) {
            outcome.status = 200;
            outcome.left = held.size() + (bytes.size() - std::min(bytes.size(), at + piece));
            return outcome;
        }
    }
    return outcome;
}

TEST(request_parser, a_chunked_body_is_decoded_however_it_is_cut) {
    const std::string bytes = "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\nGET";
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        const auto outcome = decode(bytes, piece);
        EXPECT_EQ(outcome.status, 200u) << piece;
        EXPECT_EQ(outcome.body, "hello world") << piece;
        EXPECT_EQ(outcome.left, 3u) << piece;
    }
}

TEST(request_parser, a_body_of_nothing_but_the_last_chunk_may_come_byte_by_byte) {
    for (const std::string& bytes : std::initializer_list<std::string>{"0\r\n\r\nGET", "000\r\n\r\nGET", "0;a=b\r\n\r\nGET"}) {
        for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
            const auto outcome = decode(bytes, piece);
            EXPECT_EQ(outcome.status, 200u) << bytes << piece;
            EXPECT_EQ(outcome.body, "") << bytes << piece;
            EXPECT_EQ(outcome.left, 3u) << bytes << piece;
        }
        EXPECT_EQ(decode(bytes.substr(0, 4), 1).status, 0u) << bytes;
    }
    EXPECT_EQ(decode("0\r\nX: y\r\n\r\n", 1).status, 400u);
}

TEST(request_parser, malformed_chunks_are_refused) {
    for (const std::string& bytes : std::initializer_list<std::string>{
             "x\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "-1\r\n\r\n",
             "5 \r\n;hello\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", " 5\r\nhello\r\n0\r\n\r\n"}) {
        EXPECT_GE(decode(bytes, bytes.size()).status, 400u) << bytes;
        EXPECT_GE(decode(bytes, 1).status, 400u) << bytes;
    }
}

TEST(request_parser, trailers_are_refused) {
    EXPECT_EQ(decode("1\r\na\r\n0\r\nX: y\r\n\r\n", 1000).status, 400u);
    EXPECT_EQ(decode("1\r\na\r\n0\r\nContent-Length: 3\r\n\r\n", 1000).status, 400u);
    std::string many = "0\r\n";
    for (int i = 0; i < 20'000; ++i) {
        many += "X: y\r\n";
    }
    EXPECT_EQ(decode(many + "\r\n", 4096).status, 400u);
}

TEST(request_parser, a_huge_chunk_extension_is_refused_before_it_ends) {
    const std::string bomb = "1;" + std::string(200'000, 'a');
    EXPECT_EQ(decode(bomb, 4096).status, 400u);
    EXPECT_EQ(decode(bomb + "\r\na\r\n0\r\n\r\n", 400'000).status, 400u);
}

TEST(request_parser, many_extensions_exhaust_the_framing_budget) {
    std::string bytes;
    for (int i = 0; i < 100; ++i) {
        bytes += "1;" + std::string(200, 'a') + "\r\nb\r\n";
    }
    EXPECT_EQ(decode(bytes, 4096).status, 400u);
}

TEST(request_parser, a_large_body_in_small_honest_chunks_passes) {
    std::string bytes;
    for (int i = 0; i < 4096; ++i) {
        bytes += "400\r\n" + std::string(1024, 'b') + "\r\n";
    }
    const auto outcome = decode(bytes + "0\r\n\r\n", 65'536);
    EXPECT_EQ(outcome.status, 200u);
    EXPECT_EQ(outcome.body.size(), 4u << 20);
}

TEST(request_parser, a_chunked_body_over_the_limit_is_refused_with_413) {
    Limits limits;
    limits.body_bytes = 8;
    EXPECT_EQ(decode("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", 1, limits).status, 200u);
    EXPECT_EQ(decode("5\r\nhello\r\n4\r\nabcd\r\n0\r\n\r\n", 1, limits).status, 413u);
    EXPECT_EQ(decode("ffffff\r\n", 8, limits).status, 413u);
}

TEST(request_parser, it_is_used_again_for_the_next_message) {
    const Limits limits;
    RequestParser parser(limits);
    for (int i = 0; i < 3; ++i) {
        const std::string raw = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
        CheckedHead head;
        std::string body;
        ASSERT_FALSE(check_head(raw, limits, head));
        ASSERT_FALSE(parser.begin(raw, head, body));
        EXPECT_FALSE(parser.is_complete());
        EXPECT_EQ(parser.feed("hi there").consumed, 2u);
        EXPECT_TRUE(parser.is_complete());
        EXPECT_EQ(body, "hi");
        EXPECT_EQ(parser.feed("GET").consumed, 0u);
    }
}

TEST(request_parser, a_message_without_a_body_is_complete_with_its_head) {
    const Limits limits;
    RequestParser parser(limits);
    const std::string raw = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    CheckedHead head;
    std::string body;
    ASSERT_FALSE(check_head(raw, limits, head));
    ASSERT_FALSE(parser.begin(raw, head, body));
    EXPECT_TRUE(parser.is_complete());
}

}  // namespace
