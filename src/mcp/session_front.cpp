// SPDX-License-Identifier: Apache-2.0
#include "mcp/session_front.hpp"

// The order of the checks is that of the failure table (protocol §1.2.1), after what front.cpp has checked: Accept, message, version header,
// session id. Every refusal that is about one readable message carries its id.

#include <chrono>
#include <set>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/media_type.hpp"

namespace durable_mcp::mcp {
namespace {

using jsonrpc::Error;
using jsonrpc::Id;

HttpRefusal refuse(unsigned status, int code, std::string message, const std::optional<Id>& id = std::nullopt) {
    return refuse_http(status, Error{code, std::move(message), {}}, id);
}

HttpRefusal not_acceptable(std::string_view needed) {
    return refuse(406, jsonrpc::transport_error, fmt::format("Not acceptable: the client must accept {}", needed));
}

HttpRefusal no_session(const std::optional<Id>& id) {
    return refuse(400, jsonrpc::transport_error, "Bad request: the MCP-Session-Id header is missing; begin with initialize", id);
}

/// Any revision that we speak will do: clients are known to name another one than they negotiated.
std::optional<HttpRefusal> check_version(const HttpFacts& facts, const std::optional<Id>& id = std::nullopt) {
    if (facts.protocol_version.data() == nullptr || revision_from(facts.protocol_version)) {
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

}  // namespace

std::variant<HttpRefusal, Posted> read_session_post(const HttpFacts& facts, base::Json&& body) {
    if (!accepts(facts.accept, "application", "json") || !accepts(facts.accept, "text", "event-stream")) {
        return not_acceptable("both application/json and text/event-stream");
    }
    auto read = read_body(std::move(body));
    auto* const posted = std::get_if<Posted>(&read);
    if (posted == nullptr) {
        return read;
    }
    if (const std::string_view key = find_header(facts.header, "Idempotency-Key"); !key.empty()) {
        posted->idempotency_key = std::string(key);
    }
    const auto id = posted->is_batch ? std::nullopt : copy_id(posted->messages.front());
    if (posted->is_initialize) {
        // The version is negotiated in the body; what the header says does not matter yet.
        if (!facts.session_id.empty()) {
            return refuse(400, jsonrpc::invalid_request, "Invalid request: initialize begins a session and carries no MCP-Session-Id", id);
        }
        return read;
    }
    if (auto refusal = check_version(facts, id)) {
        return std::move(*refusal);
    }
    if (facts.session_id.empty()) {
        return no_session(id);
    }
    return read;
}

std::variant<HttpRefusal, OpenStandalone, Resume, EndSession> read_session_stream(const HttpFacts& facts) {
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
