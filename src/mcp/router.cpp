// SPDX-License-Identifier: Apache-2.0
#include "mcp/router.hpp"

// One message, one verdict. The order of a request's checks: is there a session, does its revision know the method, are the params of the
// right shape, is the item on offer. What a call needs is read by the same functions for a fresh request and for one out of the journal,
// so that a call never means something else after a crash.

#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/projection.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;
using jsonrpc::Error;

constexpr std::string_view empty_result = "{}";
constexpr std::size_t quoted_bytes = 200;  // of a name that the peer made up, in an error

Refuse refuse(int code, std::string message) {
    return {Error{code, std::move(message), {}}};
}
Refuse refuse_params(std::string message) {
    return refuse(jsonrpc::invalid_params, std::move(message));
}

/// `name` as an error quotes it: not longer than a line, and cut between characters.
std::string_view quote(std::string_view name) {
    if (name.size() <= quoted_bytes) {
        return name;
    }
    std::size_t end = quoted_bytes;
    while ((static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) {
        --end;
    }
    return name.substr(0, end);
}

Refuse unknown_method(std::string_view name) {
    return refuse(jsonrpc::method_not_found, fmt::format("Method not found: {}", quote(name)));
}

const Json* find_member(const Json& params, std::string_view name) {
    if (!params.is_object()) {
        return nullptr;
    }
    const auto found = params.find(name);
    return found == params.end() ? nullptr : &*found;
}

/// The string member of that name, or null.
const std::string* find_string(const Json& params, std::string_view name) {
    const Json* const member = find_member(params, name);
    return member == nullptr ? nullptr : member->get_ptr<const std::string*>();
}

/// Moves a member out of `params`; `otherwise` if there is none.
Json take_member(Json& params, std::string_view name, Json otherwise) {
    if (params.is_object()) {
        if (const auto found = params.find(name); found != params.end()) {
            return std::move(*found);
        }
    }
    return otherwise;
}

// ── Calls ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

using CallVerdict = std::variant<StartCall, Refuse>;

/// Reads params._meta into `call`.
std::optional<Refuse> read_meta(Json& params, StartCall& call) {
    call.meta = take_member(params, "_meta", nullptr);
    if (call.meta.is_null()) {
        return std::nullopt;
    }
    if (!call.meta.is_object()) {
        return refuse_params("params._meta must be an object");
    }
    if (const auto token = call.meta.find("progressToken"); token != call.meta.end()) {
        if (!token->is_string() && !token->is_number_integer()) {
            return refuse_params("params._meta.progressToken must be a string or an integer");
        }
        call.progress_token = *token;
    }
    return std::nullopt;
}

/// Reads `name` and `arguments`, which tools and prompts have in common, and finds the item.
std::optional<Refuse> read_named_call(const Catalog& catalog, ItemKind kind, Json& params, StartCall& call) {
    const std::string_view noun = kind == ItemKind::tool ? "tool" : "prompt";
    const std::string* const name = find_string(params, "name");
    if (name == nullptr) {
        return refuse_params(fmt::format("params.name must be a string, the name of a {}", noun));
    }
    call.kind = kind;
    call.name = *name;
    call.item = catalog.find(kind, call.name);
    if (call.item == nullptr) {
        return refuse_params(fmt::format("Unknown {}: {}", noun, quote(call.name)));
    }
    call.arguments = take_member(params, "arguments", Json::object());
    if (!call.arguments.is_object()) {
        return refuse_params("params.arguments must be an object");
    }
    return std::nullopt;
}

/// A prompt's arguments are strings, and its descriptor says which are required.
std::optional<Refuse> check_prompt_arguments(const StartCall& call) {
    for (const auto& [key, value] : call.arguments.get_ref<const Json::object_t&>()) {
        if (!value.is_string()) {
            return refuse_params(fmt::format("The argument '{}' of prompt '{}' must be a string", quote(key), call.name));
        }
    }
    const Json* const declared = find_member(call.item->descriptor, "arguments");
    if (declared == nullptr || !declared->is_array()) {
        return std::nullopt;
    }
    for (const Json& argument : *declared) {
        const std::string* const name = find_string(argument, "name");
        const Json* const required = find_member(argument, "required");
        if (name != nullptr && required != nullptr && *required == true && !call.arguments.contains(*name)) {
            return refuse_params(fmt::format("Missing argument '{}' of prompt '{}'", *name, call.name));
        }
    }
    return std::nullopt;
}

CallVerdict read_call(const Catalog& catalog, Method method, Json&& params) {
    StartCall call;
    if (auto refusal = read_meta(params, call)) {
        return std::move(*refusal);
    }
    if (method == Method::tools_call || method == Method::prompts_get) {
        const ItemKind kind = method == Method::tools_call ? ItemKind::tool : ItemKind::prompt;
        if (auto refusal = read_named_call(catalog, kind, params, call)) {
            return std::move(*refusal);
        }
        if (kind == ItemKind::prompt) {
            if (auto refusal = check_prompt_arguments(call)) {
                return std::move(*refusal);
            }
        }
        return call;
    }
    const std::string* const uri = find_string(params, "uri");
    if (uri == nullptr) {
        return refuse_params("params.uri must be a string, the URI of a resource");
    }
    constexpr base::Limits limits;
    if (uri->size() > limits.uri_bytes) {
        return refuse_params(fmt::format("params.uri is longer than {} bytes", limits.uri_bytes));
    }
    auto match = catalog.find_resource(*uri);
    if (!match) {
        return Refuse{Error{jsonrpc::resource_not_found, "Resource not found", Json{{"uri", *uri}}}};
    }
    call.name = *uri;
    call.kind = match->kind;
    call.item = std::move(match->item);
    call.arguments = Json::object();
    for (auto& [name, value] : match->variables) {
        call.arguments[name] = std::move(value);
    }
    return call;
}

// ── Everything else ────────────────────────────────────────────────────────────────────────────────────────────────────────

Verdict list_items(const Catalog& catalog, ItemKind kind, Revision revision, const Json& params) {
    std::optional<std::string_view> cursor;
    if (const Json* const given = find_member(params, "cursor")) {
        if (!given->is_string()) {
            return refuse_params("params.cursor must be a string");
        }
        cursor = given->get_ref<const std::string&>();
    }
    auto page = catalog.list(kind, revision, cursor);
    if (auto* const error = std::get_if<Error>(&page)) {
        return Refuse{std::move(*error)};
    }
    return Answer{std::get<Page>(std::move(page))};
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
        return unknown_method(request.method);
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
            return std::visit([](auto&& verdict) -> Verdict { return std::move(verdict); },
                              read_call(catalog, *method, std::move(request.params)));
        case Method::logging_set_level:
            return set_log_level(request.params);
        case Method::initialize:
            return refuse(jsonrpc::invalid_request, "This session has been initialized already");
        case Method::resources_subscribe:
        case Method::resources_unsubscribe:
        case Method::completion_complete:  // known to the revision, not advertised by capabilities()
        case Method::initialized:
        case Method::cancelled:
        case Method::progress:
        case Method::roots_list_changed:  // notifications: none of them takes an id
            return unknown_method(request.method);
    }
    return unknown_method(request.method);
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
    if (known != Method::tools_call && known != Method::prompts_get && known != Method::resources_read) {
        return unknown_method(method);
    }
    return read_call(catalog, *known, Json(params));
}

Json capabilities(const Catalog&, Revision) {
    // Items come and go at run time, so every list is there from the beginning, even while it is empty.
    const Json changing{{"listChanged", true}};
    return {{"logging", Json::object()}, {"prompts", changing}, {"resources", changing}, {"tools", changing}};
}

}  // namespace durable_mcp::mcp
