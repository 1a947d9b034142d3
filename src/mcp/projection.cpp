// SPDX-License-Identifier: Apache-2.0
#include "mcp/projection.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "mcp/meta_key.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

/// A field that came later than the first revision. Fields in no table pass: the older schemas are open.
struct LaterField {
    std::string_view name;
    Revision since;
};

constexpr auto r0326 = Revision::r2025_03_26;
constexpr auto r0618 = Revision::r2025_06_18;
constexpr auto r1125 = Revision::r2025_11_25;

constexpr auto r0728 = Revision::r2026_07_28;

constexpr LaterField tool_fields[] = {{"annotations", r0326}, {"title", r0618}, {"outputSchema", r0618},
                                      {"_meta", r0618},       {"icons", r1125}, {"execution", r1125}};
// Prompts, resources, resource templates, resource links.
constexpr LaterField offer_fields[] = {{"title", r0618}, {"_meta", r0618}, {"icons", r1125}};
constexpr LaterField argument_fields[] = {{"title", r0618}};
constexpr LaterField annotation_fields[] = {{"lastModified", r0618}};
constexpr LaterField block_fields[] = {{"_meta", r0618}};  // content blocks and resource contents
constexpr LaterField implementation_fields[] = {{"title", r0618}, {"icons", r1125}, {"description", r1125}, {"websiteUrl", r1125}};
constexpr LaterField result_fields[] = {{"resultType", r0728}, {"ttlMs", r0728}, {"cacheScope", r0728}};
/// A field that a later revision has no place for any more.
struct GoneField {
    std::string_view name;
    Revision until;
};
constexpr GoneField gone_tool_fields[] = {{"execution", r1125}};

struct ErrorRow {
    int code;
    Revision since;
    Revision until;
    int otherwise;
};
constexpr ErrorRow error_rows[] = {
    {jsonrpc::resource_not_found, Revision::r2024_11_05, r1125, jsonrpc::invalid_params},
    {jsonrpc::url_elicitation_required, r1125, r1125, jsonrpc::internal_error},
    {jsonrpc::missing_capability, r0728, r0728, jsonrpc::internal_error},
};

constexpr std::size_t most_completions = 100;  // of one answer; the specification's number

void drop_later(Json& object, Revision revision, std::span<const LaterField> fields) {
    for (const LaterField& field : fields) {
        if (revision < field.since) {
            object.erase(field.name);
        }
    }
}

void drop_gone(Json& object, Revision revision, std::span<const GoneField> fields) {
    for (const GoneField& field : fields) {
        if (revision > field.until) {
            object.erase(field.name);
        }
    }
}

/// The member of that name if it is of that type.
Json* find_member(Json& object, std::string_view name, Json::value_t type) {
    if (!object.is_object()) {
        return nullptr;
    }
    const auto found = object.find(name);
    return found != object.end() && found->type() == type ? &*found : nullptr;
}

void project_annotations(Json& object, Revision revision) {
    if (Json* const annotations = find_member(object, "annotations", Json::value_t::object)) {
        drop_later(*annotations, revision, annotation_fields);
    }
}

Json text_block(std::string text) {
    return {{"type", "text"}, {"text", std::move(text)}};
}

std::string text_of(Json& object, std::string_view name, std::string_view otherwise) {
    Json* const text = find_member(object, name, Json::value_t::string);
    return text != nullptr ? std::move(text->get_ref<std::string&>()) : std::string(otherwise);
}

/// What a peer without a word for `block` is told in its place. Audience and priority still hold.
Json describe(Json& block, std::string text) {
    Json described = text_block(std::move(text));
    if (Json* const annotations = find_member(block, "annotations", Json::value_t::object)) {
        described["annotations"] = std::move(*annotations);
    }
    return described;
}

