// SPDX-License-Identifier: Apache-2.0
#include "api/registration.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "api/contract.hpp"
#include "api/parameters.hpp"
#include "durable_mcp/context.hpp"
#include "durable_mcp/error.hpp"
#include "runtime/handler.hpp"
#include "schema/uri_template.hpp"

namespace durable_mcp::api {

using base::Json;

namespace {

using Run = decltype(runtime::HandlerTarget::run);

std::shared_ptr<runtime::HandlerTarget> make_target(Durability durability, Run run) {
    auto target = std::make_shared<runtime::HandlerTarget>();
    target->durability = durability == Durability::full ? runtime::Durability::full : runtime::Durability::none;
    target->run = std::move(run);
    return target;
}

std::shared_ptr<const mcp::CallTarget> make_tool_target(const ToolOptions& options, Run run) {
    const auto target = make_target(options.durability, std::move(run));
    target->idempotency_argument = options.idempotency_argument;
    target->takes_idempotency_keys = options.idempotency_keys;
    target->inline_wait = options.inline_wait;
    target->task_ttl = options.task_ttl;
    target->poll_interval = options.poll_interval;
    return target;
}

[[noreturn]] void refuse(const std::string& item, const std::string& why) { throw std::invalid_argument(item + ": " + why); }

/// Text that goes to clients: what JSON cannot hold is found now, not when somebody asks for the list.
void check_text(const std::string& item, const char* what, std::string_view text) {
    if (!base::dump_json(Json(text))) {
        refuse(item, std::string("the ") + what + " is not UTF-8");
    }
}

std::string quote(std::string_view kind, std::string_view name) {
    return std::string(kind) + " " + Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void check_name(const std::string& item, std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    };
    if (name.empty() || name.size() > 128 || !std::all_of(name.begin(), name.end(), allowed)) {
        refuse(item, "a name is 1 to 128 of A-Z a-z 0-9 _ - .");
    }
}

/// RFC 3986: a scheme and a colon, and nothing that is never in a URI.
void check_uri(const std::string& item, std::string_view uri) {
    const std::size_t colon = uri.find(':');
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto in_scheme = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; };
    const bool scheme = colon != std::string_view::npos && colon > 0 && letter(uri[0]) &&
                        std::all_of(uri.begin(), uri.begin() + static_cast<std::ptrdiff_t>(colon), in_scheme);
    const bool clean = std::none_of(uri.begin(), uri.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
    if (!scheme || !clean) {
        refuse(item, "a URI begins with a scheme, as in \"config://limits\", and has no spaces");
    }
    check_text(item, "URI", uri);
}

void set_unless_empty(Json& descriptor, const char* key, const std::string& text) {
    if (!text.empty()) {
        descriptor[key] = text;
    }
}

void set_icons(Json& descriptor, const std::string& item, const std::vector<Icon>& icons) {
    if (!icons.empty()) {
        descriptor["icons"] = describe_icons(item, icons);
    }
}

/// What clients are told of an item, once all is said: what cannot be written must not be found by whoever asks for the list.
Json checked(const std::string& item, Json descriptor) {
    if (const auto text = base::dump_json(descriptor); !text) {
        refuse(item, "what clients are told of it cannot be written as JSON: " + text.error().sentence);
    }
    return descriptor;
}

void set_meta(Json& descriptor, const std::string& item, const std::string& text) {
    if (text.empty()) {
        return;
    }
    base::Result<Json> meta = base::parse_json(text, base::stored_json_limits());
    if (!meta || !meta->is_object()) {
        refuse(item, "`meta` is the JSON text of an object");
    }
    descriptor["_meta"] = std::move(*meta);
}

/// What may change between two versions of a program is not promised: a client that checks a result against a list that it read before
/// must not refuse it for a member more.
void open_objects(Json& schema) {
    if (schema.is_object() && schema.value("additionalProperties", Json()) == false) {
        schema.erase("additionalProperties");
    }
    for (Json& child : schema) {
        if (child.is_structured()) {
            open_objects(child);
        }
    }
}

/// What outlives a request can be said only of a call that is written down.
void check_handles(const std::string& item, const Json& input_schema, const ToolOptions& options) {
    const bool keyed = options.idempotency_keys || !options.idempotency_argument.empty();
    if (options.durability == Durability::none && (keyed || options.task != Tasks::never)) {
        refuse(item, "a tool with Durability::none has neither tasks nor idempotency keys: nothing of its calls is written");
    }
    if (options.task == Tasks::never && (options.task_ttl || options.poll_interval)) {
        refuse(item, "`task_ttl` and `poll_interval` are of tasks, which this tool never has: set `task`");
    }
    if (options.task_ttl && options.task_ttl->count() <= 0) {
        refuse(item, "`task_ttl` must be greater than 0");
    }
    if (options.poll_interval && options.poll_interval->count() <= 0) {
        refuse(item, "`poll_interval` must be greater than 0");
    }
    if (options.inline_wait && options.inline_wait->count() < 0) {
        refuse(item, "`inline_wait` must not be negative; 0 is at once");
    }
    if (const std::string& key = options.idempotency_argument; !key.empty()) {
        const Json required = input_schema.value("required", Json::array());
        const Json properties = input_schema.value("properties", Json::object());
        const Json type = properties.value(key, Json::object()).value("type", Json());
        if (std::find(required.begin(), required.end(), key) == required.end() || (type != "string" && type != "integer")) {
            refuse(item, "`idempotency_argument` must name a required parameter that is a string or an integer, and \"" + key + "\" is none");
        }
    }
}

Json describe_tool(const std::string& item, std::string_view name, std::string_view description, Json input_schema, const detail::Binding& binding,
                   const ToolOptions& options) {
    Json descriptor{{"name", name}, {"inputSchema", std::move(input_schema)}};
    set_unless_empty(descriptor, "description", std::string(description));
    set_unless_empty(descriptor, "title", options.title);
    Json annotations = Json::object();
    const auto hint = [&annotations](const char* key, std::optional<bool> value) {
        if (value) {
            annotations[key] = *value;
        }
    };
    hint("readOnlyHint", options.read_only);
    hint("destructiveHint", options.destructive);
    hint("idempotentHint", options.idempotent);
    hint("openWorldHint", options.open_world);
    if (!annotations.empty()) {
        descriptor["annotations"] = std::move(annotations);
    }
    if (options.output_schema) {
        descriptor["outputSchema"] = Json::parse(options.output_schema->text());
    } else if (binding.result_schema != nullptr) {
        open_objects(descriptor["outputSchema"] = Json::parse(binding.result_schema().text()));
    }
    check_handles(item, descriptor["inputSchema"], options);
    if (options.task != Tasks::never) {
        descriptor["execution"]["taskSupport"] = options.task == Tasks::required ? "required" : "optional";
    }
    set_icons(descriptor, item, options.icons);
    set_meta(descriptor, item, options.meta);
    return checked(item, std::move(descriptor));
}

std::shared_ptr<const ToolContract> make_contract(const std::string& item, const Json& descriptor) {
    const auto output = descriptor.find("outputSchema");
    return std::make_shared<const ToolContract>(item, descriptor["inputSchema"], output == descriptor.end() ? nullptr : &*output);
}

Json describe_annotations(const std::string& item, const ResourceAnnotations& said) {
    Json annotations = Json::object();
    for (const Role role : said.audience) {
        annotations["audience"].push_back(role == Role::user ? "user" : "assistant");
    }
    if (said.priority) {
        if (!(*said.priority >= 0 && *said.priority <= 1)) {
            refuse(item, "its priority is from 0 to 1");
        }
        annotations["priority"] = *said.priority;
    }
    check_text(item, "time of its last change", said.last_modified);
    set_unless_empty(annotations, "lastModified", said.last_modified);
    return annotations;
}

Json describe_resource(const std::string& item, const char* uri_key, std::string_view uri, std::string_view name, const ResourceOptions& options) {
    Json descriptor{{uri_key, uri}, {"name", name}};
    set_unless_empty(descriptor, "title", options.title);
    set_unless_empty(descriptor, "description", options.description);
    set_unless_empty(descriptor, "mimeType", options.mime_type);
    if (const Json annotations = describe_annotations(item, options.annotations); !annotations.empty()) {
        descriptor["annotations"] = annotations;
    }
    set_icons(descriptor, item, options.icons);
    set_meta(descriptor, item, options.meta);
    return checked(item, std::move(descriptor));
}

/// Fills in what a resource's handler left to us: the URI that was asked for, and the type.
void complete_contents(Json& result, const std::string& uri, const std::string& mime_type) {
    for (Json& part : result["contents"]) {
        if (!part.contains("uri")) {
            part["uri"] = uri;
        }
        if (!part.contains("mimeType")) {
            part["mimeType"] = !mime_type.empty() ? mime_type : part.contains("blob") ? "application/octet-stream" : "text/plain";
        }
    }
}

Run run_with(std::shared_ptr<const detail::Handler> handler, std::shared_ptr<const ParameterList> parameters, UnknownArguments unknown) {
    return [handler = std::move(handler), parameters = std::move(parameters), unknown](detail::CallPort& port, const mcp::Item&, const std::string&,
                                                                                       const Json& arguments) {
        const std::vector<detail::BoundArgument> bound = parameters->bind(arguments, unknown);
        DurableContext context(port);
        Json result;
        handler->run(context, bound.data(), result);
        return result;
    };
}

/// A handler that takes all arguments as one struct: the struct is the schema, and says what does not fit.
Run run_with_struct(std::shared_ptr<const detail::Handler> handler, const Json& schema, UnknownArguments unknown) {
    const Json known = unknown == UnknownArguments::ignore ? schema.value("properties", Json::object()) : Json();
    return [handler = std::move(handler), known](detail::CallPort& port, const mcp::Item&, const std::string&, const Json& arguments) {
        Json kept;
        if (known.is_object()) {
            kept = Json::object();
            for (const auto& [key, value] : arguments.items()) {
                if (known.contains(key)) {
                    kept[key] = value;
                }
            }
        }
        const detail::BoundArgument all{"", known.is_object() ? &kept : &arguments};
        DurableContext context(port);
        Json result;
        handler->run(context, &all, result);
        return result;
    };
}

}  // namespace

Json describe_icons(const std::string& item, const std::vector<Icon>& icons) {
    Json list = Json::array();
    for (const Icon& icon : icons) {
        if (icon.src.empty()) {
            refuse(item, "an icon needs a src");
        }
        Json entry{{"src", icon.src}};
        set_unless_empty(entry, "mimeType", icon.mime_type);
        if (!icon.sizes.empty()) {
            entry["sizes"] = icon.sizes;
        }
        list.push_back(std::move(entry));
    }
    return list;
}

mcp::Item make_tool(std::string_view name, std::string_view description, const detail::Binding& binding, const ToolOptions& options) {
    const std::string item = quote("tool", name);
    check_name(item, name);
    check_text(item, "description", description);
    Json schema;
    Run inner;
    if (binding.spreads) {
        schema = Json::parse(binding.types[0].schema().text());
        inner = run_with_struct(binding.handler, schema, options.unknown_arguments);
        if (options.unknown_arguments == UnknownArguments::ignore) {
            schema.erase("additionalProperties");
        }
    } else {
        auto parameters = std::make_shared<const ParameterList>(item, binding);
        schema = parameters->schema(options.unknown_arguments);
        inner = run_with(binding.handler, parameters, options.unknown_arguments);
    }
    Json descriptor = describe_tool(item, name, description, std::move(schema), binding, options);
    // Its arguments are checked by what decodes them, which knows the C++ types behind the schema.
    Run run = [inner = std::move(inner), contract = make_contract(item, descriptor)](detail::CallPort& port, const mcp::Item& called,
                                                                                    const std::string& asked, const Json& arguments) {
        Json result = inner(port, called, asked, arguments);
        contract->check_result(result);
        return result;
    };
    return {std::string(name), std::move(descriptor), make_tool_target(options, std::move(run))};
}

mcp::Item make_raw_tool(std::string_view name, std::string_view description, const JsonSchema& schema, const detail::Binding& binding,
                        const ToolOptions& options) {
    const std::string item = quote("tool", name);
    check_name(item, name);
    check_text(item, "description", description);
    Json input = Json::parse(schema.text());
    if (input.value("type", Json()) != "object") {
        refuse(item, "the schema of the arguments must have \"type\": \"object\"");
    }
    Json descriptor = describe_tool(item, name, description, std::move(input), binding, options);
    Run run = [handler = binding.handler, contract = make_contract(item, descriptor)](detail::CallPort& port, const mcp::Item&, const std::string&,
                                                                                     const Json& arguments) {
        contract->check_arguments(arguments);
        const detail::BoundArgument all{"arguments", &arguments};
        DurableContext context(port);
        Json result;
        handler->run(context, &all, result);
        contract->check_result(result);
        return result;
    };
    return {std::string(name), std::move(descriptor), make_tool_target(options, std::move(run))};
}

mcp::Item make_prompt(std::string_view name, std::string_view description, const detail::Binding& binding, const PromptOptions& options) {
    const std::string item = quote("prompt", name);
    check_name(item, name);
    check_text(item, "description", description);
    auto parameters = std::make_shared<const ParameterList>(item, binding);
    Json descriptor{{"name", name}};
    set_unless_empty(descriptor, "description", std::string(description));
    set_unless_empty(descriptor, "title", options.title);
    if (binding.count > 0) {
        descriptor["arguments"] = parameters->prompt_arguments();
    }
    set_icons(descriptor, item, options.icons);
    set_meta(descriptor, item, options.meta);
    return {std::string(name), checked(item, std::move(descriptor)),
            make_target(options.durability, run_with(binding.handler, parameters, UnknownArguments::refuse))};
}

mcp::Item make_resource(std::string_view uri, std::string_view name, const detail::Binding& binding, const ResourceOptions& options) {
    const std::string item = quote("resource", uri);
    check_uri(item, uri);
    if (name.empty()) {
        refuse(item, "a resource needs a name");
    }
    check_text(item, "name", name);
    Json descriptor = describe_resource(item, "uri", uri, name, options);
    if (options.size) {
        descriptor["size"] = *options.size;
    }
    Run run = [handler = binding.handler, mime_type = options.mime_type](detail::CallPort& port, const mcp::Item&, const std::string& asked,
                                                                        const Json&) {
        DurableContext context(port);
        Json result;
        handler->run(context, nullptr, result);
        complete_contents(result, asked, mime_type);
        return result;
    };
    return {std::string(uri), std::move(descriptor), make_target(options.durability, std::move(run))};
}

mcp::Item make_template(std::string_view uri_template, std::string_view name, const detail::Binding& binding, const ResourceOptions& options) {
    const std::string item = quote("resource template", uri_template);
    if (name.empty()) {
        refuse(item, "a resource template needs a name");
    }
    check_text(item, "name", name);
    const base::Result<schema::UriTemplate> compiled = schema::UriTemplate::compile(uri_template);
    if (!compiled) {
        refuse(item, compiled.error().sentence);
    }
    auto parameters = std::make_shared<const ParameterList>(item, binding);
    std::vector<std::string> variables = compiled->variables();
    std::vector<std::string> names = parameters->names();
    std::sort(variables.begin(), variables.end());
    std::sort(names.begin(), names.end());
    if (variables != names) {
        refuse(item, "the names of the handler's parameters must be the template's variables");
    }
    Json descriptor = describe_resource(item, "uriTemplate", uri_template, name, options);
    Run run = [inner = run_with(binding.handler, parameters, UnknownArguments::ignore), mime_type = options.mime_type](
                  detail::CallPort& port, const mcp::Item& called, const std::string& asked, const Json& arguments) {
        Json result = inner(port, called, asked, arguments);
        complete_contents(result, asked, mime_type);
        return result;
    };
    return {std::string(uri_template), std::move(descriptor), make_target(options.durability, std::move(run))};
}

}  // namespace durable_mcp::api
