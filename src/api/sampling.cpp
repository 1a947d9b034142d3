// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/sampling.hpp"

#include <stdexcept>
#include <utility>

#include "base/json.hpp"

namespace durable_mcp {

using base::Json;

namespace {

[[noreturn]] void refuse(const char* member, const char* why) { throw std::invalid_argument(std::string("SamplingRequest::") + member + ": " + why); }

const char* name_of(Role role) { return role == Role::user ? "user" : "assistant"; }

}  // namespace

SamplingRequest::SamplingRequest(std::int64_t max_tokens) : params_(Json{{"messages", Json::array()}, {"maxTokens", max_tokens}}) {
    if (max_tokens <= 0) {
        throw std::invalid_argument("SamplingRequest: max_tokens must be greater than 0");
    }
}

SamplingRequest& SamplingRequest::add(Role role, const Content& content) {
    (*params_)["messages"].push_back({{"role", name_of(role)}, {"content", content.json()}});
    return *this;
}

SamplingRequest& SamplingRequest::add(Role role, const std::vector<Content>& content) {
    Json blocks = Json::array();
    for (const Content& block : content) {
        blocks.push_back(block.json());
    }
    (*params_)["messages"].push_back({{"role", name_of(role)}, {"content", std::move(blocks)}});
    return *this;
}

SamplingRequest& SamplingRequest::user(std::string_view text) { return add(Role::user, Content::text(text)); }
SamplingRequest& SamplingRequest::assistant(std::string_view text) { return add(Role::assistant, Content::text(text)); }

SamplingRequest& SamplingRequest::system_prompt(std::string_view text) {
    (*params_)["systemPrompt"] = text;
    return *this;
}

SamplingRequest& SamplingRequest::temperature(double value) {
    if (!(value >= 0 && value <= 1e6)) {  // infinity has no form in JSON
        refuse("temperature", "a finite number, 0 or greater");
    }
    (*params_)["temperature"] = value;
    return *this;
}

SamplingRequest& SamplingRequest::stop_sequences(const std::vector<std::string>& sequences) {
    (*params_)["stopSequences"] = sequences;
    return *this;
}

SamplingRequest& SamplingRequest::hint(std::string_view model) {
    (*params_)["modelPreferences"]["hints"].push_back({{"name", model}});
    return *this;
}

SamplingRequest& SamplingRequest::priority(const char* name, double value) {
    if (!(value >= 0 && value <= 1)) {
        refuse(name, "a priority is from 0 to 1");
    }
    (*params_)["modelPreferences"][name] = value;
    return *this;
}

SamplingRequest& SamplingRequest::cost_priority(double value) { return priority("costPriority", value); }
SamplingRequest& SamplingRequest::speed_priority(double value) { return priority("speedPriority", value); }
SamplingRequest& SamplingRequest::intelligence_priority(double value) { return priority("intelligencePriority", value); }

SamplingRequest& SamplingRequest::tools(const Json& list) {
    if (!list.is_array()) {
        refuse("tools", "a JSON array of Tool objects");
    }
    (*params_)["tools"] = list;
    return *this;
}

SamplingRequest& SamplingRequest::tool_choice(const Json& choice) {
    if (!choice.is_object()) {
        refuse("tool_choice", "a JSON object, such as {\"mode\":\"auto\"}");
    }
    (*params_)["toolChoice"] = choice;
    return *this;
}

SamplingRequest& SamplingRequest::include_context(std::string_view which) {
    if (which != "none" && which != "thisServer" && which != "allServers") {
        refuse("include_context", "\"none\", \"thisServer\" or \"allServers\"");
    }
    (*params_)["includeContext"] = which;
    return *this;
}

SamplingRequest& SamplingRequest::metadata(const Json& object) {
    if (!object.is_object()) {
        refuse("metadata", "a JSON object");
    }
    (*params_)["metadata"] = object;
    return *this;
}

Sampled::Sampled(Role role, const Json& content, std::string model, std::string stop_reason)
    : role_(role), model_(std::move(model)), stop_reason_(std::move(stop_reason)), content_(content) {}

std::string Sampled::text() const {
    std::string text;
    for (const Json& block : *content_) {
        if (block.value("type", Json()) == "text" && block.value("text", Json()).is_string()) {
            text += block["text"].get_ref<const std::string&>();
        }
    }
    return text;
}

}  // namespace durable_mcp
