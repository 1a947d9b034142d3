// SPDX-License-Identifier: Apache-2.0
#include "mcp/question.hpp"

#include <gtest/gtest.h>

#include <string>

namespace durable_mcp::mcp {
namespace {

using base::Json;

TEST(question, a_capability_is_declared_with_all_that_is_needed_of_it) {
    struct Row {
        const char* declared;
        const char* needed;
        bool has;
    };
    const Row table[] = {
        {"{}", "{}", true},
        {"{}", R"({"sampling":{}})", false},
        {R"({"sampling":{}})", R"({"sampling":{}})", true},
        {R"({"sampling":{}})", R"({"sampling":{"tools":{}}})", false},
        {R"({"sampling":{"tools":{}}})", R"({"sampling":{"tools":{}}})", true},
        {R"({"elicitation":{}})", R"({"elicitation":{"form":{}}})", true},
        {R"({"elicitation":{}})", R"({"elicitation":{"url":{}}})", false},
        {R"({"elicitation":{"url":{}}})", R"({"elicitation":{"form":{}}})", false},
        {R"({"elicitation":{"url":{}}})", R"({"elicitation":{}})", false},
        {R"({"elicitation":{"form":{},"url":{}}})", R"({"elicitation":{}})", true},
        {R"({"elicitation":{"form":{},"url":{}}})", R"({"elicitation":{"url":{}}})", true},
        {R"({"elicitation":true})", R"({"elicitation":{}})", false},
        {R"({"roots":{"listChanged":true}})", R"({"roots":{}})", true},
        {R"({"extensions":{"a/b":{"x":1}}})", R"({"extensions":{"a/b":{}}})", true},
        {R"({"extensions":{"a/c":{}}})", R"({"extensions":{"a/b":{}}})", false},
        {"5", R"({"roots":{}})", false},
    };
    for (const Row& row : table) {
        EXPECT_EQ(has_capability(Json::parse(row.declared), Json::parse(row.needed)), row.has) << row.declared << " " << row.needed;
    }
}

TEST(question, a_client_can_be_asked_only_what_its_revision_has_words_for) {
    const Json all{{"elicitation", {{"form", Json::object()}, {"url", Json::object()}}}, {"sampling", Json::object()}, {"roots", Json::object()}};
    const Json form{{"elicitation", {{"form", Json::object()}}}}, url{{"elicitation", {{"url", Json::object()}}}};
    EXPECT_FALSE(has_capability(known_capabilities(Revision::r2025_03_26, all), form));
    EXPECT_TRUE(has_capability(known_capabilities(Revision::r2025_06_18, all), form));
    EXPECT_FALSE(has_capability(known_capabilities(Revision::r2025_06_18, all), url));
    EXPECT_TRUE(has_capability(known_capabilities(Revision::r2025_11_25, all), url));
    EXPECT_TRUE(has_capability(known_capabilities(Revision::r2024_11_05, all), {{"sampling", Json::object()}, {"roots", Json::object()}}));
    EXPECT_EQ(known_capabilities(Revision::r2026_07_28, all), all);
    EXPECT_EQ(known_capabilities(Revision::r2024_11_05, nullptr), nullptr);
}

TEST(question, what_an_older_revision_cannot_say_is_found_before_it_is_put) {
    const Json several = Json::parse(R"({"mode":"form","message":"?","requestedSchema":{"type":"object","properties":{"n":{"type":"integer"},
        "toppings":{"type":"array","items":{"type":"string","enum":["a","b"]}}}}})");
    Json one = several;
    one["requestedSchema"]["properties"].erase("toppings");
    const auto found = find_unsayable(Revision::r2025_06_18, "elicitation/create", several);
    EXPECT_EQ(found, "'toppings', a choice of several values, which came with 2025-11-25");
    EXPECT_FALSE(find_unsayable(Revision::r2025_11_25, "elicitation/create", several).has_value());
    EXPECT_FALSE(find_unsayable(Revision::r2026_07_28, "elicitation/create", several).has_value());
    EXPECT_FALSE(find_unsayable(Revision::r2025_06_18, "elicitation/create", one).has_value());
    EXPECT_FALSE(find_unsayable(Revision::r2025_06_18, "roots/list", nullptr).has_value());
    const Json tools{{"sampling", {{"tools", Json::object()}}}};
    EXPECT_FALSE(has_capability(known_capabilities(Revision::r2025_06_18, tools), tools)) << "they would be left out in silence";
    EXPECT_TRUE(has_capability(known_capabilities(Revision::r2025_06_18, tools), {{"sampling", Json::object()}}));
    EXPECT_TRUE(has_capability(known_capabilities(Revision::r2025_11_25, tools), tools));
}

