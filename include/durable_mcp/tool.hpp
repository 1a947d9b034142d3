// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "durable_mcp/content.hpp"
#include "durable_mcp/durability.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/schema.hpp"

namespace durable_mcp {

/// What a tool answers, when a plain value does not say enough.
///
/// A handler may return this, one Content, or anything with a codec: a string becomes text as it is; everything else becomes its JSON as text, and
/// also `structuredContent`, which clients before 2026-07-28 get only of objects.
class DURABLE_MCP_EXPORT ToolResult {
public:
    ToolResult();
    ToolResult(std::initializer_list<Content> content);
    [[nodiscard]] static ToolResult text(std::string_view text);
    /// The tool says no: `isError` is true, and the text is meant for the model to read. (So is that of a thrown ToolError.)
    [[nodiscard]] static ToolResult error(std::string_view text);
    /// Any JSON value as `structuredContent`, and as text too. Clients before 2026-07-28 know structured content for objects alone: of anything
    /// else they get the text.
    [[nodiscard]] static ToolResult structured(const nlohmann::json& value);

    ToolResult& add(const Content& content);
    /// Sets `structuredContent` and leaves the text alone.
    ToolResult& set_structured(const nlohmann::json& value);
    /// Sets `_meta`. Throws std::invalid_argument unless it is an object.
    ToolResult& set_meta(const nlohmann::json& object);

    /// The CallToolResult of the newest revision.
    [[nodiscard]] const nlohmann::json& json() const noexcept { return *result_; }

private:
    detail::JsonBox result_;
};

/// What becomes of an argument that no parameter has the name of.
enum class UnknownArguments : std::uint8_t {
    refuse,  ///< the call fails and names it: a misspelt optional argument is not lost in silence. The schema says so too
    ignore,
};

/// Whether a call of a tool may become a task: a handle under which clients that know tasks ask for the result later, and in which they find the
/// questions of the call. Other clients call the tool as ever; where a tool requires tasks, they get an error.
///
/// Shown in lists as `execution.taskSupport` (2025-11-25). A client of that revision gets a task where its request asks for one (`params.task`). A
/// client of 2026-07-28 gets one when the call takes longer than `inline_wait`, or at once with become_task() and where tasks are required.
///
/// *Durability*: a task is on disk before its client hears of it, and goes on after a crash. It is known by an unguessable id: until there is
/// authentication, whoever has the id may have the result.
enum class Tasks : std::uint8_t { never, allowed, required };

/// What may be said of a tool beyond its name, description and parameters. Each hint is shown only when it is set; clients must not
/// trust them.
struct ToolOptions {
    std::string title = {};                         ///< for people; "" shows the name
    Durability durability = Durability::full;
    UnknownArguments unknown_arguments = UnknownArguments::refuse;
    std::optional<bool> read_only = {};             ///< changes nothing
    std::optional<bool> destructive = {};           ///< may delete or overwrite (meaningful unless read_only)
    std::optional<bool> idempotent = {};            ///< calling it again with the same arguments changes nothing more
    std::optional<bool> open_world = {};            ///< reaches beyond this server
    /// Of the structured content, and held to: a result that breaks it is the tool's failure. Clients before 2026-07-28 are shown it only for an
    /// object. Unset: that of the handler's struct, if it returns one.
    std::optional<JsonSchema> output_schema = {};
    Tasks task = Tasks::never;
    /// A task is kept so long after it was made; then it is forgotten, and given up if it has not ended. Unset: RetentionPolicy::tasks.
    std::optional<std::chrono::milliseconds> task_ttl = {};
    std::optional<std::chrono::milliseconds> poll_interval = {};  ///< how often clients are told to ask for a task. Unset: the server's, 2 s
    /// How long a client of 2026-07-28 is kept waiting, before it gets a task or is told to come back. Unset: Options::inline_wait. 0 is at once,
    /// for clients that know tasks where the tool has them; for others, Options::inline_wait.
    std::optional<std::chrono::milliseconds> inline_wait = {};
    /// The argument that makes a call unique, such as "order_id": a required string or integer. A second call of the tool with the same value is
    /// the first one: it waits for it, or gets the same answer, an error too; with other arguments beside it, it is refused and nothing runs.
    /// Clients of both eras and all sessions share a tool's keys, as long as there is no authentication to tell users apart: let them choose
    /// values that others do not. "" for none.
    ///
    /// *Durability*: the call and its key are on disk before its handler runs. Whoever hangs up leaves it running. A key is known for
    /// `RetentionPolicy::keys` after its call began, and while it runs (where it is a task: for its `task_ttl`). After that it is a new one.
    std::string idempotency_argument = {};
    /// Clients may give such a key beside the arguments: as `params.idempotencyKey`, as `_meta["durable-mcp/idempotencyKey"]`, or in the header
    /// `Idempotency-Key`, the first of these; at most 1024 bytes. The argument above comes before all of them. In a batch (2025-03-26) a call
    /// with a key is refused.
    bool idempotency_keys = false;
    std::vector<Icon> icons = {};
    std::string meta = {};                          ///< `_meta` in lists: the JSON text of an object, keys as in "example.com/team"; "" for none
};

}  // namespace durable_mcp
