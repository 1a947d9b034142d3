// SPDX-License-Identifier: Apache-2.0
#include "mcp/router.hpp"

// The stateless era's half of router.hpp. The order of a request's checks is that of protocol §1.1.1: what the client had to declare (400/-32021),
// Mcp-Param-* headers (400/-32020), the method (404/-32601), params (-32602 in band).

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/call_reader.hpp"
#include "mcp/extension.hpp"
#include "mcp/members.hpp"
#include "mcp/param_headers.hpp"
#include "mcp/projection.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;
using jsonrpc::Error;

Refuse not_declared(const Extension& extension, std::string_view what) {
    return {Error{jsonrpc::missing_capability,
                  fmt::format("Missing required client capability: {} needs the extension {}", what, extension.id),
                  Json{{"requiredCapabilities", required_capabilities(extension)}}},
            400};
}

Verdict discover(const ServerFacts& facts, const Catalog& catalog, Revision revision) {
    Json result{{"supportedVersions", Json::array({traits(stateless_revision).date})}, {"capabilities", capabilities(catalog, revision)}};
    if (!facts.instructions.empty()) {
        result["instructions"] = facts.instructions;
    }
    return Answer{complete_result(facts, result.dump(-1, ' ', false, Json::error_handler_t::replace), true)};
}

Verdict list(const ServerFacts& facts, const Catalog& catalog, ItemKind kind, const StatelessRequest& asked) {
    auto page = read_list(catalog, kind, asked.revision, asked.request.params);
    if (auto* const refusal = std::get_if<Refuse>(&page)) {
        return std::move(*refusal);
    }
    return Answer{complete_result(facts, std::get<Page>(std::move(page)), true)};
}

/// What has to be said before params are looked at: the tool must be a task and the client knows none, or a header contradicts its argument.
std::optional<Refuse> check_tool_call(const Catalog& catalog, const StatelessRequest& asked) {
    const std::string* const name = find_string(asked.request.params, "name");
    const auto tool = name == nullptr ? nullptr : catalog.find(ItemKind::tool, *name);
    if (tool == nullptr) {
        return std::nullopt;
    }
    if (tool->task_support == TaskSupport::required && !declares(asked.capabilities, tasks_extension())) {
        return not_declared(tasks_extension(), fmt::format("the tool '{}', which runs only as a task,", tool->name));
    }
    if (tool->param_headers.empty()) {
        return std::nullopt;
    }
    const Json* const arguments = find_member(asked.request.params, "arguments");
    const Json none;
    if (auto error = check_param_headers(tool->param_headers, arguments == nullptr ? none : *arguments, asked.header)) {
        return Refuse{std::move(*error), 400};
    }
    return std::nullopt;
}

Verdict call(const ServerFacts& facts, const Catalog& catalog, Method method, StatelessRequest&& asked) {
    if (method == Method::tools_call) {
        if (auto refusal = check_tool_call(catalog, asked)) {
            return std::move(*refusal);
        }
    }
    asked.request.params["_meta"] = std::move(asked.meta);
    CallVerdict verdict = read_call(catalog, asked.revision, method, std::move(asked.request.params));
    if (auto* const refusal = std::get_if<Refuse>(&verdict)) {
        return std::move(*refusal);
    }
    if (const auto* const answer = std::get_if<Answer>(&verdict)) {
        return Answer{complete_result(facts, answer->result, false)};
    }
    auto& start = std::get<StartCall>(verdict);
    if (start.kind == ItemKind::tool) {
        start.may_become_task = start.item->task_support != TaskSupport::forbidden && declares(asked.capabilities, tasks_extension());
        constexpr base::Limits limits;
        if (const std::string_view key = find_header(asked.header, "Idempotency-Key"); !start.idempotency_key && !key.empty()) {
            if (key.size() > limits.idempotency_key_bytes) {
                return refuse_params(fmt::format("an idempotency key must be a string of 1 to {} bytes", limits.idempotency_key_bytes));
            }
            start.idempotency_key = std::string(key);
        }
    }
    return std::move(start);
}

// ── Subscriptions ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Flag {
    std::string_view member;
    bool ListenFilter::*field;
};
constexpr Flag flags[] = {{"toolsListChanged", &ListenFilter::tools},
                          {"promptsListChanged", &ListenFilter::prompts},
                          {"resourcesListChanged", &ListenFilter::resources}};

