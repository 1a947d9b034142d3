// SPDX-License-Identifier: Apache-2.0
#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using base::Json;
using arguments = Registered;

TEST_F(arguments, the_schema_comes_from_the_signature_and_the_names) {
    mcp.tool("transfer", "Move money.", {"from", arg("cents", "amount in cents").minimum(1), "memo", arg("tags").max_items(3)},
             [](const std::string& from, DurableContext&, std::int64_t cents, std::optional<std::string> memo, std::vector<std::string> tags) {
                 return from + std::to_string(cents) + memo.value_or("-") + std::to_string(tags.size());
             });
    EXPECT_EQ(descriptor(mcp::ItemKind::tool, "transfer"), Json::parse(R"({
        "name": "transfer",
        "description": "Move money.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "from": {"type": "string"},
                "cents": {"type": "integer", "minimum": 1, "description": "amount in cents"},
                "memo": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3}
            },
            "required": ["from", "cents", "tags"],
            "additionalProperties": false
        }
    })"));
    EXPECT_EQ(call("transfer", {{"from", "a"}, {"cents", 5}, {"tags", {"x"}}})["content"][0]["text"], "a5-1");
    EXPECT_EQ(call("transfer", {{"from", "a"}, {"cents", 5}, {"tags", Json::array()}, {"memo", "m"}})["content"][0]["text"], "a5m0");
}

TEST_F(arguments, a_missing_one_is_named_with_what_was_expected) {
    mcp.tool("t", "", {"from", arg("cents", "amount in cents").minimum(1).maximum(100)}, [](std::string, int) {});
    EXPECT_EQ(refusal("t", {{"from", "a"}}), R"(argument "cents" is missing: expected an integer, at least 1, at most 100 (amount in cents))");
    EXPECT_EQ(refusal("t", Json::object()), R"(argument "from" is missing: expected a string)");
}

TEST_F(arguments, one_of_the_wrong_type_is_named) {
    mcp.tool("t", "", {"a", "b"}, [](std::string, std::vector<int>) {});
    EXPECT_EQ(refusal("t", {{"a", 1}, {"b", {1}}}), R"(argument "a": expected a string, got 1)");
    EXPECT_EQ(refusal("t", {{"a", "x"}, {"b", {1, "2"}}}), R"(argument "b[1]": expected an integer, got "2")");
    EXPECT_EQ(refusal("t", {{"a", 1}, {"b", 1}}), R"(argument "a": expected a string, got 1)") << "the first one, whatever the compiler";
    EXPECT_EQ(refusal("t", {{"a", nullptr}, {"b", {1}}}), R"(argument "a": expected a string, got null)");
}

TEST_F(arguments, bounds_are_kept_exactly) {
    mcp.tool("t", "", {arg("n").minimum(9007199254740993)}, [](std::int64_t) {});
    EXPECT_EQ(refusal("t", {{"n", 9007199254740993}}), "it ran");
    EXPECT_EQ(refusal("t", {{"n", 9007199254740992}}),
              R"(argument "n": expected an integer, at least 9007199254740993, got 9007199254740992)");
    mcp.tool("u", "", {arg("n").maximum(18446744073709551614U)}, [](std::uint64_t) {});
    EXPECT_EQ(refusal("u", {{"n", 18446744073709551614U}}), "it ran");
    EXPECT_NE(refusal("u", {{"n", 18446744073709551615U}}), "it ran");
    mcp.tool("d", "", {arg("x").minimum(0.5).maximum(1)}, [](double) {});
    EXPECT_EQ(refusal("d", {{"x", 0.5}}), "it ran");
    EXPECT_EQ(refusal("d", {{"x", 1}}), "it ran");
    EXPECT_EQ(refusal("d", {{"x", 0.25}}), R"(argument "x": expected a number, at least 0.5, at most 1, got 0.25)");
    mcp.tool("s", "", {arg("s").min_length(2).max_length(3)}, [](std::string) {});
    EXPECT_EQ(refusal("s", {{"s", "\xC3\xA9\xC3\xA9\xC3\xA9"}}), "it ran") << "characters, not bytes";
    EXPECT_EQ(refusal("s", {{"s", "a"}}), R"(argument "s": expected a string, at least 2 characters, at most 3 characters, got "a")");
    mcp.tool("v", "", {arg("v").min_items(1).max_items(2)}, [](std::vector<int>) {});
    EXPECT_EQ(refusal("v", {{"v", {1, 2}}}), "it ran");
    EXPECT_NE(refusal("v", {{"v", Json::array()}}), "it ran");
    EXPECT_NE(refusal("v", {{"v", {1, 2, 3}}}), "it ran");
    mcp.tool("i", "", {"i"}, [](std::int8_t) {});
    EXPECT_EQ(refusal("i", {{"i", 128}}), R"(argument "i": expected an integer, at least -128, at most 127, got 128)");
}

