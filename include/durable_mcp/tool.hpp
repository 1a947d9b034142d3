// SPDX-License-Identifier: Apache-2.0
#pragma once

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
/// A handler may return this, or anything with a codec: a string becomes text as it is; everything else becomes its JSON as text, and
/// an object also `structuredContent`.
class DURABLE_MCP_EXPORT ToolResult {
public:
    ToolResult();
    ToolResult(std::initializer_list<Content> content);
    [[nodiscard]] static ToolResult text(std::string_view text);
    /// The tool says no: `isError` is true, and the text is meant for the model to read. (So is that of a thrown ToolError.)
    [[nodiscard]] static ToolResult error(std::string_view text);
    /// A JSON value, as text too. Only objects can be structured content; for others there is the text alone.
    [[nodiscard]] static ToolResult structured(const nlohmann::json& value);

    ToolResult& add(const Content& content);
    /// Sets `structuredContent` and leaves the text alone. Throws std::invalid_argument unless it is an object.
    ToolResult& set_structured(const nlohmann::json& object);
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
    std::optional<JsonSchema> output_schema = {};   ///< of the structured content: an object
    std::vector<Icon> icons = {};
};

}  // namespace durable_mcp
