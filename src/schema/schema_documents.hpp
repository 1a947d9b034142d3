// SPDX-License-Identifier: Apache-2.0
#pragma once

// The documents that a schema consists of while it is compiled: the schema itself and whatever it refers to among the supplied resources
// and the metaschemas. Knows where schemas are in them, whose base URI each has, and what a reference names.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "schema/dialect.hpp"
#include "schema/json_schema.hpp"

namespace durable_mcp::schema {

/// Thrown where compiling cannot go on, and caught where it began: half of its functions would otherwise do nothing but hand a failure on.
struct RefusedSchema {
    base::Failure failure;
};

/// `place`: what describe_place() gives. `reason` has no full stop.
[[noreturn]] void refuse_schema(std::string_view place, std::string_view reason, base::FailureCode code = base::FailureCode::malformed);

/// `token` as a part of a JSON pointer, behind a '/'.
[[nodiscard]] std::string pointer_token(std::string_view token);

class SchemaDocuments {
public:
    /// A schema, and where it stands.
    struct Subschema {
        const base::Json* schema;
        std::string place;  ///< "#/properties/cents", or the same behind the URI of another document
        std::uint32_t resource;
    };
    /// What has an identifier of its own: the scope of anchors.
    struct Resource {
        std::string uri;
        const base::Json* root;
        Dialect dialect;
        std::map<std::string, const base::Json*> anchors;  ///< the dynamic ones too
        std::map<std::string, const base::Json*> dynamic_anchors;
    };
    struct Target {
        const base::Json* schema;
        std::string dynamic_anchor;  ///< its name, if the reference went to one
    };

    /// Borrows both. Throws RefusedSchema; and so does all else here.
    SchemaDocuments(const base::Json& root, const SchemaOptions& options);
    SchemaDocuments(const SchemaDocuments&) = delete;
    SchemaDocuments& operator=(const SchemaDocuments&) = delete;

    /// `schema` must be the root or come from resolve() or from a keyword that holds schemas.
    [[nodiscard]] const Subschema& find(const base::Json& schema) const { return subschemas_.at(&schema); }
    [[nodiscard]] const std::deque<Resource>& resources() const { return resources_; }

    /// What `reference` names, seen from a schema in `resource`; `place` is the reference's own.
    [[nodiscard]] Target resolve(std::uint32_t resource, std::string_view reference, std::string_view place);

private:
    void add_document(const base::Json& document, const std::string& uri, const Dialect& dialect, bool is_counted);
    void walk(const base::Json& schema, std::string place, std::uint32_t resource, std::size_t depth);
    void walk_keyword(const base::Json& held, Holds holds, const std::string& place, std::uint32_t resource, std::size_t depth);
    /// The resource of `schema`, which stands in `resource`: a new one if it has an identifier.
    [[nodiscard]] std::uint32_t identify(const base::Json& schema, const std::string& place, std::uint32_t resource);
    [[nodiscard]] std::uint32_t add_resource(std::string uri, const base::Json& root, const Dialect& dialect, const std::string& place);
    void add_anchor(std::uint32_t resource, const base::Json& schema, const std::string& name, bool is_dynamic, const std::string& place);
    [[nodiscard]] Dialect read_dialect(const base::Json& schema, const Dialect& inherited, const std::string& place, int depth) const;
    [[nodiscard]] const base::Json* find_document(const std::string& uri) const;
    [[nodiscard]] const base::Json& follow_pointer(std::uint32_t resource, std::string_view pointer, std::string_view place);

    const SchemaOptions& options_;
    std::deque<Resource> resources_;
    std::map<std::string, std::uint32_t> by_uri_;
    std::unordered_map<const base::Json*, Subschema> subschemas_;
    std::size_t counted_ = 0;
    bool is_counted_ = true;
};

}  // namespace durable_mcp::schema
