// SPDX-License-Identifier: Apache-2.0
#include "schema/schema_documents.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "schema/evaluation.hpp"
#include "schema/metaschemas.hpp"
#include "schema/uri_reference.hpp"

namespace durable_mcp::schema {
namespace {

using base::FailureCode;
using base::Json;

bool is_anchor_name(std::string_view name, bool draft_07) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && (is_letter(name.front()) || (name.front() == '_' && !draft_07)) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || (draft_07 && c == ':');
           });
}

/// The member as a string; nullptr if there is none.
const std::string* find_string(const Json& schema, const char* keyword, const std::string& place) {
    const auto member = schema.find(keyword);
    if (member == schema.end()) {
        return nullptr;
    }
    if (!member->is_string()) {
        refuse_schema(place + "/" + keyword, "expected a string, got " + describe_value(*member));
    }
    return &member->get_ref<const std::string&>();
}

std::string without_empty_fragment(std::string uri) {
    if (uri.ends_with('#')) {
        uri.pop_back();
    }
    return uri;
}

}  // namespace

void refuse_schema(std::string_view place, std::string_view reason, FailureCode code) {
    throw RefusedSchema{{code, fmt::format("the JSON Schema cannot be used: at {}: {}", place, reason)}};
}

std::string pointer_token(std::string_view token) {
    std::string out = "/";
    for (const char c : token) {
        if (c == '~' || c == '/') {
            out += c == '~' ? "~0" : "~1";
        } else {
            out += c;
        }
    }
    return out;
}

SchemaDocuments::SchemaDocuments(const Json& root, const SchemaOptions& options) : options_(options) {
    add_document(root, "", Dialect{}, true);
}

void SchemaDocuments::add_document(const Json& document, const std::string& uri, const Dialect& dialect, bool is_counted) {
    const bool before = std::exchange(is_counted_, is_counted);
    const std::string place = uri + "#";
    const std::uint32_t resource = add_resource(uri, document, read_dialect(document, dialect, place, 0), place);
    walk(document, place, resource, 1);
    is_counted_ = before;
}

void SchemaDocuments::walk(const Json& schema, std::string place, std::uint32_t resource, std::size_t depth) {
    if (subschemas_.contains(&schema)) {
        return;
    }
    if (!schema.is_object() && !schema.is_boolean()) {
        refuse_schema(place, "a schema is an object or a boolean, not " + describe_value(schema));
    }
    if (depth > options_.limits.depth) {
        refuse_schema(place, fmt::format("schemas inside of each other are more than {} deep", options_.limits.depth),
                      FailureCode::too_large);
    }
    if (is_counted_ && ++counted_ > options_.limits.subschemas) {
        refuse_schema(place, fmt::format("there are more than {} subschemas", options_.limits.subschemas), FailureCode::too_large);
    }
    if (schema.is_object()) {
        resource = identify(schema, place, resource);
        for (const Applicator& applicator : list_applicators(resources_[resource].dialect)) {
            if (const auto held = schema.find(applicator.keyword); held != schema.end()) {
                walk_keyword(*held, applicator.holds, place + pointer_token(applicator.keyword), resource, depth + 1);
            }
        }
    }
    subschemas_.emplace(&schema, Subschema{&schema, std::move(place), resource});
}

void SchemaDocuments::walk_keyword(const Json& held, Holds holds, const std::string& place, std::uint32_t resource, std::size_t depth) {
    const bool is_map = holds == Holds::map || holds == Holds::map_or_names;
    if (is_map) {
        if (!held.is_object()) {
            refuse_schema(place, "expected an object, got " + describe_value(held));
        }
        for (const auto& [name, member] : held.items()) {
            if (holds == Holds::map || !member.is_array()) {
                walk(member, place + pointer_token(name), resource, depth);
            }
        }
    } else if (holds == Holds::array || (holds == Holds::schema_or_array && held.is_array())) {
        if (!held.is_array() || (held.empty() && holds == Holds::array)) {
            refuse_schema(place, "expected an array of at least one schema, got " + (held.is_array() ? "none" : describe_value(held)));
        }
        for (std::size_t i = 0; i < held.size(); ++i) {
            walk(held[i], place + "/" + std::to_string(i), resource, depth);
        }
    } else {
        walk(held, place, resource, depth);
    }
}

