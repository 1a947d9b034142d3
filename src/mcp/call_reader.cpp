// SPDX-License-Identifier: Apache-2.0
#include "mcp/call_reader.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/members.hpp"
#include "mcp/meta_key.hpp"
#include "mcp/projection.hpp"
#include "mcp/quote.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;
using jsonrpc::Error;
using Refusal = std::optional<Refuse>;

/// Reads params._meta into `call`.
Refusal read_meta(Json& params, StartCall& call) {
    call.meta = take_member(params, "_meta", nullptr);
    if (call.meta.is_null()) {
        return std::nullopt;
    }
    if (!call.meta.is_object()) {
        return refuse_params("params._meta must be an object");
    }
    if (const Json* const token = find_member(call.meta, meta_key::progress_token)) {
        if (!jsonrpc::id_from(*token)) {  // what is sent with every notification is as short as an id
            return refuse_params("params._meta.progressToken must be an integer, or a string that is not too long");
        }
        call.progress_token = *token;
    }
    return std::nullopt;
}

/// Reads `name` and `arguments`, which tools and prompts have in common, and finds the item.
Refusal read_named_call(const Catalog& catalog, ItemKind kind, Json& params, StartCall& call) {
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
Refusal check_prompt_arguments(const StartCall& call) {
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

/// params.task of revision 2025-11-25, and what it means for a tool that must, may, or may not be one (erratum E9).
Refusal read_augmentation(const Catalog& catalog, Revision revision, const Json& params, StartCall& call) {
    const TaskSupport support = call.item->task_support;
    call.must_be_task = support == TaskSupport::required;
    if (traits(revision).stateless) {
        return std::nullopt;  // the server decides, and params.task means nothing
    }
    const Json* const task = revision >= Revision::r2025_11_25 ? find_member(params, "task") : nullptr;
    const bool is_asked = task != nullptr && catalog.offers_tasks();
    const auto refuse = [](std::string sentence) { return Refuse{Error{jsonrpc::method_not_found, std::move(sentence), {}}}; };
    if (!is_asked) {
        if (!call.must_be_task) {
            return std::nullopt;
        }
        return refuse(revision >= Revision::r2025_11_25
                          ? fmt::format("The tool '{}' runs only as a task: call it with params.task", call.name)
                          : fmt::format("The tool '{}' runs only as a task, which revision {} does not have", call.name, traits(revision).date));
    }
    if (support == TaskSupport::forbidden) {
        return refuse(fmt::format("The tool '{}' cannot run as a task: call it without params.task", call.name));
    }
    if (!task->is_object()) {
        return refuse_params("params.task must be an object");
    }
    call.augmentation.emplace();
    if (const Json* const ttl = find_member(*task, "ttl"); ttl != nullptr && !ttl->is_null()) {
        if (!ttl->is_number_integer() || *ttl < 0 || *ttl > std::int64_t{9007199254740991}) {
            return refuse_params("params.task.ttl must be a number of milliseconds, an integer that is not negative");
        }
        call.augmentation->ttl_ms = ttl->get<std::int64_t>();
    }
    return std::nullopt;
}

/// params.idempotencyKey before the one in `_meta`.
Refusal read_idempotency_key(const Json& params, StartCall& call) {
    constexpr base::Limits limits;
    const Json* key = find_member(params, "idempotencyKey");
    if (key == nullptr) {
        key = find_member(call.meta, meta_key::idempotency_key);
    }
    if (key == nullptr) {
        return std::nullopt;
    }
    const auto* const text = key->get_ptr<const std::string*>();
    if (text == nullptr || text->empty() || text->size() > limits.idempotency_key_bytes) {
        return refuse_params(fmt::format("an idempotency key must be a string of 1 to {} bytes", limits.idempotency_key_bytes));
    }
    call.idempotency_key = *text;
    return std::nullopt;
}

/// 2026-07-28: the client comes back with answers, or to go on waiting.
Refusal read_return(Json& params, StartCall& call) {
    if (find_member(params, "inputResponses") != nullptr) {
        call.input_responses = take_member(params, "inputResponses", nullptr);
        if (!call.input_responses.is_object()) {
            return refuse_params("params.inputResponses must be an object");
        }
    }
    if (find_member(params, "requestState") != nullptr) {
        const std::string* const state = find_string(params, "requestState");
        if (state == nullptr) {
            return refuse_params("params.requestState must be a string");
        }
        call.request_state = *state;
    }
    return std::nullopt;
}

/// params.uri, if it is a string of bearable length.
std::variant<const std::string*, Refuse> read_uri(const Json& params) {
    constexpr base::Limits limits;
    const std::string* const uri = find_string(params, "uri");
    if (uri == nullptr) {
        return refuse_params("params.uri must be a string, the URI of a resource");
    }
    if (uri->size() > limits.uri_bytes) {
        return refuse_params(fmt::format("params.uri is longer than {} bytes", limits.uri_bytes));
    }
    return uri;
}

Refusal read_resource_call(const Catalog& catalog, Revision revision, const Json& params, StartCall& call) {
    const auto uri = read_uri(params);
    if (const auto* const refusal = std::get_if<Refuse>(&uri)) {
        return *refusal;
    }
    call.name = *std::get<const std::string*>(uri);
    auto match = catalog.find_resource(call.name);
    if (!match) {
        return Refuse{resource_not_found_error(revision, call.name)};
    }
    call.kind = match->kind;
    call.item = std::move(match->item);
    call.arguments = Json::object();
    for (auto& [name, value] : match->variables) {
        call.arguments[name] = std::move(value);
    }
    return std::nullopt;
}

// ── Completions ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What the reference of completion/complete names, if it is on offer.
std::variant<std::pair<ItemKind, std::string>, Refuse> read_reference(const Catalog& catalog, const Json& params) {
    const Json* const ref = find_member(params, "ref");
    const std::string* const type = ref == nullptr ? nullptr : find_string(*ref, "type");
    if (type != nullptr && *type == "ref/prompt") {
        const std::string* const name = find_string(*ref, "name");
        if (name == nullptr) {
            return refuse_params("params.ref.name must be a string, the name of a prompt");
        }
        if (catalog.find(ItemKind::prompt, *name) == nullptr) {
            return refuse_params(fmt::format("Unknown prompt: {}", quote(*name)));
        }
        return std::pair(ItemKind::prompt, *name);
    }
    if (type != nullptr && *type == "ref/resource") {
        const std::string* const uri = find_string(*ref, "uri");
        if (uri == nullptr) {
            return refuse_params("params.ref.uri must be a string, a URI template");
        }
        if (catalog.find(ItemKind::resource_template, *uri) == nullptr && catalog.find(ItemKind::resource, *uri) == nullptr) {
            return refuse_params(fmt::format("Unknown resource: {}", quote(*uri)));
        }
        return std::pair(ItemKind::resource_template, *uri);
    }
    return refuse_params("params.ref must be an object whose type is ref/prompt or ref/resource");
}

CallVerdict read_completion(const Catalog& catalog, Revision revision, const Json& params, StartCall&& call) {
    auto reference = read_reference(catalog, params);
    if (auto* const refusal = std::get_if<Refuse>(&reference)) {
        return std::move(*refusal);
    }
    const Json* const argument = find_member(params, "argument");
    const std::string* const name = argument == nullptr ? nullptr : find_string(*argument, "name");
    const std::string* const value = argument == nullptr ? nullptr : find_string(*argument, "value");
    if (name == nullptr || value == nullptr) {
        return refuse_params("params.argument must be an object with a name and a value, both strings");
    }
    Json context = Json::object();
    if (const Json* const given = traits(revision).structured ? find_member(params, "context") : nullptr) {
        const Json* const known = find_member(*given, "arguments");
        if (!given->is_object() || (known != nullptr && !known->is_object())) {
            return refuse_params("params.context must be an object, and its arguments too");
        }
        if (known != nullptr) {
            for (const auto& [key, text] : known->items()) {
                if (!text.is_string()) {
                    return refuse_params(fmt::format("params.context.arguments.{} must be a string", quote(key)));
                }
            }
            context = *known;
        }
    }
    const auto& [kind, ref] = std::get<std::pair<ItemKind, std::string>>(reference);
    call.kind = ItemKind::completion;
    call.name = completion_name(kind, ref, *name);
    call.item = catalog.find(ItemKind::completion, call.name);
    if (call.item == nullptr) {
        return Answer{R"({"completion":{"values":[],"total":0,"hasMore":false}})"};
    }
    call.arguments = {{"value", *value}, {"context", std::move(context)}};
    return std::move(call);
}

}  // namespace

Refuse refuse_params(std::string message) {
    return {Error{jsonrpc::invalid_params, std::move(message), {}}};
}

Refuse unknown_method(Revision revision, std::string_view name) {
    return {Error{jsonrpc::method_not_found, fmt::format("Method not found: {}", quote(name)), {}}, traits(revision).stateless ? 404u : 200u};
}

Error resource_not_found_error(Revision revision, std::string_view uri) {
    return project_error(revision, {jsonrpc::resource_not_found, "Resource not found", Json{{"uri", uri}}});
}

std::variant<Page, Refuse> read_list(const Catalog& catalog, ItemKind kind, Revision revision, const Json& params) {
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
    return std::get<Page>(std::move(page));
}

CallVerdict read_call(const Catalog& catalog, Revision revision, Method method, Json&& params, bool is_fresh) {
    StartCall call;
    Refusal refusal = read_meta(params, call);
    if (!refusal && method == Method::completion_complete) {
        return read_completion(catalog, revision, params, std::move(call));
    }
    if (!refusal) {
        refusal = method == Method::resources_read
                      ? read_resource_call(catalog, revision, params, call)
                      : read_named_call(catalog, method == Method::tools_call ? ItemKind::tool : ItemKind::prompt, params, call);
    }
    if (!refusal && call.kind == ItemKind::prompt) {
        refusal = check_prompt_arguments(call);
    }
    if (!refusal && call.kind == ItemKind::tool) {
        refusal = read_augmentation(catalog, revision, params, call);
        if (!is_fresh) {
            refusal.reset();
        }
        if (!refusal) {
            refusal = read_idempotency_key(params, call);
        }
    }
    if (!refusal && traits(revision).stateless) {
        refusal = read_return(params, call);
    }
    if (refusal) {
        return std::move(*refusal);
    }
    return call;
}

}  // namespace durable_mcp::mcp
