// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which keywords a schema is made of: the draft, and of 2020-12 the vocabularies; and which of the keywords hold schemas.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace durable_mcp::schema {

struct Dialect {
    bool draft_07 = false;
    bool applicator = true;
    bool unevaluated = true;
    bool validation = true;
    bool format_assertion = false;
};

constexpr std::string_view draft_2020_12_uri = "https://json-schema.org/draft/2020-12/schema";

/// The dialect that is named by `uri` and needs no metaschema to be read: 2020-12, draft-07.
[[nodiscard]] std::optional<Dialect> find_dialect(std::string_view uri);

/// Switches the vocabulary named by `uri` on in `dialect`. False if nobody here knows it.
[[nodiscard]] bool enable_vocabulary(Dialect& dialect, std::string_view uri);

/// How a keyword holds schemas.
enum class Holds : std::uint8_t {
    schema,           ///< not
    array,            ///< allOf: not empty
    map,              ///< properties
    schema_or_array,  ///< items of draft-07
    map_or_names,     ///< dependencies: schemas, or lists of names
};

struct Applicator {
    std::string_view keyword;
    Holds holds;
};

/// The keywords of that dialect that hold schemas.
[[nodiscard]] std::vector<Applicator> list_applicators(const Dialect& dialect);

}  // namespace durable_mcp::schema
