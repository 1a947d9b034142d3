// SPDX-License-Identifier: Apache-2.0
#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using base::Json;
using mcp::ItemKind;
using registration = Registered;

int twice(int n) { return 2 * n; }

TEST_F(registration, whatever_can_be_stored_can_be_returned) {
    mcp.tool("string", "", [] { return std::string("a"); });
    mcp.tool("literal", "", [] { return "a"; });
    mcp.tool("number", "", [] { return 9007199254740993; });
    mcp.tool("nothing", "", [] {});
    mcp.tool("list", "", [] { return std::vector<int>{1, 2}; });
    mcp.tool("map", "", [] { return std::map<std::string, int>{{"a", 1}}; });
    mcp.tool("json", "", [] { return nlohmann::json{{"a", 1.0}}; });
    mcp.tool("array", "", [] { return nlohmann::json{1, 2}; });
    mcp.tool("error", "", [] { return ToolResult::error("declined"); });
    mcp.tool("content", "", [] { return Content::image(Bytes{"foo"}, "image/png"); });
    mcp.tool("function", "", {"n"}, twice);
    const auto text = [](const char* said) { return Json{{"content", {{{"type", "text"}, {"text", said}}}}}; };
    EXPECT_EQ(call("string"), text("a"));
    EXPECT_EQ(call("literal"), text("a"));
    EXPECT_EQ(call("number").dump(), R"({"content":[{"text":"9007199254740993","type":"text"}],"structuredContent":9007199254740993})");
    EXPECT_EQ(call("nothing"), (Json{{"content", Json::array()}}));
    EXPECT_EQ(call("list").dump(), R"({"content":[{"text":"[1,2]","type":"text"}],"structuredContent":[1,2]})");
    EXPECT_EQ(call("array"), call("list"));
    EXPECT_EQ(call("map").dump(), R"({"content":[{"text":"{\"a\":1}","type":"text"}],"structuredContent":{"a":1}})");
    EXPECT_EQ(call("json").dump(), R"({"content":[{"text":"{\"a\":1.0}","type":"text"}],"structuredContent":{"a":1.0}})");
    EXPECT_EQ(call("error").dump(), R"({"content":[{"text":"declined","type":"text"}],"isError":true})");
    EXPECT_EQ(call("content").dump(), R"({"content":[{"data":"Zm9v","mimeType":"image/png","type":"image"}]})");
    EXPECT_EQ(call("function", {{"n", 21}})["content"], text("42")["content"]);
}

TEST_F(registration, a_result_that_json_cannot_hold_is_the_authors_failure) {
    mcp.tool("nan", "", [] { return std::numeric_limits<double>::quiet_NaN(); });
    EXPECT_THROW(call("nan"), detail::NotEncodable);
}

TEST_F(registration, what_clients_could_not_be_told_is_refused_before_one_asks_for_it) {
    const std::string bad = "\xFF";
    const auto text = [] { return "x"; };
    EXPECT_NE(complaint([&] { mcp.tool("t", "", text, {.title = bad}); }).find("tool \"t\""), std::string::npos);
    EXPECT_NE(complaint([&] { mcp.tool("t", "", text, {.icons = {{.src = bad}}}); }).find("tool \"t\""), std::string::npos);
    EXPECT_NE(complaint([&] { mcp.tool("t", "", text, {.icons = {{.src = ""}}}); }).find("tool \"t\""), std::string::npos);
    EXPECT_NE(complaint([&] { mcp.prompt("p", "", text, {.title = bad}); }).find("prompt \"p\""), std::string::npos);
    EXPECT_NE(complaint([&] { mcp.resource("r://1", "r", text, {.description = bad}); }).find("resource \"r://1\""), std::string::npos);
    EXPECT_NE(complaint([&] { mcp.resource_template("r://{id}", "r", {"id"}, [](std::string id) { return id; }, {.mime_type = bad}); })
                  .find("resource template \"r://{id}\""),
              std::string::npos);
}

