// SPDX-License-Identifier: Apache-2.0
#pragma once

// A compiled schema: flat tables of numbers, with which values are checked (evaluation.hpp). The compiler (compiler.hpp) writes it once.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "schema/exact_value.hpp"
#include "schema/formats.hpp"
#include "schema/pattern.hpp"

namespace durable_mcp::schema {

using NodeIndex = std::uint32_t;
constexpr NodeIndex no_node = 0xffffffff;

/// The types of values as bits. A number without a fraction is an integer, whatever it was written like.
using TypeMask = std::uint8_t;
constexpr TypeMask null_type = 1, boolean_type = 2, integer_type = 4, fraction_type = 8, string_type = 16, array_type = 32,
                   object_type = 64;
constexpr TypeMask number_types = integer_type | fraction_type, every_type = 127;

[[nodiscard]] TypeMask type_of(const base::Json& value);

/// What an instruction does. Each has a table in Program in which `at` is its row, unless said otherwise.
enum class Operation : std::uint8_t {
    type,         ///< at: the types that fit
    constant,     ///< values
    enumeration,  ///< values, `count` of them
    minimum,      ///< numbers; and so the four below
    exclusive_minimum,
    maximum,
    exclusive_maximum,
    multiple_of,
    min_length,  ///< at: the bound itself; and so all that count
    max_length,
    pattern,  ///< patterns
    format,   ///< formats
    min_items,
    max_items,
    unique_items,  ///< no operand
    items,         ///< items
    contains,      ///< contains
    min_properties,
    max_properties,
    members,                ///< members: properties, patternProperties, additionalProperties and required in one pass
    property_names,         ///< at: a node
    dependencies,           ///< dependencies, `count` of them
    reference,              ///< at: a node
    dynamic_reference,      ///< dynamic_references
    all_of,                 ///< nodes, `count` of them
    any_of,                 ///< nodes, `count` of them
    one_of,                 ///< nodes, `count` of them
    none_of,                ///< at: a node
    condition,              ///< nodes: if, then, else (or no_node)
    unevaluated_items,      ///< at: a node
    unevaluated_properties  ///< at: a node
};

struct Instruction {
    Operation operation;
    TypeMask types;  ///< of values that it says anything about
    std::uint32_t at;
    std::uint32_t count;
};

/// Longer enumerations are sorted by compare().
constexpr std::uint32_t longest_unsorted_enumeration = 16;

/// One schema: instructions that must all be content.
struct Node {
    enum class Kind : std::uint8_t {
        accepts,  ///< true, or a schema without assertions
        refuses,  ///< false
        checks,
        checks_rest,  ///< has unevaluatedItems or unevaluatedProperties: needs to know what the others looked at
    };
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t resource = 0;
    Kind kind = Kind::accepts;
};

struct Property {
    std::string name;
    NodeIndex node = no_node;
    bool is_required = false;
    bool is_declared = false;  ///< in `properties`, and not only in `required`
};

struct Members {
    std::vector<Property> properties;  ///< in the order of their names, as in a JSON object
    std::vector<std::pair<Pattern, NodeIndex>> patterns;
    NodeIndex additional = no_node;
    std::size_t required = 0;  ///< how many are
};

struct Items {
    std::vector<NodeIndex> prefix;
    NodeIndex rest = no_node;
    std::string_view rest_keyword;  ///< items, or additionalItems
};

struct Contains {
    NodeIndex node = no_node;
    std::size_t min = 1;
    std::size_t max = SIZE_MAX;
    bool marks = true;  ///< what it matches counts as evaluated (not so in draft-07)
};

/// What must hold if an object has the member `trigger`.
struct Dependency {
    std::string_view keyword;
    std::string trigger;
    std::vector<std::string> required;
    NodeIndex node = no_node;
};

/// A $dynamicRef whose static target is a $dynamicAnchor: the outermost resource that was entered and has that anchor decides.
struct DynamicReference {
    NodeIndex node = no_node;  ///< the static target
    std::uint32_t anchor = 0;  ///< the number of the anchor's name
};

/// A schema resource, as far as it matters when values are checked.
struct ProgramResource {
    std::vector<std::pair<std::uint32_t, NodeIndex>> dynamic_anchors;
};

struct Program {
    std::vector<Node> nodes;  ///< the root is the first
    std::vector<Instruction> instructions;
    std::vector<NodeIndex> lists;
    std::vector<base::Json> values;
    std::vector<Number> numbers;
    std::vector<Pattern> patterns;
    std::vector<const Format*> formats;
    std::vector<Items> items;
    std::vector<Contains> contains;
    std::vector<Members> members;
    std::vector<Dependency> dependencies;
    std::vector<DynamicReference> dynamic_references;
    std::vector<ProgramResource> resources;
    bool needs_scope = false;  ///< there are dynamic references
    std::size_t steps = 0;     ///< what one check may cost
    std::size_t frames = 0;    ///< how deep it may go
};

}  // namespace durable_mcp::schema
