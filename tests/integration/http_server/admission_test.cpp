// SPDX-License-Identifier: Apache-2.0
// Who is let in: names, origins, and how many.
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>

#include "integration/http_server/server_fixture.hpp"

namespace durable_mcp::http_test {
namespace {

using http_admission = ServerTest;

TEST_F(http_admission, a_foreign_host_origin_or_site_is_403_and_never_reaches_the_service) {
    start();
    for (const std::string& fields : std::initializer_list<std::string>{
             "Host: rebound.example\r\n", "Host: 0.0.0.0\r\n", "Host: localhost\r\nOrigin: https://evil.example\r\n",
             "Host: localhost\r\nOrigin: null\r\n", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"}) {
        RawClient client(port());
        ASSERT_TRUE(client.send("POST /hold HTTP/1.1\r\n" + fields + "Content-Length: 2\r\n\r\n{}"));
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.status, 403u) << fields;
        EXPECT_NE(answer.body.find(R"("error":{"code":-32000,"message":")"), std::string::npos);
        EXPECT_EQ(answer.body.find("\"id\""), std::string::npos);
        EXPECT_TRUE(client.is_closed_by_server());
    }
    EXPECT_EQ(served.count(), 0);
    RawClient client(port());
    ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: 127.0.0.1:1\r\nOrigin: http://localhost:3000\r\nContent-Length: 2\r\n\r\n{}"));
    EXPECT_EQ(client.read_answer().status, 200u);
}

TEST_F(http_admission, a_connection_over_the_total_is_answered_503) {
    options.limits.connections = 2;
    start();
    RawClient first(port());
    RawClient second(port());
    ASSERT_TRUE(wait_for_connections(2));
    RawClient third(port());
    third.send(post("x"));
    EXPECT_EQ(third.read_answer().status, 503u);
    EXPECT_TRUE(third.is_closed_by_server());
    third.close();
    first.close();
    ASSERT_TRUE(wait_for_connections(1));
    RawClient fourth(port());
    ASSERT_TRUE(fourth.send(post("y")));
    EXPECT_EQ(fourth.read_answer().body, "y");
}

TEST_F(http_admission, loopback_peers_have_no_limit_of_their_own) {
    options.limits.connections_per_peer = 1;
    start();
    RawClient first(port());
    ASSERT_TRUE(wait_for_connections(1));
    RawClient second(port());
    ASSERT_TRUE(second.send(post("y")));
    EXPECT_EQ(second.read_answer().body, "y");
}

TEST_F(http_admission, running_out_of_descriptors_does_not_spin_and_passes) {
    start();
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    RawClient client(port());
    ASSERT_TRUE(wait_for_connections(1));
    RawClient* late = nullptr;
    {
        // The client's descriptor must exist first: both ends live in this process.
        const int spare = ::dup(0);
        const rlimit tight{static_cast<rlim_t>(spare + 1), before.rlim_max};
        ::close(spare);
        ::setrlimit(RLIMIT_NOFILE, &tight);
        late = new RawClient(port());  // takes the last descriptor
    }
    const std::unique_ptr<RawClient> owner(late);
    timespec cpu_before{};
    timespec cpu_after{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // the interval that is measured, not a wait for something
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_after);
    EXPECT_EQ(connection_count(), 1u);
    EXPECT_LT((cpu_after.tv_sec - cpu_before.tv_sec) * 1000 + (cpu_after.tv_nsec - cpu_before.tv_nsec) / 1'000'000, 250);
    ::setrlimit(RLIMIT_NOFILE, &before);
    ASSERT_TRUE(late->send(post("at last")));
    EXPECT_EQ(late->read_answer().body, "at last");
}

}  // namespace
}  // namespace durable_mcp::http_test
