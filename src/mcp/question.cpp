// SPDX-License-Identifier: Apache-2.0
#include "mcp/question.hpp"

#include <utility>

#include <fmt/format.h>

#include "mcp/members.hpp"
#include "mcp/quote.hpp"
#include "mcp/task.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

constexpr std::string_view elicit = "elicitation/create";
constexpr std::string_view sample = "sampling/createMessage";

bool is_url_mode(const Json& params) {
    const std::string* const mode = find_string(params, "mode");
    return mode != nullptr && *mode == "url";
}

/// `{}` means form mode.
Json spell_out(const Json& elicitation) {
    Json spelled = elicitation;
    if (spelled.is_object() && !spelled.contains("form") && !spelled.contains("url")) {
        spelled["form"] = Json::object();
    }
    return spelled;
}

bool has_all(const Json& declared, const Json& needed) {
    if (!needed.is_object()) {
        return declared == needed;
    }
    if (!declared.is_object()) {
        return false;
    }
    for (const auto& [key, value] : needed.items()) {
        const auto found = declared.find(key);
        if (found == declared.end() || !has_all(*found, value)) {
            return false;
        }
    }
    return true;
}

/// A titled choice in the words of 2025-06-18: `oneOf` of {const, title} becomes `enum` and `enumNames`.
void flatten_choices(Json& property) {
    const Json* const choices = find_member(property, "oneOf");
    if (choices == nullptr || !choices->is_array()) {
        return;
    }
    Json values = Json::array(), names = Json::array();
    for (const Json& choice : *choices) {
        const std::string* const value = find_string(choice, "const");
        if (value == nullptr) {
            return;  // not one of ours: left as it is
        }
        const std::string* const title = find_string(choice, "title");
        values.push_back(*value);
        names.push_back(title == nullptr ? *value : *title);
    }
    property.erase("oneOf");
    property["enum"] = std::move(values);
    property["enumNames"] = std::move(names);
}

void project_elicitation(Revision revision, Json& params) {
    if (revision >= Revision::r2026_07_28 || !is_url_mode(params)) {
        params.erase("elicitationId");
    }
    if (revision >= Revision::r2025_11_25) {
        return;
    }
    params.erase("mode");
    params.erase("url");
    const auto schema = params.find("requestedSchema");
    if (schema == params.end() || !schema->is_object()) {
        return;
    }
    schema->erase("$schema");
    if (const auto properties = schema->find("properties"); properties != schema->end() && properties->is_object()) {
        for (auto& [name, property] : properties->items()) {
            flatten_choices(property);
        }
    }
}

void project_sampling(Revision revision, Json& params) {
    if (revision >= Revision::r2025_11_25) {
        return;
    }
    params.erase("tools");
    params.erase("toolChoice");
    const auto messages = params.find("messages");
    if (messages == params.end() || !messages->is_array()) {
        return;
    }
    Json single = Json::array();
    for (Json& message : *messages) {
        const Json* const content = find_member(message, "content");
        if (content == nullptr || !content->is_array()) {
            single.push_back(std::move(message));
            continue;
        }
        for (const Json& block : *content) {
            Json part = message;
            part["content"] = block;
            single.push_back(std::move(part));
        }
    }
    *messages = std::move(single);
}

}  // namespace

bool has_capability(const Json& declared, const Json& needed) {
    if (!needed.is_object()) {
        return false;
    }
    for (const auto& [key, value] : needed.items()) {
        const Json* const found = find_member(declared, key);
        if (found == nullptr) {
            return false;
        }
        const bool has = key == "elicitation" ? has_all(spell_out(*found), spell_out(value)) : has_all(*found, value);
        if (!has) {
            return false;
        }
    }
    return true;
}

Json known_capabilities(Revision revision, Json declared) {
    if (!declared.is_object() || revision >= Revision::r2025_11_25) {
        return declared;
    }
    if (const auto elicitation = declared.find("elicitation"); elicitation != declared.end()) {
        if (revision < Revision::r2025_06_18) {
            declared.erase(elicitation);
        } else {
            *elicitation = Json::object();
        }
    }
    if (const auto sampling = declared.find("sampling"); sampling != declared.end() && sampling->is_object()) {
        sampling->erase("tools");
    }
    return declared;
}

std::optional<std::string> find_unsayable(Revision revision, std::string_view method, const Json& params) {
    const Json* const schema = revision < Revision::r2025_11_25 && method == elicit ? find_member(params, "requestedSchema") : nullptr;
    const Json* const properties = schema == nullptr ? nullptr : find_member(*schema, "properties");
    if (properties == nullptr || !properties->is_object()) {
        return std::nullopt;
    }
    for (const auto& [name, property] : properties->items()) {
        if (const std::string* const type = find_string(property, "type"); type != nullptr && *type == "array") {
            return fmt::format("'{}', a choice of several values, which came with {}", quote(name), traits(Revision::r2025_11_25).date);
        }
    }
    return std::nullopt;
}

Json project_question_params(Revision revision, std::string_view method, Json params) {
    if (!params.is_object()) {
        return Json::object();
    }
    if (method == elicit) {
        project_elicitation(revision, params);
    } else if (method == sample) {
        project_sampling(revision, params);
    }
    return params;
}

std::string write_question(const jsonrpc::Id& id, Revision revision, const Question& question, const std::optional<std::string>& task) {
    Json params = project_question_params(revision, question.method, question.params);
    if (question.method == elicit && revision == Revision::r2025_11_25 && is_url_mode(params) && !params.contains("elicitationId")) {
        const Json number_or_text = Json::parse(id.text);
        params["elicitationId"] = number_or_text.is_string() ? number_or_text : Json(id.text);
    }
    if (task) {
        Json& meta = params["_meta"];
        if (!meta.is_object()) {
            meta = Json::object();
        }
        meta.update(related_task(*task));
    }
    return jsonrpc::write_request(id, question.method, params.empty() ? std::string() : params.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json input_requests(std::span<const Question> questions) {
    Json requests = Json::object();
    for (const Question& question : questions) {
        requests[question.key] = {{"method", question.method},
                                  {"params", project_question_params(stateless_revision, question.method, question.params)}};
    }
    return requests;
}

Json input_required(std::span<const Question> questions, const std::optional<std::string>& request_state) {
    Json result{{"resultType", "input_required"}};
    if (!questions.empty()) {
        result["inputRequests"] = input_requests(questions);
    }
    if (request_state) {
        result["requestState"] = *request_state;
    }
    return result;
}

}  // namespace durable_mcp::mcp
