// SPDX-License-Identifier: Apache-2.0
#include "api/registration.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "api/parameters.hpp"
#include "durable_mcp/context.hpp"
#include "durable_mcp/error.hpp"
#include "runtime/handler.hpp"
#include "schema/uri_template.hpp"

namespace durable_mcp::api {

using base::Json;

namespace {

using Run = decltype(runtime::HandlerTarget::run);

std::shared_ptr<const mcp::CallTarget> make_target(Durability durability, Run run) {
    auto target = std::make_shared<runtime::HandlerTarget>();
    target->durability = durability == Durability::full ? runtime::Durability::full : runtime::Durability::none;
    target->run = std::move(run);
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

void set_icons(Json& descriptor, const std::vector<Icon>& icons) {
    if (!icons.empty()) {
        descriptor["icons"] = describe_icons(icons);
    }
}

Json describe_tool(const std::string& item, std::string_view name, std::string_view description, Json input_schema, const ToolOptions& options) {
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
        Json schema = Json::parse(options.output_schema->text());
        if (schema.value("type", Json()) != "object") {
            refuse(item, "the output schema must have \"type\": \"object\"");
        }
        descriptor["outputSchema"] = std::move(schema);
    }
    set_icons(descriptor, options.icons);
    return descriptor;
}

/// A promise in the descriptor that the handler did not keep is the author's mistake, and clients would refuse the result anyway.
void check_promise(const std::string& item, bool promised, const Json& result) {
    if (promised && !result.contains("structuredContent") && !result.value("isError", false)) {
        throw std::logic_error(item + " has an output schema, but its handler returned no object");
    }
}

Json describe_resource(const char* uri_key, std::string_view uri, std::string_view name, const ResourceOptions& options) {
    Json descriptor{{uri_key, uri}, {"name", name}};
    set_unless_empty(descriptor, "title", options.title);
    set_unless_empty(descriptor, "description", options.description);
    set_unless_empty(descriptor, "mimeType", options.mime_type);
    set_icons(descriptor, options.icons);
    return descriptor;
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

}  // namespace

Json describe_icons(const std::vector<Icon>& icons) {
    Json list = Json::array();
    for (const Icon& icon : icons) {
        if (icon.src.empty()) {
            throw std::invalid_argument("an icon needs a src");
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
    auto parameters = std::make_shared<const ParameterList>(item, binding);
    Json descriptor = describe_tool(item, name, description, parameters->schema(options.unknown_arguments), options);
    Run run = [inner = run_with(binding.handler, parameters, options.unknown_arguments), item, promised = options.output_schema.has_value()](
                  detail::CallPort& port, const mcp::Item& called, const std::string& asked, const Json& arguments) {
        Json result = inner(port, called, asked, arguments);
        check_promise(item, promised, result);
        return result;
    };
    return {std::string(name), std::move(descriptor), make_target(options.durability, std::move(run))};
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
    Json descriptor = describe_tool(item, name, description, std::move(input), options);
    Run run = [handler = binding.handler, item, promised = options.output_schema.has_value()](detail::CallPort& port, const mcp::Item&,
                                                                                             const std::string&, const Json& arguments) {
        const detail::BoundArgument all{"arguments", &arguments};
        DurableContext context(port);
        Json result;
        handler->run(context, &all, result);
        check_promise(item, promised, result);
        return result;
    };
    return {std::string(name), std::move(descriptor), make_target(options.durability, std::move(run))};
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
    set_icons(descriptor, options.icons);
    return {std::string(name), std::move(descriptor), make_target(options.durability, run_with(binding.handler, parameters, UnknownArguments::refuse))};
}

mcp::Item make_resource(std::string_view uri, std::string_view name, const detail::Binding& binding, const ResourceOptions& options) {
    const std::string item = quote("resource", uri);
    check_uri(item, uri);
    if (name.empty()) {
        refuse(item, "a resource needs a name");
    }
    check_text(item, "name", name);
    Json descriptor = describe_resource("uri", uri, name, options);
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
    Json descriptor = describe_resource("uriTemplate", uri_template, name, options);
    Run run = [inner = run_with(binding.handler, parameters, UnknownArguments::ignore), mime_type = options.mime_type](
                  detail::CallPort& port, const mcp::Item& called, const std::string& asked, const Json& arguments) {
        Json result = inner(port, called, asked, arguments);
        complete_contents(result, asked, mime_type);
        return result;
    };
    return {std::string(uri_template), std::move(descriptor), make_target(options.durability, std::move(run))};
}

}  // namespace durable_mcp::api