TEST_F(registration, the_context_is_found_in_any_position_and_is_optional) {
    mcp.tool("first", "", {"n"}, [](DurableContext& context, int n) { return n + static_cast<int>(context.attempt()); });
    mcp.tool("last", "", {"n"}, [](int n, DurableContext& context) { return n + static_cast<int>(context.attempt()); });
    mcp.tool("middle", "", {"a", "b"}, [](int a, DurableContext& context, int b) { return 100 * a + b + static_cast<int>(context.attempt()); });
    mcp.tool("alone", "", [](DurableContext& context) { return std::string(context.call_id()); });
    EXPECT_EQ(call("first", {{"n", 1}})["content"][0]["text"], "3");
    EXPECT_EQ(call("last", {{"n", 1}})["content"][0]["text"], "3");
    EXPECT_EQ(call("middle", {{"a", 1}, {"b", 2}})["content"][0]["text"], "104");
    EXPECT_EQ(call("alone")["content"][0]["text"], "call-1");
    EXPECT_EQ(descriptor(ItemKind::tool, "middle")["inputSchema"]["required"], (Json{"a", "b"}));
}

TEST_F(registration, what_options_say_is_shown_only_when_it_is_said) {
    mcp.tool("plain", "p", [] {});
    EXPECT_EQ(descriptor(ItemKind::tool, "plain").dump(),
              R"({"description":"p","inputSchema":{"additionalProperties":false,"properties":{},"type":"object"},"name":"plain"})");
    mcp.tool("rich", "r", [] { return nlohmann::json::object(); },
             {.title = "Rich", .durability = Durability::none, .read_only = true, .destructive = false,
              .output_schema = json_schema(R"({"type":"object"})"), .icons = {{.src = "https://x/i.png", .mime_type = "image/png", .sizes = {"48x48"}}}});
    const Json rich = descriptor(ItemKind::tool, "rich");
    EXPECT_EQ(rich["title"], "Rich");
    EXPECT_EQ(rich["annotations"].dump(), R"({"destructiveHint":false,"readOnlyHint":true})");
    EXPECT_EQ(rich["outputSchema"].dump(), R"({"type":"object"})");
    EXPECT_EQ(rich["icons"].dump(), R"([{"mimeType":"image/png","sizes":["48x48"],"src":"https://x/i.png"}])");
    const auto durability = [&](const char* name) {
        return dynamic_cast<const runtime::HandlerTarget&>(*item(ItemKind::tool, name)->target).durability;
    };
    EXPECT_EQ(durability("rich"), runtime::Durability::none);
    EXPECT_EQ(durability("plain"), runtime::Durability::full);
}

TEST_F(registration, a_promise_of_structured_content_is_held_to) {
    const ToolOptions promise{.output_schema = json_schema(R"({"type":"object"})")};
    mcp.tool("kept", "", [] { return nlohmann::json::object(); }, promise);
    mcp.tool("broken", "", [] { return "text"; }, promise);
    mcp.tool("excused", "", [] { return ToolResult::error("no"); }, promise);
    EXPECT_NO_THROW(call("kept"));
    EXPECT_THROW(call("broken"), std::logic_error);
    EXPECT_NO_THROW(call("excused"));
}

TEST_F(registration, a_result_that_breaks_its_output_schema_is_the_authors_failure_and_any_json_may_be_promised) {
    const ToolOptions promise{.output_schema = json_schema(R"({"type":"object","required":["cents"],"properties":{"cents":{"minimum":1}}})")};
    mcp.tool("kept", "", [] { return nlohmann::json{{"cents", 1}}; }, promise);
    mcp.tool("broken", "", [] { return nlohmann::json{{"cents", 0}}; }, promise);
    EXPECT_NO_THROW(call("kept"));
    try {
        call("broken");
        FAIL() << "a broken promise was passed on";
    } catch (const std::logic_error& error) {
        EXPECT_NE(std::string(error.what()).find(R"(tool "broken": its result breaks its output schema at "cents")"), std::string::npos) << error.what();
    }
    mcp.tool("list", "", [] { return nlohmann::json{1, 2}; }, {.output_schema = json_schema(R"({"type":"array","items":{"type":"integer"}})")});
    EXPECT_EQ(call("list")["structuredContent"].dump(), "[1,2]");
}

TEST_F(registration, arguments_of_a_schema_by_hand_are_checked_and_the_wrong_one_is_named) {
    mcp.tool("raw", "", json_schema(R"({"type":"object","required":["order"],"properties":{"order":{"type":"object","required":["items"],
                                        "properties":{"items":{"type":"array","items":{"type":"integer"}}}}}})"),
             [](const nlohmann::json& arguments) { return arguments; });
    EXPECT_EQ(refusal("raw", {{"order", {{"items", {1, 2}}}}}), "it ran");
    EXPECT_EQ(refusal("raw", {{"order", {{"items", {1, "x"}}}}}), R"(argument "order.items[1]": expected an integer, got "x")");
    EXPECT_EQ(refusal("raw", Json::object()), R"(argument "order": is missing)");
}

