// SPDX-License-Identifier: Apache-2.0
// Revisions that no client on npm asks for any more, negotiated over Streamable HTTP: each has what it has, and nothing that came after it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "interop/example_server.hpp"
#include "interop/raw_client.hpp"

namespace durable_mcp::interop {
namespace {

constexpr int invalid_request = -32600;

/// One server for all of it: sessions do not see each other.
class older_revisions : public testing::Test {
protected:
    static void SetUpTestSuite() { server_ = new ExampleServer(DURABLE_MCP_CONFORMANCE_SERVER); }
    static void TearDownTestSuite() {
        delete server_;
        server_ = nullptr;
    }
    static std::uint16_t port() { return server_->port(); }

private:
    static ExampleServer* server_;
};
ExampleServer* older_revisions::server_ = nullptr;

class every_older_revision : public older_revisions, public testing::WithParamInterface<std::string> {};
class revision_with_batches : public older_revisions, public testing::WithParamInterface<std::string> {};

Json ping(const Json& id) {
    return request(id, "ping");
}

Json simple_call(const Json& id) {
    return request(id, "tools/call", {{"name", "test_simple_text"}, {"arguments", Json::object()}});
}

// ── What all of them have ─────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(every_older_revision, is_agreed_to_as_it_was_asked_for) {
    const SessionClient client(port(), GetParam());
    EXPECT_EQ(client.welcome().at("protocolVersion"), GetParam());
    EXPECT_FALSE(client.welcome().contains("resultType"));
    EXPECT_EQ(client.acknowledgement().status, 202);
    EXPECT_EQ(client.acknowledgement().body, "");
}

TEST_P(every_older_revision, takes_notifications_and_responses_with_202_and_nothing_else) {
    const SessionClient client(port(), GetParam());
    const Json unasked{{"jsonrpc", "2.0"}, {"id", "nobody asked"}, {"result", Json::object()}};
    for (const Json& message : {notification("notifications/roots/list_changed"), unasked}) {
        const Reply reply = client.post(message);
        EXPECT_EQ(reply.status, 202) << message;
        EXPECT_EQ(reply.body, "") << message;
    }
}

TEST_P(every_older_revision, opens_no_stream_with_an_event_without_data) {
    const SessionClient client(port(), GetParam());
    const Reply reply = client.call(1, "test_tool_with_progress");
    ASSERT_TRUE(reply.is_stream) << reply.body;
    EXPECT_EQ(reply.messages.size(), 4u) << "three reports of progress, and the answer";
    EXPECT_EQ(reply.result().at("content").at(0).at("text"), "Tool with progress executed successfully");
    for (const auto& event : reply.events) {
        EXPECT_TRUE(event.data && !event.data->empty()) << "priming events came with 2025-11-25; clients before it choke on them";
    }
}

TEST_P(every_older_revision, lists_and_calls_without_the_header_that_names_the_revision) {
    const SessionClient client(port(), GetParam());
    const Headers session_alone{client.headers().front()};
    const Reply listed = client.post_with(session_alone, request(1, "tools/list"));
    ASSERT_EQ(listed.status, 200);
    EXPECT_GE(listed.result().at("tools").size(), 10u);
    EXPECT_EQ(client.post_with(session_alone, simple_call(2)).result().at("content").at(0).at("text"), "This is a simple text response for testing.");
}

TEST_P(every_older_revision, refuses_a_header_that_names_a_revision_which_does_not_exist) {
    const SessionClient client(port(), GetParam());
    const Headers wrong{client.headers().front(), {"MCP-Protocol-Version", "2025-02-31"}};
    EXPECT_EQ(client.post_with(wrong, ping(1)).status, 400);
}

TEST_P(every_older_revision, wants_its_session_and_ends_it) {
    const SessionClient client(port(), GetParam());
    EXPECT_EQ(client.post_with({}, ping(1)).status, 400);
    EXPECT_EQ(client.post_with({{"Mcp-Session-Id", "no-such-session"}}, ping(2)).status, 404);
    EXPECT_EQ(client.post(ping(3)).status, 200);
    EXPECT_LT(exchange(port(), "DELETE", client.headers(), "").status, 300);
    EXPECT_EQ(client.post(ping(4)).status, 404);
}

INSTANTIATE_TEST_SUITE_P(of, every_older_revision, testing::Values("2024-11-05", "2025-03-26", "2025-06-18"), [](const auto& param) {
    std::string name = "revision_" + param.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST_F(older_revisions, one_that_never_was_gets_the_newest_with_sessions) {
    EXPECT_EQ(SessionClient(port(), "2025-01-01").welcome().at("protocolVersion"), "2025-11-25");
}

// ── Batches ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(revision_with_batches, answers_every_request_of_a_batch_and_no_notification) {
    const SessionClient client(port(), GetParam());
    const Reply reply = client.post(
        {ping(1), notification("notifications/roots/list_changed"), simple_call("two"), request(3, "tools/list"), request(4, "nonsense")});
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.messages.size(), 4u);
    EXPECT_EQ(reply.response_to(1).at("result"), Json::object());
    EXPECT_EQ(reply.response_to("two").at("result").at("content").at(0).at("text"), "This is a simple text response for testing.");
    EXPECT_GE(reply.response_to(3).at("result").at("tools").size(), 10u);
    EXPECT_EQ(reply.response_to(4).at("error").at("code"), -32601);
}

TEST_P(revision_with_batches, takes_a_batch_without_requests_with_202) {
    const SessionClient client(port(), GetParam());
    const Reply reply = client.post({notification("notifications/roots/list_changed"), notification("notifications/roots/list_changed")});
    EXPECT_EQ(reply.status, 202);
    EXPECT_EQ(reply.body, "");
}

TEST_P(revision_with_batches, refuses_an_empty_batch_and_one_with_initialize_in_it) {
    const SessionClient client(port(), GetParam());
    const Reply empty = client.post(Json::array());
    EXPECT_EQ(empty.status, 400);
    EXPECT_EQ(empty.error_code(), invalid_request);
    const Reply initialize = client.post({request(1, "initialize", {{"protocolVersion", GetParam()}, {"capabilities", Json::object()}}), ping(2)});
    EXPECT_EQ(initialize.status, 400);
    EXPECT_EQ(initialize.error_code(), invalid_request);
}

INSTANTIATE_TEST_SUITE_P(of, revision_with_batches, testing::Values("2024-11-05", "2025-03-26"), [](const auto& param) {
    std::string name = "revision_" + param.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST_F(older_revisions, the_one_of_2025_06_18_has_no_batches) {
    const SessionClient client(port(), "2025-06-18");
    const Reply reply = client.post({ping(1), ping(2)});
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.error_code(), invalid_request);
}

// ── What came later ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(older_revisions, the_one_of_2024_11_05_gets_a_sound_as_a_text) {
    const Json then = SessionClient(port(), "2024-11-05").call(1, "test_audio_content").result();
    EXPECT_EQ(then.at("content").at(0).at("type"), "text");
    const Json later = SessionClient(port(), "2025-03-26").call(1, "test_audio_content").result();
    EXPECT_EQ(later.at("content").at(0).at("type"), "audio");
}

TEST_F(older_revisions, the_one_of_2024_11_05_hears_of_progress_without_words) {
    const auto words_of_progress = [&](const char* revision) {
        std::vector<bool> found;
        for (const Json& message : SessionClient(port(), revision).call(1, "test_tool_with_progress").messages) {
            if (message.value("method", "") == "notifications/progress") {
                found.push_back(message.at("params").contains("message"));
            }
        }
        return found;
    };
    EXPECT_EQ(words_of_progress("2024-11-05"), std::vector<bool>(3, false));
    EXPECT_EQ(words_of_progress("2025-03-26"), std::vector<bool>(3, true));
}

}  // namespace
}  // namespace durable_mcp::interop
