// SPDX-License-Identifier: Apache-2.0
#include "mcp/router.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
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
                      {"shop://order/{id}", {{"uriTemplate", "shop://order/{id}"}, {"name", "order"}}, target})
                .with(ItemKind::completion, {completion_name(ItemKind::prompt, "greet", "who"), Json::object(), target})
                .with(ItemKind::completion, {completion_name(ItemKind::resource_template, "shop://order/{id}", "id"), Json::object(), target});
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
    constexpr std::string_view names[] = {"answer", "refuse", "nothing", "begin", "initialized", "level", "cancel", "take", "call",
                                          "subscribe", "unsubscribe", "listen", "task"};
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
        {"resources/subscribe", R"({"uri":"shop://terms"})", "subscribe"},
        {"resources/unsubscribe", R"({"uri":"shop://gone"})", "unsubscribe"},
        {"completion/complete", R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"who","value":""}})", "call"},
        {"completion/complete", R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"how","value":""}})", "answer"},
        {"notifications/initialized", "", "unknown"},
        {"notifications/cancelled", R"({"requestId":1})", "unknown"},
        {"server/discover", "{}", "unknown"},
        {"subscriptions/listen", "{}", "unknown"},
        {"tasks/update", "{}", "unknown"},
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

TEST_F(Router, a_progress_token_is_as_short_as_an_id) {
    const auto call_with = [this](std::size_t size) {
        return ask("tools/call", {{"name", "pay"}, {"_meta", {{"progressToken", std::string(size, 'x')}}}});
    };
    EXPECT_TRUE(std::holds_alternative<StartCall>(call_with(1'024)));
    EXPECT_EQ(refusal_of(call_with(1'025)).code, -32602);
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
        Json offered = Json::parse(R"({"logging":{},"prompts":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true},
                                       "tools":{"listChanged":true}})");
        if (spoken != Revision::r2024_11_05) {
            offered["completions"] = Json::object();
        }
        EXPECT_EQ(result.at("capabilities"), offered);
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

// ── Subscriptions, completions, tasks of the session era ───────────────────────────────────────────────────────────────────

TEST_F(Router, one_subscribes_to_what_there_is) {
    EXPECT_EQ(std::get<Subscribe>(ask("resources/subscribe", {{"uri", "shop://order/7"}})).uri, "shop://order/7");
    EXPECT_EQ(std::get<Unsubscribe>(ask("resources/unsubscribe", {{"uri", "shop://gone"}})).uri, "shop://gone");
    EXPECT_EQ(refusal_of(ask("resources/subscribe", {{"uri", "shop://none"}})).code, -32002);
    for (const char* method : {"resources/subscribe", "resources/unsubscribe"}) {
        EXPECT_EQ(refusal_of(ask(method, Json::object())).code, -32602) << method;
        EXPECT_EQ(refusal_of(ask(method, {{"uri", std::string(9000, 'x')}})).code, -32602) << method;
    }
}

TEST_F(Router, a_completion_is_a_call_of_what_completes_that_argument) {
    const Json asked{{"ref", {{"type", "ref/prompt"}, {"name", "greet"}}},
                     {"argument", {{"name", "who"}, {"value", "Al"}}},
                     {"context", {{"arguments", {{"how", "kindly"}}}}}};
    for (const Revision revision : all) {
        session.revision = revision;
        const auto call = std::get<StartCall>(ask("completion/complete", asked));
        EXPECT_EQ(call.kind, ItemKind::completion);
        const Json context = revision >= Revision::r2025_06_18 ? Json{{"how", "kindly"}} : Json::object();
        EXPECT_EQ(call.arguments, Json({{"value", "Al"}, {"context", context}})) << traits(revision).date;
    }
    auto templated = ask("completion/complete", {{"ref", {{"type", "ref/resource"}, {"uri", "shop://order/{id}"}}},
                                                 {"argument", {{"name", "id"}, {"value", ""}}}});
    EXPECT_EQ(std::get<StartCall>(templated).name, completion_name(ItemKind::resource_template, "shop://order/{id}", "id"));
    EXPECT_EQ(answer_of(ask("completion/complete", {{"ref", {{"type", "ref/resource"}, {"uri", "shop://terms"}}},
                                                    {"argument", {{"name", "x"}, {"value", ""}}}})),
              Json::parse(R"({"completion":{"values":[],"total":0,"hasMore":false}})"));
    EXPECT_NE(completion_name(ItemKind::prompt, "a:b", "c"), completion_name(ItemKind::prompt, "a", "b:c"));
}

TEST_F(Router, a_completion_of_something_unknown_is_invalid_params) {
    const char* table[] = {
        "{}",
        R"({"ref":{"type":"ref/prompt","name":"nope"},"argument":{"name":"who","value":""}})",
        R"({"ref":{"type":"ref/resource","uri":"nope://"},"argument":{"name":"who","value":""}})",
        R"({"ref":{"type":"ref/tool","name":"pay"},"argument":{"name":"who","value":""}})",
        R"({"ref":{"type":"ref/prompt"},"argument":{"name":"who","value":""}})",
        R"({"ref":{"type":"ref/prompt","name":"greet"}})",
        R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"who"}})",
        R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"who","value":5}})",
        R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"who","value":""},"context":5})",
        R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"who","value":""},"context":{"arguments":{"how":5}}})",
    };
    for (const char* params : table) {
        EXPECT_EQ(refusal_of(ask("completion/complete", Json::parse(params))).code, -32602) << params;
    }
}