TEST_F(registration, a_schema_that_cannot_be_used_is_refused_with_its_place) {
    const auto said = [&](const char* schema) { return complaint([&] { mcp.tool("bad", "", json_schema(schema), [](nlohmann::json) {}); }); };
    EXPECT_EQ(said(R"({"type":"object","properties":{"a":{"minimum":"1"}}})").find(R"(tool "bad": the schema of the arguments cannot be used: )"), 0u);
    EXPECT_NE(said(R"({"type":"object","properties":{"a":{"minimum":"1"}}})").find("/properties/a"), std::string::npos);
    EXPECT_NE(said(R"j({"type":"object","properties":{"a":{"pattern":"(?=x)"}}})j").find("/properties/a"), std::string::npos);
    EXPECT_NE(said(R"({"type":"object","properties":{"a":{"$ref":"https://example.com/a.json"}}})").find("https://example.com/a.json"), std::string::npos);
}

TEST_F(registration, a_schema_by_hand_is_shown_word_for_word_and_gets_the_arguments_whole) {
    const Json schema = Json::parse(R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"a":{}},"x":[1.0]})");
    mcp.tool("raw", "", json_schema(schema), [](DurableContext&, const nlohmann::json& arguments) { return ToolResult::text(arguments.dump()); });
    mcp.tool("raw2", "", json_schema(R"({"type":"object"})"), [](nlohmann::json arguments) { return arguments; });
    EXPECT_EQ(descriptor(ItemKind::tool, "raw")["inputSchema"].dump(), schema.dump());
    EXPECT_EQ(call("raw", {{"anything", 1.0}})["content"][0]["text"], R"({"anything":1.0})");
    EXPECT_EQ(call("raw2", {{"a", 1}})["structuredContent"].dump(), R"({"a":1})");
    EXPECT_EQ(complaint([&] { mcp.tool("bad", "", json_schema(R"({"type":"string"})"), [](nlohmann::json) {}); }),
              R"(tool "bad": the schema of the arguments must have "type": "object")");
}

