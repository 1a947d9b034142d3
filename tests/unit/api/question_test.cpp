// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "durable_mcp/typed.hpp"
#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using base::Json;
using namespace std::chrono_literals;

enum class Size { small, large };

struct Order {
    std::string name;
    Size size = Size::small;
    std::optional<std::int64_t> count;
};

struct Line {
    std::string what;
};

struct Nested {
    std::vector<Line> lines;
};

struct Questions : testing::Test {
    FakePort port;
    DurableContext context{port};

    [[nodiscard]] Json params(std::size_t index = 0) const { return Json::parse(port.asked.at(index).params); }
    [[nodiscard]] Json needs(std::size_t index = 0) const { return Json::parse(port.asked.at(index).needs); }

    /// The QuestionRefused that `action` throws, as "alias code sentence".
    template <class Action>
    static std::string refusal(Action&& action) {
        try {
            action();
        } catch (const QuestionRefused& error) {
            return error.alias() + " " + std::to_string(error.code()) + " " + error.what();
        }
        return "no refusal";
    }
};

TEST_F(Questions, a_struct_is_a_form_and_its_answer) {
    port.answers["order"] = R"({"action":"accept","content":{"name":"Ann","size":"large"}})";
    const Elicited<Order> order = context.elicit<Order>("order", "What may it be?", {.deadline = 90s});

    ASSERT_TRUE(order.accepted());
    EXPECT_EQ(order.value().name, "Ann");
    EXPECT_EQ(order.value().size, Size::large);
    EXPECT_FALSE(order.value().count);
    EXPECT_EQ(port.asked[0].alias, "order");
    EXPECT_EQ(port.asked[0].method, "elicitation/create");
    EXPECT_EQ(port.asked[0].deadline, 90s);
    EXPECT_EQ(needs(), Json::parse(R"({"elicitation":{"form":{}}})"));
    EXPECT_EQ(params()["message"], "What may it be?");
    EXPECT_EQ(params()["mode"], "form");
    const Json form = params()["requestedSchema"];
    EXPECT_EQ(form["type"], "object");
    EXPECT_EQ(form["properties"]["size"]["enum"], Json::parse(R"(["small","large"])"));
    EXPECT_EQ(form["properties"]["count"]["type"], "integer");
    EXPECT_FALSE(form.contains("additionalProperties"));
    EXPECT_EQ(std::count(form["required"].begin(), form["required"].end(), "count"), 0);
    EXPECT_EQ(std::count(form["required"].begin(), form["required"].end(), "name"), 1);
}

TEST_F(Questions, what_was_declined_or_closed_has_no_value_and_says_so_to_the_client) {
    port.answers["no"] = R"({"action":"decline"})";
    port.answers["gone"] = R"({"action":"cancel"})";
    const auto declined = context.elicit<Order>("no", "?");
    EXPECT_EQ(declined.action, Action::decline);
    EXPECT_FALSE(declined.accepted());
    EXPECT_FALSE(declined.content);
    EXPECT_THROW(static_cast<void>(declined.value()), ToolError);
    EXPECT_EQ(context.elicit<Order>("gone", "?").action, Action::cancel);
}

TEST_F(Questions, an_answer_that_does_not_fit_its_form_is_refused_by_name) {
    port.answers["order"] = R"({"action":"accept","content":{"name":"Ann","size":"huge"}})";
    const std::string enumerator = refusal([&] { context.elicit<Order>("order", "?"); });
    EXPECT_TRUE(enumerator.starts_with("order -32602 ")) << enumerator;
    EXPECT_NE(enumerator.find("content.size: "), std::string::npos) << enumerator;

    for (const char* answer : {R"({"action":"accept","content":{"size":"large"}})", R"({"action":"accept","content":[1]})", R"({"action":"perhaps"})",
                               R"({"content":{"name":"Ann"}})", R"([])", R"({"action":1})"}) {
        port.answers["order"] = answer;
        EXPECT_NE(refusal([&] { context.elicit<Order>("order", "?"); }), "no refusal") << answer;
    }
}

