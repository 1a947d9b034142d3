// SPDX-License-Identifier: Apache-2.0
#include "mcp/stateless_front.hpp"

// The algorithm of protocol §1.3, in its order. Only a body that makes a claim, or a request whose header names this era, is consumed.

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mcp/extension.hpp"
#include "mcp/header_rules.hpp"
#include "mcp/members.hpp"
#include "mcp/meta_key.hpp"
#include "mcp/quote.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;
using jsonrpc::Error;
using jsonrpc::Id;

HttpRefusal refuse(int code, std::string message, const std::optional<Id>& id = std::nullopt) {
    return refuse_http(400, Error{code, std::move(message), {}}, id);
}

/// What a message claims to speak, whatever its type; null if it claims nothing.
const Json* find_claim(const Json& message) {
    const Json* const params = find_member(message, "params");
    const Json* const meta = params == nullptr ? nullptr : find_member(*params, "_meta");
    return meta == nullptr ? nullptr : find_member(*meta, meta_key::protocol_version);
}

bool is_string_of(const Json& value, std::string_view text) {
    const auto* const string = value.get_ptr<const std::string*>();
    return string != nullptr && *string == text;
}

Error unsupported_version(std::string_view requested) {
    return {jsonrpc::unsupported_version, fmt::format("Unsupported protocol version: {}", quote(requested)),
            Json{{"supported", Json::array({traits(stateless_revision).date})}, {"requested", quote(requested)}}};
}

/// What is wrong with the envelope of a request, apart from the version that it names.
std::optional<std::string> check_envelope(const Json& meta) {
    const Json* const capabilities = find_member(meta, meta_key::client_capabilities);
    if (capabilities == nullptr) {
        return fmt::format("Missing _meta key {}", meta_key::client_capabilities);
    }
    if (!capabilities->is_object()) {
        return fmt::format("The _meta key {} must be an object", meta_key::client_capabilities);
    }
    if (const Json* const info = find_member(meta, meta_key::client_info)) {
        const auto is_string = [info](std::string_view name) {
            const Json* const member = find_member(*info, name);
            return member != nullptr && member->is_string();
        };
        if (!is_string("name") || !is_string("version")) {
            return fmt::format("The _meta key {} must be an object with a name and a version, both strings", meta_key::client_info);
        }
    }
    return std::nullopt;
}

/// No claim, but a header that names this era: says which keys a request would have had to bring.
Classified refuse_without_claim(const HttpFacts& facts, Json& body) {
    jsonrpc::Message message = jsonrpc::read_message(std::move(body));
    if (std::holds_alternative<jsonrpc::Notification>(message)) {
        return StatelessNotification{};
    }
    if (const auto* const malformed = std::get_if<jsonrpc::Malformed>(&message)) {
        return refuse(malformed->error.code, fmt::format("Invalid request: {}", malformed->error.message), malformed->id);
    }
    const auto& request = std::get<jsonrpc::Request>(message);
    const Json* const meta = find_member(request.params, "_meta");
    std::vector<std::string_view> missing{meta_key::protocol_version};
    if (meta == nullptr || find_member(*meta, meta_key::client_capabilities) == nullptr) {
        missing.push_back(meta_key::client_capabilities);
    }
    return refuse(jsonrpc::invalid_params,
                  fmt::format("Missing _meta keys: {}. The MCP-Protocol-Version header names {}, where every request says what it speaks",
                              fmt::join(missing, ", "), quote(facts.protocol_version)),
                  request.id);
}

