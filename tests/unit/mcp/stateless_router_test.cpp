// SPDX-License-Identifier: Apache-2.0
#include "mcp/router.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

namespace durable_mcp::mcp {
namespace {

using base::Json;

struct Target final : CallTarget {};

class StatelessRouter : public ::testing::Test {
protected:
    StatelessRouter() {
        facts.implementation = {{"name", "shop"}, {"version", "1.0"}};
        facts.instructions = "Be kind.";
        facts.list_ttl_ms = 5000;
        const auto target = std::make_shared<const Target>();
        const auto tool = [&target](const char* name, const char* support, Json schema) {
            return Item{name, {{"name", name}, {"inputSchema", std::move(schema)}, {"execution", {{"taskSupport", support}}}}, target};
        };
        const Json open{{"type", "object"}};
        const Json routed = Json::parse(R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}})");
        catalog = catalog.with(ItemKind::tool, tool("pay", "forbidden", open))
                      .with(ItemKind::tool, tool("may", "optional", open))
                      .with(ItemKind::tool, tool("must", "required", open))
                      .with(ItemKind::tool, tool("routed", "forbidden", routed))
                      .with(ItemKind::prompt, {"greet", {{"name", "greet"}, {"arguments", Json::array()}}, target})
                      .with(ItemKind::resource, {"shop://terms", {{"uri", "shop://terms"}, {"name", "terms"}}, target})
                      .with(ItemKind::completion, {completion_name(ItemKind::prompt, "greet", "who"), Json::object(), target});
    }

    Verdict ask(const std::string& method, const Json& params) {
        StatelessRequest request;
        request.request = {jsonrpc::Id{"1"}, method, params};
        request.meta = {{"progressToken", 3}};
        request.capabilities = capabilities;
        request.header = [this](std::string_view name) {
            const auto found = headers.find(std::string(name));
            return found == headers.end() ? std::string_view() : std::string_view(found->second);
        };
        return route_stateless(facts, catalog, std::move(request));
    }
    Json answer_of(const Verdict& verdict) {
        const auto* const answer = std::get_if<Answer>(&verdict);
        EXPECT_NE(answer, nullptr) << "verdict " << verdict.index();
        return answer == nullptr ? Json() : Json::parse(answer->result);
    }

