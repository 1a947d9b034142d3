// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/value.hpp"

namespace durable_mcp {

/// One piece of what a tool or a prompt says: text, an image, a sound, a resource or a link to one. A client of an older revision that
/// has no word for it gets text instead.
class DURABLE_MCP_EXPORT Content {
public:
    [[nodiscard]] static Content text(std::string_view text);
    [[nodiscard]] static Content image(const Bytes& data, std::string_view mime_type);
    [[nodiscard]] static Content audio(const Bytes& data, std::string_view mime_type);
    /// A resource that the client may read if it wants to.
    [[nodiscard]] static Content resource_link(std::string_view uri, std::string_view name, std::string_view mime_type = {});
    /// A resource, there and then.
    [[nodiscard]] static Content resource(std::string_view uri, std::string_view text, std::string_view mime_type = "text/plain");
    [[nodiscard]] static Content resource(std::string_view uri, const Bytes& data, std::string_view mime_type = "application/octet-stream");
    /// Any content block, in the form that the newest revision gives it.
    [[nodiscard]] static Content raw(const nlohmann::json& block);

    /// Whom it is for: "user", "assistant".
    Content& audience(const std::vector<std::string>& roles);
    /// How much it matters: 0 … 1.
    Content& priority(double value);

    [[nodiscard]] const nlohmann::json& json() const noexcept { return *block_; }

private:
    explicit Content(const nlohmann::json& block) : block_(block) {}
    detail::JsonBox block_;
};

/// A picture for something in a list. Older revisions are not shown it.
struct Icon {
    std::string src = {};        ///< https: or data: URI
    std::string mime_type = {};  ///< "image/png"; empty: unsaid
    std::vector<std::string> sizes = {};  ///< "48x48", "any"
};

}  // namespace durable_mcp
