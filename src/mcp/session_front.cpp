// SPDX-License-Identifier: Apache-2.0
#include "mcp/session_front.hpp"

// The order of the checks is that of the failure table (protocol §1.2.1), cheapest first: method, Accept, Content-Type, JSON, message,
// version header, session id. Every refusal that is about one readable message carries its id.

#include <chrono>
#include <set>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/media_type.hpp"

namespace durable_mcp::mcp {
namespace {

using jsonrpc::Error;
using jsonrpc::Id;

// Clients of both eras may name it in a header before they fall back to `initialize`; it is no revision with sessions.
constexpr std::string_view stateless_revision = "2026-07-28";

HttpRefusal refuse(unsigned status, int code, std::string message, const std::optional<Id>& id = std::nullopt) {
    return {status, {}, jsonrpc::write_error(id, Error{code, std::move(message), {}})};
}

HttpRefusal not_acceptable(std::string_view needed) {
    return refuse(406, jsonrpc::transport_error, fmt::format("Not acceptable: the client must accept {}", needed));
}

HttpRefusal no_session(const std::optional<Id>& id) {
    return refuse(400, jsonrpc::transport_error, "Bad request: the MCP-Session-Id header is missing; begin with initialize", id);
}

/// Any revision that we speak will do: clients are known to name another one than they negotiated.
std::optional<HttpRefusal> check_version(const HttpFacts& facts, const std::optional<Id>& id = std::nullopt) {
    if (facts.protocol_version.data() == nullptr || revision_from(facts.protocol_version) || facts.protocol_version == stateless_revision) {
        return std::nullopt;
    }
    return refuse(400, jsonrpc::transport_error,
                  "Bad request: the MCP-Protocol-Version is not supported; known are 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05", id);
}

const Id* find_id(const jsonrpc::Message& message) {
    if (const auto* request = std::get_if<jsonrpc::Request>(&message)) {
        return &request->id;
    }
    if (const auto* response = std::get_if<jsonrpc::Response>(&message)) {
        return response->id.text.empty() ? nullptr : &response->id;
    }
    return nullptr;
}

std::optional<Id> copy_id(const jsonrpc::Message& message) {
    const Id* const id = find_id(message);
    return id == nullptr ? std::nullopt : std::optional(*id);
}

bool is_initialize(const jsonrpc::Message& message) {
    const auto* const request = std::get_if<jsonrpc::Request>(&message);
    return request != nullptr && request->method == "initialize";
}

/// One message, or all of a batch; any that is none refuses the whole body.
std::variant<HttpRefusal, Posted> read_body(base::Json&& json) {
    Posted posted;
    posted.is_batch = json.is_array();
    if (!posted.is_batch) {
        posted.messages.push_back(jsonrpc::read_message(std::move(json)));
    } else {
        auto& elements = json.get_ref<base::Json::array_t&>();
        if (elements.empty()) {
            return refuse(400, jsonrpc::invalid_request, "Invalid request: an empty batch");
        }
        posted.messages.reserve(elements.size());
        for (base::Json& element : elements) {
            posted.messages.push_back(jsonrpc::read_message(std::move(element)));
        }
    }
    for (std::size_t i = 0; i < posted.messages.size(); ++i) {
        if (auto* const malformed = std::get_if<jsonrpc::Malformed>(&posted.messages[i])) {
            const std::string where = posted.is_batch ? fmt::format("message {} of the batch: ", i + 1) : std::string();
            return refuse(400, malformed->error.code, fmt::format("Invalid request: {}{}", where, malformed->error.message),
                          posted.is_batch ? std::nullopt : malformed->id);
        }
    }
    posted.is_initialize = !posted.is_batch && is_initialize(posted.messages.front());
    return posted;
}

Asked read_post(const HttpFacts& facts, std::string_view body) {
    if (!accepts(facts.accept, "application", "json") || !accepts(facts.accept, "text", "event-stream")) {
        return not_acceptable("both application/json and text/event-stream");
    }
    if (!is_json(facts.content_type)) {
        return refuse(415, jsonrpc::transport_error, "Unsupported media type: the Content-Type must be application/json");
    }
    auto json = base::parse_json(body, base::wire_json_limits());
    if (!json) {
        return refuse(400, jsonrpc::parse_error, fmt::format("Parse error: {}", json.error().sentence));
    }
    auto read = read_body(std::move(*json));
    if (auto* const refusal = std::get_if<HttpRefusal>(&read)) {
        return std::move(*refusal);
    }
    auto& posted = std::get<Posted>(read);
    const auto id = posted.is_batch ? std::nullopt : copy_id(posted.messages.front());
    if (posted.is_initialize) {
        // The version is negotiated in the body; what the header says does not matter yet.
        if (!facts.session_id.empty()) {
            return refuse(400, jsonrpc::invalid_request, "Invalid request: initialize begins a session and carries no MCP-Session-Id", id);
        }
        return std::move(posted);
    }
    if (auto refusal = check_version(facts, id)) {
        return std::move(*refusal);
    }
    if (facts.session_id.empty()) {
        return no_session(id);
    }
    return std::move(posted);
}

}  // namespace

Asked read_request(const HttpFacts& facts, std::string_view body) {
    if (facts.method == "POST") {
        return read_post(facts, body);
    }
    if (facts.method != "GET" && facts.method != "DELETE") {
        HttpRefusal refusal = refuse(405, jsonrpc::transport_error, "Method not allowed");
        refusal.headers.emplace_back("Allow", "GET, POST, DELETE");
        return refusal;
    }
    const bool is_get = facts.method == "GET";
    if (is_get && !accepts(facts.accept, "text", "event-stream")) {
        return not_acceptable("text/event-stream");
    }
    if (auto refusal = check_version(facts)) {
        return std::move(*refusal);
    }
    if (facts.session_id.empty()) {
        return no_session(std::nullopt);
    }
    if (!is_get) {
        return EndSession{};
    }
    if (!facts.last_event_id.empty()) {
        return Resume{std::string(facts.last_event_id)};
    }
    return OpenStandalone{};
}

std::optional<HttpRefusal> check_against(const Session& session, const Posted& posted, std::size_t batch_messages) {
    if (!posted.is_batch) {
        return std::nullopt;
    }
    const auto refuse_batch = [](std::string reason) {
        return refuse(400, jsonrpc::invalid_request, fmt::format("Invalid request: {}", reason));
    };
    const RevisionTraits& known = traits(session.revision);
    if (!known.batches) {
        return refuse_batch(fmt::format("revision {} has no batches", known.date));
    }
    if (posted.messages.size() > batch_messages) {
        return refuse_batch(fmt::format("a batch of more than {} messages", batch_messages));
    }
    std::set<std::string_view> request_ids;
    for (const jsonrpc::Message& message : posted.messages) {
        if (is_initialize(message)) {
            return refuse_batch("initialize must not be part of a batch");
        }
        const auto* const request = std::get_if<jsonrpc::Request>(&message);
        if (request != nullptr && !request_ids.insert(request->id.text).second) {
            return refuse_batch("two requests of a batch have the same id");
        }
    }
    return std::nullopt;
}

HttpRefusal unknown_session() {
    return refuse(404, jsonrpc::session_not_found, "Session not found");
}

HttpRefusal unavailable(std::string_view sentence) {
    constexpr base::Limits limits;
    HttpRefusal refusal = refuse(503, jsonrpc::transport_error, std::string(sentence));
    refusal.headers.emplace_back("Retry-After", fmt::to_string(std::chrono::ceil<std::chrono::seconds>(limits.retry_after).count()));
    return refusal;
}

HttpRefusal unknown_event() {
    return refuse(400, jsonrpc::transport_error, "Bad request: the Last-Event-ID is not, or no longer, an event of this session");
}

}  // namespace durable_mcp::mcp
