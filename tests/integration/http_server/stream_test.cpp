// SPDX-License-Identifier: Apache-2.0
// Clients that leave, and event streams.
#include <atomic>

#include "integration/http_server/server_fixture.hpp"

namespace durable_mcp::http_test {
namespace {

using http_streams = ServerTest;

constexpr auto ask = "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST_F(http_streams, a_client_that_leaves_before_its_answer_is_noticed) {
    start();
    int expected = 0;
    for (const bool with_reset : {false, true}) {
        RawClient client(port());
        ASSERT_TRUE(client.send(post("{}", "", "/hold")));
        ASSERT_TRUE(served.wait(++expected));
        if (with_reset) {
            client.reset();
        } else {
            client.close();
        }
        ASSERT_TRUE(gone.wait(expected));
        on_loop([this] {
            EXPECT_TRUE(held->is_gone());
            held->respond({.body = "too late"});  // does nothing
            EXPECT_EQ(held_request->body(), "{}");
        });
        ASSERT_TRUE(wait_for_connections(0));
    }
}

TEST_F(http_streams, a_listener_that_comes_after_the_client_left_is_still_called_and_only_later) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(ask));
    ASSERT_TRUE(served.wait());
    client.close();
    ASSERT_TRUE(gone.wait());
    Signal late;
    on_loop([&] {
        held->on_gone([&] { late.raise(); });
        EXPECT_EQ(late.count(), 0);
    });
    EXPECT_TRUE(late.wait());
}

TEST_F(http_streams, frames_arrive_at_once_and_the_connection_is_used_again) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(ask));
    ASSERT_TRUE(served.wait());
    Signal flushed;
    on_loop([&] {
        held->open_stream({{"Mcp-Session-Id", "s"}});
        held->write("data: 1\n\n", [&] { flushed.raise(); });
        EXPECT_EQ(flushed.count(), 0);  // never from inside
    });
    const auto head = client.read_until("\r\n\r\n");
    EXPECT_NE(head.find("HTTP/1.1 200 OK\r\n"), std::string::npos);
    EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), std::string::npos);
    EXPECT_NE(head.find("Cache-Control: no-cache, no-transform\r\n"), std::string::npos);
    EXPECT_NE(head.find("X-Accel-Buffering: no\r\n"), std::string::npos);
    EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_NE(head.find("Mcp-Session-Id: s\r\n"), std::string::npos);
    EXPECT_EQ(client.read_until("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
    EXPECT_TRUE(flushed.wait());
    on_loop([&] { held->write("data: twenty-two\n\n", {}); });
    EXPECT_EQ(client.read_until("\n\n\r\n"), "12\r\ndata: twenty-two\n\n\r\n");
    on_loop([&] { held->end_stream(); });
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
    ASSERT_TRUE(client.send(post("again")));
    EXPECT_EQ(client.read_answer().body, "again");
    EXPECT_EQ(gone.count(), 0);
}

TEST_F(http_streams, an_http_1_0_client_reads_until_the_connection_closes) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send("GET /hold HTTP/1.0\r\nHost: localhost\r\n\r\n"));
    ASSERT_TRUE(served.wait());
    on_loop([&] {
        held->open_stream({});
        held->write("data: 1\n\n", {});
        held->end_stream();
    });
    const auto head = client.read_until("\r\n\r\n");
    EXPECT_EQ(head.find("chunked"), std::string::npos);
    EXPECT_EQ(client.read_until("never"), "data: 1\n\n");
}

TEST_F(http_streams, a_client_that_leaves_its_stream_is_noticed) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(ask));
    ASSERT_TRUE(served.wait());
    on_loop([&] {
        held->open_stream({});
        held->write("data: 1\n\n", {});
    });
    client.read_until("data: 1\n\n");
    client.close();
    ASSERT_TRUE(gone.wait());
    Signal flushed;
    on_loop([&] {
        held->write("data: 2\n\n", [&] { flushed.raise(); });
        held->end_stream();
    });
    EXPECT_TRUE(flushed.wait());
    EXPECT_EQ(gone.count(), 1);
}

TEST_F(http_streams, a_reader_that_falls_behind_is_cut_off_at_the_limit) {
    options.limits.stream_buffer_bytes = 64u << 10;
    start();
    RawClient client(port(), 4'096);
    ASSERT_TRUE(client.send(ask));
    ASSERT_TRUE(served.wait());
    const std::string frame = "data: " + std::string(8'000, 'x') + "\n\n";
    std::atomic<int> written{0};
    std::atomic<int> released{0};
    on_loop([&] {
        held->open_stream({});
        while (!held->is_gone() && written < 10'000) {
            held->write(frame, [&] { ++released; });
            EXPECT_EQ(gone.count(), 0);  // never from inside
            ++written;
        }
    });
    ASSERT_TRUE(gone.wait());
    EXPECT_GT(written.load(), 8);
    EXPECT_LT(written.load(), 10'000);
    ASSERT_TRUE(wait_for_connections(0));
    EXPECT_EQ(released.load(), written.load());
}

TEST_F(http_streams, one_frame_larger_than_the_buffer_is_always_admitted) {
    options.limits.stream_buffer_bytes = 1'000;
    start();
    RawClient client(port(), 4'096);
    ASSERT_TRUE(client.send(ask));
    ASSERT_TRUE(served.wait());
    const std::string frame = "data: " + std::string(16u << 20, 'x') + "\n\n";
    Signal flushed;
    on_loop([&] {
        held->open_stream({});
        held->write(frame, [&] { flushed.raise(); });
        held->write("data: end\n\n", [&] { flushed.raise(); });
        held->end_stream();
    });
    EXPECT_EQ(flushed.count(), 0);
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n"), "1000008\r\n");
    EXPECT_EQ(client.read_until("\n\n"), frame);
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "\r\nb\r\ndata: end\n\n\r\n0\r\n\r\n");
    EXPECT_TRUE(flushed.wait(2));
    EXPECT_EQ(gone.count(), 0);
}

TEST_F(http_streams, a_long_log_may_be_written_in_one_turn_to_a_reader_that_keeps_up) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(ask));
    ASSERT_TRUE(served.wait());
    on_loop([&] {
        held->open_stream({});
        for (int i = 0; i < 2'000; ++i) {
            held->write("data: " + std::to_string(i) + "\n\n", {});
        }
        held->end_stream();
    });
    client.read_until("\r\n\r\n");
    for (int i = 0; i < 2'000; ++i) {
        client.read_until("data: ");
        EXPECT_EQ(client.read_until("\n\n"), std::to_string(i) + "\n\n");
    }
}

TEST_F(http_streams, a_large_whole_response_reaches_a_slow_reader_completely) {
    add("/large", [](auto, auto sink) { sink->respond({.body = std::string(12u << 20, 'z')}); });
    start();
    RawClient client(port(), 4'096);
    ASSERT_TRUE(client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n" + post("next")));
    EXPECT_EQ(client.read_answer().body, std::string(12u << 20, 'z'));
    EXPECT_EQ(client.read_answer().body, "next");
}

}  // namespace
}  // namespace durable_mcp::http_test