TEST_F(registration, names_are_checked) {
    for (const std::string& bad : {std::string(), std::string("a b"), std::string("\xC3\xA9"), std::string("a/b"), std::string(129, 'a')}) {
        EXPECT_NE(complaint([&] { mcp.tool(bad, "", [] {}); }), "no complaint") << bad;
        EXPECT_NE(complaint([&] { mcp.prompt(bad, "", [] { return ""; }); }), "no complaint") << bad;
    }
    EXPECT_EQ(complaint([&] { mcp.tool(std::string(128, 'a'), "", [] {}); }), "no complaint");
    EXPECT_EQ(complaint([&] { mcp.tool("A.b-c_9", "", [] {}); }), "no complaint");
    EXPECT_EQ(complaint([&] { mcp.tool("d", "\xFF", [] {}); }), "tool \"d\": the description is not UTF-8");
    for (const char* bad : {"", "no-scheme", ":x", "1a:x", "a b:x", "config://a b"}) {
        EXPECT_NE(complaint([&] { mcp.resource(bad, "n", [] { return ""; }); }), "no complaint") << bad;
    }
    EXPECT_EQ(complaint([&] { mcp.resource("config://x", "", [] { return ""; }); }), R"(resource "config://x": a resource needs a name)");
}

TEST_F(registration, a_taken_name_is_refused_and_replacing_keeps_its_place) {
    mcp.tool("a", "first", [] { return 1; });
    mcp.tool("b", "", [] {});
    EXPECT_EQ(complaint([&] { mcp.tool("a", "second", [] { return 2; }); }), R"("a" is on offer already: replace it, or remove it first)");
    EXPECT_EQ(call("a")["content"][0]["text"], "1");
    mcp.replace_tool("a", "second", {"n"}, [](int n) { return n; });
    EXPECT_EQ(call("a", {{"n", 2}})["content"][0]["text"], "2");
    const auto page = std::get<mcp::Page>(detail::ServerDoor::catalog(mcp)->list(ItemKind::tool, mcp::latest_session_revision, std::nullopt));
    const Json tools = Json::parse(page)["tools"];
    EXPECT_EQ(tools[0]["name"], "a");
    EXPECT_EQ(tools[0]["description"], "second");
    EXPECT_TRUE(mcp.remove_tool("a"));
    EXPECT_FALSE(mcp.remove_tool("a"));
    EXPECT_EQ(item(ItemKind::tool, "a"), nullptr);
    EXPECT_EQ(complaint([&] { mcp.tool("a", "third", [] {}); }), "no complaint");
}

TEST_F(registration, prompts_take_strings_and_return_messages) {
    mcp.prompt("greet", "Greets.", {arg("name", "whom"), "tone"}, [](std::string name, std::optional<std::string> tone) {
        return PromptResult().user("Greet " + name + tone.value_or("")).assistant("Gladly.").set_description("d");
    }, {.title = "Greeting"});
    mcp.prompt("plain", "", [] { return "Hello"; });
    EXPECT_EQ(descriptor(ItemKind::prompt, "greet"), Json::parse(R"({"name":"greet","title":"Greeting","description":"Greets.",
        "arguments":[{"name":"name","description":"whom","required":true},{"name":"tone","required":false}]})"));
    EXPECT_EQ(descriptor(ItemKind::prompt, "plain").dump(), R"({"name":"plain"})");
    EXPECT_EQ(run(ItemKind::prompt, "greet", {{"name", "Ann"}}), Json::parse(R"({"description":"d","messages":[
        {"role":"user","content":{"type":"text","text":"Greet Ann"}},{"role":"assistant","content":{"type":"text","text":"Gladly."}}]})"));
    EXPECT_EQ(run(ItemKind::prompt, "plain", Json::object()),
              Json::parse(R"({"messages":[{"role":"user","content":{"type":"text","text":"Hello"}}]})"));
    EXPECT_THROW(run(ItemKind::prompt, "greet", Json::object()), InvalidArguments);
    EXPECT_TRUE(mcp.remove_prompt("plain"));
}

TEST_F(registration, a_parameter_has_a_title_for_people_where_the_revision_shows_one) {
    mcp.tool("pay", "", {arg("cents", "how much").title("Amount")}, [](int) {});
    EXPECT_EQ(descriptor(ItemKind::tool, "pay")["inputSchema"]["properties"]["cents"]["title"], "Amount");
    mcp.prompt("greet", "", {arg("name", "whom").title("Their name"), "tone"}, [](std::string name, std::string) { return name; });
    const auto shown_to = [this](mcp::Revision revision) {
        const auto page = detail::ServerDoor::catalog(mcp)->list(ItemKind::prompt, revision, {});
        return Json::parse(std::get<mcp::Page>(page))["prompts"][0]["arguments"];
    };
    const Json full = Json::parse(R"([{"name":"name","title":"Their name","description":"whom","required":true},{"name":"tone","required":true}])");
    Json bare = full;
    bare[0].erase("title");
    EXPECT_EQ(shown_to(mcp::Revision::r2024_11_05), bare);
    EXPECT_EQ(shown_to(mcp::Revision::r2025_03_26), bare);
    EXPECT_EQ(shown_to(mcp::Revision::r2025_06_18), full);
    EXPECT_EQ(shown_to(mcp::Revision::r2025_11_25), full);
    EXPECT_EQ(shown_to(mcp::Revision::r2026_07_28), full);
}

