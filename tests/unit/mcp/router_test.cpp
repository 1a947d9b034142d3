// SPDX-License-Identifier: Apache-2.0
#include "mcp/router.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "mcp/projection.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

constexpr std::array all{Revision::r2024_11_05, Revision::r2025_03_26, Revision::r2025_06_18, Revision::r2025_11_25};

struct Target final : CallTarget {};

class Router : public ::testing::Test {
protected:
    Router() {
        facts.implementation = {{"name", "shop"}, {"version", "1.0"}, {"title", "Shop"}, {"websiteUrl", "https://shop"}};
        facts.instructions = "Be kind.";
        const auto target = std::make_shared<const Target>();
        catalog =
            catalog.with(ItemKind::tool, {"pay", {{"name", "pay"}, {"inputSchema", {{"type", "object"}}}}, target})
                .with(ItemKind::prompt,
                      {"greet",
                       {{"name", "greet"}, {"arguments", {{{"name", "who"}, {"required", true}}, {{"name", "how"}, {"required", false}}}}},
                       target})
                .with(ItemKind::resource, {"shop://terms", {{"uri", "shop://terms"}, {"name", "terms"}}, target})
                .with(ItemKind::resource_template,
                      {"shop://order/{id}", {{"uriTemplate", "shop://order/{id}"}, {"name", "order"}}, target});
        session.id = "s";
    }

    Verdict say(std::string_view text, const Session* to) {
        auto json = base::parse_json(text, base::wire_json_limits());
        EXPECT_TRUE(json.has_value()) << text;
        return route(facts, catalog, to, jsonrpc::read_message(std::move(*json)));
    }
    Verdict say(std::string_view text) { return say(text, &session); }
    Verdict ask(std::string_view method, const Json& params = nullptr) {
        Json message{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}};
        if (!params.is_null()) {
            message["params"] = params;
        }
        return say(message.dump());
    }
    jsonrpc::Error refusal_of(Verdict verdict) {
        const auto* refuse = std::get_if<Refuse>(&verdict);
        EXPECT_NE(refuse, nullptr) << "verdict " << verdict.index();
        return refuse == nullptr ? jsonrpc::Error{0, "", {}} : refuse->error;
    }
    Json answer_of(Verdict verdict) {
        const auto* answer = std::get_if<Answer>(&verdict);
        EXPECT_NE(answer, nullptr) << "verdict " << verdict.index();
        return answer == nullptr ? Json() : Json::parse(answer->result);
    }

    ServerFacts facts;
    Catalog catalog{10};
    Session session;
};

/// Which verdict a message gets, as a word.
std::string_view name_of(const Verdict& verdict) {
    constexpr std::string_view names[] = {"answer", "refuse", "nothing", "begin", "initialized", "level", "cancel", "take", "call"};
    return names[verdict.index()];
}

