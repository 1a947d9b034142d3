// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON Schema 2020-12, and draft-07 where `$schema` names it: compiled once, then asked for every value. This header is the seam: whoever
// prefers a library to what stands behind it replaces json_schema.cpp.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace durable_mcp::schema {

/// What a schema and a check with it may cost. base/limits.hpp has the reasons.
struct SchemaLimits {
    std::size_t depth = base::Limits{}.schema_depth;            ///< subschemas inside of each other
    std::size_t subschemas = base::Limits{}.schema_subschemas;  ///< in all, without those of the metaschemas
    std::size_t steps = base::Limits{}.schema_steps;  ///< one per schema that looks at a value, per member, and per value that is compared
    std::size_t frames = base::Limits{}.schema_frames;  ///< schemas entered and not yet left
};

struct SchemaOptions {
    SchemaLimits limits;
    /// True: a value that contradicts a `format` that we know does not fit. False: `format` is a remark, as 2020-12 has it unless the
    /// schema's metaschema demands otherwise.
    bool assert_formats = false;
    /// Other documents, by the URI under which `$ref` and `$schema` name them. Needed only while compiling. The metaschemas of 2020-12 and
    /// draft-07 are always there; nothing is ever fetched.
    std::map<std::string, base::Json> resources;
};

/// The first reason why a value does not fit; of alternatives that all fail, the one that came furthest.
struct Misfit {
    std::string instance_path;  ///< "order.items[2]"; "" is the value itself. Keys that are too long for a sentence are cut
    std::string keyword;        ///< the keyword that is not content ("minimum"); "" if a limit ended the check
    std::string sentence;       ///< "expected an integer, got \"abc\"": to be put behind the name of what was checked and a colon
};

struct Program;

/// An immutable compiled schema; cheap to copy. Any thread may check values with it.
class JsonSchemaValidator {
public:
    /// Compiles `schema`, which must be an object or a boolean.
    /// *Errors*: `malformed` (a keyword with a value of the wrong type, a `$ref` that names nothing, a dialect that we do not speak, a
    /// pattern that cannot be matched in linear time, `$ref`s that lead in a circle without looking at any part of the value) or
    /// `too_large`. The sentence names the place by its JSON pointer and is for the author of the schema.
    [[nodiscard]] static base::Result<JsonSchemaValidator> compile(const base::Json& schema, const SchemaOptions& options = {});

    /// Nothing if `value` fits. Where it does not, this costs about three times as much as fits(), because it is looked at again for the
    /// sentence. A check that reaches a limit is a misfit.
    [[nodiscard]] std::optional<Misfit> validate(const base::Json& value) const;

    /// True if `value` fits. Does not allocate, unless the schema has unevaluatedItems or unevaluatedProperties, or uniqueItems meets a
    /// long array.
    [[nodiscard]] bool fits(const base::Json& value) const;

private:
    explicit JsonSchemaValidator(std::shared_ptr<const Program> program);
    std::shared_ptr<const Program> program_;
};

}  // namespace durable_mcp::schema
