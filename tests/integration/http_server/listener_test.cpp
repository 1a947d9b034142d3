// SPDX-License-Identifier: Apache-2.0
// Opening, stopping, closing.
#include <stdexcept>

#include "integration/http_server/server_fixture.hpp"

namespace durable_mcp::http_test {
namespace {

using http_listener = ServerTest;

TEST_F(http_listener, a_port_in_use_is_told_with_address_and_port) {
    start();
    http::ListenerOptions second = options;
    second.port = port();
    http::Listener rival(context.get_executor(), second, {});
    const auto opened = rival.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::FailureCode::address_in_use);
    EXPECT_NE(opened.error().sentence.find("127.0.0.1 port " + std::to_string(port())), std::string::npos) << opened.error().sentence;
    EXPECT_EQ(rival.port(), 0);
}

TEST_F(http_listener, set_up_that_cannot_work_is_refused) {
    const auto make = [this](http::ListenerOptions changed, http::Routes routes) {
        http::Listener(context.get_executor(), std::move(changed), std::move(routes));
    };
    EXPECT_THROW(make({.address = "nonsense"}, {}), std::invalid_argument);
    EXPECT_THROW(make({.address = "0.0.0.0"}, {}), std::invalid_argument);
    EXPECT_THROW(make({.address = "::"}, {}), std::invalid_argument);
    EXPECT_THROW(make({}, {{"/mcp", nullptr}}), std::invalid_argument);
    ScriptedService service({});
    EXPECT_THROW(make({}, {{"mcp", &service}}), std::invalid_argument);
    EXPECT_NO_THROW(make({.address = "0.0.0.0", .hosts = {"mcp.example"}}, {{"/mcp", &service}}));
    EXPECT_NO_THROW(make({.address = "::1"}, {}));
    EXPECT_NO_THROW(make({.address = "localhost"}, {}));
}

TEST_F(http_listener, stopping_lets_answers_leave_and_closes_idle_connections) {
    start();
    RawClient idle(port());
    RawClient busy(port());
    ASSERT_TRUE(busy.send(post("{}", "", "/hold")));
    ASSERT_TRUE(served.wait());
    ASSERT_TRUE(wait_for_connections(2));
    on_loop([this] { listener->stop_accepting(); });
    EXPECT_TRUE(idle.is_closed_by_server());
    EXPECT_THROW(RawClient{port()}, std::runtime_error);
    on_loop([this] { held->respond({.body = "done"}); });
    const auto answer = busy.read_answer();
    EXPECT_EQ(answer.body, "done");
    EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(busy.is_closed_by_server());
    busy.close();
    EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(http_listener, closing_tells_every_sink_later) {
    start();
    RawClient client(port());
    ASSERT_TRUE(client.send(post("{}", "", "/hold")));
    ASSERT_TRUE(served.wait());
    on_loop([this] {
        listener->close_all();
        EXPECT_TRUE(held->is_gone());
        EXPECT_EQ(gone.count(), 0);
    });
    EXPECT_TRUE(gone.wait());
    EXPECT_TRUE(client.is_closed_by_server());
    EXPECT_EQ(connection_count(), 0u);
}

TEST_F(http_listener, the_loop_ends_by_itself_when_the_listener_is_closed) {
    boost::asio::io_context own{1};
    http::Listener short_lived(own.get_executor(), {}, {});
    ASSERT_TRUE(short_lived.open());
    short_lived.close_all();
    own.run();  // returns
    SUCCEED();
}

}  // namespace
}  // namespace durable_mcp::http_test
