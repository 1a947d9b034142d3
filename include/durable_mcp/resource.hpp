// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "durable_mcp/content.hpp"
#include "durable_mcp/durability.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/prompt.hpp"

namespace durable_mcp {

/// What lies under a URI. A handler may return a std::string (text), Bytes, or a nlohmann::json (text, "application/json") instead.
/// To say that there is nothing, throw ResourceNotFound.
class DURABLE_MCP_EXPORT ResourceResult {
public:
    ResourceResult();
    /// Adds a part. An empty `uri` stands for the one that was asked for, an empty `mime_type` for the one in the options.
    ResourceResult& add_text(std::string_view text, std::string_view mime_type = {}, std::string_view uri = {});
    ResourceResult& add_bytes(const Bytes& data, std::string_view mime_type = {}, std::string_view uri = {});

    /// The ReadResourceResult of the newest revision; parts may still lack `uri` and `mimeType`.
    [[nodiscard]] const nlohmann::json& json() const noexcept { return *result_; }

private:
    detail::JsonBox result_;
};

/// Whom a resource is for, and how much it matters. Shown as `annotations`, as far as it is set.
struct ResourceAnnotations {
    std::vector<Role> audience = {};
    std::optional<double> priority = {};        ///< 0 (optional) … 1 (needed)
    std::string last_modified = {};             ///< ISO 8601: "2026-07-28T12:00:00Z"; shown from 2025-06-18 on
};

/// Of a fixed resource or a template.
struct ResourceOptions {
    std::string title = {};                     ///< for people; "" shows the name
    std::string description = {};
    std::string mime_type = {};                 ///< "" for unsaid; contents then are text/plain, application/octet-stream or application/json
    std::optional<std::uint64_t> size = {};     ///< in bytes, of a fixed one where it is known
    Durability durability = Durability::full;
    ResourceAnnotations annotations = {};
    std::vector<Icon> icons = {};
    std::string meta = {};                      ///< `_meta` in lists: the JSON text of an object; "" for none
};

}  // namespace durable_mcp
