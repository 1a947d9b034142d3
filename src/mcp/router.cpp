// SPDX-License-Identifier: Apache-2.0
#include "mcp/router.hpp"

// One message, one verdict. The order of a request's checks: is there a session, does its revision know the method, are the params of the
// right shape, is the item on offer. What a call needs is read by the same functions for a fresh request and for one out of the journal,
// so that a call never means something else after a crash.

#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/call_reader.hpp"
#include "mcp/extension.hpp"
#include "mcp/members.hpp"
#include "mcp/projection.hpp"
#include "mcp/quote.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;
using jsonrpc::Error;

constexpr std::string_view empty_result = "{}";

Refuse refuse(int code, std::string message) {
    return {Error{code, std::move(message), {}}};
}

Verdict list_items(const Catalog& catalog, ItemKind kind, Revision revision, const Json& params) {
    auto page = read_list(catalog, kind, revision, params);
    if (auto* const refusal = std::get_if<Refuse>(&page)) {
        return std::move(*refusal);
    }
    return Answer{std::get<Page>(std::move(page))};
}

/// Whoever subscribes must name something that there is; whoever no longer wants to hear may name anything.
Verdict subscribe(const Catalog& catalog, Revision revision, const Json& params, bool is_subscribe) {
    constexpr base::Limits limits;
    const std::string* const uri = find_string(params, "uri");
    if (uri == nullptr || uri->size() > limits.uri_bytes) {
        return refuse_params(fmt::format("params.uri must be a string of at most {} bytes, the URI of a resource", limits.uri_bytes));
    }
    if (!is_subscribe) {
        return Unsubscribe{*uri};
    }
    if (!catalog.find_resource(*uri)) {
        return Refuse{resource_not_found_error(revision, *uri)};
    }
    return Subscribe{*uri};
}

Verdict ask_task(AskTask::Verb verb, const Json& params) {
    AskTask ask{verb, {}, {}, {}};
    const bool is_list = verb == AskTask::Verb::list;
    const std::string_view member = is_list ? "cursor" : "taskId";
    if (const std::string* const text = find_string(params, member)) {
        (is_list ? ask.cursor : ask.task) = *text;
    } else if (!is_list || find_member(params, member) != nullptr) {
        return refuse_params(fmt::format("params.{} must be a string", member));
    }
    return ask;
}

Verdict set_log_level(const Json& params) {
    const std::string* const name = find_string(params, "level");
    const auto level = name == nullptr ? std::nullopt : log_level_from(*name);
    if (!level) {
        return refuse_params("params.level must be one of debug, info, notice, warning, error, critical, alert, emergency");
    }
    return SetLogLevel{*level};
}

Verdict begin_session(const ServerFacts& facts, const Catalog& catalog, Json&& params) {
    constexpr base::Limits limits;
    const std::string* const asked = find_string(params, "protocolVersion");
    if (asked == nullptr) {
        return refuse_params("params.protocolVersion must be a string, the date of a revision");
    }
    const Revision revision = negotiate(*asked);
    Json capabilities_of_client = take_member(params, "capabilities", nullptr);
    if (!capabilities_of_client.is_object()) {
        return refuse_params("params.capabilities must be an object");
    }
    Json client_info = take_member(params, "clientInfo", nullptr);
    if (find_string(client_info, "name") == nullptr || find_string(client_info, "version") == nullptr) {
        return refuse_params("params.clientInfo must be an object with a name and a version, both strings");
    }
    client_info.erase("icons");  // nobody looks at them here, and they may be pictures
    for (const auto& [what, part] : {std::pair<std::string_view, const Json&>{"capabilities", capabilities_of_client},
                                     std::pair<std::string_view, const Json&>{"clientInfo", client_info}}) {
        if (part.dump().size() > limits.handshake_bytes) {
            return refuse_params(fmt::format("params.{} is larger than {} bytes", what, limits.handshake_bytes));
        }
    }

    BeginSession begin;
    begin.draft.revision = revision;
    begin.draft.client_info = std::move(client_info);
    begin.draft.capabilities = std::move(capabilities_of_client);
    Json result{{"protocolVersion", traits(revision).date},
                {"capabilities", capabilities(catalog, revision)},
                {"serverInfo", project_implementation(revision, facts.implementation)}};
    if (!facts.instructions.empty()) {
        result["instructions"] = facts.instructions;
    }
    begin.result = result.dump(-1, ' ', false, Json::error_handler_t::replace);
    return begin;
}

