// SPDX-License-Identifier: Apache-2.0
#include "mcp/front.hpp"

#include <gtest/gtest.h>

#include <string>

namespace durable_mcp::mcp {
namespace {

using base::Json;

constexpr std::string_view ping = R"({"jsonrpc":"2.0","id":7,"method":"ping"})";
constexpr std::string_view initialize = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{}})";

/// What an official client sends.
HttpFacts post() {
    HttpFacts facts;
    facts.method = "POST";
    facts.accept = "application/json, text/event-stream";
    facts.content_type = "application/json";
    facts.session_id = "s";
    facts.protocol_version = "2025-11-25";
    return facts;
}

HttpFacts get() {
    HttpFacts facts;
    facts.method = "GET";
    facts.accept = "text/event-stream";
    facts.session_id = "s";
    return facts;
}

template <class Change>
HttpFacts changed(HttpFacts facts, Change change) {
    change(facts);
    return facts;
}

struct FailureRow {
    const char* why;
    HttpFacts facts;
    std::string body;
    unsigned status;
    int code;
    const char* id;  ///< "" when it is not in the body
};

// protocol §1.2.1
TEST(session_front, the_failure_table) {
    const auto without = [](std::string_view HttpFacts::*field) { return changed(post(), [field](HttpFacts& f) { f.*field = {}; }); };
    const auto with = [](std::string_view HttpFacts::*field, std::string_view value) {
        return changed(post(), [field, value](HttpFacts& f) { f.*field = value; });
    };
    const std::string body(ping);
    const FailureRow table[] = {
        {"PUT", with(&HttpFacts::method, "PUT"), body, 405, -32000, ""},
        {"OPTIONS", with(&HttpFacts::method, "OPTIONS"), body, 405, -32000, ""},
        {"HEAD", with(&HttpFacts::method, "HEAD"), body, 405, -32000, ""},
        {"lower-case method", with(&HttpFacts::method, "post"), body, 405, -32000, ""},
        {"no Accept", without(&HttpFacts::accept), body, 406, -32000, ""},
        {"Accept without SSE", with(&HttpFacts::accept, "application/json"), body, 406, -32000, ""},
        {"Accept without JSON", with(&HttpFacts::accept, "text/event-stream"), body, 406, -32000, ""},
        {"Accept refuses SSE", with(&HttpFacts::accept, "*/*, text/event-stream;q=0"), body, 406, -32000, ""},
        {"no Content-Type", without(&HttpFacts::content_type), body, 415, -32000, ""},
        {"text/plain", with(&HttpFacts::content_type, "text/plain"), body, 415, -32000, ""},
        {"JSON hidden in a parameter", with(&HttpFacts::content_type, "text/plain; x=application/json"), body, 415, -32000, ""},
        {"empty body", post(), "", 400, -32700, ""},
        {"no JSON", post(), "{", 400, -32700, ""},
        {"duplicate keys", post(), R"({"jsonrpc":"2.0","id":1,"id":2,"method":"ping"})", 400, -32700, ""},
        {"too deep", post(), std::string(1000, '['), 400, -32700, ""},
        {"no message", post(), "5", 400, -32600, ""},
        {"no version", post(), R"({"id":7,"method":"ping"})", 400, -32600, "7"},
        {"null id", post(), R"({"jsonrpc":"2.0","id":null,"method":"ping"})", 400, -32600, ""},
        {"empty batch", post(), "[]", 400, -32600, ""},
        {"batch with something else in it", post(), "[" + body + ",5]", 400, -32600, ""},
        {"no session", without(&HttpFacts::session_id), body, 400, -32000, "7"},
        {"empty session", with(&HttpFacts::session_id, ""), body, 400, -32000, "7"},
        {"notification without session", without(&HttpFacts::session_id), R"({"jsonrpc":"2.0","method":"notifications/initialized"})", 400,
         -32000, ""},
        {"response without session", without(&HttpFacts::session_id), R"({"jsonrpc":"2.0","id":"q","result":{}})", 400, -32000, "\"q\""},
        {"batch without session", without(&HttpFacts::session_id), "[" + body + "]", 400, -32000, ""},
        {"initialize as a notification", without(&HttpFacts::session_id), R"({"jsonrpc":"2.0","method":"initialize"})", 400, -32000, ""},
        {"initialize again", post(), std::string(initialize), 400, -32600, "0"},
        {"unknown version", with(&HttpFacts::protocol_version, "2023-01-01"), body, 400, -32000, "7"},
        {"malformed version", with(&HttpFacts::protocol_version, "1.0"), body, 400, -32000, "7"},
        {"empty version", with(&HttpFacts::protocol_version, ""), body, 400, -32000, "7"},
        {"GET without SSE", changed(get(), [](HttpFacts& f) { f.accept = "application/json"; }), "", 406, -32000, ""},
        {"GET without Accept", changed(get(), [](HttpFacts& f) { f.accept = {}; }), "", 406, -32000, ""},
        {"GET without session", changed(get(), [](HttpFacts& f) { f.session_id = {}; }), "", 400, -32000, ""},
        {"GET with unknown version", changed(get(), [](HttpFacts& f) { f.protocol_version = "x"; }), "", 400, -32000, ""},
        {"DELETE without session",
         changed(get(),
                 [](HttpFacts& f) {
                     f.method = "DELETE";
                     f.session_id = {};
                 }),
         "", 400, -32000, ""},
    };
    for (const FailureRow& row : table) {
        const Asked asked = read_request(row.facts, row.body);
        const auto* refusal = std::get_if<HttpRefusal>(&asked);
        ASSERT_NE(refusal, nullptr) << row.why;
        EXPECT_EQ(refusal->status, row.status) << row.why;
        const Json body_json = Json::parse(refusal->body);
        EXPECT_EQ(body_json.at("jsonrpc"), "2.0") << row.why;
        EXPECT_EQ(body_json.at("error").at("code"), row.code) << row.why;
        EXPECT_FALSE(body_json.at("error").at("message").get<std::string>().empty()) << row.why;
        EXPECT_EQ(body_json.contains("id") ? body_json.at("id").dump() : "", row.id) << row.why;
    }
}