std::uint32_t SchemaDocuments::identify(const Json& schema, const std::string& place, std::uint32_t resource) {
    Dialect dialect = resources_[resource].dialect;
    const bool is_root = resources_[resource].root == &schema;
    if (dialect.draft_07 && schema.contains("$ref")) {
        return resource;  // its siblings mean nothing
    }
    if (const std::string* const id = find_string(schema, "$id", place)) {
        if (!is_uri(*id, true, true)) {
            refuse_schema(place + "/$id", fmt::format("\"{}\" is not a URI reference", *id));
        }
        const std::size_t hash = std::min(id->find('#'), id->size());
        const std::string fragment = id->substr(std::min(hash + 1, id->size()));
        if (hash > 0) {
            std::string uri = resolve_uri(resources_[resource].uri, id->substr(0, hash));
            if (is_root) {
                by_uri_.try_emplace(uri, resource);
                resources_[resource].uri = std::move(uri);
            } else {
                dialect = read_dialect(schema, dialect, place, 0);
                resource = add_resource(std::move(uri), schema, dialect, place);
            }
        }
        if (!fragment.empty()) {
            if (!dialect.draft_07) {
                refuse_schema(place + "/$id", "an identifier has no fragment; names inside of a document are given by \"$anchor\"");
            }
            add_anchor(resource, schema, fragment, false, place + "/$id");
        }
    }
    if (!dialect.draft_07) {
        if (const std::string* const name = find_string(schema, "$anchor", place)) {
            add_anchor(resource, schema, *name, false, place + "/$anchor");
        }
        if (const std::string* const name = find_string(schema, "$dynamicAnchor", place)) {
            add_anchor(resource, schema, *name, true, place + "/$dynamicAnchor");
        }
    }
    return resource;
}

std::uint32_t SchemaDocuments::add_resource(std::string uri, const Json& root, const Dialect& dialect, const std::string& place) {
    const auto index = static_cast<std::uint32_t>(resources_.size());
    if (!by_uri_.try_emplace(uri, index).second) {
        refuse_schema(place, fmt::format("the identifier \"{}\" is given twice", uri));
    }
    resources_.push_back({std::move(uri), &root, dialect, {}, {}});
    return index;
}

void SchemaDocuments::add_anchor(std::uint32_t resource, const Json& schema, const std::string& name, bool is_dynamic,
                                 const std::string& place) {
    Resource& owner = resources_[resource];
    if (!is_anchor_name(name, owner.dialect.draft_07)) {
        refuse_schema(place,
                      fmt::format("\"{}\" is not an anchor: it begins with a letter; letters, digits, '-', '_' and '.' follow", name));
    }
    const auto [anchor, is_new] = owner.anchors.try_emplace(name, &schema);
    if (!is_new && anchor->second != &schema) {
        refuse_schema(place, fmt::format("the anchor \"{}\" is given twice", name));
    }
    if (is_dynamic) {
        owner.dynamic_anchors.emplace(name, &schema);
    }
}

