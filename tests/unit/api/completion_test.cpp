// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using base::Json;

struct Completions : Registered {
    [[nodiscard]] static std::string name(const char* prompt, const char* argument) {
        return mcp::completion_name(mcp::ItemKind::prompt, prompt, argument);
    }
    Json complete(const char* value, const Json& others = Json::object()) {
        return run(mcp::ItemKind::completion, name("travel", "city"), {{"value", value}, {"context", {{"arguments", others}}}})["completion"];
    }
    void offer_travel() {
        mcp.prompt("travel", "", {"country", "city"}, [](std::string, std::string) { return "go"; });
    }
};

TEST_F(Completions, get_what_is_typed_and_what_is_filled_in_already) {
    mcp.completion("travel", "city", [](const std::string& typed, const std::map<std::string, std::string>& others) {
        return std::vector<std::string>{typed + " in " + others.at("country")};
    });
    EXPECT_EQ(complete("P", {{"country", "France"}}), Json::parse(R"({"values":["P in France"],"hasMore":false})"));
    const auto found = item(mcp::ItemKind::completion, name("travel", "city"));
    EXPECT_EQ(dynamic_cast<const runtime::HandlerTarget&>(*found->target).durability, runtime::Durability::none);
    EXPECT_EQ(found->descriptor, Json::object());
}

TEST_F(Completions, a_hundred_values_are_sent_and_the_others_are_counted) {
    mcp.completion("travel", "city", [](std::string) { return std::vector<std::string>(130, "x"); });
    const Json said = complete("");
    EXPECT_EQ(said["values"].size(), 100U);
    EXPECT_EQ(said["total"], 130);
    EXPECT_EQ(said["hasMore"], true);
    mcp.replace_completion("travel", "city", [](std::string) { return CompletionResult{{"a"}, 7, true}; });
    EXPECT_EQ(complete(""), Json::parse(R"({"values":["a"],"total":7,"hasMore":true})"));
}

TEST_F(Completions, are_replaced_and_removed_and_go_with_their_prompt) {
    const auto none = [](std::string) { return std::vector<std::string>{}; };
    mcp.completion("travel", "city", none);
    EXPECT_NE(complaint([&] { mcp.completion("travel", "city", none); }), "no complaint");
    EXPECT_TRUE(mcp.remove_completion("travel", "city"));
    EXPECT_FALSE(mcp.remove_completion("travel", "city"));
    EXPECT_FALSE(item(mcp::ItemKind::completion, name("travel", "city")));

    offer_travel();
    mcp.completion("travel", "city", none);
    mcp.remove_prompt("travel");
    EXPECT_FALSE(item(mcp::ItemKind::completion, name("travel", "city")));
    EXPECT_NE(complaint([&] { mcp.completion("", "city", none); }), "no complaint");
}

TEST_F(Completions, may_come_before_their_prompt_but_not_start_without_it) {
    const auto none = [](std::string) { return std::vector<std::string>{}; };
    mcp.completion("travel", "city", none);
    EXPECT_NE(complaint([&] { mcp.start(); }).find("\"travel\""), std::string::npos);
    offer_travel();
    mcp.completion("travel", "planet", none);
    EXPECT_NE(complaint([&] { mcp.start(); }).find("\"planet\""), std::string::npos);
    mcp.remove_completion("travel", "planet");
    mcp.template_completion("note://{id}", "name", none);
    mcp.resource_template("note://{id}", "note", {"id"}, [](std::string id) { return id; });
    EXPECT_NE(complaint([&] { mcp.start(); }).find("\"name\""), std::string::npos);
    EXPECT_TRUE(mcp.remove_template_completion("note://{id}", "name"));
    mcp.template_completion("note://{id}", "id", none);
    DurableMCP other({.name = "test", .port = 0, .store = memory()});
    other.resource_template("note://{id}", "note", {"id"}, [](std::string id) { return id; });
    other.template_completion("note://{id}", "id", none);
    EXPECT_NO_THROW(other.start());
}

}  // namespace
}  // namespace durable_mcp::api