TEST(session_front, a_method_that_is_not_allowed_is_told_which_are) {
    const Asked asked = read_request(changed(post(), [](HttpFacts& f) { f.method = "PATCH"; }), "");
    const auto& headers = std::get<HttpRefusal>(asked).headers;
    ASSERT_EQ(headers.size(), 1u);
    EXPECT_EQ(headers[0], (std::pair<std::string, std::string>{"Allow", "GET, POST, DELETE"}));
}

TEST(session_front, what_official_clients_send_is_read) {
    Asked asked = read_request(post(), ping);
    ASSERT_TRUE(std::holds_alternative<Posted>(asked));
    EXPECT_EQ(std::get<Posted>(asked).messages.size(), 1u);
    EXPECT_FALSE(std::get<Posted>(asked).is_batch);
    EXPECT_FALSE(std::get<Posted>(asked).is_initialize);

    EXPECT_TRUE(std::holds_alternative<OpenStandalone>(read_request(get(), "")));
    asked = read_request(changed(get(), [](HttpFacts& f) { f.last_event_id = "k7:1"; }), "");
    EXPECT_EQ(std::get<Resume>(asked).last_event_id, "k7:1");
    EXPECT_TRUE(std::holds_alternative<EndSession>(read_request(changed(get(),
                                                                        [](HttpFacts& f) {
                                                                            f.method = "DELETE";
                                                                            f.accept = {};
                                                                        }),
                                                                "")));
}

