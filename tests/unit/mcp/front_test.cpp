// SPDX-License-Identifier: Apache-2.0
#include "mcp/front.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "mcp/header_rules.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

/// A request of the stateless era, whose headers say what its body says.
class Front : public ::testing::Test {
public:
    Front() { begin(); }

    void begin() {
        facts = {};
        facts.method = "POST";
        facts.content_type = "application/json";
        say({{"protocolVersion", "2026-07-28"}, {"clientCapabilities", Json::object()}}, "tools/call", {{"name", "pay"}});
    }

    /// Makes the body, and the headers that belong to it. The keys of `meta` get the specification's prefix.
    void say(const Json& meta, const std::string& method, Json params) {
        for (const auto& [key, value] : meta.items()) {
            params["_meta"]["io.modelcontextprotocol/" + key] = value;
        }
        body = {{"jsonrpc", "2.0"}, {"id", 7}, {"method", method}, {"params", params}};
        headers = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", method}};
        for (const char* member : {"name", "uri", "taskId"}) {
            if (params.contains(member)) {
                headers["Mcp-Name"] = params[member].get<std::string>();
            }
        }
    }

    Asked read() {
        const auto version = headers.find("MCP-Protocol-Version");
        facts.protocol_version = version == headers.end() ? std::string_view() : std::string_view(version->second);
        facts.header = [this](std::string_view name) {
            const auto found = headers.find(std::string(name));
            return found == headers.end() ? std::string_view() : std::string_view(found->second);
        };
        return read_request(facts, body.dump());
    }

    /// "400 -32602 7": status, code, id.
    std::string outcome() {
        const Asked asked = read();
        const auto* const refusal = std::get_if<HttpRefusal>(&asked);
        if (refusal == nullptr) {
            constexpr const char* words[] = {"", "session", "get", "resume", "delete", "request", "notification"};
            return words[asked.index()];
        }
        const Json error = Json::parse(refusal->body);
        return std::to_string(refusal->status) + " " + error.at("error").at("code").dump() +
               (error.contains("id") ? " " + error.at("id").dump() : std::string());
    }
    Json& meta() { return body["params"]["_meta"]; }

    HttpFacts facts;
    Json body;
    std::map<std::string, std::string> headers;
};

