// SPDX-License-Identifier: Apache-2.0
// Requests: keep-alive, pipelining, bodies, and what is refused about their framing.
#include "integration/http_server/server_fixture.hpp"

namespace durable_mcp::http_test {
namespace {

using http_requests = ServerTest;

TEST_F(http_requests, one_connection_serves_many) {
    start();
    RawClient client(port());
    for (int i = 0; i < 20; ++i) {
        const auto body = "{\"n\":" + std::to_string(i) + "}";
        ASSERT_TRUE(client.send(post(body, "", i % 2 == 0 ? "/echo" : "/later")));
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.status, 200u);
        EXPECT_EQ(answer.body, body);
        EXPECT_NE(answer.head.find("Content-Type: application/json"), std::string::npos);
    }
    EXPECT_EQ(connection_count(), 1u);
}

TEST_F(http_requests, pipelined_ones_are_answered_in_order) {
    start();
    RawClient client(port());
    std::string all;
    for (int i = 0; i < 200; ++i) {
        all += post(std::to_string(i), "", i % 3 == 0 ? "/later" : "/echo");
    }
    ASSERT_TRUE(client.send(all));
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(client.read_answer().body, std::to_string(i));
    }
}

TEST_F(http_requests, more_than_the_bound_may_be_sent_ahead_and_waits_in_the_kernel) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(post("first", "", "/hold")));
    ASSERT_TRUE(served.wait());
    std::thread sender([&] {
        for (int i = 0; i < 40; ++i) {
            client.send(post(std::string(20'000, static_cast<char>('a' + i % 26))));
        }
    });
    on_loop([this] { held->respond({.body = "first"}); });
    EXPECT_EQ(client.read_answer().body, "first");
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(client.read_answer().body, std::string(20'000, static_cast<char>('a' + i % 26)));
    }
    sender.join();
}

TEST_F(http_requests, a_request_may_come_byte_by_byte) {
    start();
    RawClient client(port());
    for (const char byte :
         post("{\"a\":1}") +
             "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") {
        ASSERT_TRUE(client.send({&byte, 1}));
    }
    EXPECT_EQ(client.read_answer().body, "{\"a\":1}");
    EXPECT_EQ(client.read_answer().body, "abcde");
}

TEST_F(http_requests, the_service_sees_method_path_fields_and_peer) {
    add("/look", [](auto request, auto sink) {
        std::string text(request->method());
        text.append(" ").append(request->path()).append(" ").append(request->header("mcp-session-id")).append(" ").append(request->peer());
        text += request->header("absent").data() == nullptr ? " absent" : " present";
        sink->respond({.status = 201, .headers = {{"X-Mine", "1"}}, .body = text});
    });
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send("DELETE /look?a=b HTTP/1.1\r\nHost: localhost:1\r\nMCP-Session-Id:  xyz \r\n\r\n"));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 201u);
    EXPECT_EQ(answer.body, "DELETE /look xyz 127.0.0.1 absent");
    EXPECT_NE(answer.head.find("X-Mine: 1\r\n"), std::string::npos);
}

TEST_F(http_requests, the_largest_body_passes_and_one_byte_more_is_413) {
    start();
    RawClient client(port());
    const std::string largest(options.limits.body_bytes, 'x');
    ASSERT_TRUE(client.send(post(largest)));
    EXPECT_EQ(client.read_answer().body, largest);
    client.send(post(largest + "y"));
    EXPECT_EQ(client.read_answer().status, 413u);
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(http_requests, a_chunked_body_over_the_limit_is_413) {
    options.limits.body_bytes = 10;
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n8\r\naaaaaaaa\r\n8\r\nbbbbbbbb\r\n0\r\n\r\n"));
    EXPECT_EQ(client.read_answer().status, 413u);
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(http_requests, a_body_that_is_expected_to_be_continued_is_asked_for) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(client.send("hi"));
    EXPECT_EQ(client.read_answer().body, "hi");
    ASSERT_TRUE(client.send("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    EXPECT_EQ(client.read_answer().status, 404u);  // without 100 in front
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(http_requests, an_unknown_path_is_404_and_the_connection_lives_on) {
    start();
    RawClient client(port());
    ASSERT_TRUE(
        client.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" + post("{}")));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 404u);
    EXPECT_EQ(answer.body, R"({"error":"There is nothing at this path."})");
    EXPECT_EQ(client.read_answer(true).status, 404u);
    EXPECT_EQ(client.read_answer().body, "{}");
}

TEST_F(http_requests, head_is_answered_without_a_body) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send("HEAD /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc" + post("next")));
    const auto answer = client.read_answer(true);
    EXPECT_EQ(answer.status, 200u);
    EXPECT_NE(answer.head.find("Content-Length: 3\r\n"), std::string::npos);
    EXPECT_EQ(client.read_answer().body, "next");
}

TEST_F(http_requests, a_client_that_asks_to_close_is_closed_after_its_answer) {
    start();
    for (const std::string& request :
         {post("a", "Connection: close\r\n"), std::string("POST /echo HTTP/1.0\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na")}) {
        RawClient client(port());
        ASSERT_TRUE(client.send(request));
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.body, "a");
        EXPECT_NE(answer.head.find("Connection: close\r\n"), std::string::npos);
        EXPECT_TRUE(client.is_closed_by_server());
    }
}

TEST_F(http_requests, every_framing_error_is_answered_and_closes_and_nothing_behind_it_is_served) {
    start();
    const std::string host = "Host: localhost\r\n";
    const std::string smuggled = post("smuggled", "", "/hold");
    const std::string begin = "POST /echo HTTP/1.1\r\n" + host;
    const struct {
        std::string bytes;
        unsigned status;
    } rows[] = {
        {begin + "Transfer-Encoding: identity\r\n\r\n", 400},
        {begin + "Transfer-Encoding: chunked, identity\r\n\r\n", 400},
        {begin + "Transfer-Encoding: xchunked\r\n\r\n", 400},
        {"POST /echo HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {begin + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
        {begin + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
        {begin + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
        {begin + "Content-Length: 0x5\r\n\r\nhello", 400},
        {begin + host + "\r\n", 400},
        {"POST /echo HTTP/1.1\r\n\r\n", 400},
        {begin + "A: b\r\n c: d\r\n\r\n", 400},
        {"GET http://localhost/echo HTTP/1.1\r\n" + host + "\r\n", 400},
        {"GET * HTTP/1.1\r\n" + host + "\r\n", 400},
        {begin + "B@d: x\r\n\r\n", 400},
        {begin + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 400},
        {begin + "Expect: more\r\n\r\n", 400},
        {"GET /echo HTTP/1.1\n" + host + "\n\n", 400},
        {"GET /echo HTTP/3.0\r\n" + host + "\r\n", 400},
        {std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
        {"GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414},
        {begin + "A: " + std::string(9'000, 'a') + "\r\n\r\n", 431},
        {begin + "A: " + std::string(17'000, 'a'), 431},
        {begin + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {begin + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(200'000, 'e'), 400},
        {begin + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n", 400},
    };
    for (const auto& row : rows) {
        RawClient client(port());
        client.send(row.bytes + smuggled);
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.status, row.status) << row.bytes.substr(0, 120);
        EXPECT_NE(answer.body.find("-32000"), std::string::npos) << row.bytes.substr(0, 120);
        EXPECT_TRUE(client.is_closed_by_server()) << row.bytes.substr(0, 120);
    }
    EXPECT_EQ(served.count(), 0);
}

TEST_F(http_requests, bodies_hold_no_more_together_than_there_may_be_and_one_alone_may) {
    options.limits.input_bytes = 100'000;
    start();
    RawClient alone(port());
    ASSERT_TRUE(alone.send(post(std::string(200'000, 'c'))));
    EXPECT_EQ(alone.read_answer().body.size(), 200'000u);
    RawClient held_one(port());
    ASSERT_TRUE(held_one.send(post(std::string(90'000, 'd'), "", "/hold")));
    ASSERT_TRUE(served.wait());
    RawClient meets_it(port());
    ASSERT_TRUE(meets_it.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n" + std::string(20'000, 'e')));
    EXPECT_EQ(meets_it.read_answer().status, 503u) << "the other body has not been read by its service";
    EXPECT_TRUE(meets_it.is_closed_by_server());
    on_loop([this] {
        held_request.reset();
        held->abort();
        held.reset();
    });
    RawClient after(port());
    ASSERT_TRUE(after.send(post(std::string(20'000, 'f'))));
    EXPECT_EQ(after.read_answer().body.size(), 20'000u);
}

TEST_F(http_requests, an_exception_of_the_service_is_a_500_and_the_server_lives) {
    add("/throw", [](auto, auto) { throw std::runtime_error("secret"); });
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(post("{}", "", "/throw")));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 500u);
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
    ASSERT_TRUE(client.send(post("{}")));
    EXPECT_EQ(client.read_answer().status, 200u);
}

TEST_F(http_requests, a_request_that_is_released_without_an_answer_closes_its_connection) {
    add("/drop", [](auto, auto) {});
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(post("{}", "", "/drop")));
    EXPECT_TRUE(client.is_closed_by_server());
    RawClient other(port());
    ASSERT_TRUE(other.send(post("{}", "", "/hold")));
    ASSERT_TRUE(served.wait());
    held_request.reset();  // from a thread that is not the loop
    held.reset();
    EXPECT_TRUE(other.is_closed_by_server());
    EXPECT_EQ(gone.count(), 0);
}

TEST_F(http_requests, an_aborted_one_is_closed_without_an_answer) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(post("{}", "", "/hold")));
    ASSERT_TRUE(served.wait());
    on_loop([this] { held->abort(); });
    EXPECT_EQ(client.read_until("\r\n\r\n"), "");
    on_loop([] {});
    EXPECT_EQ(gone.count(), 0);
}

}  // namespace
}  // namespace durable_mcp::http_test
