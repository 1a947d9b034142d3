// SPDX-License-Identifier: Apache-2.0
// What handlers return, in the wire form of the newest revision; mcp/projection brings it down to older ones.

#include <stdexcept>
#include <utility>

#include "base/json.hpp"
#include "durable_mcp/detail/binding.hpp"
#include "durable_mcp/prompt.hpp"
#include "durable_mcp/resource.hpp"
#include "durable_mcp/tool.hpp"

namespace durable_mcp {

using base::Json;

// ── Content ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Content Content::text(std::string_view text) { return Content(Json{{"type", "text"}, {"text", text}}); }

Content Content::image(const Bytes& data, std::string_view mime_type) {
    return Content(Json{{"type", "image"}, {"data", data.to_base64()}, {"mimeType", mime_type}});
}

Content Content::audio(const Bytes& data, std::string_view mime_type) {
    return Content(Json{{"type", "audio"}, {"data", data.to_base64()}, {"mimeType", mime_type}});
}

Content Content::resource_link(std::string_view uri, std::string_view name, std::string_view mime_type) {
    Json block{{"type", "resource_link"}, {"uri", uri}, {"name", name}};
    if (!mime_type.empty()) {
        block["mimeType"] = mime_type;
    }
    return Content(block);
}

Content Content::resource(std::string_view uri, std::string_view text, std::string_view mime_type) {
    return Content(Json{{"type", "resource"}, {"resource", {{"uri", uri}, {"mimeType", mime_type}, {"text", text}}}});
}

Content Content::resource(std::string_view uri, const Bytes& data, std::string_view mime_type) {
    return Content(Json{{"type", "resource"}, {"resource", {{"uri", uri}, {"mimeType", mime_type}, {"blob", data.to_base64()}}}});
}

Content Content::raw(const Json& block) {
    if (!block.is_object() || !block.contains("type")) {
        throw std::invalid_argument("Content::raw: a content block is a JSON object with a \"type\"");
    }
    return Content(block);
}

Content& Content::audience(const std::vector<std::string>& roles) {
    (*block_)["annotations"]["audience"] = roles;
    return *this;
}

Content& Content::priority(double value) {
    if (!(value >= 0 && value <= 1)) {
        throw std::invalid_argument("Content::priority: from 0 to 1");
    }
    (*block_)["annotations"]["priority"] = value;
    return *this;
}

// ── ToolResult ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

ToolResult::ToolResult() : result_(Json{{"content", Json::array()}}) {}

ToolResult::ToolResult(std::initializer_list<Content> content) : ToolResult() {
    for (const Content& block : content) {
        add(block);
    }
}

ToolResult ToolResult::text(std::string_view text) { return ToolResult{Content::text(text)}; }

ToolResult ToolResult::error(std::string_view text) {
    ToolResult result{Content::text(text)};
    (*result.result_)["isError"] = true;
    return result;
}

ToolResult ToolResult::structured(const Json& value) {
    ToolResult result;
    detail::put_tool_json(*result.result_, value);
    return result;
}

ToolResult& ToolResult::add(const Content& content) {
    (*result_)["content"].push_back(content.json());
    return *this;
}

ToolResult& ToolResult::set_structured(const Json& value) {
    (*result_)["structuredContent"] = value;
    return *this;
}

ToolResult& ToolResult::set_meta(const Json& object) {
    if (!object.is_object()) {
        throw std::invalid_argument("ToolResult::set_meta: _meta is a JSON object");
    }
    (*result_)["_meta"] = object;
    return *this;
}

// ── PromptResult and ResourceResult ────────────────────────────────────────────────────────────────────────────────────────

PromptResult::PromptResult() : result_(Json{{"messages", Json::array()}}) {}

PromptResult PromptResult::text(std::string_view text) { return PromptResult().user(text); }

PromptResult& PromptResult::add(Role role, const Content& content) {
    (*result_)["messages"].push_back({{"role", role == Role::user ? "user" : "assistant"}, {"content", content.json()}});
    return *this;
}

PromptResult& PromptResult::user(std::string_view text) { return add(Role::user, Content::text(text)); }
PromptResult& PromptResult::assistant(std::string_view text) { return add(Role::assistant, Content::text(text)); }

PromptResult& PromptResult::set_description(std::string_view text) {
    (*result_)["description"] = text;
    return *this;
}

ResourceResult::ResourceResult() : result_(Json{{"contents", Json::array()}}) {}

namespace {

void add_part(Json& result, const char* kind, std::string text, std::string_view mime_type, std::string_view uri) {
    Json part{{kind, std::move(text)}};
    if (!mime_type.empty()) {
        part["mimeType"] = mime_type;
    }
    if (!uri.empty()) {
        part["uri"] = uri;
    }
    result["contents"].push_back(std::move(part));
}

std::string text_of(const Json& value) {
    ValueWriter out;
    out.json(value);
    return out.take();
}

}  // namespace

ResourceResult& ResourceResult::add_text(std::string_view text, std::string_view mime_type, std::string_view uri) {
    add_part(*result_, "text", std::string(text), mime_type, uri);
    return *this;
}

ResourceResult& ResourceResult::add_bytes(const Bytes& data, std::string_view mime_type, std::string_view uri) {
    add_part(*result_, "blob", data.to_base64(), mime_type, uri);
    return *this;
}

// ── Plain values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace detail {

Handler::~Handler() = default;

void put_tool_result(Json& out, const ToolResult& value) { out = value.json(); }
void put_tool_nothing(Json& out) { out = Json{{"content", Json::array()}}; }
void put_tool_text(Json& out, std::string_view value) { out = ToolResult::text(value).json(); }

// Any value is structured content; mcp/projection takes what is no object from clients that do not know it.
void put_tool_json(Json& out, const Json& value) {
    out = ToolResult::text(text_of(value)).json();
    out["structuredContent"] = value;
}

void put_tool_value(Json& out, std::string json_text) {
    out = ToolResult::text(json_text).json();
    out["structuredContent"] = *JsonBox::parse(json_text);
}

void put_prompt_result(Json& out, const PromptResult& value) { out = value.json(); }
void put_prompt_text(Json& out, std::string_view value) { out = PromptResult::text(value).json(); }
void put_resource_result(Json& out, const ResourceResult& value) { out = value.json(); }
void put_resource_text(Json& out, std::string_view value) { out = ResourceResult().add_text(value).json(); }
void put_resource_bytes(Json& out, const Bytes& value) { out = ResourceResult().add_bytes(value).json(); }
void put_resource_json(Json& out, const Json& value) { out = ResourceResult().add_text(text_of(value), "application/json").json(); }

}  // namespace detail
}  // namespace durable_mcp
