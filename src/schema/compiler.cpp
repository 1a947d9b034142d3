// SPDX-License-Identifier: Apache-2.0
#include "schema/compiler.hpp"

// Schemas become nodes. A node's instructions must lie together, so its subschemas only get their numbers while it is written, and wait in
// a queue; that also lets schemas refer to themselves.

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "schema/keyword_reader.hpp"
#include "schema/reference_loops.hpp"
#include "schema/schema_documents.hpp"

namespace durable_mcp::schema {
namespace {

using base::FailureCode;
using base::Json;

class Compiler {
public:
    Compiler(const Json& schema, const SchemaOptions& options) : options_(options), documents_(schema, options) {
        program_.steps = options.limits.steps;
        program_.frames = options.limits.frames;
        static_cast<void>(node_of(schema));
    }

    [[nodiscard]] Program run() {
        do {
            while (next_ < queue_.size()) {
                write_node(static_cast<NodeIndex>(next_++));
            }
            add_dynamic_anchors();
        } while (next_ < queue_.size());
        if (const NodeIndex node = find_reference_loop(program_); node != no_node) {
            refuse_schema(documents_.find(*queue_[node]).place, "its references lead back to it without looking at any part of the value");
        }
        return std::move(program_);
    }

private:
    [[nodiscard]] NodeIndex node_of(const Json& schema) {
        const auto [entry, is_new] = nodes_.try_emplace(&schema, static_cast<NodeIndex>(queue_.size()));
        if (is_new) {
            queue_.push_back(&schema);
            program_.nodes.emplace_back();
        }
        return entry->second;
    }

    void write_node(NodeIndex index);
    void write_values(const KeywordReader& keywords);
    void write_format(const KeywordReader& keywords);
    void write_arrays(const KeywordReader& keywords, const Dialect& dialect);
    void write_objects(const KeywordReader& keywords, const Dialect& dialect);
    void write_members(const KeywordReader& keywords, const Dialect& dialect);
    void write_dependencies(const KeywordReader& keywords, const Dialect& dialect);
    void write_references(const KeywordReader& keywords, std::uint32_t resource);
    void write_combinations(const KeywordReader& keywords);
    bool write_unevaluated(const KeywordReader& keywords);
    void add_dynamic_anchors();

    void emit(Operation operation, TypeMask types, std::size_t at = 0, std::size_t count = 1) {
        program_.instructions.push_back({operation, types, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(count)});
    }
    /// Adds a row to a table, and the instruction that uses it.
    template <class Row>
    void emit_row(Operation operation, TypeMask types, std::vector<Row>& table, Row row) {
        emit(operation, types, table.size());
        table.push_back(std::move(row));
    }
    void emit_count(Operation operation, TypeMask types, const std::optional<std::uint32_t>& count) {
        if (count) {
            emit(operation, types, *count);
        }
    }
    [[nodiscard]] Pattern compile_pattern(const std::string& expression, const std::string& place) const {
        auto pattern = Pattern::compile(expression);
        if (!pattern) {
            refuse_schema(place, pattern.error().sentence, pattern.error().code);
        }
        return std::move(*pattern);
    }