// protocol §1.1.1, §1.3
TEST_F(Front, the_failure_table_of_the_stateless_era) {
    struct Row {
        const char* why;
        void (*change)(Front&);
        const char* outcome;
    };
    static const std::string version_key = "io.modelcontextprotocol/protocolVersion";
    const Row table[] = {
        {"all is right", [](Front&) {}, "request"},
        {"text/plain", [](Front& f) { f.facts.content_type = "text/plain"; }, "415 -32000"},
        {"no object", [](Front& f) { f.body = 5; }, "400 -32600"},
        {"no jsonrpc", [](Front& f) { f.body.erase("jsonrpc"); }, "400 -32600 7"},
        {"null id", [](Front& f) { f.body["id"] = nullptr; }, "400 -32600"},
        {"params of another type", [](Front& f) { f.body["params"] = Json::array(); }, "400 -32600 7"},
        {"in a batch", [](Front& f) { f.body = Json::array({f.body}); }, "400 -32600"},
        {"no _meta", [](Front& f) { f.body["params"].erase("_meta"); }, "400 -32602 7"},
        {"no params", [](Front& f) { f.body.erase("params"); }, "400 -32602 7"},
        {"_meta of another type", [](Front& f) { f.meta() = 5; }, "400 -32602 7"},
        {"no protocolVersion", [](Front& f) { f.meta().erase(version_key); }, "400 -32602 7"},
        {"protocolVersion of another type", [](Front& f) { f.meta()[version_key] = 5; }, "400 -32602 7"},
        {"no clientCapabilities", [](Front& f) { f.meta().erase("io.modelcontextprotocol/clientCapabilities"); }, "400 -32602 7"},
        {"clientCapabilities of another type", [](Front& f) { f.meta()["io.modelcontextprotocol/clientCapabilities"] = true; }, "400 -32602 7"},
        {"clientInfo without a version", [](Front& f) { f.meta()["io.modelcontextprotocol/clientInfo"] = {{"name", "c"}}; }, "400 -32602 7"},
        {"a bad log level", [](Front& f) { f.meta()["io.modelcontextprotocol/logLevel"] = "loud"; }, "400 -32602 7"},
        {"header and claim name another version", [](Front& f) { f.meta()[version_key] = f.headers["MCP-Protocol-Version"] = "v999.0.0"; },
         "400 -32022 7"},
        {"a claim of the session era", [](Front& f) { f.meta()[version_key] = f.headers["MCP-Protocol-Version"] = "2025-11-25"; },
         "400 -32022 7"},
        {"an unknown version without a header",
         [](Front& f) {
             f.meta()[version_key] = "2027-01-01";
             f.headers.erase("MCP-Protocol-Version");
         },
         "400 -32022 7"},
        {"the claim is not what the header says", [](Front& f) { f.meta()[version_key] = "v999.0.0"; }, "400 -32020 7"},
        {"no version header", [](Front& f) { f.headers.erase("MCP-Protocol-Version"); }, "400 -32020 7"},
        {"no Mcp-Method", [](Front& f) { f.headers.erase("Mcp-Method"); }, "400 -32020 7"},
        {"another Mcp-Method", [](Front& f) { f.headers["Mcp-Method"] = "tools/list"; }, "400 -32020 7"},
        {"Mcp-Method in capitals", [](Front& f) { f.headers["Mcp-Method"] = "TOOLS/CALL"; }, "400 -32020 7"},
        {"Mcp-Method in Base64", [](Front& f) { f.headers["Mcp-Method"] = "=?base64?dG9vbHMvY2FsbA==?="; }, "400 -32020 7"},
        {"no Mcp-Name", [](Front& f) { f.headers.erase("Mcp-Name"); }, "400 -32020 7"},
        {"another Mcp-Name", [](Front& f) { f.headers["Mcp-Name"] = "Pay"; }, "400 -32020 7"},
        {"an Mcp-Name that the body does not have", [](Front& f) { f.body["params"].erase("name"); }, "400 -32020 7"},
        {"Mcp-Name in bad Base64", [](Front& f) { f.headers["Mcp-Name"] = "=?base64?cGF5=?="; }, "400 -32020 7"},
        {"Mcp-Name with bytes beyond ASCII", [](Front& f) { f.headers["Mcp-Name"] = "p\xC3\xA1y"; }, "400 -32020 7"},
        {"initialize in the era that has none",
         [](Front& f) { f.body = {{"jsonrpc", "2.0"}, {"id", 7}, {"method", "initialize"}, {"params", Json::object()}}; },
         "400 -32020 7"},
        {"a method that nobody knows is the router's to refuse",
         [](Front& f) { f.body["method"] = f.headers["Mcp-Method"] = "unknown/method"; }, "request"},
        {"initialize with a claim is the router's to refuse", [](Front& f) { f.body["method"] = f.headers["Mcp-Method"] = "initialize"; }, "request"},
        {"white space around a header", [](Front& f) { f.headers["Mcp-Name"] = " \tpay "; }, "request"},
        {"Mcp-Name in Base64", [](Front& f) { f.headers["Mcp-Name"] = "=?base64?cGF5?="; }, "request"},
        {"a session id is ignored", [](Front& f) { f.facts.session_id = "s"; }, "request"},
        {"any Accept will do", [](Front& f) { f.facts.accept = "image/png"; }, "request"},
        {"a notification", [](Front& f) { f.body.erase("id"); }, "notification"},
        {"a notification without headers",
         [](Front& f) {
             f.body.erase("id");
             f.headers.clear();
         },
         "notification"},
        {"a notification without claim",
         [](Front& f) {
             f.body.erase("id");
             f.body.erase("params");
         },
         "notification"},
        {"a notification of another version", [](Front& f) { f.body.erase("id"), f.headers["MCP-Protocol-Version"] = "2027-01-01"; }, "400 -32020"},
        {"a response", [](Front& f) { f.body = {{"jsonrpc", "2.0"}, {"id", 7}, {"result", Json::object()}}; }, "400 -32600 7"},
        {"a response in a session",
         [](Front& f) {
             f.body = {{"jsonrpc", "2.0"}, {"id", 7}, {"result", Json::object()}};
             f.facts.session_id = "s";
         },
         "406 -32000"},
        {"no claim, an older header",
         [](Front& f) {
             f.body["params"].erase("_meta");
             f.headers["MCP-Protocol-Version"] = "2025-11-25";
         },
         "406 -32000"},
    };
    for (const Row& row : table) {
        begin();
        row.change(*this);
        EXPECT_EQ(outcome(), row.outcome) << row.why;
    }
}

TEST_F(Front, what_a_request_says_is_handed_on) {
    say({{"protocolVersion", "2026-07-28"},
         {"clientCapabilities", {{"sampling", Json::object()}}},
         {"clientInfo", {{"name", "c"}, {"version", "1"}, {"icons", Json::array()}}},
         {"logLevel", "warning"}},
        "tools/call", {{"name", "pay"}, {"arguments", {{"cents", 5}}}, {"_meta", {{"progressToken", 3}}}});
    const auto asked = std::get<StatelessRequest>(read());
    EXPECT_EQ(asked.request.id.text, "7");
    EXPECT_EQ(asked.request.method, "tools/call");
    EXPECT_EQ(asked.request.params, Json({{"name", "pay"}, {"arguments", {{"cents", 5}}}}));
    EXPECT_EQ(asked.meta.at("progressToken"), 3);
    EXPECT_EQ(asked.capabilities, Json({{"sampling", Json::object()}}));
    EXPECT_EQ(asked.client_info, Json({{"name", "c"}, {"version", "1"}}));
    EXPECT_EQ(asked.log_level, LogLevel::warning);
    EXPECT_EQ(asked.header("Mcp-Name"), "pay");
}

