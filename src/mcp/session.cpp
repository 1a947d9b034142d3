// SPDX-License-Identifier: Apache-2.0
#include "mcp/session.hpp"

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

constexpr std::array<std::string_view, 8> level_names{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};

// Version of the document. A field that comes later is optional when read, and needs no new version.
constexpr int document_version = 1;

const Json* find_member(const Json& document, std::string_view name, Json::value_t type) {
    const auto found = document.find(name);
    return found != document.end() && found->type() == type ? &*found : nullptr;
}

}  // namespace

std::string_view name_of(LogLevel level) {
    return level_names[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_from(std::string_view name) {
    for (std::size_t i = 0; i < level_names.size(); ++i) {
        if (level_names[i] == name) {
            return static_cast<LogLevel>(i);
        }
    }
    return std::nullopt;
}

std::string to_document(const Session& session) {
    const auto text = base::dump_json({
        {"v", document_version},
        {"revision", traits(session.revision).date},
        {"client_info", session.client_info},
        {"capabilities", session.capabilities},
        {"initialized", session.initialized},
        {"log_level", name_of(session.log_level)},
        {"subscriptions", session.subscriptions},
        {"standalone_stream", session.standalone_stream},
        {"standalone_opened", session.standalone_opened},
    });
    // What a session holds was parsed from the wire, or is ours.
    DURABLE_MCP_ASSERT(text.has_value());
    return *text;
}

base::Result<Session> session_from_document(std::string id, std::string owner, std::string_view document) {
    const auto damaged = [](std::string_view what) {
        return base::Failure{base::FailureCode::store_damaged, fmt::format("the stored document of a session is damaged: {}", what)};
    };
    auto parsed = base::parse_json(document, base::stored_json_limits());
    if (!parsed) {
        return damaged(parsed.error().sentence);
    }
    const Json& json = *parsed;
    if (!json.is_object()) {
        return damaged("it is not an object");
    }
    const auto version = json.find("v");
    if (version == json.end() || !version->is_number_integer() || *version != document_version) {
        return damaged("its version is not 1");
    }
    const Json* const date = find_member(json, "revision", Json::value_t::string);
    // One that is missing or unknown stands for one that no session can have.
    const Revision revision = date != nullptr ? revision_from(date->get_ref<const std::string&>()).value_or(stateless_revision) : stateless_revision;
    const Json* const level_name = find_member(json, "log_level", Json::value_t::string);
    const auto level = level_name != nullptr ? log_level_from(level_name->get_ref<const std::string&>()) : std::nullopt;
    const Json* const client_info = find_member(json, "client_info", Json::value_t::object);
    const Json* const capabilities = find_member(json, "capabilities", Json::value_t::object);
    const Json* const initialized = find_member(json, "initialized", Json::value_t::boolean);
    const Json* const stream = find_member(json, "standalone_stream", Json::value_t::string);
    const Json* const opened = find_member(json, "standalone_opened", Json::value_t::boolean);
    if (traits(revision).stateless || !level || client_info == nullptr || capabilities == nullptr || initialized == nullptr ||
        stream == nullptr || opened == nullptr) {
        return damaged("a field is missing or has another type");
    }
    std::set<std::string> subscriptions;
    if (const auto found = json.find("subscriptions"); found != json.end()) {  // absent in documents of the first release
        if (!found->is_array()) {
            return damaged("its subscriptions are not an array");
        }
        for (const Json& uri : *found) {
            if (!uri.is_string()) {
                return damaged("a subscription is not a string");
            }
            subscriptions.insert(uri.get<std::string>());
        }
    }
    Session session;
    session.id = std::move(id);
    session.owner = std::move(owner);
    session.revision = revision;
    session.client_info = *client_info;
    session.capabilities = *capabilities;
    session.initialized = initialized->get<bool>();
    session.log_level = *level;
    session.subscriptions = std::move(subscriptions);
    session.standalone_stream = stream->get<std::string>();
    session.standalone_opened = opened->get<bool>();
    return session;
}

}  // namespace durable_mcp::mcp