    const SchemaOptions& options_;
    SchemaDocuments documents_;
    Program program_;
    std::vector<const Json*> queue_;  ///< by node
    std::size_t next_ = 0;
    std::unordered_map<const Json*, NodeIndex> nodes_;
    std::map<std::string, std::uint32_t> anchor_names_;  ///< of dynamic anchors that are asked for
};

void Compiler::write_node(NodeIndex index) {
    const SchemaDocuments::Subschema& subschema = documents_.find(*queue_[index]);
    const Json& schema = *subschema.schema;
    const std::uint32_t resource = subschema.resource;
    const auto first = static_cast<std::uint32_t>(program_.instructions.size());
    Node node{first, 0, resource, Node::Kind::checks};
    if (schema.is_boolean()) {
        node.kind = schema.get_ref<const bool&>() ? Node::Kind::accepts : Node::Kind::refuses;
    } else {
        const KeywordReader keywords(schema, subschema.place);
        const Dialect& dialect = documents_.resources()[resource].dialect;
        if (dialect.draft_07 && keywords.find("$ref") != nullptr) {
            write_references(keywords, resource);  // and nothing beside it
        } else {
            keywords.check_remarks(dialect.draft_07);
            if (dialect.validation) {
                write_values(keywords);
            }
            if (options_.assert_formats || dialect.format_assertion) {
                write_format(keywords);
            }
            write_arrays(keywords, dialect);
            write_objects(keywords, dialect);
            write_references(keywords, resource);
            if (dialect.applicator) {
                write_combinations(keywords);
            }
            if (dialect.unevaluated && write_unevaluated(keywords)) {
                node.kind = Node::Kind::checks_rest;
            }
        }
        if (program_.instructions.size() == first) {
            node.kind = Node::Kind::accepts;
        }
    }
    node.count = static_cast<std::uint32_t>(program_.instructions.size()) - first;
    program_.nodes[index] = node;
}

void Compiler::write_values(const KeywordReader& keywords) {
    if (const auto types = keywords.types()) {
        emit(Operation::type, every_type, *types);
    }
    if (const Json* const constant = keywords.find("const")) {
        emit_row(Operation::constant, every_type, program_.values, *constant);
    }
    if (const Json* const values = keywords.array("enum")) {
        emit(Operation::enumeration, every_type, program_.values.size(), values->size());
        const auto first = program_.values.insert(program_.values.end(), values->begin(), values->end());
        if (values->size() > longest_unsorted_enumeration) {
            Budget budget(SIZE_MAX);
            std::sort(first, program_.values.end(), [&](const Json& a, const Json& b) { return compare(a, b, budget) < 0; });
        }
    }
    for (const auto& [keyword, operation] : {std::pair{"minimum", Operation::minimum},
                                             {"exclusiveMinimum", Operation::exclusive_minimum},
                                             {"maximum", Operation::maximum},
                                             {"exclusiveMaximum", Operation::exclusive_maximum},
                                             {"multipleOf", Operation::multiple_of}}) {
        if (const auto bound = keywords.number(keyword)) {
            if (operation == Operation::multiple_of && Number::compare(*bound, Number(Json(0))) <= 0) {
                refuse_schema(keywords.place_of(keyword), "expected a number above 0, got " + bound->to_text());
            }
            emit_row(operation, number_types, program_.numbers, *bound);
        }
    }
    emit_count(Operation::min_length, string_type, keywords.count("minLength"));
    emit_count(Operation::max_length, string_type, keywords.count("maxLength"));
    if (const std::string* const expression = keywords.string("pattern")) {
        emit_row(Operation::pattern, string_type, program_.patterns, compile_pattern(*expression, keywords.place_of("pattern")));
    }
}

void Compiler::write_format(const KeywordReader& keywords) {
    const std::string* const name = keywords.string("format");
    if (const Format* const format = name == nullptr ? nullptr : find_format(*name)) {
        emit_row(Operation::format, string_type, program_.formats, format);
    }
}

void Compiler::write_arrays(const KeywordReader& keywords, const Dialect& dialect) {
    if (dialect.validation) {
        emit_count(Operation::min_items, array_type, keywords.count("minItems"));
        emit_count(Operation::max_items, array_type, keywords.count("maxItems"));
        if (keywords.boolean("uniqueItems").value_or(false)) {
            emit(Operation::unique_items, array_type);
        }
    }
    const auto min_contains = dialect.validation && !dialect.draft_07 ? keywords.count("minContains") : std::nullopt;
    const auto max_contains = dialect.validation && !dialect.draft_07 ? keywords.count("maxContains") : std::nullopt;
    if (!dialect.applicator) {
        return;
    }
    Items items;
    const Json* prefix = keywords.find(dialect.draft_07 ? "items" : "prefixItems");
    const Json* rest = keywords.find("items");
    items.rest_keyword = "items";
    if (dialect.draft_07) {
        const bool is_list = prefix != nullptr && prefix->is_array();
        rest = is_list ? keywords.find("additionalItems") : prefix;
        prefix = is_list ? prefix : nullptr;
        items.rest_keyword = is_list ? "additionalItems" : "items";
    }
    if (prefix != nullptr) {
        for (const Json& schema : *prefix) {
            items.prefix.push_back(node_of(schema));
        }
    }
    items.rest = rest == nullptr ? no_node : node_of(*rest);
    if (prefix != nullptr || rest != nullptr) {
        emit_row(Operation::items, array_type, program_.items, std::move(items));
    }
    if (const Json* const schema = keywords.find("contains")) {
        Contains contains{node_of(*schema), min_contains.value_or(1), SIZE_MAX, !dialect.draft_07};
        contains.max = max_contains ? *max_contains : SIZE_MAX;
        emit_row(Operation::contains, array_type, program_.contains, contains);
    }
}

void Compiler::write_objects(const KeywordReader& keywords, const Dialect& dialect) {
    if (dialect.validation) {
        emit_count(Operation::min_properties, object_type, keywords.count("minProperties"));
        emit_count(Operation::max_properties, object_type, keywords.count("maxProperties"));
    }
    write_members(keywords, dialect);
    if (dialect.applicator) {
        if (const Json* const schema = keywords.find("propertyNames")) {
            emit(Operation::property_names, object_type, node_of(*schema));
        }
    }
    write_dependencies(keywords, dialect);
}

void Compiler::write_members(const KeywordReader& keywords, const Dialect& dialect) {
    Members members;
    std::map<std::string, Property> properties;
    if (dialect.applicator) {
        if (const Json* const declared = keywords.object("properties")) {
            for (const auto& [name, schema] : declared->items()) {
                properties[name] = {name, node_of(schema), false, true};
            }
        }
        if (const Json* const patterns = keywords.object("patternProperties")) {
            for (const auto& [expression, schema] : patterns->items()) {
                const std::string place = keywords.place_of("patternProperties") + pointer_token(expression);
                members.patterns.emplace_back(compile_pattern(expression, place), node_of(schema));
            }
        }
        if (const Json* const additional = keywords.find("additionalProperties")) {
            members.additional = node_of(*additional);
        }
    }
    if (dialect.validation) {
        for (const std::string& name : keywords.names("required").value_or(std::vector<std::string>{})) {
            properties[name].name = name;
            properties[name].is_required = true;
        }
    }
    for (auto& [name, property] : properties) {
        members.properties.push_back(std::move(property));
    }
    if (!members.properties.empty() || !members.patterns.empty() || members.additional != no_node) {
        emit_row(Operation::members, object_type, program_.members, std::move(members));
    }
}

void Compiler::write_dependencies(const KeywordReader& keywords, const Dialect& dialect) {
    const std::size_t first = program_.dependencies.size();
    const auto add = [&](std::string_view keyword) {
        const Json* const all = keywords.object(keyword);
        if (all == nullptr) {
            return;
        }
        for (const auto& [trigger, what] : all->items()) {
            Dependency dependency{keyword, trigger, {}, no_node};
            if (what.is_array() || keyword == "dependentRequired") {
                dependency.required = KeywordReader::read_names(what, keywords.place_of(keyword) + pointer_token(trigger));
            } else {
                dependency.node = node_of(what);
            }
            program_.dependencies.push_back(std::move(dependency));
        }
    };
    if (dialect.applicator) {
        add("dependencies");
        if (!dialect.draft_07) {
            add("dependentSchemas");
        }
    }
    if (dialect.validation && !dialect.draft_07) {
        add("dependentRequired");
    }
    if (program_.dependencies.size() > first) {
        emit(Operation::dependencies, object_type, first, program_.dependencies.size() - first);
    }
}

void Compiler::write_references(const KeywordReader& keywords, std::uint32_t resource) {
    if (const std::string* const reference = keywords.string("$ref")) {
        emit(Operation::reference, every_type, node_of(*documents_.resolve(resource, *reference, keywords.place_of("$ref")).schema));
    }
    const std::string* const reference = documents_.resources()[resource].dialect.draft_07 ? nullptr : keywords.string("$dynamicRef");
    if (reference == nullptr) {
        return;
    }
    const auto target = documents_.resolve(resource, *reference, keywords.place_of("$dynamicRef"));
    const NodeIndex node = node_of(*target.schema);
    if (target.dynamic_anchor.empty()) {
        emit(Operation::reference, every_type, node);
        return;
    }
    const auto number = anchor_names_.try_emplace(target.dynamic_anchor, static_cast<std::uint32_t>(anchor_names_.size())).first->second;
    emit_row(Operation::dynamic_reference, every_type, program_.dynamic_references, DynamicReference{node, number});
    program_.needs_scope = true;
}

void Compiler::write_combinations(const KeywordReader& keywords) {
    for (const auto& [keyword, operation] :
         {std::pair{"allOf", Operation::all_of}, {"anyOf", Operation::any_of}, {"oneOf", Operation::one_of}}) {
        if (const Json* const schemas = keywords.find(keyword)) {
            emit(operation, every_type, program_.lists.size(), schemas->size());
            for (const Json& schema : *schemas) {
                program_.lists.push_back(node_of(schema));
            }
        }
    }
    if (const Json* const schema = keywords.find("not")) {
        emit(Operation::none_of, every_type, node_of(*schema));
    }
    if (const Json* const condition = keywords.find("if")) {
        emit(Operation::condition, every_type, program_.lists.size(), 3);
        program_.lists.push_back(node_of(*condition));
        for (const auto keyword : {"then", "else"}) {
            const Json* const schema = keywords.find(keyword);
            program_.lists.push_back(schema == nullptr ? no_node : node_of(*schema));
        }
    }
}

bool Compiler::write_unevaluated(const KeywordReader& keywords) {
    const Json* const items = keywords.find("unevaluatedItems");
    const Json* const properties = keywords.find("unevaluatedProperties");
    if (items != nullptr) {
        emit(Operation::unevaluated_items, array_type, node_of(*items));
    }
    if (properties != nullptr) {
        emit(Operation::unevaluated_properties, object_type, node_of(*properties));
    }
    return items != nullptr || properties != nullptr;
}

void Compiler::add_dynamic_anchors() {
    program_.resources.assign(documents_.resources().size(), {});
    for (std::size_t i = 0; i < documents_.resources().size() && program_.needs_scope; ++i) {
        for (const auto& [name, schema] : documents_.resources()[i].dynamic_anchors) {
            if (const auto asked_for = anchor_names_.find(name); asked_for != anchor_names_.end()) {
                program_.resources[i].dynamic_anchors.emplace_back(asked_for->second, node_of(*schema));
            }
        }
    }
}

}  // namespace

base::Result<Program> compile_schema(const Json& schema, const SchemaOptions& options) {
    try {
        return Compiler(schema, options).run();
    } catch (const RefusedSchema& refused) {
        return refused.failure;
    }
}

}  // namespace durable_mcp::schema
