// SPDX-License-Identifier: Apache-2.0
#include "schema/dialect.hpp"

#include <array>

namespace durable_mcp::schema {
namespace {

enum class Needs : std::uint8_t { nothing, applicator, unevaluated };

struct Row {
    Applicator applicator;
    bool in_2020_12;
    bool in_draft_07;
    Needs needs;
};

// `definitions` and `dependencies` are not keywords of 2020-12, but its metaschema reserves them, and schemas that were carried over have
// them.
constexpr std::array<Row, 23> rows{{
    {{"$defs", Holds::map}, true, false, Needs::nothing},
    {{"definitions", Holds::map}, true, true, Needs::nothing},
    {{"allOf", Holds::array}, true, true, Needs::applicator},
    {{"anyOf", Holds::array}, true, true, Needs::applicator},
    {{"oneOf", Holds::array}, true, true, Needs::applicator},
    {{"not", Holds::schema}, true, true, Needs::applicator},
    {{"if", Holds::schema}, true, true, Needs::applicator},
    {{"then", Holds::schema}, true, true, Needs::applicator},
    {{"else", Holds::schema}, true, true, Needs::applicator},
    {{"dependentSchemas", Holds::map}, true, false, Needs::applicator},
    {{"dependencies", Holds::map_or_names}, true, true, Needs::applicator},
    {{"prefixItems", Holds::array}, true, false, Needs::applicator},
    {{"items", Holds::schema}, true, false, Needs::applicator},
    {{"items", Holds::schema_or_array}, false, true, Needs::applicator},
    {{"additionalItems", Holds::schema}, false, true, Needs::applicator},
    {{"contains", Holds::schema}, true, true, Needs::applicator},
    {{"properties", Holds::map}, true, true, Needs::applicator},
    {{"patternProperties", Holds::map}, true, true, Needs::applicator},
    {{"additionalProperties", Holds::schema}, true, true, Needs::applicator},
    {{"propertyNames", Holds::schema}, true, true, Needs::applicator},
    {{"unevaluatedItems", Holds::schema}, true, false, Needs::unevaluated},
    {{"unevaluatedProperties", Holds::schema}, true, false, Needs::unevaluated},
    {{"contentSchema", Holds::schema}, true, false, Needs::nothing},
}};

}  // namespace

std::optional<Dialect> find_dialect(std::string_view uri) {
    if (uri == draft_2020_12_uri) {
        return Dialect{};
    }
    if (uri == "http://json-schema.org/draft-07/schema" || uri == "https://json-schema.org/draft-07/schema") {
        Dialect dialect;
        dialect.draft_07 = true;
        dialect.unevaluated = false;
        return dialect;
    }
    return std::nullopt;
}

bool enable_vocabulary(Dialect& dialect, std::string_view uri) {
    constexpr std::string_view prefix = "https://json-schema.org/draft/2020-12/vocab/";
    if (!uri.starts_with(prefix)) {
        return false;
    }
    const std::string_view name = uri.substr(prefix.size());
    if (name == "applicator") {
        dialect.applicator = true;
    } else if (name == "unevaluated") {
        dialect.unevaluated = true;
    } else if (name == "validation") {
        dialect.validation = true;
    } else if (name == "format-assertion") {
        dialect.format_assertion = true;
    } else {
        return name == "core" || name == "meta-data" || name == "format-annotation" || name == "content";
    }
    return true;
}

std::vector<Applicator> list_applicators(const Dialect& dialect) {
    std::vector<Applicator> found;
    for (const Row& row : rows) {
        const bool spoken = row.needs == Needs::nothing || (row.needs == Needs::applicator ? dialect.applicator : dialect.unevaluated);
        if (spoken && (dialect.draft_07 ? row.in_draft_07 : row.in_2020_12)) {
            found.push_back(row.applicator);
        }
    }
    return found;
}

}  // namespace durable_mcp::schema
