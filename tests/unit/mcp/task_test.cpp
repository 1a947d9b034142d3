// SPDX-License-Identifier: Apache-2.0
#include "mcp/task.hpp"

#include <gtest/gtest.h>

#include <string>

#include "mcp/subscription.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

TaskView example(TaskStatus status) {
    return {"T", status, "half", 1'785'229'500'120, 1'785'229'501'000, 600'000, 2'000};
}

TEST(task, times_are_written_in_UTC_with_milliseconds) {
    EXPECT_EQ(timestamp(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(timestamp(1'785'229'500'120), "2026-07-28T09:05:00.120Z");
    EXPECT_EQ(timestamp(951'782'399'999), "2000-02-28T23:59:59.999Z");
    EXPECT_EQ(timestamp(-1), "1969-12-31T23:59:59.999Z");
}

// protocol §4.3
TEST(task, an_error_result_is_a_failure_in_one_form_and_completed_in_the_other) {
    struct Row {
        std::variant<Json, jsonrpc::Error> outcome;
        TaskStatus session, extension;
    };
    const Row table[] = {
        {Json{{"content", Json::array()}}, TaskStatus::completed, TaskStatus::completed},
        {Json{{"isError", false}}, TaskStatus::completed, TaskStatus::completed},
        {Json{{"isError", true}}, TaskStatus::failed, TaskStatus::completed},
        {jsonrpc::Error{-32603, "x", {}}, TaskStatus::failed, TaskStatus::failed},
    };
    for (const Row& row : table) {
        EXPECT_EQ(status_of(Revision::r2025_11_25, row.outcome), row.session);
        EXPECT_EQ(status_of(Revision::r2026_07_28, row.outcome), row.extension);
    }
    EXPECT_FALSE(is_terminal(TaskStatus::working) || is_terminal(TaskStatus::input_required));
    EXPECT_TRUE(is_terminal(TaskStatus::completed) && is_terminal(TaskStatus::failed) && is_terminal(TaskStatus::cancelled));
}

TEST(task, the_form_of_2025_11_25) {
    const Json task = Json::parse(R"({"taskId":"T","status":"working","statusMessage":"half","createdAt":"2026-07-28T09:05:00.120Z",
        "lastUpdatedAt":"2026-07-28T09:05:01.000Z","ttl":600000,"pollInterval":2000})");
    const TaskView view = example(TaskStatus::working);
    EXPECT_EQ(session_task(view), task);
    EXPECT_EQ(session_task_created(view), Json({{"task", task}}));
    EXPECT_EQ(session_task_page({&view, 1}, "c"), Json({{"tasks", Json::array({task})}, {"nextCursor", "c"}}));
    EXPECT_EQ(session_task_page({}, ""), Json({{"tasks", Json::array()}}));
    EXPECT_EQ(Json::parse(session_task_notification(view)), Json({{"jsonrpc", "2.0"}, {"method", "notifications/tasks/status"}, {"params", task}}));
    EXPECT_EQ(session_task_result({{"content", Json::array()}, {"_meta", {{"a", 1}}}}, "T"),
              Json::parse(R"({"content":[],"_meta":{"a":1,"io.modelcontextprotocol/related-task":{"taskId":"T"}}})"));
    TaskView plain{"T", TaskStatus::cancelled, "", 0, 0, std::nullopt, 0};
    EXPECT_EQ(session_task(plain), Json::parse(R"({"taskId":"T","status":"cancelled","createdAt":"1970-01-01T00:00:00.000Z",
        "lastUpdatedAt":"1970-01-01T00:00:00.000Z","ttl":null})"));
}

TEST(task, the_form_of_the_extension) {
    const Json task = Json::parse(R"({"taskId":"T","status":"working","statusMessage":"half","createdAt":"2026-07-28T09:05:00.120Z",
        "lastUpdatedAt":"2026-07-28T09:05:01.000Z","ttlMs":600000,"pollIntervalMs":2000})");
    Json created = task;
    created["resultType"] = "task";
    EXPECT_EQ(task_created(example(TaskStatus::working)), created);
    EXPECT_EQ(task_acknowledged(), Json({{"resultType", "complete"}}));

    const Question question{"q", "elicitation/create", {{"message", "?"}}};
    struct Row {
        TaskStatus status;
        const char* added;  ///< beside the task's fields and resultType
    };
    const Row table[] = {
        {TaskStatus::working, "{}"},
        {TaskStatus::input_required, R"({"inputRequests":{"q":{"method":"elicitation/create","params":{"message":"?"}}}})"},
        {TaskStatus::completed, R"({"result":{"content":[]}})"},
        {TaskStatus::failed, R"({"error":{"code":-32603,"message":"no","data":5}})"},
        {TaskStatus::cancelled, "{}"},
    };
    for (const Row& row : table) {
        TaskDetail detail{{&question, 1}, Json{{"content", Json::array()}}};
        if (row.status == TaskStatus::failed) {
            detail.outcome = jsonrpc::Error{-32603, "no", Json(5)};
        }
        Json expected = task;
        expected["status"] = name_of(row.status);
        expected.update(Json::parse(row.added));
        EXPECT_EQ(task_notification_params(example(row.status), detail), expected);
        expected["resultType"] = "complete";
        EXPECT_EQ(task_detailed(example(row.status), detail), expected) << name_of(row.status);
    }
}

// protocol §3.2
TEST(subscription, every_message_carries_the_id_of_the_request_as_it_was) {
    for (const char* id : {"9", "\"9\"", "9007199254740993"}) {
        const jsonrpc::Id subscription{id};
        const Json expected = Json::parse(id);
        const std::string key = "io.modelcontextprotocol/subscriptionId";
        EXPECT_EQ(Json::parse(acknowledge(subscription, {})).at("params").at("_meta").at(key).dump(), expected.dump());
        const Json tagged = Json::parse(tagged_notification(subscription, "notifications/x", {{"uri", "a:b"}, {"_meta", {{"a", 1}}}}));
        EXPECT_EQ(tagged.at("params"), Json({{"uri", "a:b"}, {"_meta", {{"a", 1}, {key, expected}}}}));
        EXPECT_EQ(Json::parse(tagged_notification(subscription, "notifications/x", nullptr)).at("params"), Json({{"_meta", {{key, expected}}}}));
        const Json end = Json::parse(end_of_subscription(subscription, {{{"name", "n"}, {"version", "1"}}, "", 0}));
        EXPECT_EQ(end.at("id").dump(), expected.dump());
        EXPECT_EQ(end.at("result"), Json({{"resultType", "complete"},
                                          {"_meta", {{key, expected}, {"io.modelcontextprotocol/serverInfo", {{"name", "n"}, {"version", "1"}}}}}}));
    }
}

TEST(subscription, the_acknowledgement_names_what_is_honoured_and_nothing_else) {
    ListenFilter filter;
    filter.tools = true;
    filter.resource_uris = {"a:b"};
    filter.task_ids = {"t"};
    const Json message = Json::parse(acknowledge(jsonrpc::Id{"9"}, filter));
    EXPECT_EQ(message.at("method"), "notifications/subscriptions/acknowledged");
    EXPECT_EQ(message.at("params").at("notifications"), Json::parse(R"({"toolsListChanged":true,"resourceSubscriptions":["a:b"],"taskIds":["t"]})"));
    EXPECT_EQ(Json::parse(acknowledge(jsonrpc::Id{"9"}, {})).at("params").at("notifications"), Json::object());
}

}  // namespace
}  // namespace durable_mcp::mcp