void project_block(Json& block, Revision revision) {
    const Json* const type = find_member(block, "type", Json::value_t::string);
    if (type == nullptr) {
        return;
    }
    const RevisionTraits& known = traits(revision);
    const auto& name = type->get_ref<const std::string&>();
    if (name == "audio" && !known.audio) {
        block = describe(block, "[audio, " + text_of(block, "mimeType", "of unknown type") + "]");
    } else if (name == "resource_link" && !known.structured) {
        std::string text = text_of(block, "name", "resource");
        text.append(": ").append(text_of(block, "uri", ""));
        if (std::string description = text_of(block, "description", ""); !description.empty()) {
            text.append(" (").append(description).append(")");
        }
        block = describe(block, std::move(text));
    } else if (name == "resource_link") {
        drop_later(block, revision, offer_fields);
    } else if (Json* const resource = find_member(block, "resource", Json::value_t::object)) {
        drop_later(*resource, revision, block_fields);
    }
    drop_later(block, revision, block_fields);
    project_annotations(block, revision);
}

/// Root `type: "object"`, which every revision before 2026-07-28 asks of an output schema.
bool is_object_schema(const Json& schema) {
    if (!schema.is_object()) {
        return false;
    }
    const auto type = schema.find("type");
    return type != schema.end() && *type == "object";
}

void project_tool_result(Json& result, Revision revision) {
    Json* content = find_member(result, "content", Json::value_t::array);
    if (content == nullptr) {
        result["content"] = Json::array();
        content = &result["content"];
    }
    for (Json& block : *content) {
        project_block(block, revision);
    }
    if (const auto structured = result.find("structuredContent"); structured != result.end()) {
        const RevisionTraits& known = traits(revision);
        if (!known.structured || (!known.stateless && !structured->is_object())) {
            // Whoever returned nothing else is still heard.
            if (content->empty()) {
                content->push_back(text_block(structured->dump(-1, ' ', false, Json::error_handler_t::replace)));
            }
            result.erase("structuredContent");
        }
    }
}

/// No more suggestions than an answer may hold; the client is told that there are others.
void limit_completion(Json& result) {
    Json* const completion = find_member(result, "completion", Json::value_t::object);
    Json* const values = completion == nullptr ? nullptr : find_member(*completion, "values", Json::value_t::array);
    if (values == nullptr || values->size() <= most_completions) {
        return;
    }
    auto& all = values->get_ref<Json::array_t&>();
    if (!completion->contains("total")) {
        (*completion)["total"] = all.size();
    }
    all.resize(most_completions);
    (*completion)["hasMore"] = true;
}

/// Both are required. What the handler says of them stands.
void set_cache_hints(Json& result, const ServerFacts& facts) {
    const auto ttl = result.find("ttlMs");
    if (ttl == result.end() || !ttl->is_number_integer() || *ttl < 0) {
        result["ttlMs"] = facts.list_ttl_ms;
    }
    const auto scope = result.find("cacheScope");
    if (scope == result.end() || (*scope != "public" && *scope != "private")) {
        result["cacheScope"] = "private";
    }
}

}  // namespace

Json project_descriptor(ItemKind kind, Revision revision, const Json& descriptor) {
    Json shown = descriptor;
    if (!shown.is_object()) {
        return shown;
    }
    if (kind == ItemKind::tool) {
        drop_later(shown, revision, tool_fields);
        drop_gone(shown, revision, gone_tool_fields);
        if (const auto schema = shown.find("outputSchema"); !traits(revision).stateless && schema != shown.end() && !is_object_schema(*schema)) {
            shown.erase("outputSchema");
        }
        return shown;
    }
    drop_later(shown, revision, offer_fields);
    project_annotations(shown, revision);
    if (kind == ItemKind::prompt) {
        if (Json* const arguments = find_member(shown, "arguments", Json::value_t::array)) {
            for (Json& argument : *arguments) {
                if (argument.is_object()) {
                    drop_later(argument, revision, argument_fields);
                }
            }
        }
    }
    return shown;
}

