// SPDX-License-Identifier: Apache-2.0
// Everything that conformance_server has is listed, called, read and asked for, in every revision; each message that it says meanwhile fits
// the specification's own schema of that revision.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "conformance/wire_client.hpp"
#include "support/child_process.hpp"
#include "support/javascript.hpp"
#include "support/message_schema.hpp"
#include "support/temporary_directory.hpp"

namespace durable_mcp::conformance {
namespace {

using testing_support::MessageSchema;
using namespace std::chrono_literals;

std::string skip_reason() {
    return "the schemas are not in " + MessageSchema::folder() + " (DURABLE_MCP_SHARED names another place)";
}

class every_message_of : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        auto schema = MessageSchema::of_revision(GetParam());
        if (!schema) {
            GTEST_SKIP() << skip_reason();
        }
        const std::string url = testing_support::url_of(server_);
        ASSERT_FALSE(url.empty()) << server_.output();
        const auto port = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
        client_.emplace(port, GetParam(), std::move(*schema));
    }

    [[nodiscard]] WireClient& client() { return *client_; }

    /// The items of a list, by the name of that member.
    std::vector<Json> list(const std::string& method, const std::string& member) {
        const Json response = client().ask(method);
        EXPECT_TRUE(response.contains("result")) << response;
        return response["result"][member].get<std::vector<Json>>();
    }
    Json call(const Json& tool) {
        Json params{{"name", tool["name"]}, {"arguments", fill_in(tool["inputSchema"], false)}, {"_meta", {{"progressToken", "p"}}}};
        if (client().is_stateless()) {
            params["_meta"]["io.modelcontextprotocol/logLevel"] = "debug";
        }
        return client().ask("tools/call", params);
    }
    /// Asks for the task until it has ended, and answers its questions. What tasks/get said last.
    Json wait_for(const std::string& task) {
        for (int i = 0; i < 200; ++i) {
            const Json got = client().ask("tasks/get", {{"taskId", task}})["result"];
            const std::string status = got.value("status", "");
            if (status == "input_required" && client().is_stateless()) {
                Json answers = Json::object();
                for (const auto& [key, question] : got["inputRequests"].items()) {
                    answers[key] = answer_to(question["method"], question.value("params", Json::object()));
                }
                client().ask("tasks/update", {{"taskId", task}, {"inputResponses", answers}});
            } else if (status != "working" && status != "input_required") {
                return got;
            }
            std::this_thread::sleep_for(20ms);
        }
        ADD_FAILURE() << "the task does not end";
        return {};
    }

private:
    const testing_support::TemporaryDirectory folder_;
    testing_support::ChildProcess server_{
        {testing_support::server_program(DURABLE_MCP_CONFORMANCE_SERVER), "--port", "0", "--store", folder_ / "calls.db"}};
    std::optional<WireClient> client_;
};

TEST_P(every_message_of, this_revision_fits_its_schema) {
    if (client().is_stateless()) {
        client().ask("server/discover");
    } else {
        client().ask("ping");
        client().ask("logging/setLevel", {{"level", "debug"}});
        client().ask("resources/subscribe", {{"uri", "test://watched-resource"}});
        client().ask("resources/unsubscribe", {{"uri", "test://watched-resource"}});
    }
    const auto tools = list("tools/list", "tools");
    EXPECT_GT(tools.size(), 30u);
    for (const Json& tool : tools) {
        call(tool);
    }
    for (const Json& prompt : list("prompts/list", "prompts")) {
        Json arguments = Json::object();
        for (const Json& argument : prompt.value("arguments", Json::array())) {
            arguments[argument["name"].get<std::string>()] = "test://something";
        }
        client().ask("prompts/get", {{"name", prompt["name"]}, {"arguments", arguments}});
    }
    for (const Json& resource : list("resources/list", "resources")) {
        client().ask("resources/read", {{"uri", resource["uri"]}});
    }
    EXPECT_EQ(list("resources/templates/list", "resourceTemplates").size(), 1u);
    client().ask("resources/read", {{"uri", "test://template/7/data"}});
    client().ask("completion/complete", {{"ref", {{"type", "ref/prompt"}, {"name", "test_prompt_with_arguments"}}},
                                         {"argument", {{"name", "arg1"}, {"value", "test"}}}});

    std::set<std::string> expected{"notifications/message", "notifications/progress"};
    if (!client().is_stateless()) {
        expected.insert({"sampling/createMessage", "roots/list"});
    }
    if (client().revision() == "2025-06-18" || client().revision() == "2025-11-25") {
        expected.insert("elicitation/create");
    }
    for (const std::string& method : expected) {
        EXPECT_TRUE(client().heard().contains(method)) << method << " was never heard";
    }
    EXPECT_GT(client().messages(), 60);
}

