// SPDX-License-Identifier: Apache-2.0
#include "runtime/recorded_answer.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/projection.hpp"
#include "mcp/task.hpp"

namespace durable_mcp::runtime {
namespace {

std::string text_of(const base::Json& json) { return json.dump(-1, ' ', false, base::Json::error_handler_t::replace); }

}  // namespace

std::string retell(const mcp::ServerFacts& facts, const std::string& payload, const jsonrpc::Id& from, const jsonrpc::Id& to, mcp::Revision told_in,
                   mcp::Revision revision) {
    std::string text = from.text == to.text ? payload : jsonrpc::readdress(payload, from, to);
    if (told_in == revision) {
        return text;
    }
    auto outcome = outcome_of(text);
    if (auto* result = std::get_if<base::Json>(&outcome)) {
        return jsonrpc::write_result(to, text_of(mcp::project_recorded(std::move(*result), told_in, revision, facts)));
    }
    return text;
}

std::variant<base::Json, jsonrpc::Error> outcome_of(const std::string& payload) {
    base::Json message = base::Json::parse(payload, nullptr, false);
    if (message.is_object()) {
        if (const auto result = message.find("result"); result != message.end()) {
            return std::move(*result);
        }
        if (const auto error = message.find("error"); error != message.end()) {
            jsonrpc::Error read{error->value("code", static_cast<int>(jsonrpc::internal_error)), error->value("message", ""), {}};
            if (const auto data = error->find("data"); data != error->end()) {
                read.data = *data;
            }
            return read;
        }
    }
    return jsonrpc::Error{jsonrpc::internal_error, "The recorded answer cannot be read", {}};
}

std::string with_related_task(const std::string& payload, std::string_view task) {
    base::Json message = base::Json::parse(payload, nullptr, false);
    if (!message.is_object() || !message.contains("result")) {
        return payload;
    }
    return jsonrpc::write_result(jsonrpc::Id{message["id"].dump()}, text_of(mcp::session_task_result(std::move(message["result"]), task)));
}

unsigned status_of(std::string_view payload) {
    // Errors are short, and ours: what stands behind the id is what write_error() wrote.
    constexpr std::size_t longest_id = 6 * base::Limits{}.request_id_bytes;  // each byte of it may be written as \u00xx
    const auto error = payload.substr(0, longest_id + 64).find("\"error\":");
    if (error == std::string_view::npos || payload.find("\"result\":") < error) {
        return 200;
    }
    const std::string refused = fmt::format(R"("error":{{"code":{},)", static_cast<int>(jsonrpc::missing_capability));
    return payload.substr(error).starts_with(refused) ? 400 : 200;
}

}  // namespace durable_mcp::runtime