TEST(question, titled_choices_are_enum_and_enumNames_in_the_revision_that_has_no_others) {
    const Json form = Json::parse(R"({"mode":"form","message":"?","requestedSchema":{"type":"object","properties":{
        "size":{"type":"string","oneOf":[{"const":"s","title":"Small"},{"const":"l"}]},"n":{"type":"integer"}}}})");
    EXPECT_EQ(project_question_params(Revision::r2025_06_18, "elicitation/create", form),
              Json::parse(R"({"message":"?","requestedSchema":{"type":"object","properties":{
                  "size":{"type":"string","enum":["s","l"],"enumNames":["Small","l"]},"n":{"type":"integer"}}}})"));
    EXPECT_EQ(project_question_params(Revision::r2025_11_25, "elicitation/create", form), form);
    EXPECT_EQ(project_question_params(Revision::r2026_07_28, "elicitation/create", form), form);
}

TEST(question, a_sampling_message_of_several_blocks_becomes_several_messages) {
    const Json asked = Json::parse(R"({"maxTokens":5,"tools":[],"toolChoice":{},"messages":[{"role":"user","content":[{"type":"text","text":"a"},
        {"type":"text","text":"b"}]},{"role":"assistant","content":{"type":"text","text":"c"}}]})");
    EXPECT_EQ(project_question_params(Revision::r2025_06_18, "sampling/createMessage", asked),
              Json::parse(R"({"maxTokens":5,"messages":[{"role":"user","content":{"type":"text","text":"a"}},
                  {"role":"user","content":{"type":"text","text":"b"}},{"role":"assistant","content":{"type":"text","text":"c"}}]})"));
    EXPECT_EQ(project_question_params(Revision::r2025_11_25, "sampling/createMessage", asked), asked);
}

TEST(question, a_request_to_the_client_carries_its_id_its_task_and_the_id_of_its_page) {
    const jsonrpc::Id id{"\"q/1\""};
    EXPECT_EQ(write_question(id, Revision::r2025_11_25, {"k", "roots/list", Json::object()}),
              R"({"jsonrpc":"2.0","id":"q/1","method":"roots/list"})");
    const Json about_task = Json::parse(write_question(id, Revision::r2025_11_25, {"k", "elicitation/create", {{"message", "?"}}}, "t"));
    EXPECT_EQ(about_task.at("params"), Json::parse(R"({"message":"?","_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"}}})"));
    const Question page{"k", "elicitation/create", {{"mode", "url"}, {"url", "https://x"}, {"message", "?"}}};
    EXPECT_EQ(Json::parse(write_question(id, Revision::r2025_11_25, page)).at("params").at("elicitationId"), "q/1");
    EXPECT_FALSE(project_question_params(Revision::r2026_07_28, page.method, {{"mode", "url"}, {"elicitationId", "x"}}).contains("elicitationId"));
}