/// The claim has been made; `claim` is not a string, or names a revision.
Classified read_claimed(const HttpFacts& facts, Json& body) {
    jsonrpc::Message message = jsonrpc::read_message(std::move(body));
    if (const auto* const malformed = std::get_if<jsonrpc::Malformed>(&message)) {
        return refuse(malformed->error.code, fmt::format("Invalid request: {}", malformed->error.message), malformed->id);
    }
    auto* const request = std::get_if<jsonrpc::Request>(&message);
    const auto* const notification = std::get_if<jsonrpc::Notification>(&message);
    const std::string& method = request != nullptr ? request->method : notification->method;
    const std::optional<Id> id = request != nullptr ? std::optional(request->id) : std::nullopt;
    Json& meta = request != nullptr ? request->params["_meta"] : std::get<jsonrpc::Notification>(message).params["_meta"];

    const Json& claim = meta[std::string(meta_key::protocol_version)];
    if (!claim.is_string()) {
        return refuse(jsonrpc::invalid_params, fmt::format("The _meta key {} must be a string", meta_key::protocol_version), id);
    }
    // The envelope is asked of requests only; the rules for a notification's headers are not defined, so that what is there is compared.
    if (request != nullptr) {
        if (auto reason = check_envelope(meta)) {
            return refuse(jsonrpc::invalid_params, std::move(*reason), id);
        }
    }
    const auto& claimed = claim.get_ref<const std::string&>();
    const std::string_view said_version = trim_spaces(facts.protocol_version);
    if (said_version.data() != nullptr && said_version != claimed) {
        return refuse_http(400,
                           header_mismatch(fmt::format("the MCP-Protocol-Version header '{}' is not the body's '{}'", quote(said_version),
                                                       quote(claimed))),
                           id);
    }
    const std::string_view said_method = trim_spaces(find_header(facts.header, "Mcp-Method"));
    if (said_method.data() != nullptr && said_method != method) {
        return refuse_http(
            400,
            header_mismatch(fmt::format("the Mcp-Method header '{}' is not the body's method '{}'", quote(said_method), quote(method))), id);
    }
    const auto revision = revision_from(claimed);
    if (!revision || !traits(*revision).stateless) {
        return refuse_http(400, unsupported_version(claimed), id);
    }
    if (request == nullptr) {
        return StatelessNotification{};
    }
    if (said_version.data() == nullptr) {
        return refuse_http(400, header_mismatch("the MCP-Protocol-Version header is missing"), id);
    }
    // That Mcp-Name routes tasks is a rule of the extension: who has not declared it is told so by the router instead.
    const Json& capabilities = meta[std::string(meta_key::client_capabilities)];
    const Extension* const extension = extension_of(method);
    const bool name_may_be_absent = extension != nullptr && !declares(capabilities, *extension);
    if (const auto error = check_routing_headers(facts.header, method, request->params, name_may_be_absent)) {
        return refuse_http(400, *error, id);
    }

    StatelessRequest read;
    read.revision = *revision;
    if (const Json* const level = find_member(meta, meta_key::log_level)) {
        const auto* const name = level->get_ptr<const std::string*>();
        read.log_level = name == nullptr ? std::nullopt : log_level_from(*name);
        if (!read.log_level) {
            return refuse(jsonrpc::invalid_params,
                          fmt::format("The _meta key {} must be one of debug, info, notice, warning, error, critical, alert, emergency",
                                      meta_key::log_level),
                          id);
        }
    }
    read.capabilities = capabilities;
    if (const Json* const info = find_member(meta, meta_key::client_info)) {
        read.client_info = *info;
        read.client_info.erase("icons");  // nobody looks at them here, and they may be pictures
    }
    read.meta = std::move(meta);
    request->params.erase("_meta");
    read.request = std::move(*request);
    read.header = facts.header;
    return read;
}

}  // namespace

bool names_stateless_era(std::string_view date) {
    return trim_spaces(date) >= traits(stateless_revision).date;
}

Classified classify(const HttpFacts& facts, Json& body) {
    if (body.is_array()) {
        for (const Json& element : body) {
            if (find_claim(element) != nullptr) {
                return refuse(jsonrpc::invalid_request, "Invalid request: a message of the stateless era is never part of a batch");
            }
        }
        return SessionEra{};
    }
    const Json* const method = find_member(body, "method");
    const bool header_is_stateless = names_stateless_era(facts.protocol_version);
    if (method == nullptr) {
        // A response, or nothing that has an era. Whoever speaks the revision without sessions and names none can have meant neither.
        if (header_is_stateless && facts.session_id.empty()) {
            const Json* const id = find_member(body, "id");
            return refuse(jsonrpc::invalid_request, "Invalid request: a message of the stateless era is a request or a notification",
                          id == nullptr ? std::nullopt : jsonrpc::id_from(*id));
        }
        return SessionEra{};
    }
    const Json* const claim = find_claim(body);
    const auto* const claimed = claim == nullptr ? nullptr : claim->get_ptr<const std::string*>();
    if (is_string_of(*method, "initialize") && (claimed == nullptr || !names_stateless_era(*claimed))) {
        if (!header_is_stateless) {
            return SessionEra{};
        }
        const Json* const id = find_member(body, "id");
        return refuse_http(
            400,
            header_mismatch(fmt::format("initialize begins a session, and the MCP-Protocol-Version header names {}, which has none",
                                        quote(facts.protocol_version))),
            id == nullptr ? std::nullopt : jsonrpc::id_from(*id));
    }
    if (claim != nullptr) {
        return read_claimed(facts, body);
    }
    return header_is_stateless ? refuse_without_claim(facts, body) : Classified{SessionEra{}};
}

}  // namespace durable_mcp::mcp