TEST_F(registration, resources_carry_the_uri_that_was_asked_for_and_a_type) {
    mcp.resource("config://a", "a", [] { return std::string("text"); }, {.mime_type = "application/toml", .size = 4});
    mcp.resource("config://b", "b", [] { return Bytes{"foo"}; });
    mcp.resource("config://c", "c", [] { return nlohmann::json{{"x", 1}}; });
    mcp.resource("config://d", "d", [] { return ResourceResult().add_text("1", "text/html", "config://d/1").add_text("2"); });
    EXPECT_EQ(descriptor(ItemKind::resource, "config://a").dump(), R"({"mimeType":"application/toml","name":"a","size":4,"uri":"config://a"})");
    const auto contents = [&](const char* uri) { return run(ItemKind::resource, uri, Json::object())["contents"].dump(); };
    EXPECT_EQ(contents("config://a"), R"([{"mimeType":"application/toml","text":"text","uri":"config://a"}])");
    EXPECT_EQ(contents("config://b"), R"([{"blob":"Zm9v","mimeType":"application/octet-stream","uri":"config://b"}])");
    EXPECT_EQ(contents("config://c"), R"([{"mimeType":"application/json","text":"{\"x\":1}","uri":"config://c"}])");
    EXPECT_EQ(contents("config://d"),
              R"([{"mimeType":"text/html","text":"1","uri":"config://d/1"},{"mimeType":"text/plain","text":"2","uri":"config://d"}])");
    EXPECT_TRUE(mcp.remove_resource("config://a"));
}

TEST_F(registration, templates_pass_their_variables_by_name) {
    mcp.resource_template("account://{bank}/{id}", "account", {"id", "bank"},
                          [](std::string id, std::string bank) { return id + " at " + bank; }, {.mime_type = "text/plain"});
    EXPECT_EQ(descriptor(ItemKind::resource_template, "account://{bank}/{id}").dump(),
              R"({"mimeType":"text/plain","name":"account","uriTemplate":"account://{bank}/{id}"})");
    EXPECT_EQ(run(ItemKind::resource_template, "account://{bank}/{id}", {{"id", "7"}, {"bank", "b"}}, "account://b/7")["contents"].dump(),
              R"([{"mimeType":"text/plain","text":"7 at b","uri":"account://b/7"}])");
    EXPECT_EQ(complaint([&] { mcp.resource_template("x://{a}", "n", {"b"}, [](std::string) { return ""; }); }),
              R"(resource template "x://{a}": the names of the handler's parameters must be the template's variables)");
    EXPECT_NE(complaint([&] { mcp.resource_template("x://{a", "n", {"a"}, [](std::string) { return ""; }); }), "no complaint");
    EXPECT_TRUE(mcp.remove_resource_template("account://{bank}/{id}"));
}

TEST_F(registration, what_the_query_of_a_uri_may_leave_out_is_optional_or_has_a_default) {
    mcp.resource_template("log://{name}{?level,lines}", "log", {"name", arg("lines").by_default("10"), "level"},
                          [](std::string name, std::string lines, std::optional<std::string> level) {
                              return name + " " + lines + " " + level.value_or("any");
                          });
    const auto read = [this](const std::string& uri) {
        auto found = detail::ServerDoor::catalog(mcp)->find_resource(uri);
        Json arguments = Json::object();
        for (const auto& [name, value] : found->variables) {
            arguments[name] = value;
        }
        return run(ItemKind::resource_template, found->item->name, arguments, uri)["contents"][0]["text"];
    };
    EXPECT_EQ(read("log://web"), "web 10 any");
    EXPECT_EQ(read("log://web?lines=5"), "web 5 any");
    EXPECT_EQ(read("log://web?lines=5&level=warn"), "web 5 warn");
    EXPECT_FALSE(detail::ServerDoor::catalog(mcp)->find_resource("log://web?other=5").has_value());
    EXPECT_NE(complaint([&] { mcp.resource_template("x://{a}{&b}", "n", {"a", "b"}, [](std::string, std::string) { return ""; }); })
                  .find("the operator '&' is not supported; use {name}, {+name}, {/name} or, at the end, {?name}"),
              std::string::npos);
}

TEST_F(registration, content_blocks_have_the_form_of_the_newest_revision) {
    EXPECT_EQ(Content::audio(Bytes{"foo"}, "audio/wav").json().dump(), R"({"data":"Zm9v","mimeType":"audio/wav","type":"audio"})");
    EXPECT_EQ(Content::resource_link("a://b", "n", "text/x").json().dump(), R"({"mimeType":"text/x","name":"n","type":"resource_link","uri":"a://b"})");
    EXPECT_EQ(Content::resource("a://b", "t").json().dump(), R"({"resource":{"mimeType":"text/plain","text":"t","uri":"a://b"},"type":"resource"})");
    EXPECT_EQ(Content::text("x").audience({"user"}).priority(0.5).json()["annotations"].dump(), R"({"audience":["user"],"priority":0.5})");
    EXPECT_THROW(Content::text("x").priority(2), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(Content::raw(nlohmann::json::array())), std::invalid_argument);
}

}  // namespace
}  // namespace durable_mcp::api