Dialect SchemaDocuments::read_dialect(const Json& schema, const Dialect& inherited, const std::string& place, int depth) const {
    const std::string* const name = schema.is_object() ? find_string(schema, "$schema", place) : nullptr;
    if (name == nullptr) {
        return inherited;
    }
    const std::string uri = without_empty_fragment(*name);
    if (const auto known = find_dialect(uri)) {
        return *known;
    }
    const auto metaschema = options_.resources.find(uri);
    if (metaschema == options_.resources.end() || !metaschema->second.is_object() || depth > 4) {
        refuse_schema(place + "/$schema", fmt::format("the dialect \"{}\" is not supported; \"{}\" (the default) and "
                                                      "\"http://json-schema.org/draft-07/schema#\" are",
                                                      *name, draft_2020_12_uri));
    }
    Dialect dialect =
        metaschema->second.value("$schema", "") == *name ? Dialect{} : read_dialect(metaschema->second, Dialect{}, uri + "#", depth + 1);
    const auto vocabularies = metaschema->second.find("$vocabulary");
    if (vocabularies == metaschema->second.end() || !vocabularies->is_object()) {
        return dialect;
    }
    dialect = Dialect{false, false, false, false, false};
    for (const auto& [vocabulary, is_required] : vocabularies->items()) {
        if (!enable_vocabulary(dialect, vocabulary) && is_required != Json(false)) {
            refuse_schema(place + "/$schema",
                          fmt::format("the dialect \"{}\" needs the vocabulary \"{}\", which is not supported", *name, vocabulary));
        }
    }
    return dialect;
}

const Json* SchemaDocuments::find_document(const std::string& uri) const {
    const auto supplied = options_.resources.find(uri);
    return supplied != options_.resources.end() ? &supplied->second : find_metaschema(uri);
}

SchemaDocuments::Target SchemaDocuments::resolve(std::uint32_t resource, std::string_view reference, std::string_view place) {
    const std::string uri = resolve_uri(resources_[resource].uri, reference.substr(0, reference.find('#')));
    auto found = by_uri_.find(uri);
    if (found == by_uri_.end()) {
        const Json* const document = find_document(uri);
        if (document == nullptr) {
            refuse_schema(place, fmt::format("\"{}\" names nothing in this document, and nothing is ever fetched", reference));
        }
        add_document(*document, uri, resources_[resource].dialect, find_metaschema(uri) != document);
        found = by_uri_.find(uri);
    }
    const std::uint32_t named = found->second;
    const auto fragment = decode_percent(split_uri(reference).fragment.value_or(""));
    if (!fragment) {
        refuse_schema(place, fmt::format("\"{}\" is not a URI reference", reference));
    }
    if (fragment->empty() || fragment->front() == '/') {
        return {&follow_pointer(named, *fragment, place), {}};
    }
    const Resource& owner = resources_[named];
    const auto anchor = owner.anchors.find(*fragment);
    if (anchor == owner.anchors.end()) {
        refuse_schema(place, fmt::format("\"{}\" names nothing: there is no anchor \"{}\"", reference, *fragment));
    }
    return {anchor->second, owner.dynamic_anchors.contains(*fragment) ? *fragment : std::string{}};
}

const Json& SchemaDocuments::follow_pointer(std::uint32_t resource, std::string_view pointer, std::string_view place) {
    const Json* at = resources_[resource].root;
    std::string at_place = find(*at).place;
    const std::string whole(pointer);
    const auto refuse = [&] { refuse_schema(place, fmt::format("\"#{}\" names nothing in that document", whole)); };
    while (!pointer.empty()) {
        if (const auto known = subschemas_.find(at); known != subschemas_.end()) {
            resource = known->second.resource;
        }
        pointer.remove_prefix(1);
        const std::string_view raw = pointer.substr(0, pointer.find('/'));
        pointer.remove_prefix(raw.size());
        std::string token;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] == '~' && (i + 1 == raw.size() || (raw[i + 1] != '0' && raw[i + 1] != '1'))) {
                refuse();
            }
            token += raw[i] != '~' ? raw[i] : raw[++i] == '0' ? '~' : '/';
        }
        if (at->is_object()) {
            const auto member = at->find(token);
            if (member == at->end()) {
                refuse();
            }
            at = &*member;
        } else {
            std::size_t index = 0;
            const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
            if (!at->is_array() || error != std::errc{} || end != token.data() + token.size() || index >= at->size() ||
                (token.size() > 1 && token.front() == '0')) {
                refuse();
            }
            at = &(*at)[index];
        }
        at_place += pointer_token(token);
    }
    walk(*at, at_place, resource, 1);  // where no keyword that we know holds schemas, it becomes one by being named
    return *at;
}

}  // namespace durable_mcp::schema
