// SPDX-License-Identifier: Apache-2.0
#include "api/completion.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/json.hpp"
#include "durable_mcp/completion.hpp"
#include "durable_mcp/context.hpp"
#include "runtime/handler.hpp"
#include "schema/uri_template.hpp"

namespace durable_mcp {

using base::Json;

namespace {

/// completion/complete: "Maximum 100 items".
constexpr std::size_t most_values = 100;

std::string describe(mcp::ItemKind of, std::string_view ref, std::string_view argument) {
    const auto quote = [](std::string_view text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); };
    return "completion of " + quote(argument) + (of == mcp::ItemKind::prompt ? " of prompt " : " of resource template ") + quote(ref);
}

bool has_argument(const mcp::Item& item, mcp::ItemKind of, std::string_view argument) {
    if (of == mcp::ItemKind::prompt) {
        const Json arguments = item.descriptor.value("arguments", Json::array());
        return std::any_of(arguments.begin(), arguments.end(), [&](const Json& entry) { return entry["name"] == argument; });
    }
    const base::Result<schema::UriTemplate> compiled = schema::UriTemplate::compile(item.name);
    return compiled && std::count(compiled->variables().begin(), compiled->variables().end(), argument) != 0;
}

}  // namespace

void detail::put_completion(Json& out, const CompletionResult& value) {
    const std::size_t sent = std::min(value.values.size(), most_values);
    Json completion{{"values", Json::array()}};
    for (std::size_t i = 0; i < sent; ++i) {
        completion["values"].push_back(value.values[i]);
    }
    const bool cut = sent < value.values.size();
    if (value.total || cut) {
        completion["total"] = value.total.value_or(value.values.size());
    }
    completion["hasMore"] = cut || value.has_more.value_or(false);
    out = Json{{"completion", std::move(completion)}};
}

mcp::Item api::make_completion(mcp::ItemKind of, std::string_view ref, std::string_view argument, const detail::Binding& binding) {
    if (ref.empty() || argument.empty() || !base::dump_json(Json(ref)) || !base::dump_json(Json(argument))) {
        throw std::invalid_argument(describe(of, ref, argument) + ": both need a name, which is UTF-8");
    }
    auto target = std::make_shared<runtime::HandlerTarget>();
    target->durability = runtime::Durability::none;
    target->run = [handler = binding.handler](detail::CallPort& port, const mcp::Item&, const std::string&, const Json& arguments) {
        const Json value = arguments.value("value", Json(""));
        const Json others = arguments.value("context", Json::object()).value("arguments", Json::object());
        // As many as the handler takes are read.
        const detail::BoundArgument bound[] = {{"value", &value}, {"context.arguments", &others}};
        DurableContext context(port);
        Json result;
        handler->run(context, bound, result);
        return result;
    };
    return {mcp::completion_name(of, ref, argument), Json::object(), std::move(target)};
}

void api::check_completed(const mcp::Catalog& catalog, mcp::ItemKind of, std::string_view ref, std::string_view argument) {
    const auto item = catalog.find(of, ref);
    if (!item) {
        throw std::invalid_argument(describe(of, ref, argument) +
                                    ": there is none of that name. Register it before start(), or remove the completion");
    }
    if (!has_argument(*item, of, argument)) {
        throw std::invalid_argument(describe(of, ref, argument) + ": it has no argument of that name. Remove the completion, or name another");
    }
}

}  // namespace durable_mcp
