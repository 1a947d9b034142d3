// SPDX-License-Identifier: Apache-2.0
#include "mcp/question.hpp"

// check_answer(): what came back for a question, before a handler sees it.

#include <algorithm>

#include <fmt/format.h>

#include "mcp/form_check.hpp"
#include "mcp/members.hpp"
#include "mcp/quote.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;
using Sentence = std::optional<std::string>;

Sentence check_elicitation(const Json& params, const Json& result) {
    const std::string* const action = find_string(result, "action");
    if (action == nullptr || (*action != "accept" && *action != "decline" && *action != "cancel")) {
        return "an answer to elicitation/create needs an action: accept, decline or cancel";
    }
    const std::string* const mode = find_string(params, "mode");
    if (*action != "accept" || (mode != nullptr && *mode != "form")) {
        return std::nullopt;
    }
    const Json* const content = find_member(result, "content");
    const Json* const schema = find_member(params, "requestedSchema");
    const Json nothing = Json::object();
    return check_form(schema == nullptr ? nothing : *schema, content == nullptr ? nothing : *content);
}

/// The members, all strings, that a content block of that type must have. Types that are not here are let through: there may be new ones.
struct BlockRow {
    std::string_view type;
    std::string_view needs[2];
};
constexpr BlockRow blocks[] = {
    {"text", {"text", ""}},         {"image", {"data", "mimeType"}},    {"audio", {"data", "mimeType"}},
    {"tool_use", {"id", "name"}}, {"tool_result", {"toolUseId", ""}},
};

Sentence check_block(const Json& block) {
    const std::string* const type = find_string(block, "type");
    if (type == nullptr) {
        return "the content of an answer to sampling/createMessage must be blocks that have a type";
    }
    for (const BlockRow& row : blocks) {
        for (const std::string_view member : row.needs) {
            if (row.type == *type && !member.empty() && find_string(block, member) == nullptr) {
                return fmt::format("a content block of type {} needs {}, a string", row.type, member);
            }
        }
    }
    return std::nullopt;
}

Sentence check_sampling(const Json& result) {
    const std::string* const role = find_string(result, "role");
    if (role == nullptr || (*role != "user" && *role != "assistant")) {
        return "an answer to sampling/createMessage needs a role: user or assistant";
    }
    if (find_string(result, "model") == nullptr) {
        return "an answer to sampling/createMessage needs the name of a model, a string";
    }
    if (find_member(result, "stopReason") != nullptr && find_string(result, "stopReason") == nullptr) {
        return "stopReason must be a string";
    }
    const Json* const content = find_member(result, "content");
    if (content == nullptr) {
        return "an answer to sampling/createMessage needs content";
    }
    if (!content->is_array()) {
        return check_block(*content);
    }
    for (const Json& block : *content) {
        if (auto fault = check_block(block)) {
            return fault;
        }
    }
    return std::nullopt;
}

Sentence check_roots(const Json& result) {
    const Json* const roots = find_member(result, "roots");
    if (roots == nullptr || !roots->is_array()) {
        return "an answer to roots/list needs roots, an array";
    }
    for (const Json& root : *roots) {
        const std::string* const uri = find_string(root, "uri");
        if (uri == nullptr || !uri->starts_with("file://")) {
            return "a root needs a uri that begins with file://";
        }
        if (find_member(root, "name") != nullptr && find_string(root, "name") == nullptr) {
            return "the name of a root must be a string";
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> check_answer(std::string_view method, const Json& params, const Json& result) {
    if (!result.is_object()) {
        return fmt::format("an answer to {} must be an object", method);
    }
    if (method == "elicitation/create") {
        return check_elicitation(params, result);
    }
    if (method == "sampling/createMessage") {
        return check_sampling(result);
    }
    if (method == "roots/list") {
        return check_roots(result);
    }
    return fmt::format("{} is no question", quote(method));
}

}  // namespace durable_mcp::mcp
