// SPDX-License-Identifier: Apache-2.0
#include "mcp/task.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "mcp/meta_key.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;
using jsonrpc::Error;

constexpr std::array<std::string_view, 5> status_names{"working", "input_required", "completed", "failed", "cancelled"};

/// Where the two forms differ in the words for the same.
struct FieldNames {
    std::string_view ttl;
    std::string_view poll_interval;
};
constexpr FieldNames session_names{"ttl", "pollInterval"};
constexpr FieldNames extension_names{"ttlMs", "pollIntervalMs"};

Json describe(const TaskView& view, const FieldNames& names) {
    Json task{{"taskId", view.id},
              {"status", name_of(view.status)},
              {"createdAt", timestamp(view.created_ms)},
              {"lastUpdatedAt", timestamp(view.updated_ms)}};
    task[std::string(names.ttl)] = view.ttl_ms ? Json(*view.ttl_ms) : Json(nullptr);
    if (!view.status_message.empty()) {
        task["statusMessage"] = view.status_message;
    }
    if (view.poll_interval_ms > 0) {
        task[std::string(names.poll_interval)] = view.poll_interval_ms;
    }
    return task;
}

Json describe_error(const Error& error) {
    Json described{{"code", error.code}, {"message", error.message}};
    if (error.data) {
        described["data"] = *error.data;
    }
    return described;
}

bool is_error_result(const Json& result) {
    if (!result.is_object()) {
        return false;
    }
    const auto is_error = result.find("isError");
    return is_error != result.end() && *is_error == true;
}

}  // namespace

std::string_view name_of(TaskStatus status) {
    return status_names[static_cast<std::size_t>(status)];
}

bool is_terminal(TaskStatus status) {
    return status >= TaskStatus::completed;
}

std::string timestamp(std::int64_t unix_ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> moment{milliseconds(unix_ms)};
    const auto day = floor<days>(moment);
    const year_month_day date(day);
    const hh_mm_ss time(moment - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count(),
                       time.subseconds().count());
}

TaskStatus status_of(Revision revision, const std::variant<Json, Error>& outcome) {
    const auto* const result = std::get_if<Json>(&outcome);
    const bool has_failed = result == nullptr || (!traits(revision).stateless && is_error_result(*result));
    return has_failed ? TaskStatus::failed : TaskStatus::completed;
}

Json session_task(const TaskView& view) {
    return describe(view, session_names);
}

Json session_task_created(const TaskView& view) {
    return {{"task", session_task(view)}};
}

Json session_task_page(std::span<const TaskView> views, const std::string& next_cursor) {
    Json tasks = Json::array();
    for (const TaskView& view : views) {
        tasks.push_back(session_task(view));
    }
    Json page{{"tasks", std::move(tasks)}};
    if (!next_cursor.empty()) {
        page["nextCursor"] = next_cursor;
    }
    return page;
}

Json related_task(std::string_view task) {
    return {{std::string(meta_key::related_task), {{"taskId", task}}}};
}

Json session_task_result(Json result, std::string_view task) {
    if (!result.is_object()) {
        return result;
    }
    Json& meta = result["_meta"];
    if (!meta.is_object()) {
        meta = Json::object();
    }
    meta.update(related_task(task));
    return result;
}

std::string session_task_notification(const TaskView& view) {
    return jsonrpc::write_notification("notifications/tasks/status", session_task(view).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json task_created(const TaskView& view) {
    Json created = describe(view, extension_names);
    created["resultType"] = "task";
    return created;
}

Json task_notification_params(const TaskView& view, const TaskDetail& detail) {
    Json task = describe(view, extension_names);
    if (view.status == TaskStatus::input_required) {
        task["inputRequests"] = input_requests(detail.questions);
    } else if (const auto* const result = std::get_if<Json>(&detail.outcome); result != nullptr && view.status == TaskStatus::completed) {
        task["result"] = *result;
    } else if (const auto* const error = std::get_if<Error>(&detail.outcome); error != nullptr && view.status == TaskStatus::failed) {
        task["error"] = describe_error(*error);
    }
    return task;
}

Json task_detailed(const TaskView& view, const TaskDetail& detail) {
    Json task = task_notification_params(view, detail);
    task["resultType"] = "complete";
    return task;
}

Json task_acknowledged() {
    return {{"resultType", "complete"}};
}

}  // namespace durable_mcp::mcp
