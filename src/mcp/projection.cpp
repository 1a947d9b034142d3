// SPDX-License-Identifier: Apache-2.0
#include "mcp/projection.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

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

constexpr LaterField tool_fields[] = {{"annotations", r0326}, {"title", r0618}, {"outputSchema", r0618},
                                      {"_meta", r0618},       {"icons", r1125}, {"execution", r1125}};
// Prompts, resources, resource templates, resource links.
constexpr LaterField offer_fields[] = {{"title", r0618}, {"_meta", r0618}, {"icons", r1125}};
constexpr LaterField argument_fields[] = {{"title", r0618}};
constexpr LaterField annotation_fields[] = {{"lastModified", r0618}};
constexpr LaterField block_fields[] = {{"_meta", r0618}};  // content blocks and resource contents
constexpr LaterField implementation_fields[] = {{"title", r0618}, {"icons", r1125}, {"description", r1125}, {"websiteUrl", r1125}};
// What results have in the stateless era only.
constexpr std::string_view stateless_result_fields[] = {"resultType", "ttlMs", "cacheScope"};

void drop_later(Json& object, Revision revision, std::span<const LaterField> fields) {
    for (const LaterField& field : fields) {
        if (revision < field.since) {
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
        if (!traits(revision).structured || !structured->is_object()) {
            // Whoever returned nothing else is still heard.
            if (content->empty()) {
                content->push_back(text_block(structured->dump(-1, ' ', false, Json::error_handler_t::replace)));
            }
            result.erase("structuredContent");
        }
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
        if (const auto schema = shown.find("outputSchema"); schema != shown.end() && !is_object_schema(*schema)) {
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

Json project_result(ItemKind kind, Revision revision, Json result) {
    if (!result.is_object()) {
        return result;
    }
    for (const std::string_view field : stateless_result_fields) {
        result.erase(field);
    }
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
        case ItemKind::resource:
        case ItemKind::resource_template:
            if (Json* const contents = find_member(result, "contents", Json::value_t::array)) {
                for (Json& part : *contents) {
                    if (part.is_object()) {
                        drop_later(part, revision, block_fields);
                    }
                }
            }
            break;
    }
    return result;
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
    if (total) {
        params["total"] = number(*total);
    }
    if (!message.empty() && traits(revision).audio) {
        params["message"] = message;
    }
    return params;
}

}  // namespace durable_mcp::mcp
