// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tasks on the wire, in both forms (protocol §4): the experimental one of revision 2025-11-25, which the client asks for, and the extension
// io.modelcontextprotocol/tasks of the stateless era (SEP-2663), which the server decides on. Functions of the first begin with `session_`.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/question.hpp"
#include "mcp/revision.hpp"

namespace durable_mcp::mcp {

enum class TaskStatus : std::uint8_t { working, input_required, completed, failed, cancelled };
[[nodiscard]] std::string_view name_of(TaskStatus status);
/// Completed, failed, cancelled: nothing about the task changes any more.
[[nodiscard]] bool is_terminal(TaskStatus status);

/// What a task says of itself. Times are milliseconds since 1970, UTC.
struct TaskView {
    std::string id;
    TaskStatus status = TaskStatus::working;
    std::string status_message;          ///< "" is none
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
    std::optional<std::int64_t> ttl_ms;  ///< from created_ms; none is for ever
    std::int64_t poll_interval_ms = 0;   ///< 0 says nothing
};

/// What a task waits for, or has come to: tells the statuses of the extension's DetailedTask apart.
struct TaskDetail {
    std::span<const Question> questions;  ///< input_required: all that are outstanding
    std::variant<std::monostate, base::Json, jsonrpc::Error> outcome;  ///< completed: the result; failed: the error
};

/// ISO 8601 in UTC with milliseconds: `2026-07-28T09:05:00.120Z`. `unix_ms` of the years 0 to 9999.
[[nodiscard]] std::string timestamp(std::int64_t unix_ms);

/// What a finished call is as a task: a result with isError is a failure in 2025-11-25, and completed in the extension (erratum E10).
[[nodiscard]] TaskStatus status_of(Revision revision, const std::variant<base::Json, jsonrpc::Error>& outcome);

// ── Revision 2025-11-25 ────────────────────────────────────────────────────────────────────────────────────────────────────

/// Task, flat: the result of tasks/get and tasks/cancel.
[[nodiscard]] base::Json session_task(const TaskView& view);
/// CreateTaskResult: `{"task":{…}}`
[[nodiscard]] base::Json session_task_created(const TaskView& view);
/// The result of tasks/list. An empty cursor is the last page's.
[[nodiscard]] base::Json session_task_page(std::span<const TaskView> views, const std::string& next_cursor);
/// The `_meta` of everything that is about a task but does not name it otherwise: tasks/result's answer, questions.
[[nodiscard]] base::Json related_task(std::string_view task);
/// `result`, as it was recorded, with related_task() in its `_meta`: what tasks/result answers.
[[nodiscard]] base::Json session_task_result(base::Json result, std::string_view task);
/// The text of notifications/tasks/status.
[[nodiscard]] std::string session_task_notification(const TaskView& view);

// ── The extension ──────────────────────────────────────────────────────────────────────────────────────────────────────────
// Results are not yet identified: see identify() in projection.hpp.

/// CreateTaskResult: flat, resultType "task".
[[nodiscard]] base::Json task_created(const TaskView& view);
/// The result of tasks/get. In `detail` only what belongs to the status is looked at.
[[nodiscard]] base::Json task_detailed(const TaskView& view, const TaskDetail& detail);
/// The result of tasks/update and tasks/cancel.
[[nodiscard]] base::Json task_acknowledged();
/// The params of notifications/tasks (for tagged_notification() of subscription.hpp): what tasks/get would say now.
[[nodiscard]] base::Json task_notification_params(const TaskView& view, const TaskDetail& detail);

}  // namespace durable_mcp::mcp