// Method × revision: what each one knows, and what becomes of it. None of these differs between the revisions with sessions.
TEST_F(Router, every_method_of_every_revision_has_its_verdict) {
    struct Row {
        std::string_view method;
        const char* params;
        std::string_view verdict;  ///< "unknown" is a refusal with -32601
    };
    const Row requests[] = {
        {"ping", "", "answer"},
        {"initialize", R"({"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}})", "refuse"},
        {"tools/list", "", "answer"},
        {"tools/call", R"({"name":"pay"})", "call"},
        {"prompts/list", "", "answer"},
        {"prompts/get", R"({"name":"greet","arguments":{"who":"you"}})", "call"},
        {"resources/list", "", "answer"},
        {"resources/templates/list", "{}", "answer"},
        {"resources/read", R"({"uri":"shop://terms"})", "call"},
        {"logging/setLevel", R"({"level":"debug"})", "level"},
        {"resources/subscribe", R"({"uri":"shop://terms"})", "unknown"},
        {"resources/unsubscribe", R"({"uri":"shop://terms"})", "unknown"},
        {"completion/complete", R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"who","value":""}})", "unknown"},
        {"notifications/initialized", "", "unknown"},
        {"notifications/cancelled", R"({"requestId":1})", "unknown"},
        {"server/discover", "{}", "unknown"},
        {"subscriptions/listen", "{}", "unknown"},
        {"tasks/get", "{}", "unknown"},
        {"tasks/list", "{}", "unknown"},
        {"tasks/result", "{}", "unknown"},
        {"tasks/cancel", "{}", "unknown"},
        {"Ping", "", "unknown"},
        {"", "", "unknown"},
    };
    const Row notifications[] = {
        {"notifications/initialized", "", "initialized"},
        {"notifications/cancelled", R"({"requestId":1})", "cancel"},
        {"notifications/progress", R"({"progressToken":1,"progress":1})", "nothing"},
        {"notifications/roots/list_changed", "", "nothing"},
        {"notifications/never_heard_of", "", "nothing"},
        {"tools/call", R"({"name":"pay"})", "nothing"},
        {"initialize", "", "nothing"},
    };
    const auto message = [](const Row& row, std::string_view id) {
        std::string text = R"({"jsonrpc":"2.0",)" + std::string(id) + R"("method":")" + std::string(row.method) + "\"";
        return text + (*row.params == '\0' ? "" : R"(,"params":)") + row.params + "}";
    };
    for (const Revision revision : all) {
        session.revision = revision;
        for (const Row& row : requests) {
            const Verdict verdict = say(message(row, R"("id":1,)"));
            const auto* refuse = std::get_if<Refuse>(&verdict);
            const bool unknown = refuse != nullptr && refuse->error.code == jsonrpc::method_not_found;
            EXPECT_EQ(unknown ? "unknown" : name_of(verdict), row.verdict) << row.method << " in " << traits(revision).date;
        }
        for (const Row& row : notifications) {
            EXPECT_EQ(name_of(say(message(row, ""))), row.verdict) << row.method << " in " << traits(revision).date;
        }
    }
}

TEST_F(Router, an_unknown_method_is_named) {
    EXPECT_EQ(refusal_of(ask("tools/cull")).message, "Method not found: tools/cull");
    EXPECT_EQ(refusal_of(ask(std::string(199, 'x') + "\xC3\xA9")).message.size(), std::string("Method not found: ").size() + 199)
        << "cut to a line, between characters";
}

