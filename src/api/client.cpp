// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/client.hpp"

#include "base/json.hpp"

namespace durable_mcp {

using base::Json;

namespace {

/// The member of that name if both are objects.
const Json* member(const Json* object, const char* name) {
    if (object == nullptr || !object->is_object()) {
        return nullptr;
    }
    const auto found = object->find(name);
    return found != object->end() && found->is_object() ? &*found : nullptr;
}

std::string text_in(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Client::Client(std::string_view json) {
    const base::Result<Json> said = base::parse_json(json, base::stored_json_limits());
    if (!said || !said->is_object()) {
        return;
    }
    name_ = text_in(*said, "name");
    version_ = text_in(*said, "version");
    revision_ = text_in(*said, "revision");
    const Json* const capabilities = member(&*said, "capabilities");
    const Json* const elicitation = member(capabilities, "elicitation");
    url_elicitation_ = member(elicitation, "url") != nullptr;
    // `{}` is a form, as in 2025-06-18, which knew nothing else.
    elicitation_ = elicitation != nullptr && (!url_elicitation_ || member(elicitation, "form") != nullptr);
    const Json* const sampling = member(capabilities, "sampling");
    sampling_ = sampling != nullptr;
    sampling_tools_ = member(sampling, "tools") != nullptr;
    roots_ = member(capabilities, "roots") != nullptr;
}

}  // namespace durable_mcp
