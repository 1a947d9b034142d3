// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using durable_mcp::http::append_stream_head;
using durable_mcp::http::append_whole_head;
using durable_mcp::http::make_refusal_response;
using durable_mcp::runtime::WholeResponse;

std::string whole(const WholeResponse& response, bool keep_alive) {
    std::string out;
    append_whole_head(out, response, keep_alive);
    return out;
}

TEST(response_head, a_whole_response_states_type_and_length) {
    WholeResponse response;
    response.headers = {{"Mcp-Session-Id", "abc"}};
    response.body = "{}";
    EXPECT_EQ(whole(response, true),
              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nMcp-Session-Id: abc\r\n\r\n");
    EXPECT_TRUE(whole(response, false).ends_with("abc\r\nConnection: close\r\n\r\n"));
}

TEST(response_head, an_empty_body_has_no_type_and_204_no_length) {
    WholeResponse response;
    response.status = 202;
    EXPECT_EQ(whole(response, true), "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    response.status = 204;
    EXPECT_EQ(whole(response, true), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(response_head, a_field_with_a_line_end_never_leaves) {
    WholeResponse response;
    response.headers = {{"A", "b\r\nSet-Cookie: c"}, {"D\n", "e"}, {"F", "g"}};
    EXPECT_EQ(whole(response, true), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nF: g\r\n\r\n");
}

TEST(response_head, an_event_stream_forbids_buffering_on_the_way) {
    std::string out;
    append_stream_head(out, {{"A", "b"}}, true, false);
    EXPECT_EQ(out,
              "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n"
              "Transfer-Encoding: chunked\r\nA: b\r\n\r\n");
    out.clear();
    append_stream_head(out, {}, false, true);
    EXPECT_EQ(out.find("Transfer-Encoding"), std::string::npos);
    EXPECT_TRUE(out.ends_with("Connection: close\r\n\r\n"));
}

TEST(response_head, a_refusal_is_a_json_rpc_error_without_id) {
    EXPECT_EQ(make_refusal_response({403, "No."}).body, R"({"jsonrpc":"2.0","error":{"code":-32000,"message":"No."}})");
    EXPECT_EQ(make_refusal_response({404, "Nothing."}).body, R"({"error":"Nothing."})");
}

}  // namespace