// The failure table: method, params, code, a part of the message.
TEST_F(Router, what_cannot_be_done_is_refused_with_the_code_of_the_specification) {
    struct Row {
        std::string_view method;
        const char* params;
        int code;
        std::string_view message;
    };
    const Row table[] = {
        {"tools/call", "", -32602, "params.name must be a string"},
        {"tools/call", "{}", -32602, "params.name must be a string"},
        {"tools/call", R"({"name":5})", -32602, "params.name must be a string"},
        {"tools/call", R"({"name":"nope"})", -32602, "Unknown tool: nope"},
        {"tools/call", R"({"name":"greet"})", -32602, "Unknown tool: greet"},
        {"tools/call", R"({"name":"pay","arguments":[]})", -32602, "params.arguments must be an object"},
        {"tools/call", R"({"name":"pay","arguments":null})", -32602, "params.arguments must be an object"},
        {"tools/call", R"({"name":"pay","_meta":5})", -32602, "params._meta must be an object"},
        {"tools/call", R"({"name":"pay","_meta":{"progressToken":1.5}})", -32602, "progressToken must be"},
        {"tools/call", R"({"name":"pay","_meta":{"progressToken":null}})", -32602, "progressToken must be"},
        {"prompts/get", R"({"name":"nope"})", -32602, "Unknown prompt: nope"},
        {"prompts/get", R"({"name":"greet"})", -32602, "Missing argument 'who' of prompt 'greet'"},
        {"prompts/get", R"({"name":"greet","arguments":{"how":"x"}})", -32602, "Missing argument 'who' of prompt 'greet'"},
        {"prompts/get", R"({"name":"greet","arguments":{"who":5}})", -32602, "The argument 'who' of prompt 'greet' must be a string"},
        {"resources/read", "{}", -32602, "params.uri must be a string"},
        {"resources/read", R"({"uri":["x"]})", -32602, "params.uri must be a string"},
        {"resources/read", R"({"uri":"shop://none"})", -32002, "Resource not found"},
        {"tools/list", R"({"cursor":5})", -32602, "params.cursor must be a string"},
        {"tools/list", R"({"cursor":"x"})", -32602, "Invalid cursor for tools"},
        {"prompts/list", R"({"cursor":""})", -32602, "Invalid cursor for prompts"},
        {"resources/list", R"({"cursor":"x"})", -32602, "Invalid cursor for resources"},
        {"resources/templates/list", R"({"cursor":"x"})", -32602, "Invalid cursor for resourceTemplates"},
        {"logging/setLevel", "", -32602, "params.level must be one of"},
        {"logging/setLevel", R"({"level":"loud"})", -32602, "params.level must be one of"},
        {"logging/setLevel", R"({"level":1})", -32602, "params.level must be one of"},
        {"initialize", "{}", -32600, "initialized already"},
    };
    for (const Row& row : table) {
        const auto error = refusal_of(ask(row.method, *row.params == '\0' ? Json() : Json::parse(row.params)));
        EXPECT_EQ(error.code, row.code) << row.method << " " << row.params;
        EXPECT_NE(error.message.find(row.message), std::string::npos) << row.method << " " << row.params << " → " << error.message;
    }
}

TEST_F(Router, a_resource_that_is_not_there_is_named_in_the_data) {
    const auto error = refusal_of(ask("resources/read", {{"uri", "shop://none"}}));
    EXPECT_EQ(error.data, Json({{"uri", "shop://none"}}));
    EXPECT_EQ(refusal_of(ask("resources/read", {{"uri", "shop://order/" + std::string(9000, 'x')}})).code, jsonrpc::invalid_params);
}

TEST_F(Router, a_tool_call_carries_its_arguments_meta_and_token) {
    auto verdict = ask("tools/call", {{"name", "pay"},
                                      {"arguments", {{"cents", 9007199254740993}}},
                                      {"task", {{"ttl", 1}}},
                                      {"_meta", {{"progressToken", "p"}, {"traceparent", "00-x"}}}});
    auto* call = std::get_if<StartCall>(&verdict);
    ASSERT_NE(call, nullptr);
    EXPECT_EQ(call->kind, ItemKind::tool);
    EXPECT_EQ(call->name, "pay");
    EXPECT_EQ(call->item, catalog.find(ItemKind::tool, "pay"));
    EXPECT_EQ(call->arguments.dump(), R"({"cents":9007199254740993})");
    EXPECT_EQ(call->progress_token, Json("p"));
    EXPECT_EQ(call->meta.at("traceparent"), "00-x");

    verdict = ask("tools/call", {{"name", "pay"}, {"_meta", {{"progressToken", 0}}}});
    call = std::get_if<StartCall>(&verdict);
    ASSERT_NE(call, nullptr);
    EXPECT_EQ(call->arguments, Json::object());
    EXPECT_EQ(call->progress_token, Json(0));

    verdict = ask("tools/call", {{"name", "pay"}});
    call = std::get_if<StartCall>(&verdict);
    ASSERT_NE(call, nullptr);
    EXPECT_FALSE(call->progress_token.has_value());
    EXPECT_TRUE(call->meta.is_null());
}

TEST_F(Router, a_resource_is_found_fixed_or_by_template) {
    auto fixed = ask("resources/read", {{"uri", "shop://terms"}});
    EXPECT_EQ(std::get<StartCall>(fixed).kind, ItemKind::resource);
    EXPECT_EQ(std::get<StartCall>(fixed).name, "shop://terms");
    EXPECT_EQ(std::get<StartCall>(fixed).arguments, Json::object());
    auto templated = ask("resources/read", {{"uri", "shop://order/7%2F8"}});
    EXPECT_EQ(std::get<StartCall>(templated).kind, ItemKind::resource_template);
    EXPECT_EQ(std::get<StartCall>(templated).name, "shop://order/7%2F8");
    EXPECT_EQ(std::get<StartCall>(templated).item->name, "shop://order/{id}");
    EXPECT_EQ(std::get<StartCall>(templated).arguments, Json({{"id", "7/8"}}));
}

TEST_F(Router, initialize_begins_a_session_in_the_negotiated_revision) {
    for (const auto& [asked, spoken] : {std::pair{"2024-11-05", Revision::r2024_11_05},
                                        {"2025-03-26", Revision::r2025_03_26},
                                        {"2025-06-18", Revision::r2025_06_18},
                                        {"2025-11-25", Revision::r2025_11_25},
                                        {"2026-07-28", Revision::r2025_11_25},
                                        {"1999-01-01", Revision::r2025_11_25}}) {
        const Json params{{"protocolVersion", asked},
                          {"capabilities", {{"elicitation", Json::object()}}},
                          {"clientInfo", {{"name", "c"}, {"version", "1"}, {"icons", {{{"src", "data:,"}}}}}}};
        auto verdict = say(Json{{"jsonrpc", "2.0"}, {"id", 0}, {"method", "initialize"}, {"params", params}}.dump(), nullptr);
        const auto* begin = std::get_if<BeginSession>(&verdict);
        ASSERT_NE(begin, nullptr) << asked;
        EXPECT_EQ(begin->draft.revision, spoken) << asked;
        EXPECT_EQ(begin->draft.client_info, Json({{"name", "c"}, {"version", "1"}}));
        EXPECT_EQ(begin->draft.capabilities, params["capabilities"]);
        EXPECT_FALSE(begin->draft.initialized);
        const Json result = Json::parse(begin->result);
        EXPECT_EQ(result.at("protocolVersion"), traits(spoken).date);
        EXPECT_EQ(result.at("serverInfo"), project_implementation(spoken, facts.implementation)) << asked;
        EXPECT_EQ(result.at("instructions"), "Be kind.");
        EXPECT_EQ(result.at("capabilities"), Json::parse(R"({"logging":{},"prompts":{"listChanged":true},"resources":{"listChanged":true},
                                                             "tools":{"listChanged":true}})"));
    }
}

TEST_F(Router, a_malformed_initialize_is_invalid_params) {
    const std::string big(17'000, 'x');
    const std::string table[] = {
        "{}",
        R"({"protocolVersion":1,"capabilities":{},"clientInfo":{"name":"c","version":"1"}})",
        R"({"protocolVersion":"2025-11-25","clientInfo":{"name":"c","version":"1"}})",
        R"({"protocolVersion":"2025-11-25","capabilities":[],"clientInfo":{"name":"c","version":"1"}})",
        R"({"protocolVersion":"2025-11-25","capabilities":{}})",
        R"({"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c"}})",
        R"({"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":"c"})",
        R"({"protocolVersion":"2025-11-25","capabilities":{"x":")" + big + R"("},"clientInfo":{"name":"c","version":"1"}})",
        R"({"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":")" + big + R"(","version":"1"}})",
    };
    for (const std::string& params : table) {
        EXPECT_EQ(refusal_of(say(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":)" + params + "}", nullptr)).code,
                  jsonrpc::invalid_params)
            << params.substr(0, 120);
    }
    EXPECT_EQ(refusal_of(say(R"({"jsonrpc":"2.0","id":0,"method":"initialize"})", nullptr)).code, jsonrpc::invalid_params);
}

TEST_F(Router, without_a_session_there_is_nothing_but_initialize) {
    EXPECT_EQ(refusal_of(say(R"({"jsonrpc":"2.0","id":0,"method":"ping"})", nullptr)).code, jsonrpc::transport_error);
    EXPECT_EQ(refusal_of(say(R"({"jsonrpc":"2.0","id":0,"method":"server/discover","params":{}})", nullptr)).code,
              jsonrpc::transport_error);
    EXPECT_TRUE(std::holds_alternative<Nothing>(say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", nullptr)));
    EXPECT_TRUE(std::holds_alternative<Nothing>(say(R"({"jsonrpc":"2.0","id":1,"result":{}})", nullptr)));
}

TEST_F(Router, a_cancellation_names_its_request_exactly) {
    auto verdict = say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"1","reason":"user left"}})");
    EXPECT_EQ(std::get<CancelCall>(verdict).request.text, "\"1\"");
    EXPECT_EQ(std::get<CancelCall>(verdict).reason, "user left");
    verdict = say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9007199254740993}})");
    EXPECT_EQ(std::get<CancelCall>(verdict).request.text, "9007199254740993");
    for (const char* odd : {R"("params":{})", R"("params":{"requestId":null})", R"("params":{"requestId":1.5})", R"("x":1)"}) {
        EXPECT_TRUE(
            std::holds_alternative<Nothing>(say(std::string(R"({"jsonrpc":"2.0","method":"notifications/cancelled",)") + odd + "}")))
            << odd;
    }
}