TEST(session_front, initialize_needs_neither_session_nor_version) {
    for (const std::string_view version : {std::string_view(), std::string_view("2025-11-25"), std::string_view("1.0")}) {
        const Asked asked = read_request(changed(post(),
                                                 [version](HttpFacts& f) {
                                                     f.session_id = {};
                                                     f.protocol_version = version;
                                                 }),
                                         initialize);
        ASSERT_TRUE(std::holds_alternative<Posted>(asked)) << version;
        EXPECT_TRUE(std::get<Posted>(asked).is_initialize);
    }
}

// conformance §0 items 4 and 8: clients name another revision than they negotiated, and modern ones send modern headers everywhere.
TEST(session_front, any_revision_that_we_speak_may_be_named_in_the_header) {
    for (const std::string_view version : {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}) {
        const Asked asked = read_request(changed(post(), [version](HttpFacts& f) { f.protocol_version = version; }), ping);
        EXPECT_TRUE(std::holds_alternative<Posted>(asked)) << version;
    }
    EXPECT_TRUE(std::holds_alternative<Posted>(read_request(changed(post(), [](HttpFacts& f) { f.protocol_version = {}; }), ping)));
}

TEST(session_front, the_idempotency_key_of_the_header_is_handed_on) {
    HttpFacts facts = post();
    facts.header = [](std::string_view name) { return name == "Idempotency-Key" ? std::string_view("k") : std::string_view(); };
    EXPECT_EQ(std::get<Posted>(read_request(facts, ping)).idempotency_key, "k");
    EXPECT_FALSE(std::get<Posted>(read_request(post(), ping)).idempotency_key.has_value());
}

Posted batch(const std::string& body) {
    Asked asked = read_request(post(), body);
    EXPECT_TRUE(std::holds_alternative<Posted>(asked)) << body;
    return std::get<Posted>(std::move(asked));
}

TEST(session_front, a_batch_is_allowed_by_the_revision_of_its_session) {
    const std::string two =
        R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":0}}])";
    for (const Revision revision : {Revision::r2024_11_05, Revision::r2025_03_26, Revision::r2025_06_18, Revision::r2025_11_25}) {
        Session session;
        session.revision = revision;
        const auto refusal = check_against(session, batch(two), 32);
        EXPECT_EQ(refusal.has_value(), revision >= Revision::r2025_06_18) << traits(revision).date;
        if (refusal) {
            EXPECT_EQ(refusal->status, 400u);
            EXPECT_EQ(Json::parse(refusal->body).at("error").at("code"), -32600);
        }
        EXPECT_FALSE(check_against(session, batch(std::string(ping)), 32).has_value());
    }
}

TEST(session_front, a_batch_has_bounds) {
    Session session;
    session.revision = Revision::r2025_03_26;
    const std::string one(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"), other(R"({"jsonrpc":"2.0","id":"1","method":"ping"})");
    EXPECT_FALSE(check_against(session, batch("[" + one + "," + other + "]"), 2).has_value());
    EXPECT_TRUE(check_against(session, batch("[" + one + "," + other + "]"), 1).has_value()) << "too many";
    EXPECT_TRUE(check_against(session, batch("[" + one + "," + one + "]"), 32).has_value()) << "one id for two requests";
    const auto refusal = check_against(session, batch("[" + one + "," + std::string(initialize) + "]"), 32);
    ASSERT_TRUE(refusal.has_value());
    EXPECT_NE(refusal->body.find("initialize must not be part of a batch"), std::string::npos);
}

TEST(session_front, the_other_refusals_have_their_statuses) {
    EXPECT_EQ(unknown_session().status, 404u);
    EXPECT_EQ(Json::parse(unknown_session().body).at("error").at("code"), -32001);
    EXPECT_EQ(unknown_event().status, 400u);
    const HttpRefusal busy = unavailable("The server is starting.");
    EXPECT_EQ(busy.status, 503u);
    EXPECT_EQ(busy.headers, (std::vector<std::pair<std::string, std::string>>{{"Retry-After", "5"}}));
    EXPECT_EQ(Json::parse(busy.body).at("error").at("message"), "The server is starting.");
}

}  // namespace
}  // namespace durable_mcp::mcp