Verdict route_request(const ServerFacts& facts, const Catalog& catalog, const Session* session, jsonrpc::Request&& request) {
    if (session == nullptr) {
        if (request.method == "initialize") {
            return begin_session(facts, catalog, std::move(request.params));
        }
        return refuse(jsonrpc::transport_error, "There is no session: begin with initialize");
    }
    const auto method = method_from(session->revision, request.method);
    if (!method) {
        return unknown_method(session->revision, request.method);
    }
    switch (*method) {
        case Method::ping:
            return Answer{std::string(empty_result)};
        case Method::tools_list:
            return list_items(catalog, ItemKind::tool, session->revision, request.params);
        case Method::prompts_list:
            return list_items(catalog, ItemKind::prompt, session->revision, request.params);
        case Method::resources_list:
            return list_items(catalog, ItemKind::resource, session->revision, request.params);
        case Method::resources_templates_list:
            return list_items(catalog, ItemKind::resource_template, session->revision, request.params);
        case Method::tools_call:
        case Method::prompts_get:
        case Method::resources_read:
        case Method::completion_complete:
            return std::visit([](auto&& verdict) -> Verdict { return std::move(verdict); },
                              read_call(catalog, session->revision, *method, std::move(request.params)));
        case Method::resources_subscribe:
            return subscribe(catalog, session->revision, request.params, true);
        case Method::resources_unsubscribe:
            return subscribe(catalog, session->revision, request.params, false);
        case Method::tasks_get:
            return ask_task(AskTask::Verb::get, request.params);
        case Method::tasks_result:
            return ask_task(AskTask::Verb::result, request.params);
        case Method::tasks_list:
            return ask_task(AskTask::Verb::list, request.params);
        case Method::tasks_cancel:
            return ask_task(AskTask::Verb::cancel, request.params);
        case Method::logging_set_level:
            return set_log_level(request.params);
        case Method::initialize:
            return refuse(jsonrpc::invalid_request, "This session has been initialized already");
        case Method::server_discover:
        case Method::subscriptions_listen:
        case Method::tasks_update:  // of the stateless era
        case Method::initialized:
        case Method::cancelled:
        case Method::progress:
        case Method::roots_list_changed:  // notifications: none of them takes an id
            return unknown_method(session->revision, request.method);
    }
    return unknown_method(session->revision, request.method);
}

/// What a notification does. One that we do not know, or cannot read, does nothing: nobody waits for an error.
Verdict route_notification(const Session* session, const jsonrpc::Notification& notification) {
    const auto method = session == nullptr ? std::nullopt : method_from(session->revision, notification.method);
    if (method == Method::initialized) {
        return MarkInitialized{};
    }
    if (method == Method::cancelled) {
        const Json* const raw_id = find_member(notification.params, "requestId");
        auto id = raw_id == nullptr ? std::nullopt : jsonrpc::id_from(*raw_id);
        if (id) {
            const std::string* const reason = find_string(notification.params, "reason");
            return CancelCall{std::move(*id), reason == nullptr ? std::string() : std::string(quote(*reason))};
        }
    }
    return Nothing{};
}

}  // namespace

Verdict route(const ServerFacts& facts, const Catalog& catalog, const Session* session, jsonrpc::Message&& message) {
    if (auto* const request = std::get_if<jsonrpc::Request>(&message)) {
        return route_request(facts, catalog, session, std::move(*request));
    }
    if (const auto* const notification = std::get_if<jsonrpc::Notification>(&message)) {
        return route_notification(session, *notification);
    }
    if (auto* const response = std::get_if<jsonrpc::Response>(&message)) {
        // An error without an id answers no question.
        if (session == nullptr || response->id.text.empty()) {
            return Nothing{};
        }
        return TakeAnswer{std::move(*response)};
    }
    return Refuse{std::get<jsonrpc::Malformed>(std::move(message)).error};
}

std::variant<StartCall, Refuse> route_again(const Catalog& catalog, Revision revision, std::string_view method, const Json& params) {
    const auto known = method_from(revision, method);
    if (known != Method::tools_call && known != Method::prompts_get && known != Method::resources_read && known != Method::completion_complete) {
        return unknown_method(revision, method);
    }
    CallVerdict again = read_call(catalog, revision, *known, Json(params), false);
    if (auto* const start = std::get_if<StartCall>(&again)) {
        return std::move(*start);
    }
    auto* const refusal = std::get_if<Refuse>(&again);
    return refusal != nullptr ? std::move(*refusal) : refuse_params("Nothing completes this argument any more");
}

Json capabilities(const Catalog& catalog, Revision revision) {
    // Items come and go at run time, so every list is there from the beginning, even while it is empty.
    const Json changing{{"listChanged", true}};
    Json offered{{"logging", Json::object()},
                 {"prompts", changing},
                 {"resources", {{"listChanged", true}, {"subscribe", true}}},
                 {"tools", changing}};
    if (revision >= Revision::r2025_03_26) {
        offered["completions"] = Json::object();
    }
    if (traits(revision).stateless) {
        offered["extensions"] = advertised_extensions();
    } else if (revision >= Revision::r2025_11_25 && catalog.offers_tasks()) {
        offered["tasks"] = {{"list", Json::object()},
                            {"cancel", Json::object()},
                            {"requests", {{"tools", {{"call", Json::object()}}}}}};
    }
    return offered;
}

}  // namespace durable_mcp::mcp
