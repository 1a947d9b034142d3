// SPDX-License-Identifier: Apache-2.0
// What a tool says of tasks, keys and waiting; and what a resource says of itself.
#include <gtest/gtest.h>

#include <chrono>

#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using base::Json;
using namespace std::chrono_literals;

struct Handles : Registered {
    [[nodiscard]] const runtime::HandlerTarget& target(const char* tool) const {
        return dynamic_cast<const runtime::HandlerTarget&>(*item(mcp::ItemKind::tool, tool)->target);
    }
    std::string refused(const ToolOptions& options) {
        return complaint([&] {
            mcp.replace_tool("t", "", {"id", arg("note").by_default("")}, [](std::string id, std::string) { return id; }, options);
        });
    }
};

TEST_F(Handles, tell_the_list_and_the_runtime_of_tasks) {
    mcp.tool("slow", "", [] { return 1; }, {.task = Tasks::allowed, .task_ttl = 60s, .poll_interval = 5s, .inline_wait = 0s});
    EXPECT_EQ(descriptor(mcp::ItemKind::tool, "slow")["execution"], Json::parse(R"({"taskSupport":"optional"})"));
    EXPECT_EQ(target("slow").task_ttl, 60s);
    EXPECT_EQ(target("slow").poll_interval, 5s);
    EXPECT_EQ(target("slow").inline_wait, 0s);
    mcp.tool("slower", "", json_schema(R"({"type":"object"})"), [](Json) { return 1; }, {.task = Tasks::required});
    EXPECT_EQ(descriptor(mcp::ItemKind::tool, "slower")["execution"]["taskSupport"], "required");
    mcp.tool("plain", "", [] { return 1; });
    EXPECT_FALSE(descriptor(mcp::ItemKind::tool, "plain").contains("execution"));
    EXPECT_FALSE(target("plain").task_ttl || target("plain").inline_wait || target("plain").poll_interval);
}

TEST_F(Handles, a_key_is_a_required_string_or_integer) {
    EXPECT_EQ(refused({.idempotency_argument = "id", .idempotency_keys = true}), "no complaint");
    EXPECT_EQ(target("t").idempotency_argument, "id");
    EXPECT_TRUE(target("t").takes_idempotency_keys);
    EXPECT_NE(refused({.idempotency_argument = "note"}).find("\"note\""), std::string::npos);
    EXPECT_NE(refused({.idempotency_argument = "nothing"}).find("\"nothing\""), std::string::npos);
    EXPECT_NE(complaint([&] { mcp.tool("b", "", {"id"}, [](bool) { return 1; }, {.idempotency_argument = "id"}); }), "no complaint");
    EXPECT_EQ(complaint([&] { mcp.tool("i", "", {"id"}, [](int) { return 1; }, {.idempotency_argument = "id"}); }), "no complaint");
}

TEST_F(Handles, nothing_durable_can_be_promised_for_a_tool_of_which_nothing_is_written) {
    EXPECT_NE(refused({.durability = Durability::none, .task = Tasks::allowed}), "no complaint");
    EXPECT_NE(refused({.durability = Durability::none, .idempotency_argument = "id"}), "no complaint");
    EXPECT_NE(refused({.durability = Durability::none, .idempotency_keys = true}), "no complaint");
    EXPECT_NE(refused({.task_ttl = 1s}), "no complaint");
    EXPECT_NE(refused({.task = Tasks::allowed, .task_ttl = 0s}), "no complaint");
    EXPECT_NE(refused({.task = Tasks::allowed, .poll_interval = -1s}), "no complaint");
    EXPECT_NE(refused({.inline_wait = -1s}), "no complaint");
}

TEST_F(Handles, every_value_but_text_is_structured_content) {
    mcp.tool("number", "", [] { return 5; });
    mcp.tool("list", "", [] { return std::vector<int>{1, 2}; });
    mcp.tool("json", "", [] { return Json("text in JSON"); });
    mcp.tool("text", "", [] { return "plain"; });
    mcp.tool("result", "", [] { return ToolResult::text("five").set_structured(5); });
    EXPECT_EQ(call("number"), Json::parse(R"({"content":[{"type":"text","text":"5"}],"structuredContent":5})"));
    EXPECT_EQ(call("list")["structuredContent"], Json::parse("[1,2]"));
    EXPECT_EQ(call("json")["structuredContent"], "text in JSON");
    EXPECT_FALSE(call("text").contains("structuredContent"));
    EXPECT_EQ(call("result"), Json::parse(R"({"content":[{"type":"text","text":"five"}],"structuredContent":5})"));
}

TEST_F(Handles, a_resource_says_whom_it_is_for) {
    const ResourceOptions options{
        .annotations = {.audience = {Role::user, Role::assistant}, .priority = 0.5, .last_modified = "2026-07-28T12:00:00Z"}};
    mcp.resource("note://1", "note", [] { return "x"; }, options);
    mcp.resource_template("note://{id}", "note", {"id"}, [](std::string id) { return id; }, options);
    const Json said = Json::parse(R"({"audience":["user","assistant"],"priority":0.5,"lastModified":"2026-07-28T12:00:00Z"})");
    EXPECT_EQ(descriptor(mcp::ItemKind::resource, "note://1")["annotations"], said);
    EXPECT_EQ(descriptor(mcp::ItemKind::resource_template, "note://{id}")["annotations"], said);
    mcp.resource("note://2", "note", [] { return "x"; });
    EXPECT_FALSE(descriptor(mcp::ItemKind::resource, "note://2").contains("annotations"));
    EXPECT_NE(complaint([&] { mcp.resource("note://3", "n", [] { return "x"; }, {.annotations = {.priority = 2}}); }), "no complaint");
}

}  // namespace
}  // namespace durable_mcp::api