    const Json with_tasks{{"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};
    ServerFacts facts;
    Catalog catalog{10};
    Json capabilities = Json::object();
    std::map<std::string, std::string> headers;
};

// protocol §1.1.1: status, code, a part of the message.
TEST_F(StatelessRouter, what_cannot_be_done_is_refused_with_status_and_code) {
    struct Row {
        const char* method;
        const char* params;
        bool declares_tasks;
        unsigned status;
        int code;
        const char* message;
    };
    const Row table[] = {
        {"initialize", "{}", true, 404, -32601, "Method not found: initialize"},
        {"ping", "{}", true, 404, -32601, "ping"},
        {"logging/setLevel", R"({"level":"info"})", true, 404, -32601, "logging/setLevel"},
        {"resources/subscribe", R"({"uri":"shop://terms"})", true, 404, -32601, "resources/subscribe"},
        {"resources/unsubscribe", R"({"uri":"shop://terms"})", true, 404, -32601, "resources/unsubscribe"},
        {"tasks/list", "{}", true, 404, -32601, "tasks/list"},
        {"tasks/result", R"({"taskId":"t"})", true, 404, -32601, "tasks/result"},
        {"unknown/method", "{}", true, 404, -32601, "unknown/method"},
        {"notifications/cancelled", "{}", true, 404, -32601, "notifications/cancelled"},
        {"tools/call", R"({"name":"nope"})", true, 200, -32602, "Unknown tool: nope"},
        {"tools/call", "{}", true, 200, -32602, "params.name"},
        {"tools/call", R"({"name":"pay","arguments":[]})", true, 200, -32602, "params.arguments"},
        {"tools/call", R"({"name":"pay","inputResponses":5})", true, 200, -32602, "params.inputResponses"},
        {"tools/call", R"({"name":"pay","requestState":5})", true, 200, -32602, "params.requestState"},
        {"tools/call", R"({"name":"must"})", false, 400, -32021, "io.modelcontextprotocol/tasks"},
        {"tools/call", R"({"name":"routed","arguments":{"region":"eu"}})", true, 400, -32020, "Mcp-Param-Region"},
        {"tools/list", R"({"cursor":5})", true, 200, -32602, "params.cursor"},
        {"tools/list", R"({"cursor":"x"})", true, 200, -32602, "Invalid cursor"},
        {"prompts/get", R"({"name":"nope"})", true, 200, -32602, "Unknown prompt"},
        {"resources/read", R"({"uri":"shop://none"})", true, 200, -32602, "Resource not found"},
        {"completion/complete", "{}", true, 200, -32602, "params.ref"},
        {"subscriptions/listen", "{}", true, 200, -32602, "params.notifications"},
        {"subscriptions/listen", R"({"notifications":[]})", true, 200, -32602, "params.notifications"},
        {"subscriptions/listen", R"({"notifications":{"toolsListChanged":1}})", true, 200, -32602, "toolsListChanged"},
        {"subscriptions/listen", R"({"notifications":{"resourceSubscriptions":"x"}})", true, 200, -32602, "resourceSubscriptions"},
        {"subscriptions/listen", R"({"notifications":{"resourceSubscriptions":[1]}})", true, 200, -32602, "resourceSubscriptions"},
        {"subscriptions/listen", R"({"notifications":{"taskIds":5}})", true, 200, -32602, "taskIds"},
        {"subscriptions/listen", R"({"notifications":{"taskIds":["t"]}})", false, 400, -32021, "taskIds"},
        {"tasks/get", R"({"taskId":"t"})", false, 400, -32021, "tasks/get"},
        {"tasks/get", "{}", false, 400, -32021, "tasks/get"},
        {"tasks/get", "{}", true, 200, -32602, "params.taskId"},
        {"tasks/update", R"({"taskId":"t"})", true, 200, -32602, "params.inputResponses"},
        {"tasks/update", R"({"taskId":"t","inputResponses":[]})", true, 200, -32602, "params.inputResponses"},
        {"tasks/cancel", R"({"taskId":5})", true, 200, -32602, "params.taskId"},
    };
    for (const Row& row : table) {
        capabilities = row.declares_tasks ? with_tasks : Json::object();
        const Verdict verdict = ask(row.method, Json::parse(row.params));
        const auto* const refusal = std::get_if<Refuse>(&verdict);
        ASSERT_NE(refusal, nullptr) << row.method << " " << row.params;
        EXPECT_EQ(refusal->status, row.status) << row.method << " " << row.params;
        EXPECT_EQ(refusal->error.code, row.code) << row.method << " " << row.params;
        EXPECT_NE(refusal->error.message.find(row.message), std::string::npos) << refusal->error.message;
        if (row.code == -32021) {
            EXPECT_EQ(refusal->error.data, Json::parse(R"({"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}})"));
        }
    }
}

TEST_F(StatelessRouter, a_stream_listens_to_so_many_names_and_no_more) {
    capabilities = with_tasks;
    for (const char* const member : {"resourceSubscriptions", "taskIds"}) {
        Json names = Json::array();
        for (int i = 0; i < 1'000; ++i) {
            names.push_back("shop://" + std::to_string(i));
        }
        EXPECT_TRUE(std::holds_alternative<Listen>(ask("subscriptions/listen", {{"notifications", {{member, names}}}}))) << member;
        names.push_back("shop://terms");
        const Verdict many = ask("subscriptions/listen", {{"notifications", {{member, names}}}});
        ASSERT_TRUE(std::holds_alternative<Refuse>(many)) << member;
        EXPECT_EQ(std::get<Refuse>(many).error.code, -32602) << member;
        EXPECT_NE(std::get<Refuse>(many).error.message.find("more than 1000"), std::string::npos) << member;
        const Json long_one = Json::array({std::string(8'193, 'x')});
        EXPECT_TRUE(std::holds_alternative<Refuse>(ask("subscriptions/listen", {{"notifications", {{member, long_one}}}}))) << member;
    }
}

TEST_F(StatelessRouter, a_resource_that_is_not_there_is_named_in_the_data) {
    const Verdict verdict = ask("resources/read", {{"uri", "shop://none"}});
    EXPECT_EQ(std::get<Refuse>(verdict).error.data, Json({{"uri", "shop://none"}}));
}

TEST_F(StatelessRouter, discover_says_who_we_are_and_what_we_speak) {
    EXPECT_EQ(answer_of(ask("server/discover", Json::object())), Json::parse(R"({"resultType":"complete","supportedVersions":["2026-07-28"],
        "capabilities":{"completions":{},"logging":{},"prompts":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true},
                        "tools":{"listChanged":true},"extensions":{"io.modelcontextprotocol/tasks":{}}},
        "instructions":"Be kind.","ttlMs":5000,"cacheScope":"private",
        "_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"1.0"}}})"));
}

TEST_F(StatelessRouter, lists_say_how_long_they_may_be_kept) {
    for (const auto& [method, member] : {std::pair{"tools/list", "tools"},
                                         {"prompts/list", "prompts"},
                                         {"resources/list", "resources"},
                                         {"resources/templates/list", "resourceTemplates"}}) {
        const Json page = answer_of(ask(method, Json::object()));
        EXPECT_TRUE(page.at(member).is_array()) << method;
        EXPECT_EQ(page.at("resultType"), "complete") << method;
        EXPECT_EQ(page.at("ttlMs"), 5000) << method;
        EXPECT_EQ(page.at("cacheScope"), "private") << method;
        EXPECT_EQ(page.at("_meta").at("io.modelcontextprotocol/serverInfo"), facts.implementation) << method;
    }
    EXPECT_FALSE(answer_of(ask("tools/list", Json::object())).at("tools").at(0).contains("execution"));
}

TEST_F(StatelessRouter, a_call_says_what_it_may_become_and_what_it_comes_back_with) {
    struct Row {
        const char* tool;
        bool declares_tasks;
        bool may, must;
    };
    for (const Row& row : {Row{"pay", true, false, false}, Row{"may", true, true, false},
                           Row{"may", false, false, false}, Row{"must", true, true, true}}) {
        capabilities = row.declares_tasks ? with_tasks : Json::object();
        const Verdict verdict = ask("tools/call", {{"name", row.tool}, {"task", {{"ttl", 1}}}});
        ASSERT_TRUE(std::holds_alternative<StartCall>(verdict)) << row.tool;
        const auto& call = std::get<StartCall>(verdict);
        EXPECT_EQ(call.may_become_task, row.may) << row.tool;
        EXPECT_EQ(call.must_be_task, row.must) << row.tool;
        EXPECT_FALSE(call.augmentation.has_value()) << "params.task means nothing in this era";
        EXPECT_EQ(call.progress_token, Json(3));
        EXPECT_TRUE(call.input_responses.is_null());
        EXPECT_FALSE(call.request_state.has_value());
    }
    for (const auto& [method, params] : {std::pair<const char*, Json>{"tools/call", {{"name", "pay"}}},
                                         {"prompts/get", {{"name", "greet"}}},
                                         {"resources/read", {{"uri", "shop://terms"}}}}) {
        Json again = params;
        again["inputResponses"] = {{"q", {{"action", "accept"}}}};
        again["requestState"] = "sealed";
        const auto call = std::get<StartCall>(ask(method, again));
        EXPECT_EQ(call.input_responses, again["inputResponses"]) << method;
        EXPECT_EQ(call.request_state, "sealed") << method;
    }
}

// B44
TEST_F(StatelessRouter, B44_the_header_is_the_last_place_to_look_for_an_idempotency_key) {
    headers["Idempotency-Key"] = "h";
    EXPECT_EQ(std::get<StartCall>(ask("tools/call", {{"name", "pay"}})).idempotency_key, "h");
    EXPECT_EQ(std::get<StartCall>(ask("tools/call", {{"name", "pay"}, {"idempotencyKey", "p"}})).idempotency_key, "p");
    EXPECT_FALSE(std::get<StartCall>(ask("prompts/get", {{"name", "greet"}})).idempotency_key.has_value());
    headers["Idempotency-Key"] = std::string(1025, 'x');
    EXPECT_EQ(std::get<Refuse>(ask("tools/call", {{"name", "pay"}})).error.code, -32602);
}

TEST_F(StatelessRouter, an_annotated_argument_is_repeated_by_its_header) {
    headers["Mcp-Param-Region"] = "eu";
    EXPECT_TRUE(std::holds_alternative<StartCall>(ask("tools/call", {{"name", "routed"}, {"arguments", {{"region", "eu"}}}})));
    EXPECT_TRUE(std::holds_alternative<Refuse>(ask("tools/call", {{"name", "routed"}, {"arguments", {{"region", "us"}}}})));
    EXPECT_TRUE(std::holds_alternative<StartCall>(ask("tools/call", {{"name", "pay"}, {"arguments", {{"region", "us"}}}})));
}

TEST_F(StatelessRouter, a_completion_without_a_completer_is_a_complete_result) {
    const Json asked{{"ref", {{"type", "ref/prompt"}, {"name", "greet"}}}, {"argument", {{"name", "how"}, {"value", ""}}}};
    const Json result = answer_of(ask("completion/complete", asked));
    EXPECT_EQ(result.at("completion"), Json::parse(R"({"values":[],"total":0,"hasMore":false})"));
    EXPECT_EQ(result.at("resultType"), "complete");
}

TEST_F(StatelessRouter, a_listener_hears_what_it_asked_for_of_what_there_is) {
    capabilities = with_tasks;
    const auto all = std::get<Listen>(ask("subscriptions/listen", {{"notifications",
                                                                    {{"toolsListChanged", true},
                                                                     {"promptsListChanged", false},
                                                                     {"resourcesListChanged", true},
                                                                     {"resourceSubscriptions", {"shop://terms", "shop://none", "shop://terms"}},
                                                                     {"taskIds", {"t", "t"}},
                                                                     {"never_heard_of", 5}}}}));
    EXPECT_TRUE(all.filter.tools);
    EXPECT_FALSE(all.filter.prompts);
    EXPECT_TRUE(all.filter.resources);
    EXPECT_EQ(all.filter.resource_uris, std::vector<std::string>{"shop://terms"});
    EXPECT_EQ(all.filter.task_ids, std::vector<std::string>{"t"});
    const auto none = std::get<Listen>(ask("subscriptions/listen", {{"notifications", Json::object()}}));
    EXPECT_FALSE(none.filter.tools || none.filter.prompts || none.filter.resources);
}

TEST_F(StatelessRouter, questions_about_tasks_are_for_the_runtime) {
    capabilities = with_tasks;
    const Json answers{{"q", {{"action", "accept"}}}};
    const auto update = std::get<AskTask>(ask("tasks/update", {{"taskId", "t"}, {"inputResponses", answers}}));
    EXPECT_EQ(update.verb, AskTask::Verb::update);
    EXPECT_EQ(update.task, "t");
    EXPECT_EQ(update.input_responses, answers);
    EXPECT_EQ(std::get<AskTask>(ask("tasks/get", {{"taskId", "t"}})).verb, AskTask::Verb::get);
    EXPECT_EQ(std::get<AskTask>(ask("tasks/cancel", {{"taskId", "t"}})).verb, AskTask::Verb::cancel);
}

}  // namespace
}  // namespace durable_mcp::mcp
