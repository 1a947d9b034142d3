// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/arg.hpp"

namespace durable_mcp {

Arg& Arg::limit(const char* keyword, std::string text) {
    for (auto& [known, value] : keywords_) {
        if (known == keyword) {
            value = std::move(text);
            return *this;
        }
    }
    keywords_.emplace_back(keyword, std::move(text));
    return *this;
}

Arg& Arg::min_length(std::size_t value) { return limit("minLength", std::to_string(value)); }
Arg& Arg::max_length(std::size_t value) { return limit("maxLength", std::to_string(value)); }
Arg& Arg::min_items(std::size_t value) { return limit("minItems", std::to_string(value)); }
Arg& Arg::max_items(std::size_t value) { return limit("maxItems", std::to_string(value)); }
Arg& Arg::title(std::string_view text) { return limit("title", detail::encode_text(text)); }
Arg& Arg::format(std::string_view name) { return limit("format", detail::encode_text(name)); }

}  // namespace durable_mcp