/// The strings of an array, each once and in its order, or why params.notifications may not have them.
std::variant<std::vector<std::string>, Refuse> read_texts(std::string_view member, const Json& array) {
    constexpr base::Limits limits;
    if (!array.is_array()) {
        return refuse_params(fmt::format("params.notifications.{} must be an array of strings", member));
    }
    if (array.size() > limits.listened_names) {
        return refuse_params(fmt::format("params.notifications.{} has more than {} elements", member, limits.listened_names));
    }
    std::vector<std::string> texts;
    std::set<std::string_view> seen;
    for (const Json& element : array) {
        const auto* const text = element.get_ptr<const std::string*>();
        if (text == nullptr || text->size() > limits.uri_bytes) {
            return refuse_params(fmt::format("params.notifications.{} must be an array of strings of at most {} bytes", member, limits.uri_bytes));
        }
        if (seen.insert(*text).second) {
            texts.push_back(*text);
        }
    }
    return texts;
}

Verdict listen(const Catalog& catalog, const StatelessRequest& asked) {
    const Json* const wanted = find_member(asked.request.params, "notifications");
    for (const Extension& extension : extensions()) {
        if (wanted != nullptr && !extension.listen_key.empty() && find_member(*wanted, extension.listen_key) != nullptr &&
            !declares(asked.capabilities, extension)) {
            return not_declared(extension, fmt::format("params.notifications.{}", extension.listen_key));
        }
    }
    if (wanted == nullptr || !wanted->is_object()) {
        return refuse_params("params.notifications must be an object that says what to listen to");
    }
    ListenFilter filter;
    for (const Flag& flag : flags) {
        if (const Json* const given = find_member(*wanted, flag.member)) {
            if (!given->is_boolean()) {
                return refuse_params(fmt::format("params.notifications.{} must be true or false", flag.member));
            }
            filter.*flag.field = given->get<bool>();
        }
    }
    if (const Json* const uris = find_member(*wanted, "resourceSubscriptions")) {
        auto read = read_texts("resourceSubscriptions", *uris);
        if (auto* const refusal = std::get_if<Refuse>(&read)) {
            return std::move(*refusal);
        }
        for (std::string& uri : std::get<std::vector<std::string>>(read)) {
            if (catalog.find_resource(uri)) {
                filter.resource_uris.push_back(std::move(uri));
            }
        }
    }
    if (const Json* const ids = find_member(*wanted, tasks_extension().listen_key)) {
        auto read = read_texts(tasks_extension().listen_key, *ids);
        if (auto* const refusal = std::get_if<Refuse>(&read)) {
            return std::move(*refusal);
        }
        filter.task_ids = std::get<std::vector<std::string>>(std::move(read));
    }
    return Listen{std::move(filter)};
}

// ── Tasks ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Verdict ask_task(AskTask::Verb verb, StatelessRequest&& asked) {
    if (!declares(asked.capabilities, tasks_extension())) {
        return not_declared(tasks_extension(), asked.request.method);
    }
    const std::string* const id = find_string(asked.request.params, "taskId");
    if (id == nullptr) {
        return refuse_params("params.taskId must be a string");
    }
    AskTask ask{verb, *id, {}, {}};
    if (verb == AskTask::Verb::update) {
        ask.input_responses = take_member(asked.request.params, "inputResponses", nullptr);
        if (!ask.input_responses.is_object()) {
            return refuse_params("params.inputResponses must be an object");
        }
    }
    return ask;
}

}  // namespace

Verdict route_stateless(const ServerFacts& facts, const Catalog& catalog, StatelessRequest&& asked) {
    const auto method = method_from(asked.revision, asked.request.method);
    if (!method) {
        return unknown_method(asked.revision, asked.request.method);
    }
    switch (*method) {
        case Method::server_discover:
            return discover(facts, catalog, asked.revision);
        case Method::tools_list:
            return list(facts, catalog, ItemKind::tool, asked);
        case Method::prompts_list:
            return list(facts, catalog, ItemKind::prompt, asked);
        case Method::resources_list:
            return list(facts, catalog, ItemKind::resource, asked);
        case Method::resources_templates_list:
            return list(facts, catalog, ItemKind::resource_template, asked);
        case Method::tools_call:
        case Method::prompts_get:
        case Method::resources_read:
        case Method::completion_complete:
            return call(facts, catalog, *method, std::move(asked));
        case Method::subscriptions_listen:
            return listen(catalog, asked);
        case Method::tasks_get:
            return ask_task(AskTask::Verb::get, std::move(asked));
        case Method::tasks_update:
            return ask_task(AskTask::Verb::update, std::move(asked));
        case Method::tasks_cancel:
            return ask_task(AskTask::Verb::cancel, std::move(asked));
        case Method::initialize:
        case Method::initialized:
        case Method::ping:
        case Method::resources_subscribe:
        case Method::resources_unsubscribe:
        case Method::logging_set_level:
        case Method::cancelled:
        case Method::progress:
        case Method::roots_list_changed:
        case Method::tasks_result:
        case Method::tasks_list:  // method_from() knows none of them in this era
            return unknown_method(asked.revision, asked.request.method);
    }
    return unknown_method(asked.revision, asked.request.method);
}

}  // namespace durable_mcp::mcp
