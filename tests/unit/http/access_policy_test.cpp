// SPDX-License-Identifier: Apache-2.0
#include "http/access_policy.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace {

using durable_mcp::http::AccessPolicy;
using durable_mcp::http::check_head;
using durable_mcp::http::CheckedHead;

unsigned status_of(const AccessPolicy& policy, const std::string& fields) {
    const std::string raw = "POST / HTTP/1.1\r\n" + fields + "\r\n";
    CheckedHead head;
    EXPECT_FALSE(check_head(raw, {}, head));
    const auto refusal = policy.check(head);
    return refusal ? refusal->status : 200;
}

TEST(access_policy, a_loopback_server_is_known_by_loopback_names_with_any_port) {
    const AccessPolicy policy(true, {}, {});
    for (const auto* host : {"localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:80"}) {
        EXPECT_TRUE(policy.admits_host(host)) << host;
    }
    for (const auto* host :
         {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "127.0.0.2", "localhost.", "[::]", ""}) {
        EXPECT_FALSE(policy.admits_host(host)) << host;
    }
}

TEST(access_policy, a_loopback_server_admits_loopback_origins_with_any_port) {
    const AccessPolicy policy(true, {}, {});
    for (const auto* origin : {"http://localhost", "https://localhost:3000", "HTTP://127.0.0.1:8", "http://[::1]:9"}) {
        EXPECT_TRUE(policy.admits_origin(origin)) << origin;
    }
    for (const auto* origin : {"null", "", "http://evil.example", "file://localhost", "http://localhost.evil.example",
                               "http://localhost@evil.example", "http://localhost/", "localhost", "http://"}) {
        EXPECT_FALSE(policy.admits_origin(origin)) << origin;
    }
}

TEST(access_policy, configured_hosts_match_exactly) {
    const AccessPolicy policy(false, {"mcp.example", "other.example:8080", "any.example:*", "[2001:db8::1]:443"}, {});
    for (const auto* host : {"mcp.example", "MCP.example", "other.example:8080", "any.example", "any.example:7", "[2001:DB8::1]:443"}) {
        EXPECT_TRUE(policy.admits_host(host)) << host;
    }
    for (const auto* host :
         {"mcp.example:80", "other.example", "other.example:80", "x.any.example", "localhost", "127.0.0.1", "[2001:db8::1]"}) {
        EXPECT_FALSE(policy.admits_host(host)) << host;
    }
}

TEST(access_policy, configured_origins_match_exactly) {
    const AccessPolicy policy(false, {"mcp.example"}, {"https://app.example", "http://dev.example:3000"});
    EXPECT_TRUE(policy.admits_origin("https://app.example"));
    EXPECT_TRUE(policy.admits_origin("HTTPS://App.example"));
    EXPECT_TRUE(policy.admits_origin("http://dev.example:3000"));
    EXPECT_FALSE(policy.admits_origin("http://app.example"));
    EXPECT_FALSE(policy.admits_origin("https://app.example:8443"));
    EXPECT_FALSE(policy.admits_origin("http://localhost"));
}

TEST(access_policy, a_loopback_server_behind_a_proxy_is_also_known_by_its_configured_name) {
    const AccessPolicy policy(true, {"mcp.example"}, {"https://app.example"});
    EXPECT_TRUE(policy.admits_host("mcp.example"));
    EXPECT_TRUE(policy.admits_host("localhost:1"));
    EXPECT_TRUE(policy.admits_origin("https://app.example"));
}

TEST(access_policy, a_public_server_without_hosts_is_a_mistake) {
    EXPECT_THROW(AccessPolicy(false, {}, {}), std::invalid_argument);
}

TEST(access_policy, entries_that_could_never_match_are_mistakes) {
    EXPECT_THROW(AccessPolicy(true, {"https://mcp.example"}, {}), std::invalid_argument);
    EXPECT_THROW(AccessPolicy(true, {"a:1:*"}, {}), std::invalid_argument);
    EXPECT_THROW(AccessPolicy(true, {""}, {}), std::invalid_argument);
    EXPECT_THROW(AccessPolicy(true, {}, {"app.example"}), std::invalid_argument);
    EXPECT_THROW(AccessPolicy(true, {}, {"https://app.example/"}), std::invalid_argument);
    EXPECT_THROW(AccessPolicy(true, {}, {"*"}), std::invalid_argument);
}

TEST(access_policy, a_request_is_refused_for_its_host_its_origin_or_its_site) {
    const AccessPolicy policy(true, {}, {});
    EXPECT_EQ(status_of(policy, "Host: localhost\r\n"), 200u);
    EXPECT_EQ(status_of(policy, "Host: localhost\r\nOrigin: http://localhost:1\r\n"), 200u);
    EXPECT_EQ(status_of(policy, "Host: localhost\r\nSec-Fetch-Site: same-origin\r\n"), 200u);
    EXPECT_EQ(status_of(policy, "Host: rebound.example\r\n"), 403u);
    EXPECT_EQ(status_of(policy, "Host: localhost\r\nOrigin: http://evil.example\r\n"), 403u);
    EXPECT_EQ(status_of(policy, "Host: localhost\r\nOrigin: null\r\n"), 403u);
    EXPECT_EQ(status_of(policy, "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n"), 403u);
    EXPECT_EQ(status_of(policy, "Host: localhost\r\nSec-Fetch-Site: Cross-Site\r\n"), 403u);
}

}  // namespace