Json project_result(ItemKind kind, Revision revision, Json result, const ServerFacts& facts) {
    if (!result.is_object()) {
        return result;
    }
    drop_later(result, revision, result_fields);
    switch (kind) {
        case ItemKind::tool:
            project_tool_result(result, revision);
            break;
        case ItemKind::prompt:
            if (Json* const messages = find_member(result, "messages", Json::value_t::array)) {
                for (Json& message : *messages) {
                    if (Json* const content = find_member(message, "content", Json::value_t::object)) {
                        project_block(*content, revision);
                    }
                }
            }
            break;
        case ItemKind::completion:
            limit_completion(result);
            break;
        case ItemKind::resource:
        case ItemKind::resource_template:
            if (Json* const contents = find_member(result, "contents", Json::value_t::array)) {
                for (Json& part : *contents) {
                    if (part.is_object()) {
                        drop_later(part, revision, block_fields);
                    }
                }
            }
            if (traits(revision).stateless) {
                set_cache_hints(result, facts);
            }
            break;
    }
    if (!traits(revision).stateless) {
        return result;
    }
    result["resultType"] = "complete";
    return identify(facts, std::move(result));
}

Json project_recorded(Json result, Revision from, Revision to, const ServerFacts& facts) {
    if (from == to || !result.is_object()) {
        return result;
    }
    if (Json* const meta = find_member(result, "_meta", Json::value_t::object); meta != nullptr && !traits(to).stateless) {
        meta->erase(std::string(meta_key::server_info));
        if (meta->empty()) {
            result.erase("_meta");
        }
    }
    return project_result(ItemKind::tool, to, std::move(result), facts);
}

jsonrpc::Error project_error(Revision revision, jsonrpc::Error error) {
    for (const ErrorRow& row : error_rows) {
        if (row.code == error.code && (revision < row.since || revision > row.until)) {
            error.code = row.otherwise;
            break;
        }
    }
    return error;
}

Json identify(const ServerFacts& facts, Json result) {
    if (result.is_object() && facts.implementation.is_object() && !facts.implementation.empty()) {
        Json& meta = result["_meta"];
        if (!meta.is_object()) {
            meta = Json::object();
        }
        meta[std::string(meta_key::server_info)] = project_implementation(stateless_revision, facts.implementation);
    }
    return result;
}

std::string complete_result(const ServerFacts& facts, std::string object, bool is_cacheable) {
    object.pop_back();
    object.append(object.size() == 1 ? "" : ",").append(R"("resultType":"complete")");
    if (is_cacheable) {
        object.append(fmt::format(R"(,"ttlMs":{},"cacheScope":"private")", facts.list_ttl_ms));
    }
    if (facts.implementation.is_object() && !facts.implementation.empty()) {
        object.append(fmt::format(R"(,"_meta":{{"{}":{}}})", meta_key::server_info,
                                  facts.implementation.dump(-1, ' ', false, Json::error_handler_t::replace)));
    }
    object.push_back('}');
    return object;
}

Json project_implementation(Revision revision, const Json& implementation) {
    Json shown = implementation;
    if (shown.is_object()) {
        drop_later(shown, revision, implementation_fields);
    }
    return shown;
}

Json progress_params(Revision revision, const Json& token, double progress, std::optional<double> total, std::string_view message) {
    // 50, not 50.0: some clients are written in languages that care.
    const auto number = [](double value) {
        constexpr double exact = 9007199254740992.0;
        return std::trunc(value) == value && std::abs(value) <= exact ? Json(static_cast<std::int64_t>(value)) : Json(value);
    };
    Json params{{"progressToken", token}, {"progress", number(progress)}};
    if (total && std::isfinite(*total)) {  // JSON has no word for any other
        params["total"] = number(*total);
    }
    if (!message.empty() && traits(revision).audio) {
        params["message"] = message;
    }
    return params;
}

}  // namespace durable_mcp::mcp
