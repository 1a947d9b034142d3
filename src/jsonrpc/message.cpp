// SPDX-License-Identifier: Apache-2.0
#include "jsonrpc/message.hpp"

#include <cstdint>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace durable_mcp::jsonrpc {
namespace {

using base::Json;

constexpr std::string_view head = R"({"jsonrpc":"2.0",)";

/// For texts that are ours or that come from a parsed document; bytes that are not UTF-8 all the same become U+FFFD.
std::string dump_leniently(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Malformed malformed(std::optional<Id> id, std::string message) {
    return {std::move(id), Error{invalid_request, std::move(message), {}}};
}

/// The outcome of a response, or why it is none.
std::variant<Json, Error, const char*> read_outcome(Json* result, Json* error) {
    if (result != nullptr) {
        return result->is_object() ? std::variant<Json, Error, const char*>(std::in_place_index<0>, std::move(*result))
                                   : std::variant<Json, Error, const char*>("a result must be an object");
    }
    if (!error->is_object()) {
        return "an error must be an object";
    }
    const auto code = error->find("code");
    const auto message = error->find("message");
    if (code == error->end() || !code->is_number_integer()) {
        return "an error needs an integer code";
    }
    if (message == error->end() || !message->is_string()) {
        return "an error needs a message, a string";
    }
    const bool fits = code->is_number_unsigned() ? code->get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<int>::max()}
                                                 : code->get<std::int64_t>() >= std::numeric_limits<int>::min();
    if (!fits) {
        return "an error's code is out of range";
    }
    Error out{code->get<int>(), std::move(message->get_ref<std::string&>()), {}};
    if (const auto data = error->find("data"); data != error->end()) {
        out.data = std::move(*data);
    }
    return out;
}

Message read_response(std::optional<Id> id, bool id_is_absent, Json* result, Json* error) {
    if (result != nullptr && error != nullptr) {
        return malformed(std::move(id), "a response has a result or an error, not both");
    }
    // Only an error may go without an id: its sender could not read ours.
    if (!id && !(error != nullptr && id_is_absent)) {
        return malformed(std::nullopt, "a response needs the id of its request");
    }
    auto outcome = read_outcome(result, error);
    if (const auto* reason = std::get_if<const char*>(&outcome)) {
        return malformed(std::move(id), *reason);
    }
    Response response{id ? std::move(*id) : Id{}, Json{}};
    if (auto* value = std::get_if<Json>(&outcome)) {
        response.outcome.emplace<Json>(std::move(*value));
    } else {
        response.outcome.emplace<Error>(std::get<Error>(std::move(outcome)));
    }
    return response;
}

}  // namespace

std::optional<Id> id_from(const Json& value) {
    constexpr base::Limits limits;
    if (value.is_number_integer()) {
        return Id{value.is_number_unsigned() ? fmt::to_string(value.get<std::uint64_t>()) : fmt::to_string(value.get<std::int64_t>())};
    }
    if (value.is_string() && value.get_ref<const std::string&>().size() <= limits.request_id_bytes) {
        return Id{dump_leniently(value)};
    }
    return std::nullopt;
}

Message read_message(Json&& json) {
    auto* const members = json.get_ptr<Json::object_t*>();
    if (members == nullptr) {
        return malformed(std::nullopt, "a message must be a JSON object");
    }
    const auto find = [members](std::string_view name) -> Json* {
        const auto found = members->find(name);
        return found == members->end() ? nullptr : &found->second;
    };

    Json* const raw_id = find("id");
    std::optional<Id> id;
    if (raw_id != nullptr) {
        id = id_from(*raw_id);
    }
    const Json* const protocol = find("jsonrpc");
    if (protocol == nullptr || !protocol->is_string() || protocol->get_ref<const std::string&>() != "2.0") {
        return malformed(std::move(id), "\"jsonrpc\" must be \"2.0\"");
    }

    Json* const method = find("method");
    Json* const result = find("result");
    Json* const error = find("error");
    const bool id_is_absent = raw_id == nullptr || raw_id->is_null();
    if (!id && !id_is_absent) {
        return malformed(std::nullopt, "an id must be an integer, or a string that is not too long");
    }
    if (method == nullptr) {
        if (result == nullptr && error == nullptr) {
            return malformed(std::move(id), "a message needs a method, a result or an error");
        }
        return read_response(std::move(id), id_is_absent, result, error);
    }
    if (result != nullptr || error != nullptr) {
        return malformed(std::move(id), "a message with a method has neither result nor error");
    }
    if (raw_id != nullptr && !id) {
        return malformed(std::nullopt, "the id of a request must not be null");
    }
    if (!method->is_string()) {
        return malformed(std::move(id), "a method must be a string");
    }
    Json params;
    if (Json* const given = find("params")) {
        if (!given->is_object()) {
            return malformed(std::move(id), "params must be an object");
        }
        params = std::move(*given);
    }
    std::string name = std::move(method->get_ref<std::string&>());
    if (id) {
        return Request{std::move(*id), std::move(name), std::move(params)};
    }
    return Notification{std::move(name), std::move(params)};
}

std::string write_result(const Id& id, std::string_view result) {
    constexpr std::string_view id_name = R"("id":)", result_name = R"(,"result":)";
    std::string text;
    text.reserve(head.size() + id_name.size() + id.text.size() + result_name.size() + result.size() + 1);
    text.append(head).append(id_name).append(id.text).append(result_name).append(result).push_back('}');
    return text;
}

std::string write_error(const std::optional<Id>& id, const Error& error) {
    std::string text(head);
    if (id) {
        text.append(R"("id":)").append(id->text).push_back(',');
    }
    text += fmt::format(R"("error":{{"code":{},"message":{})", error.code, dump_leniently(error.message));
    if (error.data) {
        text.append(R"(,"data":)").append(dump_leniently(*error.data));
    }
    text.append("}}");
    return text;
}

std::string write_notification(std::string_view method, std::string_view params) {
    std::string text(head);
    text.append(R"("method":)").append(dump_leniently(Json(method)));
    if (!params.empty()) {
        text.append(R"(,"params":)").append(params);
    }
    text.push_back('}');
    return text;
}

std::string write_request(const Id& id, std::string_view method, std::string_view params) {
    std::string text(head);
    text.append(R"("id":)").append(id.text).append(R"(,"method":)").append(dump_leniently(Json(method)));
    if (!params.empty()) {
        text.append(R"(,"params":)").append(params);
    }
    text.push_back('}');
    return text;
}

std::string readdress(std::string_view response, const Id& from, const Id& to) {
    std::string before(head);
    before.append(R"("id":)");
    const std::size_t id_begin = before.size();
    before.append(from.text).push_back(',');
    DURABLE_MCP_ASSERT(response.starts_with(before));
    std::string text;
    text.reserve(response.size() + to.text.size());
    text.append(response.substr(0, id_begin)).append(to.text).append(response.substr(id_begin + from.text.size()));
    return text;
}

}  // namespace durable_mcp::jsonrpc