TEST_F(Front, who_names_no_client_and_no_log_level_is_served) {
    const auto asked = std::get<StatelessRequest>(read());
    EXPECT_TRUE(asked.client_info.is_null());
    EXPECT_FALSE(asked.log_level.has_value());
}

TEST_F(Front, a_refused_version_names_those_that_are_spoken) {
    meta()["io.modelcontextprotocol/protocolVersion"] = headers["MCP-Protocol-Version"] = "v999.0.0";
    EXPECT_EQ(Json::parse(std::get<HttpRefusal>(read()).body).at("error").at("data"),
              Json::parse(R"({"supported":["2026-07-28"],"requested":"v999.0.0"})"));
}

TEST_F(Front, the_missing_keys_are_named) {
    body["params"].erase("_meta");
    const std::string text = std::get<HttpRefusal>(read()).body;
    EXPECT_NE(text.find("io.modelcontextprotocol/protocolVersion"), std::string::npos) << text;
    EXPECT_NE(text.find("io.modelcontextprotocol/clientCapabilities"), std::string::npos) << text;
}

TEST_F(Front, Mcp_Name_repeats_what_routes_each_method) {
    const Json meta{{"protocolVersion", "2026-07-28"},
                    {"clientCapabilities", {{"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}}}};
    for (const auto& [method, params] : {std::pair<std::string, Json>{"prompts/get", {{"name", "greet"}}},
                                         {"resources/read", {{"uri", "shop://terms"}}},
                                         {"tasks/get", {{"taskId", "t"}}},
                                         {"tasks/update", {{"taskId", "t"}}},
                                         {"tasks/cancel", {{"taskId", "t"}}}}) {
        say(meta, method, params);
        EXPECT_EQ(outcome(), "request") << method;
        headers["Mcp-Name"] = "other";
        EXPECT_EQ(outcome(), "400 -32020 7") << method;
        headers.erase("Mcp-Name");
        EXPECT_EQ(outcome(), "400 -32020 7") << method;
    }
    say({{"protocolVersion", "2026-07-28"}, {"clientCapabilities", Json::object()}}, "tasks/get", {{"taskId", "t"}});
    headers.erase("Mcp-Name");
    EXPECT_EQ(outcome(), "request") << "who has not declared the extension is told that first, by the router";
    say(meta, "tools/list", Json::object());
    EXPECT_EQ(outcome(), "request");
}

TEST_F(Front, GET_and_DELETE_belong_to_the_session_era) {
    for (const std::string_view method : {"GET", "DELETE"}) {
        facts = {};
        facts.method = method;
        facts.accept = "text/event-stream";
        headers = {{"MCP-Protocol-Version", "2026-07-28"}};
        const Asked asked = read();
        ASSERT_TRUE(std::holds_alternative<HttpRefusal>(asked)) << method;
        EXPECT_EQ(std::get<HttpRefusal>(asked).status, 405u) << method;
        EXPECT_EQ(std::get<HttpRefusal>(asked).headers.at(0).second, "POST") << method;
        facts.session_id = "s";
        EXPECT_EQ(outcome(), method == "GET" ? "get" : "delete");
    }
}

// protocol §1.1.2
TEST(header_rules, a_header_value_is_plain_or_canonical_Base64) {
    struct Row {
        const char* value;
        const char* decoded;  ///< null: refused
    };
    const Row table[] = {
        {"us-west1", "us-west1"},
        {"  a b\t", "a b"},
        {"", ""},
        {"=?base64?SGVsbG8=?=", "Hello"},
        {"=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, \xE4\xB8\x96\xE7\x95\x8C"},
        {"=?base64?IHBhZGRlZCA=?=", " padded "},
        {"=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="},
        {"=?base64?" "?=", ""},
        {"=?BASE64?SGVsbG8=?=", "=?BASE64?SGVsbG8=?="},
        {"=?base64?SGVsbG8=", "=?base64?SGVsbG8="},
        {"SGVsbG8=?=", "SGVsbG8=?="},
        {"=?base64?SGVsbG8?=", nullptr},   // not padded
        {"=?base64?SGVsbG9=?=", nullptr},  // stray bits
        {"=?base64?SGVsbG8==?=", nullptr},
        {"=?base64?SGVs!G8=?=", nullptr},
        {"=?base64?SGV-bG8=?=", nullptr},  // base64url
        {"=?base64?====?=", nullptr},
        {"=?base64?/w==?=", nullptr},  // not UTF-8
        {"caf\xC3\xA9", nullptr},
        {"a\x01", nullptr},
        {"a\x7f", nullptr},
    };
    for (const Row& row : table) {
        const auto decoded = decode_header_value(row.value);
        ASSERT_EQ(decoded.has_value(), row.decoded != nullptr) << row.value;
        if (decoded) {
            EXPECT_EQ(*decoded, row.decoded) << row.value;
        }
    }
}

}  // namespace
}  // namespace durable_mcp::mcp