TEST_P(every_message_of, this_revision_fits_its_schema_where_something_is_wrong) {
    const auto code = [](const Json& response) { return response.contains("error") ? response["error"].value("code", 0) : 0; };
    EXPECT_EQ(code(client().ask("no/such/method")), -32601);
    EXPECT_EQ(code(client().ask("tools/call", {{"name", "no_such_tool"}})), -32602);
    EXPECT_NE(code(client().ask("resources/read", {{"uri", "test://nothing"}})), 0);
    EXPECT_EQ(code(client().ask("tools/list", {{"cursor", "of another server"}})), -32602);
    EXPECT_EQ(code(client().ask("prompts/get", {{"name", "test_prompt_with_arguments"}})), -32602);
    client().ask("tools/call", {{"name", "greet"}, {"arguments", {{"name", 5}}}});
    if (client().is_stateless()) {
        EXPECT_EQ(code(client().ask("tools/call", {{"name", "failing_job"}, {"arguments", Json::object()}})), -32021);
        EXPECT_EQ(code(client().ask("tasks/get", {{"taskId", "none"}})), -32021);
        EXPECT_EQ(code(client().ask("tools/call", {{"name", "test_x_mcp_header"}, {"arguments", {{"region", "here"}}}})), -32020);
    }
}

TEST_P(every_message_of, tasks_fits_its_schema) {
    const std::string revision = GetParam();
    if (revision != "2025-11-25" && revision != "2026-07-28") {
        GTEST_SKIP() << "this revision has no tasks";
    }
    client().declare_tasks();
    std::set<std::string> statuses;
    for (const Json& tool : list("tools/list", "tools")) {
        Json params{{"name", tool["name"]}, {"arguments", fill_in(tool["inputSchema"], false)}};
        const std::string support = tool.value("/execution/taskSupport"_json_pointer, "forbidden");
        if (!client().is_stateless() && (support == "forbidden" || tool["name"] == "confirm_delete" || tool["name"] == "multi_input" ||
                                         tool["name"] == "test_tool_with_task")) {
            continue;  // those that ask would put their questions on the stream of tasks/result
        }
        if (!client().is_stateless()) {
            params["task"] = {{"ttl", 60'000}};
        }
        const Json result = client().ask("tools/call", params).value("result", Json::object());
        const std::string task = client().is_stateless() ? result.value("taskId", "") : result.value("/task/taskId"_json_pointer, "");
        if (task.empty()) {
            continue;
        }
        statuses.insert(wait_for(task).value("status", ""));
        if (client().is_stateless()) {
            client().ask("tasks/cancel", {{"taskId", task}});
        } else {
            client().ask("tasks/result", {{"taskId", task}});
        }
    }
    EXPECT_EQ(statuses, (std::set<std::string>{"completed", "failed"}));

    Json endless{{"name", "slow_compute"}, {"arguments", {{"seconds", 600}}}};
    if (!client().is_stateless()) {
        client().ask("tasks/list");
        endless["task"] = Json::object();
    }
    const Json begun = client().ask("tools/call", endless)["result"];
    const std::string task = client().is_stateless() ? begun.value("taskId", "") : begun.value("/task/taskId"_json_pointer, "");
    client().ask("tasks/cancel", {{"taskId", task}});
    EXPECT_EQ(wait_for(task).value("status", ""), "cancelled");
}

TEST_P(every_message_of, a_listener_fits_its_schema) {
    if (!client().is_stateless()) {
        GTEST_SKIP() << "this revision has no subscriptions/listen";
    }
    const Json first =
        client().ask_once("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}, {"promptsListChanged", true}}}}, false);
    EXPECT_EQ(first.value("method", ""), "notifications/subscriptions/acknowledged");
}

INSTANTIATE_TEST_SUITE_P(revision, every_message_of, testing::Values("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"),
                         [](const auto& revision) {
                             std::string name = revision.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

/// What the schemas are worth: messages with one fault each.
TEST(message_schema, complains_of_what_a_server_must_not_say) {
    auto schema = MessageSchema::of_revision("2025-11-25");
    if (!schema) {
        GTEST_SKIP() << skip_reason();
    }
    struct Row {
        const char* message;
        const char* answered;
        bool is_right;
    };
    const Row table[] = {
        {R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"t"}]}})", "tools/call", true},
        {R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text"}]}})", "tools/call", false},
        {R"({"jsonrpc":"2.0","id":1,"result":{}})", "tools/call", false},
        {R"({"jsonrpc":"2.0","id":1,"result":{}})", "ping", true},
        {R"({"jsonrpc":"2.0","id":1,"result":{}})", "no/such/method", false},
        {R"({"jsonrpc":"1.0","id":1,"result":{}})", "ping", false},
        {R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}})", "", true},
        {R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":2}})", "", false},
        {R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"loud","data":1}})", "", false},
        {R"({"jsonrpc":"2.0","method":"notifications/invented"})", "", false},
        {R"({"jsonrpc":"2.0","id":"q","method":"roots/list"})", "", true},
        {R"({"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"m"}})", "", false},
        {R"({"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"m"}})", "ping", false},
    };
    for (const Row& row : table) {
        const auto complaint = schema->complaint(Json::parse(row.message), row.answered);
        EXPECT_EQ(!complaint.has_value(), row.is_right) << row.message << " " << complaint.value_or("");
    }
}

}  // namespace
}  // namespace durable_mcp::conformance
