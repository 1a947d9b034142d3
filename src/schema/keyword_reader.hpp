// SPDX-License-Identifier: Apache-2.0
#pragma once

// A schema's keywords, taken out one by one in the types that they must have.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "schema/program.hpp"

namespace durable_mcp::schema {

/// Every member throws RefusedSchema for a keyword whose value is not what it must be.
class KeywordReader {
public:
    KeywordReader(const base::Json& schema, std::string_view place) : schema_(schema), place_(place) {}

    [[nodiscard]] const base::Json* find(std::string_view keyword) const;
    [[nodiscard]] const std::string* string(std::string_view keyword) const;
    [[nodiscard]] std::optional<bool> boolean(std::string_view keyword) const;
    [[nodiscard]] std::optional<Number> number(std::string_view keyword) const;
    /// A bound for something that is counted. What does not fit into 32 bits is all of them: nothing that we check has so many parts.
    [[nodiscard]] std::optional<std::uint32_t> count(std::string_view keyword) const;
    [[nodiscard]] const base::Json* array(std::string_view keyword) const;
    [[nodiscard]] const base::Json* object(std::string_view keyword) const;
    [[nodiscard]] std::optional<TypeMask> types() const;
    /// Strings that differ.
    [[nodiscard]] std::optional<std::vector<std::string>> names(std::string_view keyword) const;
    [[nodiscard]] static std::vector<std::string> read_names(const base::Json& value, const std::string& place);
    /// Checks the keywords that say nothing about values: title, examples and their like.
    void check_remarks(bool draft_07) const;

    [[nodiscard]] std::string place_of(std::string_view keyword) const;
    [[nodiscard]] const std::string& place() const { return place_; }
    [[nodiscard]] const base::Json& schema() const { return schema_; }

private:
    [[noreturn]] void refuse(std::string_view keyword, std::string_view expected, const base::Json& found) const;

    const base::Json& schema_;
    std::string place_;
};

}  // namespace durable_mcp::schema
