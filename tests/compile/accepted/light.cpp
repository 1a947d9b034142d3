// SPDX-License-Identifier: Apache-2.0
// Every form of registration, with nothing but the one header: a program that does not speak nlohmann::json does not pay for it.
#include <durable_mcp/server.hpp>

namespace mcp = durable_mcp;

#ifdef INCLUDE_NLOHMANN_JSON_HPP_
#error "server.hpp brings nlohmann::json with it"
#endif

static int add(int a, int b) { return a + b; }

int main() {
    mcp::DurableMCP server({.name = "n",
                            .version = "1",
                            .title = "t",
                            .instructions = "i",
                            .path = "/mcp",
                            .host = "127.0.0.1",
                            .port = 0,
                            .store = mcp::memory(),
                            .allowed_hosts = {"example.com"},
                            .handler_threads = 4,
                            .log_level = mcp::LogLevel::warning,
                            .limits = {.body_bytes = 1000, .retry_after = std::chrono::seconds(1)}});
    server.tool("one", "One name.", {"from"}, [](std::string from) { return from; });
    server.tool("two", "Two names.", {"from", "to"}, [](const std::string& from, std::string&& to) { return from + to; });
    server.tool("function", "A function.", {"a", "b"}, add);
    server.tool("pointer", "A pointer to one.", {"a", "b"}, &add);
    server.tool("object", "A std::function.", {"a"}, std::function<int(int)>([](int a) { return a; }));
    server.tool("none", "No arguments.", [] {});
    server.tool("empty", "No arguments, in braces.", {}, [](mcp::DurableContext&) {});
    server.tool("options", "Options.", {mcp::arg("a", "doc").minimum(1).maximum(2.5), "b"}, [](double a, std::optional<bool> b) { return b ? a : 0.0; },
                {.title = "T", .durability = mcp::Durability::none, .read_only = true});
    server.replace_tool("none", "None.", [] { return "text"; }, {.open_world = false});
    server.remove_tool("none");
    server.prompt("p", "A prompt.", {"name"}, [](std::string name) { return name; });
    server.prompt("q", "None.", [] { return mcp::PromptResult::text("x"); }, {.title = "Q"});
    server.resource("a://b", "r", [](mcp::DurableContext&) { return "text"; }, {.mime_type = "text/plain"});
    server.resource_template("a://{id}", "t", {"id"}, [](std::string id) { return mcp::Bytes{id}; });
    server.tool("steps", "Steps.", [](mcp::DurableContext& context) {
        context.at_least_once("a", [] {});
        const std::string text = context.at_most_once("b", [] { return "x"; }, {.retryable = mcp::retryable<mcp::Error>});
        const std::vector<std::string> many = context.transact("c", [](mcp::Transaction& state) {
            state.map("m").insert("k", std::vector<int>{1});
            return std::vector<std::string>{"a"};
        });
        context.log(mcp::LogLevel::info, many);
        return text;
    });
}
