// SPDX-License-Identifier: Apache-2.0
// What happens when nothing happens: with limits short enough for a test.
#include "integration/http_server/server_fixture.hpp"

namespace durable_mcp::http_test {
namespace {

using namespace std::chrono_literals;
using http_time_outs = ServerTest;

TEST_F(http_time_outs, a_slow_head_is_answered_408_and_closed) {
    options.limits.header_timeout = 40ms;
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: "));
    EXPECT_EQ(client.read_answer().status, 408u);
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(http_time_outs, a_slow_body_is_answered_408_and_closed) {
    options.limits.body_timeout = 40ms;
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"));
    EXPECT_EQ(client.read_answer().status, 408u);
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(http_time_outs, an_idle_connection_is_closed_silently) {
    options.limits.idle_timeout = 500ms;  // longer than this machine lets a request wait on its way
    start();
    RawClient fresh(port());
    RawClient used(port());
    ASSERT_TRUE(used.send(post("a")));
    EXPECT_EQ(used.read_answer().body, "a");
    EXPECT_EQ(fresh.read_until("never"), "");
    EXPECT_EQ(used.read_until("never"), "");
    EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(http_time_outs, a_service_may_take_longer_than_all_of_them) {
    options.limits.header_timeout = options.limits.body_timeout = options.limits.idle_timeout = 500ms;
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(post("a", "", "/hold")));
    ASSERT_TRUE(served.wait());
    RawClient witness(port());
    EXPECT_TRUE(witness.is_closed_by_server());  // so long has passed
    on_loop([this] { held->respond({.body = "b"}); });
    EXPECT_EQ(client.read_answer().body, "b");
}

TEST_F(http_time_outs, a_quiet_stream_is_kept_alive_by_comments) {
    options.limits.keep_alive_comment = 20ms;
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(post("a", "", "/hold")));
    ASSERT_TRUE(served.wait());
    on_loop([this] { held->open_stream({}); });
    client.read_until("\r\n\r\n");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(client.read_until(": \n\n\r\n"), "4\r\n: \n\n\r\n");
    }
    on_loop([this] { held->end_stream(); });
    client.read_until("0\r\n\r\n");
    ASSERT_TRUE(client.send(post("again")));
    EXPECT_EQ(client.read_answer().body, "again");
}

TEST_F(http_time_outs, a_reader_that_takes_nothing_is_closed_after_the_write_stall) {
    options.limits.write_stall = 60ms;
    start();
    RawClient client(port(), 4'096);
    ASSERT_TRUE(client.send(post("a", "", "/hold")));
    ASSERT_TRUE(served.wait());
    on_loop([this] {
        held->open_stream({});
        held->write("data: " + std::string(16u << 20, 'x') + "\n\n", {});
    });
    EXPECT_TRUE(gone.wait());
    EXPECT_TRUE(wait_for_connections(0));
}

}  // namespace
}  // namespace durable_mcp::http_test
