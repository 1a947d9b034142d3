// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "durable_mcp/export.hpp"

namespace durable_mcp {

namespace detail {
struct SchemaKey;
}

/// A JSON Schema (2020-12). A type of its own, made by json_schema() or schema_of<T>(), so that it never competes with a braced list of
/// names.
class DURABLE_MCP_EXPORT JsonSchema {
public:
    /// For codec<T>::schema(): `text` must be one JSON object. It is not checked here.
    [[nodiscard]] static JsonSchema from_trusted(std::string text) { return JsonSchema(nullptr, std::move(text)); }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    // Two parameters, the first of which nothing that a user writes converts to: a braced list of one name must not fit.
    JsonSchema(detail::SchemaKey*, std::string text) noexcept : text_(std::move(text)) {}
    std::string text_;
};

/// A schema written by hand, as a JSON value or as JSON text. It is shown to clients word for word.
///
/// *Errors*: std::invalid_argument where it is not an object, or the text is not JSON.
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema json_schema(const nlohmann::json& schema);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema json_schema(const char* text);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema json_schema(const std::string& text);

}  // namespace durable_mcp
