// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "durable_mcp/content.hpp"
#include "durable_mcp/durability.hpp"
#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// Who says a message of a prompt.
enum class Role : std::uint8_t { user, assistant };

/// The messages of a prompt. A handler that returns a string means one message of the user.
class DURABLE_MCP_EXPORT PromptResult {
public:
    PromptResult();
    [[nodiscard]] static PromptResult text(std::string_view text);

    PromptResult& add(Role role, const Content& content);
    PromptResult& user(std::string_view text);
    PromptResult& assistant(std::string_view text);
    PromptResult& set_description(std::string_view text);

    /// The GetPromptResult of the newest revision.
    [[nodiscard]] const nlohmann::json& json() const noexcept { return *result_; }

private:
    detail::JsonBox result_;
};

struct PromptOptions {
    std::string title = {};                   ///< for people; "" shows the name
    Durability durability = Durability::full;
    std::vector<Icon> icons = {};
    std::string meta = {};                    ///< `_meta` in lists: the JSON text of an object; "" for none
};

}  // namespace durable_mcp