TEST_F(Questions, a_form_made_by_hand_is_answered_with_json_and_checked_as_well) {
    const Form form = Form().integer("age", {.minimum = 0}).titled_choices("tags", {{"a", "Apple"}, {"b", "Bread"}}, {.required = false});
    port.answers["f"] = R"({"action":"accept","content":{"age":3,"tags":["b"]}})";
    EXPECT_EQ(context.elicit("f", "?", form).value()["tags"][0], "b");
    EXPECT_EQ(params()["requestedSchema"], Json::parse(form.schema().text()));
    for (const char* content : {R"({"age":-1})", R"({"age":"3"})", R"({"age":3,"tags":["c"]})", R"({"tags":[]})"}) {
        port.answers["f"] = std::string(R"({"action":"accept","content":)") + content + "}";
        EXPECT_NE(refusal([&] { context.elicit("f", "?", form); }), "no refusal") << content;
    }
}

TEST_F(Questions, a_schema_that_is_not_flat_is_refused_before_anything_is_asked) {
    const std::string nested = complaint([&] { context.elicit<Nested>("deep", "?"); });
    EXPECT_NE(nested.find("question \"deep\""), std::string::npos) << nested;
    EXPECT_NE(nested.find("\"lines\""), std::string::npos) << nested;
    for (const char* schema : {R"({"type":"string"})", R"({"type":"object"})", R"({"type":"object","properties":{"a":{"type":"object"}}})",
                               R"({"type":"object","properties":{"a":{"type":"string","pattern":"x"}}})",
                               R"({"type":"object","properties":{"a":{"type":"string","format":"uuid"}}})",
                               R"({"type":"object","properties":{},"oneOf":[]})"}) {
        EXPECT_NE(complaint([&] { context.elicit("deep", "?", json_schema(schema)); }), "no complaint") << schema;
    }
    EXPECT_NE(complaint([&] { context.elicit<Order>("soon", "?", {.deadline = 0s}); }), "no complaint");
    EXPECT_TRUE(port.asked.empty());
}

TEST_F(Questions, a_url_is_asked_for_with_its_own_capability) {
    port.answers["pay"] = R"({"action":"accept"})";
    EXPECT_TRUE(context.elicit_url("pay", "Pay here.", "https://pay.example/17").accepted());
    EXPECT_EQ(params(), Json::parse(R"({"mode":"url","message":"Pay here.","url":"https://pay.example/17"})"));
    EXPECT_EQ(needs(), Json::parse(R"({"elicitation":{"url":{}}})"));
    for (const char* url : {"pay.example", "javascript:alert(1)", "https://", "https:///x", "https://a b"}) {
        EXPECT_NE(complaint([&] { context.elicit_url("pay", "?", url); }), "no complaint") << url;
    }
}

TEST_F(Questions, the_model_is_asked_with_everything_that_was_said) {
    port.answers["sum"] = R"({"role":"assistant","content":{"type":"text","text":"short"},"model":"m-1","stopReason":"endTurn"})";
    const Sampled said = context.sample("sum", SamplingRequest(200)
                                                   .user("Sum this up")
                                                   .assistant("What?")
                                                   .system_prompt("terse")
                                                   .temperature(0.5)
                                                   .stop_sequences({"."})
                                                   .hint("haiku")
                                                   .cost_priority(1)
                                                   .metadata({{"k", 1}}));
    EXPECT_EQ(said.text(), "short");
    EXPECT_EQ(said.role(), Role::assistant);
    EXPECT_EQ(said.model(), "m-1");
    EXPECT_EQ(said.stop_reason(), "endTurn");
    EXPECT_EQ(said.content().size(), 1U);
    EXPECT_EQ(params(), Json::parse(R"({"messages":[{"role":"user","content":{"type":"text","text":"Sum this up"}},
        {"role":"assistant","content":{"type":"text","text":"What?"}}],"maxTokens":200,"systemPrompt":"terse","temperature":0.5,"stopSequences":["."],
        "modelPreferences":{"hints":[{"name":"haiku"}],"costPriority":1.0},"metadata":{"k":1}})"));
    EXPECT_EQ(needs(), Json::parse(R"({"sampling":{}})"));
}

TEST_F(Questions, tools_and_context_need_more_of_the_client) {
    port.answers["s"] = R"({"role":"assistant","content":[{"type":"text","text":"a"},{"type":"tool_use"},{"type":"text","text":"b"}],"model":"m"})";
    EXPECT_EQ(context.sample("s", SamplingRequest(1).user("x").tools(Json::array()).include_context("thisServer")).text(), "ab");
    EXPECT_EQ(needs(), Json::parse(R"({"sampling":{"tools":{},"context":{}}})"));
    EXPECT_NE(complaint([] { SamplingRequest(0); }), "no complaint");
    EXPECT_NE(complaint([] { SamplingRequest(1).speed_priority(1.5); }), "no complaint");
    EXPECT_NE(complaint([] { SamplingRequest(1).tools(Json::object()); }), "no complaint");
    EXPECT_NE(complaint([] { SamplingRequest(1).include_context("all"); }), "no complaint");
    EXPECT_NE(complaint([&] { context.sample("s", SamplingRequest(1)); }), "no complaint");
    port.answers["s"] = R"({"role":"assistant","model":"m"})";
    EXPECT_NE(refusal([&] { context.sample("s", SamplingRequest(1).user("x")); }), "no refusal");
}

TEST_F(Questions, roots_are_read_with_or_without_a_name) {
    port.answers["r"] = R"({"roots":[{"uri":"file:///a","name":"A"},{"uri":"file:///b"}]})";
    const std::vector<Root> found = context.list_roots("r");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "A");
    EXPECT_EQ(found[1].uri, "file:///b");
    EXPECT_EQ(found[1].name, "");
    EXPECT_EQ(port.asked[0].method, "roots/list");
    EXPECT_EQ(needs(), Json::parse(R"({"roots":{}})"));
    port.answers["r"] = R"({"roots":[{}]})";
    EXPECT_NE(refusal([&] { context.list_roots("r"); }), "no refusal");
}