TEST(question, input_required_holds_questions_by_their_keys_or_a_state_or_both) {
    const Question questions[] = {{"name", "elicitation/create", {{"message", "?"}}}, {"roots", "roots/list", nullptr}};
    EXPECT_EQ(input_required(questions, "s"), Json::parse(R"({"resultType":"input_required","requestState":"s","inputRequests":{
        "name":{"method":"elicitation/create","params":{"message":"?"}},"roots":{"method":"roots/list","params":{}}}})"));
    EXPECT_EQ(input_required({}, "s"), Json::parse(R"({"resultType":"input_required","requestState":"s"})"));
    EXPECT_FALSE(input_required(questions, std::nullopt).contains("requestState"));
}

// ── Answers ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(question, an_answer_has_the_shape_of_its_question) {
    struct Row {
        const char* method;
        const char* result;
        bool is_right;
    };
    const Row table[] = {
        {"elicitation/create", R"({"action":"accept"})", true},
        {"elicitation/create", R"({"action":"accept","content":{"x":"y"}})", true},
        {"elicitation/create", R"({"action":"accept","content":{"x":{}}})", false},
        {"elicitation/create", R"({"action":"accept","content":5})", false},
        {"elicitation/create", R"({"action":"decline"})", true},
        {"elicitation/create", R"({"action":"cancel","content":5})", true},
        {"elicitation/create", R"({"action":"maybe"})", false},
        {"elicitation/create", "{}", false},
        {"elicitation/create", "5", false},
        {"elicitation/create", "null", false},
        {"sampling/createMessage", R"({"role":"assistant","model":"m","content":{"type":"text","text":"t"},"stopReason":"endTurn"})", true},
        {"sampling/createMessage", R"({"role":"assistant","model":"m","content":[{"type":"text","text":"t"},{"type":"of_the_future"}]})", true},
        {"sampling/createMessage", R"({"role":"robot","model":"m","content":{"type":"text","text":"t"}})", false},
        {"sampling/createMessage", R"({"role":"assistant","content":{"type":"text","text":"t"}})", false},
        {"sampling/createMessage", R"({"role":"assistant","model":"m"})", false},
        {"sampling/createMessage", R"({"role":"assistant","model":"m","content":"t"})", false},
        {"sampling/createMessage", R"({"role":"assistant","model":"m","content":{"type":"text"}})", false},
        {"sampling/createMessage", R"({"role":"assistant","model":"m","content":[{"type":"image","data":""}]})", false},
        {"sampling/createMessage", R"({"role":"assistant","model":"m","content":{"type":"text","text":"t"},"stopReason":5})", false},
        {"roots/list", R"({"roots":[]})", true},
        {"roots/list", R"({"roots":[{"uri":"file:///a","name":"n"}]})", true},
        {"roots/list", R"({"roots":[{"uri":"https://a"}]})", false},
        {"roots/list", R"({"roots":[{"uri":"file:///a","name":5}]})", false},
        {"roots/list", R"({"roots":{}})", false},
        {"roots/list", "{}", false},
        {"tools/list", "{}", false},
    };
    for (const Row& row : table) {
        const auto fault = check_answer(row.method, Json::object(), Json::parse(row.result));
        EXPECT_EQ(!fault.has_value(), row.is_right) << row.method << " " << row.result << " " << fault.value_or("");
    }
    EXPECT_FALSE(check_answer("elicitation/create", {{"mode", "url"}}, {{"action", "accept"}, {"content", 5}}).has_value())
        << "what was entered elsewhere is not looked at";
}

TEST(question, a_form_is_filled_in_as_it_asks) {
    struct Row {
        const char* property;
        const char* value;
        bool is_right;
    };
    const Row table[] = {
        {R"({"type":"string"})", R"("x")", true},
        {R"({"type":"string"})", "5", false},
        {R"({"type":"string"})", "null", false},
        {R"({"type":"string","minLength":2})", R"("é")", false},
        {R"({"type":"string","maxLength":2})", R"("éé")", true},
        {R"({"type":"string","maxLength":2})", R"("abc")", false},
        {R"({"type":"string","enum":["a","b"]})", R"("b")", true},
        {R"({"type":"string","enum":["a","b"]})", R"("c")", false},
        {R"({"type":"string","oneOf":[{"const":"a","title":"A"}]})", R"("a")", true},
        {R"({"type":"string","oneOf":[{"const":"a","title":"A"}]})", R"("A")", false},
        {R"({"type":"string","format":"email"})", R"("a@b.example")", true},
        {R"({"type":"string","format":"email"})", R"("a.example")", false},
        {R"({"type":"string","format":"email"})", R"("@b")", false},
        {R"({"type":"string","format":"email"})", R"("a b@c")", false},
        {R"({"type":"string","format":"uri"})", R"("https://a/b?c#d")", true},
        {R"({"type":"string","format":"uri"})", R"("/relative")", false},
        {R"({"type":"string","format":"uri"})", R"("https://a b")", false},
        {R"({"type":"string","format":"date"})", R"("2024-02-29")", true},
        {R"({"type":"string","format":"date"})", R"("2026-02-29")", false},
        {R"({"type":"string","format":"date"})", R"("2026-13-01")", false},
        {R"({"type":"string","format":"date"})", R"("26-01-01")", false},
        {R"({"type":"string","format":"date-time"})", R"("2026-07-28T09:05:00Z")", true},
        {R"({"type":"string","format":"date-time"})", R"("2026-07-28T09:05:00.123+02:00")", true},
        {R"({"type":"string","format":"date-time"})", R"("2026-07-28T09:05:00")", false},
        {R"({"type":"string","format":"date-time"})", R"("2026-07-28T25:05:00Z")", false},
        {R"({"type":"string","format":"date-time"})", R"("2026-07-28T09:05:00.Z")", false},
        {R"({"type":"string","format":"of_the_future"})", R"("x")", true},
        {R"({"type":"integer"})", "5", true},
        {R"({"type":"integer"})", "5.0", true},
        {R"({"type":"integer"})", "5.5", false},
        {R"({"type":"integer"})", R"("5")", false},
        {R"({"type":"number","minimum":1,"maximum":2})", "1.5", true},
        {R"({"type":"number","minimum":1})", "0.5", false},
        {R"({"type":"number","maximum":2})", "3", false},
        {R"({"type":"boolean"})", "false", true},
        {R"({"type":"boolean"})", "0", false},
        {R"({"type":"array","items":{"type":"string","enum":["a","b"]}})", R"(["a","b"])", true},
        {R"({"type":"array","items":{"type":"string","enum":["a","b"]}})", R"(["c"])", false},
        {R"({"type":"array","items":{"anyOf":[{"const":"a","title":"A"}]}})", R"(["a"])", true},
        {R"({"type":"array","items":{"anyOf":[{"const":"a","title":"A"}]}})", R"(["A"])", false},
        {R"({"type":"array","minItems":1,"items":{"enum":["a"]}})", "[]", false},
        {R"({"type":"array","maxItems":1,"items":{"enum":["a","b"]}})", R"(["a","b"])", false},
        {R"({"type":"array","items":{"enum":["a"]}})", R"("a")", false},
        {R"({"type":"array","items":{"enum":["a"]}})", "[5]", false},
    };
    for (const Row& row : table) {
        const Json params{{"requestedSchema", {{"type", "object"}, {"properties", {{"it", Json::parse(row.property)}}}}}};
        const auto fault = check_answer("elicitation/create", params, {{"action", "accept"}, {"content", {{"it", Json::parse(row.value)}}}});
        EXPECT_EQ(!fault.has_value(), row.is_right) << row.property << " " << row.value << " " << fault.value_or("");
        if (fault) {
            EXPECT_NE(fault->find("content.it"), std::string::npos) << *fault;
        }
    }
    const Json required{{"requestedSchema", {{"type", "object"}, {"required", {"it"}}}}};
    EXPECT_EQ(check_answer("elicitation/create", required, {{"action", "accept"}}), "content.it is missing");
    EXPECT_FALSE(check_answer("elicitation/create", required, {{"action", "decline"}}).has_value());
}

}  // namespace
}  // namespace durable_mcp::mcp