TEST_F(arguments, one_of_a_list_is_checked) {
    mcp.tool("t", "", {arg("unit").one_of({"km", "mi"}), arg("n").one_of({1, 2})}, [](std::string, int) {});
    EXPECT_EQ(descriptor(mcp::ItemKind::tool, "t")["inputSchema"]["properties"]["unit"], Json::parse(R"({"type":"string","enum":["km","mi"]})"));
    EXPECT_EQ(refusal("t", {{"unit", "km"}, {"n", 2.0}}), "it ran");
    EXPECT_EQ(refusal("t", {{"unit", "ft"}, {"n", 1}}), R"(argument "unit": expected a string, one of "km", "mi", got "ft")");
    EXPECT_NE(refusal("t", {{"unit", "km"}, {"n", 3}}), "it ran");
}

TEST_F(arguments, unknown_ones_are_refused_unless_the_tool_ignores_them) {
    mcp.tool("t", "", {"a", "b"}, [](int, std::optional<int>) {});
    EXPECT_EQ(refusal("t", {{"a", 1}, {"B", 2}}), R"(argument "B" is unknown: expected only "a", "b")");
    mcp.tool("none", "", [] {});
    EXPECT_EQ(refusal("none", {{"x", 1}}), R"(argument "x" is unknown: expected no arguments)");
    mcp.tool("lax", "", {"a"}, [](int) {}, {.unknown_arguments = UnknownArguments::ignore});
    EXPECT_EQ(refusal("lax", {{"a", 1}, {"x", 2}}), "it ran");
    EXPECT_FALSE(descriptor(mcp::ItemKind::tool, "lax")["inputSchema"].contains("additionalProperties"));
}

TEST_F(arguments, what_is_left_out_is_nothing_or_its_default) {
    mcp.tool("t", "", {"a", arg("b").by_default(7), arg("c").by_default("x"), "d"},
             [](std::optional<int> a, int b, std::string c, std::optional<nlohmann::json> d) {
                 return std::to_string(a.value_or(-1)) + " " + std::to_string(b) + " " + c + " " + (d ? d->dump() : "none");
             });
    const auto text = [this](const Json& given) { return call("t", given)["content"][0]["text"].get<std::string>(); };
    EXPECT_EQ(text(Json::object()), "-1 7 x none");
    EXPECT_EQ(text({{"a", nullptr}, {"b", nullptr}, {"c", nullptr}}), "-1 7 x none") << "null is left out";
    EXPECT_EQ(text({{"a", 1}, {"b", 2}, {"c", "y"}, {"d", {1}}}), "1 2 y [1]");
    const Json schema = descriptor(mcp::ItemKind::tool, "t")["inputSchema"];
    EXPECT_EQ(schema["properties"]["b"]["default"], 7);
    EXPECT_FALSE(schema.contains("required"));
}

TEST_F(arguments, a_parameter_that_cannot_be_is_refused_at_registration) {
    EXPECT_EQ(complaint([&] { mcp.tool("t", "", {"a", "a"}, [](int, int) {}); }),
              R"(tool "t", parameter "a": two parameters have this name)");
    EXPECT_EQ(complaint([&] { mcp.tool("t", "", {""}, [](int) {}); }), R"(tool "t", parameter "": a name is UTF-8 text and not empty)");
    EXPECT_EQ(complaint([&] { mcp.tool("t", "", {arg("s").minimum(1)}, [](std::string) {}); }),
              R"(tool "t", parameter "s": minimum says nothing about a string)");
    EXPECT_EQ(complaint([&] { mcp.tool("t", "", {arg("n").max_length(1)}, [](int) {}); }).substr(0, 44),
              R"(tool "t", parameter "n": maxLength says noth)");
    EXPECT_EQ(complaint([&] { mcp.tool("t", "", {arg("n").minimum(2).maximum(1)}, [](std::int64_t) {}); }),
              R"(tool "t", parameter "n": minimum is greater than maximum)");
    EXPECT_EQ(complaint([&] { mcp.tool("t", "", {arg("n").minimum(1).by_default(0)}, [](std::int64_t) {}); }),
              R"(tool "t", parameter "n": by_default(): argument "n": expected an integer, at least 1, got 0)");
    EXPECT_EQ(complaint([&] { mcp.tool("t", "", {arg("n").by_default("x")}, [](std::int64_t) {}); }),
              R"(tool "t", parameter "n": by_default(): argument "n": expected an integer, got "x")");
    EXPECT_NE(complaint([&] { mcp.tool("t", "", {arg("n").one_of({"a"})}, [](int) {}); }), "no complaint");
    EXPECT_NE(complaint([&] { mcp.tool("t", "", {arg("n").minimum(-200)}, [](std::int8_t) {}); }), "no complaint");
    EXPECT_EQ(item(mcp::ItemKind::tool, "t"), nullptr);
}

}  // namespace
}  // namespace durable_mcp::api