TEST_F(Questions, several_are_put_in_one_go_and_answered_in_their_order) {
    port.answers = {{"order", R"({"action":"accept","content":{"name":"Ann","size":"small"}})"},
                    {"sum", R"({"role":"assistant","content":{"type":"text","text":"short"},"model":"m"})"},
                    {"r", R"({"roots":[]})"}};
    const auto [order, sum, folders] = context.ask(elicitation<Order>("order", "?"), sampling("sum", SamplingRequest(1).user("x")), roots("r"));
    EXPECT_EQ(order.value().name, "Ann");
    EXPECT_EQ(sum.text(), "short");
    EXPECT_TRUE(folders.empty());
    EXPECT_EQ(port.said, std::vector<std::string>{"ask order sum r"});
}

TEST_F(Questions, a_client_says_what_it_can_be_asked) {
    const auto client = [&](const char* capabilities) {
        port.client = std::string(R"({"name":"c","version":"1","revision":"2026-07-28","capabilities":)") + capabilities + "}";
        return context.client();
    };
    const Client none = client("{}");
    EXPECT_EQ(none.name(), "c");
    EXPECT_EQ(none.version(), "1");
    EXPECT_EQ(none.revision(), "2026-07-28");
    EXPECT_FALSE(none.has_elicitation() || none.has_url_elicitation() || none.has_sampling() || none.has_sampling_tools() || none.has_roots());
    EXPECT_TRUE(client(R"({"elicitation":{}})").has_elicitation());
    EXPECT_FALSE(client(R"({"elicitation":{"url":{}}})").has_elicitation());
    EXPECT_TRUE(client(R"({"elicitation":{"url":{}}})").has_url_elicitation());
    EXPECT_TRUE(client(R"({"elicitation":{"form":{},"url":{}}})").has_elicitation());
    EXPECT_TRUE(client(R"({"sampling":{"tools":{}}})").has_sampling_tools());
    EXPECT_FALSE(client(R"({"sampling":{}})").has_sampling_tools());
    EXPECT_TRUE(client(R"({"roots":{"listChanged":true}})").has_roots());
}

TEST_F(Questions, the_call_becomes_a_task_and_tells_of_changed_resources_through_its_port) {
    EXPECT_TRUE(context.become_task());
    context.send_resource_updated("note://1");
    EXPECT_EQ(port.said, std::vector<std::string>{"updated note://1"});
}

}  // namespace
}  // namespace durable_mcp::api
