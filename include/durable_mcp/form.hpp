// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/schema.hpp"

namespace durable_mcp {

/// What may be said of a line of text on a form.
struct TextField {
    std::string title = {};                             ///< for people; "" shows the name
    std::string description = {};
    std::optional<std::string> by_default = {};         ///< what is filled in already
    std::optional<std::size_t> min_length = {};         ///< in Unicode code points
    std::optional<std::size_t> max_length = {};
    bool required = true;
};

struct IntegerField {
    std::string title = {};
    std::string description = {};
    std::optional<std::int64_t> by_default = {};
    std::optional<std::int64_t> minimum = {};           ///< inclusive
    std::optional<std::int64_t> maximum = {};
    bool required = true;
};

struct NumberField {
    std::string title = {};
    std::string description = {};
    std::optional<double> by_default = {};
    std::optional<double> minimum = {};                 ///< inclusive
    std::optional<double> maximum = {};
    bool required = true;
};

struct BooleanField {
    std::string title = {};
    std::string description = {};
    std::optional<bool> by_default = {};
    bool required = true;
};

struct ChoiceField {
    std::string title = {};
    std::string description = {};
    std::optional<std::string> by_default = {};         ///< one of the values
    bool required = true;
};

struct ChoicesField {
    std::string title = {};
    std::string description = {};
    std::optional<std::vector<std::string>> by_default = {};
    std::optional<std::size_t> min_items = {};
    std::optional<std::size_t> max_items = {};
    bool required = true;
};

/// Values with the words that people are shown for them.
using TitledValues = std::vector<std::pair<std::string, std::string>>;

/// A form built field by field, for context.elicit() without a struct: every shape that the specification has (elicitation, "Requested
/// schema"). What comes back is a JSON object with these names.
///
///     Form().text("name", {.title = "Your name", .max_length = 80})
///           .email("contact", {.required = false})
///           .titled_choice("size", {{"s", "Small"}, {"l", "Large"}}, {.by_default = "s"})
///
/// *Errors*: std::invalid_argument, naming the field: a name that is empty or used twice, bounds that contradict each other, a choice without
/// values, a default that the field itself would refuse.
class DURABLE_MCP_EXPORT Form {
public:
    Form();

    Form& text(std::string_view name, const TextField& field = {});
    /// Text of a known format. It is checked, here as by clients: an answer that does not have it is none.
    Form& email(std::string_view name, const TextField& field = {});
    Form& uri(std::string_view name, const TextField& field = {});
    Form& date(std::string_view name, const TextField& field = {});       ///< "2026-07-28"
    Form& date_time(std::string_view name, const TextField& field = {});  ///< RFC 3339
    Form& integer(std::string_view name, const IntegerField& field = {});
    Form& number(std::string_view name, const NumberField& field = {});
    Form& boolean(std::string_view name, const BooleanField& field = {});

    /// One of some values: a string.
    Form& choice(std::string_view name, const std::vector<std::string>& values, const ChoiceField& field = {});
    Form& titled_choice(std::string_view name, const TitledValues& values, const ChoiceField& field = {});
    /// As titled_choice(), in the only words (`enumNames`) that clients of 2025-06-18 know. Newer clients know them too.
    Form& legacy_choice(std::string_view name, const TitledValues& values, const ChoiceField& field = {});
    /// Any number of some values: an array of strings. From 2025-11-25 on; an older client cannot be asked that: MissingCapability.
    Form& choices(std::string_view name, const std::vector<std::string>& values, const ChoicesField& field = {});
    Form& titled_choices(std::string_view name, const TitledValues& values, const ChoicesField& field = {});

    /// The `requestedSchema`.
    [[nodiscard]] JsonSchema schema() const;

private:
    Form& add(std::string_view name, const nlohmann::json& field, bool required);
    Form& add_text(std::string_view name, const char* format, const TextField& field);

    detail::JsonBox schema_;
};

}  // namespace durable_mcp
