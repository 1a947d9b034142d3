// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// The name of a parameter, and what its C++ type cannot say. A plain string will do; `arg(…)` says more:
///
///     {"from", "to", arg("cents", "amount in cents").minimum(1), arg("note").by_default("").max_length(200)}
///
/// All of it becomes part of the schema that clients see, and is checked before the handler runs. What does not fit the parameter's type
/// (a `minimum` for a string) is std::invalid_argument at registration.
class DURABLE_MCP_EXPORT Arg {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): a list of plain names is the usual case.
    Arg(const char* name) : name_(name) {}
    Arg(std::string name, std::string description) : name_(std::move(name)), description_(std::move(description)) {}

    /// Bounds of a number, inclusive.
    template <class N>
        requires detail::Integer<N> || std::is_floating_point_v<N>
    Arg& minimum(N value) {
        return limit("minimum", detail::encode_text(value));
    }
    template <class N>
        requires detail::Integer<N> || std::is_floating_point_v<N>
    Arg& maximum(N value) {
        return limit("maximum", detail::encode_text(value));
    }
    /// Bounds of a string, in Unicode code points.
    Arg& min_length(std::size_t value);
    Arg& max_length(std::size_t value);
    /// Bounds of an array, in elements.
    Arg& min_items(std::size_t value);
    Arg& max_items(std::size_t value);
    /// The values that are allowed.
    template <class T>
    Arg& one_of(std::initializer_list<T> values) {
        return limit("enum", detail::encode_text(std::vector<detail::Stored<T>>(values.begin(), values.end())));
    }
    /// A name for people, where a client shows one: the `title` of a property, and of a prompt's argument (from revision 2025-06-18 on).
    Arg& title(std::string_view text);
    /// A hint for whoever fills it in, such as "email" or "date-time". It is shown, not checked.
    Arg& format(std::string_view name);
    /// What the handler gets when the client leaves it out.
    template <class T>
    Arg& by_default(const T& value) {
        return limit("default", detail::encode_text(value));
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::string& description() const noexcept { return description_; }
    /// JSON Schema keywords and their values as JSON text.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& keywords() const noexcept { return keywords_; }

private:
    Arg& limit(const char* keyword, std::string text);

    std::string name_;
    std::string description_;
    std::vector<std::pair<std::string, std::string>> keywords_;
};

[[nodiscard]] inline Arg arg(std::string name, std::string description = "") { return Arg(std::move(name), std::move(description)); }

}  // namespace durable_mcp
