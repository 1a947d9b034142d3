// SPDX-License-Identifier: Apache-2.0
#include "interop/raw_client.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace durable_mcp::interop {
namespace {

using testing_support::HttpExchange;

constexpr const char* path = "/mcp";

Headers json_headers() {
    return {{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}};
}

Headers operator+(Headers left, const Headers& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

void add_messages(std::vector<Json>& messages, const std::string& text) {
    const Json json = Json::parse(text);
    if (json.is_array()) {
        messages.insert(messages.end(), json.begin(), json.end());
    } else {
        messages.push_back(json);
    }
}

bool is_response(const Json& message) {
    return !message.contains("method");
}

}  // namespace

Json Reply::response_to(const Json& id) const {
    Json found;
    for (const Json& message : messages) {
        if (is_response(message) && message.value("id", Json()) == id) {
            if (!found.is_null()) {
                throw std::runtime_error("two responses to " + id.dump());
            }
            found = message;
        }
    }
    return found;
}

Json Reply::result() const {
    if (messages.empty() || !is_response(messages.back()) || !messages.back().contains("result")) {
        throw std::runtime_error("no result: " + std::to_string(status) + " " + Json(messages).dump() + body);
    }
    return messages.back()["result"];
}

int Reply::error_code() const {
    return messages.empty() || !messages.back().contains("error") ? 0 : messages.back()["error"].value("code", 0);
}

Reply exchange(std::uint16_t port, const std::string& method, const Headers& headers, const std::string& body) {
    const auto until = HttpExchange::Clock::now() + std::chrono::seconds(30);
    HttpExchange http(port, method, path, headers, body, until);
    Reply reply;
    reply.status = http.status();
    reply.is_stream = http.is_stream();
    reply.session = http.header("mcp-session-id");
    if (!reply.is_stream) {
        reply.body = http.read_body(until);
        if (!reply.body.empty()) {
            add_messages(reply.messages, reply.body);
        }
        return reply;
    }
    while (const auto event = http.next_event(until)) {
        reply.events.push_back(*event);
        if (event->data && !event->data->empty()) {
            add_messages(reply.messages, *event->data);
        }
    }
    return reply;
}

Json request(const Json& id, const std::string& method, const Json& params) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
}

Json notification(const std::string& method) {
    return {{"jsonrpc", "2.0"}, {"method", method}};
}

SessionClient::SessionClient(std::uint16_t port, std::string revision) : port_(port), revision_(std::move(revision)) {
    const Json hello = request("hello", "initialize",
                               {{"protocolVersion", revision_},
                                {"capabilities", Json::object()},
                                {"clientInfo", {{"name", "durable-mcp-tests"}, {"version", "1.0.0"}}}});
    const Reply reply = exchange(port_, "POST", json_headers(), hello.dump());
    welcome_ = reply.result();
    session_ = reply.session;
    acknowledgement_ = post(notification("notifications/initialized"));
}

Reply SessionClient::post_with(const Headers& headers, const Json& body) const {
    return exchange(port_, "POST", json_headers() + headers, body.dump());
}

Reply SessionClient::call(const Json& id, const std::string& tool, const Json& arguments) const {
    return post(request(id, "tools/call", {{"name", tool}, {"arguments", arguments}, {"_meta", {{"progressToken", "p"}}}}));
}

Headers SessionClient::headers() const {
    Headers headers{{"Mcp-Session-Id", session_}};
    if (revision_ >= "2025-06-18") {
        headers.emplace_back("MCP-Protocol-Version", revision_);
    }
    return headers;
}

Reply ask_stateless(std::uint16_t port, const std::string& method, Json params, const Json& capabilities) {
    const std::string revision = "2026-07-28";
    Headers headers{{"MCP-Protocol-Version", revision}, {"Mcp-Method", method}};
    for (const char* named : {"name", "uri", "taskId"}) {
        if (params.contains(named)) {
            headers.emplace_back("Mcp-Name", params[named].get<std::string>());
        }
    }
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = revision;
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    return exchange(port, "POST", json_headers() + headers, request(1, method, params).dump());
}

}  // namespace durable_mcp::interop