Item tool_with_support(const std::string& name, const char* support) {
    const Json descriptor{{"name", name}, {"inputSchema", {{"type", "object"}}}, {"execution", {{"taskSupport", support}}}};
    return {name, descriptor, std::make_shared<const Target>()};
}

// protocol §4.1, erratum E9
TEST_F(Router, who_may_ask_for_a_task_depends_on_revision_and_tool) {
    EXPECT_FALSE(std::get<StartCall>(ask("tools/call", {{"name", "pay"}, {"task", Json::object()}})).augmentation.has_value())
        << "no tool may be a task: the capability is not declared, and params.task means nothing";
    EXPECT_FALSE(capabilities(catalog, Revision::r2025_11_25).contains("tasks"));
    catalog = catalog.with(ItemKind::tool, tool_with_support("may", "optional")).with(ItemKind::tool, tool_with_support("must", "required"));

    struct Row {
        Revision revision;
        const char* tool;
        const char* task;  ///< params.task, or null
        int code;          ///< 0: it is called
        bool is_task;
    };
    const Row table[] = {
        {Revision::r2025_11_25, "pay", nullptr, 0, false},     {Revision::r2025_11_25, "pay", "{}", -32601, false},
        {Revision::r2025_11_25, "may", nullptr, 0, false},     {Revision::r2025_11_25, "may", "{}", 0, true},
        {Revision::r2025_11_25, "must", nullptr, -32601, false}, {Revision::r2025_11_25, "must", R"({"ttl":null})", 0, true},
        {Revision::r2025_11_25, "may", "5", -32602, false},    {Revision::r2025_11_25, "may", R"({"ttl":-1})", -32602, false},
        {Revision::r2025_11_25, "may", R"({"ttl":1.5})", -32602, false}, {Revision::r2025_11_25, "may", R"({"ttl":"1"})", -32602, false},
        {Revision::r2025_06_18, "pay", "{}", 0, false},        {Revision::r2025_06_18, "may", "{}", 0, false},
        {Revision::r2025_06_18, "must", "{}", -32601, false},
    };
    for (const Row& row : table) {
        session.revision = row.revision;
        Json params{{"name", row.tool}};
        if (row.task != nullptr) {
            params["task"] = Json::parse(row.task);
        }
        auto verdict = ask("tools/call", params);
        const std::string what = std::string(row.tool) + " " + (row.task == nullptr ? "" : row.task);
        if (row.code != 0) {
            EXPECT_EQ(refusal_of(std::move(verdict)).code, row.code) << what;
            continue;
        }
        ASSERT_TRUE(std::holds_alternative<StartCall>(verdict)) << what;
        const auto& call = std::get<StartCall>(verdict);
        EXPECT_EQ(call.augmentation.has_value(), row.is_task) << what;
        EXPECT_EQ(call.must_be_task, std::string_view(row.tool) == "must") << what;
        EXPECT_FALSE(call.may_become_task) << what;
    }
    session.revision = Revision::r2025_11_25;
    EXPECT_EQ(std::get<StartCall>(ask("tools/call", {{"name", "may"}, {"task", {{"ttl", 60'000}}}})).augmentation->ttl_ms, 60'000);
    EXPECT_EQ(capabilities(catalog, Revision::r2025_11_25).at("tasks"),
              Json::parse(R"({"list":{},"cancel":{},"requests":{"tools":{"call":{}}}})"));
    EXPECT_FALSE(capabilities(catalog, Revision::r2025_06_18).contains("tasks"));
    EXPECT_THROW((void)catalog.with(ItemKind::tool, tool_with_support("odd", "sometimes")), std::invalid_argument);
    // A call that was accepted is not refused because its tool has changed its mind since.
    const auto again = route_again(catalog.with(ItemKind::tool, tool_with_support("may", "forbidden")), Revision::r2025_11_25, "tools/call",
                                   {{"name", "may"}, {"task", Json::object()}});
    EXPECT_TRUE(std::holds_alternative<StartCall>(again));
}

TEST_F(Router, questions_about_tasks_are_for_the_runtime_in_the_revision_that_has_them) {
    struct Row {
        const char* method;
        const char* params;
        AskTask::Verb verb;
        const char* task;
        const char* cursor;
    };
    using Verb = AskTask::Verb;
    const Row table[] = {{"tasks/get", R"({"taskId":"t"})", Verb::get, "t", ""},
                         {"tasks/result", R"({"taskId":"t"})", Verb::result, "t", ""},
                         {"tasks/cancel", R"({"taskId":"t"})", Verb::cancel, "t", ""},
                         {"tasks/list", "{}", Verb::list, "", ""},
                         {"tasks/list", R"({"cursor":"c"})", Verb::list, "", "c"}};
    for (const Row& row : table) {
        session.revision = Revision::r2025_11_25;
        const auto asked = std::get<AskTask>(ask(row.method, Json::parse(row.params)));
        EXPECT_EQ(asked.verb, row.verb) << row.method;
        EXPECT_EQ(asked.task, row.task) << row.method;
        EXPECT_EQ(asked.cursor, row.cursor) << row.method;
        session.revision = Revision::r2025_06_18;
        EXPECT_EQ(refusal_of(ask(row.method, Json::parse(row.params))).code, -32601) << row.method;
    }
    session.revision = Revision::r2025_11_25;
    EXPECT_EQ(refusal_of(ask("tasks/get", Json::object())).code, -32602);
    EXPECT_EQ(refusal_of(ask("tasks/list", {{"cursor", 5}})).code, -32602);
}

// B44: params before `_meta`; the argument and the header are others' to read.
TEST_F(Router, B44_an_idempotency_key_is_read_from_params_and_then_from_meta) {
    const auto key = [this](Json params) {
        params["name"] = "pay";
        return std::get<StartCall>(ask("tools/call", params)).idempotency_key;
    };
    EXPECT_EQ(key({{"idempotencyKey", "p"}, {"_meta", {{"durable-mcp/idempotencyKey", "m"}}}}), "p");
    EXPECT_EQ(key({{"_meta", {{"durable-mcp/idempotencyKey", "m"}}}}), "m");
    EXPECT_EQ(key(Json::object()), std::nullopt);
    for (const Json& odd : {Json(5), Json(""), Json(nullptr), Json(std::string(1025, 'x'))}) {
        EXPECT_EQ(refusal_of(ask("tools/call", {{"name", "pay"}, {"idempotencyKey", odd}})).code, -32602) << odd.dump().substr(0, 20);
    }
}

}  // namespace
}  // namespace durable_mcp::mcp
