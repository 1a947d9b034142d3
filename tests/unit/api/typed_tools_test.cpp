// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/typed.hpp"
#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using base::Json;
using typed_tools = Registered;
using mcp::ItemKind;

enum class Size { small, large };

struct Item {
    std::string name;
    field<std::int64_t, "how many", minimum<1>> count = 1;
};

struct Order {
    std::vector<Item> items;
    std::optional<std::string> note;
    Size size = Size::large;
};

struct Receipt {
    std::string id;
    std::optional<std::int64_t> cents;
    std::vector<Item> items;
};

TEST_F(typed_tools, a_struct_is_all_arguments_and_its_result_is_structured) {
    mcp.tool("order", "Orders.", [](DurableContext&, Order order) -> Receipt {
        return {order.note.value_or("none") + (order.size == Size::large ? " large" : " small"), std::nullopt, order.items};
    });
    EXPECT_EQ(descriptor(ItemKind::tool, "order"), Json::parse(R"({
        "name": "order",
        "description": "Orders.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"},
                                   "count": {"type": "integer", "minimum": 1, "description": "how many", "default": 1}},
                    "required": ["name"],
                    "additionalProperties": false}},
                "note": {"type": "string"},
                "size": {"type": "string", "enum": ["small", "large"], "default": "large"}
            },
            "required": ["items"],
            "additionalProperties": false
        },
        "outputSchema": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "cents": {"type": "integer"},
                "items": {"type": "array", "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"},
                                   "count": {"type": "integer", "minimum": 1, "description": "how many", "default": 1}},
                    "required": ["name"]}}
            },
            "required": ["id", "items"]
        }
    })")) << "what is promised of results is not closed";
    const Json result = call("order", Json::parse(R"({"items":[{"name":"tea"}]})"));
    EXPECT_EQ(result["structuredContent"], Json::parse(R"({"id":"none large","items":[{"name":"tea","count":1}]})"));
    EXPECT_EQ(Json::parse(result["content"][0]["text"].get<std::string>()), result["structuredContent"]);
}

TEST_F(typed_tools, the_members_are_named_as_the_client_knows_them) {
    mcp.tool("order", "", [](const Order&) {});
    EXPECT_EQ(refusal("order", Json::parse(R"({"items":[{"name":"tea","count":0}]})")),
              R"(argument "items[0].count": expected an integer, at least 1, got 0)");
    EXPECT_EQ(refusal("order", Json::object()), R"(argument "items" is missing: expected an array)");
    EXPECT_EQ(refusal("order", Json::parse(R"({"items":[],"sizes":"small"})")),
              R"(argument "sizes" is unknown: expected only "items", "note", "size")");
    EXPECT_EQ(refusal("order", Json::parse(R"({"items":[]})")), "it ran");
}

TEST_F(typed_tools, a_struct_may_be_one_named_parameter_among_others) {
    mcp.tool("order", "", {"order", arg("fast", "at once").by_default(false), arg("wait", "at most")},
             [](Order order, bool, std::optional<std::chrono::seconds> wait) {
                 return static_cast<std::int64_t>(order.items.size()) + (wait ? wait->count() : 0);
             });
    EXPECT_EQ(call("order", Json::parse(R"({"order":{"items":[{"name":"tea"}]},"wait":3})"))["content"][0]["text"], "4");
    EXPECT_EQ(refusal("order", Json::parse(R"({"order":{"items":[{"name":1}]}})")),
              R"(argument "order.items[0].name": expected a string, got 1)");
    EXPECT_EQ(descriptor(ItemKind::tool, "order")["inputSchema"]["properties"]["wait"],
              Json::parse(R"__({"type":"integer","description":"at most (seconds)"})__"));
    EXPECT_FALSE(descriptor(ItemKind::tool, "order").contains("outputSchema")) << "a number is no object";
}

TEST_F(typed_tools, unknown_arguments_can_be_ignored) {
    mcp.tool("order", "", [](Order order) { return order.items.size(); }, {.unknown_arguments = UnknownArguments::ignore});
    EXPECT_EQ(call("order", Json::parse(R"({"items":[],"x":1})"))["content"][0]["text"], "0");
    EXPECT_FALSE(descriptor(ItemKind::tool, "order")["inputSchema"].contains("additionalProperties"));
    EXPECT_EQ(refusal("order", Json::parse(R"({"items":[{"name":"a","x":1}]})")),
              R"(argument "items[0].x" is unknown: expected only "name", "count")") << "not within";
}

TEST_F(typed_tools, an_output_schema_in_the_options_comes_first) {
    mcp.tool("order", "", [](Order) { return Receipt{}; }, {.output_schema = json_schema(R"({"type":"object","title":"mine"})")});
    EXPECT_EQ(descriptor(ItemKind::tool, "order")["outputSchema"], Json::parse(R"({"type":"object","title":"mine"})"));
}

struct Vague {
    std::variant<int, double> number;
};

TEST_F(typed_tools, a_struct_that_cannot_be_is_refused_at_registration) {
    EXPECT_NE(complaint([&] { mcp.tool("vague", "", [](Vague) {}); }), "no complaint");
    EXPECT_NE(complaint([&] { mcp.tool("vague", "", [] { return Vague{}; }); }), "no complaint");
    EXPECT_EQ(item(ItemKind::tool, "vague"), nullptr);
}

TEST_F(typed_tools, meta_is_shown_in_lists) {
    mcp.tool("t", "", [] {}, {.meta = R"({"example.com/team":"shop"})"});
    mcp.prompt("p", "", [] { return ""; }, {.meta = R"({"example.com/n":1})"});
    mcp.resource("config://a", "a", [] { return ""; }, {.meta = R"({"example.com/n":2})"});
    mcp.resource_template("config://{a}", "a", {"a"}, [](std::string) { return ""; }, {.meta = R"({"example.com/n":3})"});
    EXPECT_EQ(descriptor(ItemKind::tool, "t")["_meta"], Json::parse(R"({"example.com/team":"shop"})"));
    EXPECT_EQ(descriptor(ItemKind::prompt, "p")["_meta"], Json::parse(R"({"example.com/n":1})"));
    EXPECT_EQ(descriptor(ItemKind::resource, "config://a")["_meta"], Json::parse(R"({"example.com/n":2})"));
    EXPECT_EQ(descriptor(ItemKind::resource_template, "config://{a}")["_meta"], Json::parse(R"({"example.com/n":3})"));
    EXPECT_EQ(complaint([&] { mcp.tool("u", "", [] {}, {.meta = "[]"}); }), R"(tool "u": `meta` is the JSON text of an object)");
    EXPECT_EQ(complaint([&] { mcp.tool("u", "", [] {}, {.meta = "{"}); }), R"(tool "u": `meta` is the JSON text of an object)");
}

}  // namespace
}  // namespace durable_mcp::api