TEST_F(Router, a_response_answers_a_question_and_one_without_id_answers_none) {
    auto verdict = say(R"({"jsonrpc":"2.0","id":"q1","result":{"action":"accept"}})");
    EXPECT_EQ(std::get<TakeAnswer>(verdict).response.id.text, "\"q1\"");
    EXPECT_TRUE(std::holds_alternative<Nothing>(say(R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"?"}})")));
}

// B23
TEST_F(Router, B23_a_call_out_of_the_journal_is_the_same_call_or_refused_when_its_item_has_gone) {
    const Json params{{"name", "pay"}, {"arguments", {{"cents", 5}}}, {"_meta", {{"progressToken", 3}}}};
    auto again = route_again(catalog, Revision::r2025_06_18, "tools/call", params);
    ASSERT_TRUE(std::holds_alternative<StartCall>(again));
    EXPECT_EQ(std::get<StartCall>(again).arguments, Json({{"cents", 5}}));
    EXPECT_EQ(std::get<StartCall>(again).progress_token, Json(3));
    EXPECT_EQ(params.at("arguments"), Json({{"cents", 5}})) << "the stored params are not consumed";

    again = route_again(catalog.without(ItemKind::tool, "pay"), Revision::r2025_06_18, "tools/call", params);
    ASSERT_TRUE(std::holds_alternative<Refuse>(again));
    EXPECT_EQ(std::get<Refuse>(again).error.message, "Unknown tool: pay");

    EXPECT_TRUE(
        std::holds_alternative<StartCall>(route_again(catalog, latest_session_revision, "resources/read", {{"uri", "shop://order/1"}})));
    EXPECT_TRUE(std::holds_alternative<StartCall>(
        route_again(catalog, latest_session_revision, "prompts/get", {{"name", "greet"}, {"arguments", {{"who", "x"}}}})));
    EXPECT_TRUE(std::holds_alternative<Refuse>(route_again(catalog, latest_session_revision, "tools/list", Json::object())));
}

TEST_F(Router, lists_are_what_the_catalog_says) {
    EXPECT_EQ(answer_of(ask("tools/list"))["tools"][0]["name"], "pay");
    EXPECT_EQ(answer_of(ask("prompts/list"))["prompts"][0]["name"], "greet");
    EXPECT_EQ(answer_of(ask("resources/list"))["resources"].size(), 1u);
    EXPECT_EQ(answer_of(ask("resources/templates/list"))["resourceTemplates"][0]["uriTemplate"], "shop://order/{id}");
    EXPECT_EQ(answer_of(ask("ping")), Json::object());
    EXPECT_EQ(std::get<SetLogLevel>(ask("logging/setLevel", {{"level", "warning"}})).level, LogLevel::warning);
}

}  // namespace
}  // namespace durable_mcp::mcp
