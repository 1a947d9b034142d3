// SPDX-License-Identifier: Apache-2.0
#include "conformance/wire_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace durable_mcp::conformance {
namespace {

using testing_support::HttpExchange;

constexpr int most_rounds = 5;

HttpExchange::Clock::time_point soon() {
    return HttpExchange::Clock::now() + std::chrono::seconds(20);
}

Json value_for(const Json& field) {
    if (field.contains("enum")) {
        return field["enum"][0];
    }
    for (const char* const alternatives : {"oneOf", "anyOf"}) {
        if (field.contains(alternatives)) {
            return field[alternatives][0]["const"];
        }
    }
    const std::string type = field.value("type", "string");
    if (type == "array") {
        return Json::array({value_for(field["items"])});
    }
    if (type == "boolean") {
        return true;
    }
    if (type == "integer" || type == "number") {
        return field.value("minimum", Json(1));
    }
    return field.value("format", "") == "email" ? "ann@example.com" : "Ann";
}

}  // namespace

Json fill_in(const Json& schema, bool everything) {
    Json values = Json::object();
    const Json required = schema.value("required", Json::array());
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, field] : properties.items()) {
        if (everything || std::find(required.begin(), required.end(), Json(name)) != required.end()) {
            values[name] = value_for(field);
        }
    }
    return values;
}

Json answer_to(const std::string& method, const Json& params) {
    if (method == "elicitation/create") {
        return {{"action", "accept"}, {"content", fill_in(params["requestedSchema"], true)}};
    }
    if (method == "sampling/createMessage") {
        return {{"role", "assistant"}, {"model", "none"}, {"content", {{"type", "text"}, {"text", "Paris"}}}};
    }
    return {{"roots", Json::array({{{"uri", "file:///home/ann"}, {"name", "home"}}})}};
}

WireClient::WireClient(std::uint16_t port, std::string revision, testing_support::MessageSchema schema)
    : port_(port),
      revision_(std::move(revision)),
      schema_(std::move(schema)),
      capabilities_{{"roots", Json::object()}, {"sampling", Json::object()}, {"elicitation", Json::object()}} {
    if (!is_stateless()) {
        ask_once("initialize", {{"protocolVersion", revision_},
                                {"capabilities", capabilities_},
                                {"clientInfo", {{"name", "durable-mcp-tests"}, {"version", "1.0.0"}}}});
        notify("notifications/initialized");
    }
}

HttpExchange::Headers WireClient::headers_for(const Json& message) const {
    HttpExchange::Headers headers{{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}};
    if (!is_stateless()) {
        if (!session_.empty()) {
            headers.emplace_back("Mcp-Session-Id", session_);
            if (revision_ >= "2025-06-18") {
                headers.emplace_back("MCP-Protocol-Version", revision_);
            }
        }
        return headers;
    }
    headers.emplace_back("MCP-Protocol-Version", revision_);
    headers.emplace_back("Mcp-Method", message["method"].get<std::string>());
    for (const char* const named : {"name", "uri", "taskId"}) {
        if (message["params"].contains(named)) {
            headers.emplace_back("Mcp-Name", message["params"][named].get<std::string>());
        }
    }
    return headers;
}

void WireClient::look_at(const Json& message, const std::string& answered) {
    ++messages_;
    if (message.contains("method")) {
        heard_.insert(message["method"].get<std::string>());
    }
    if (const auto complaint = schema_.complaint(message, answered)) {
        ADD_FAILURE() << revision_ << ", after " << answered << ": " << *complaint << "\n" << message.dump();
    }
}

void WireClient::post_silently(const Json& message) {
    HttpExchange http(port_, "POST", "/mcp", headers_for(message), message.dump(), soon());
    EXPECT_EQ(http.status(), 202) << message;
}

void WireClient::notify(const std::string& method) {
    post_silently({{"jsonrpc", "2.0"}, {"method", method}});
}

Json WireClient::ask_once(const std::string& method, Json params, bool may_end) {
    if (is_stateless()) {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = revision_;
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities_;
    }
    const Json request{{"jsonrpc", "2.0"}, {"id", next_id_++}, {"method", method}, {"params", std::move(params)}};
    HttpExchange http(port_, "POST", "/mcp", headers_for(request), request.dump(), soon());
    if (!http.header("mcp-session-id").empty()) {
        session_ = http.header("mcp-session-id");
    }
    if (!http.is_stream()) {
        const Json response = Json::parse(http.read_body(soon()));
        look_at(response, method);
        return response;
    }
    while (const auto event = http.next_event(soon())) {
        if (!event->data || event->data->empty()) {
            continue;
        }
        const Json message = Json::parse(*event->data);
        look_at(message, method);
        if (!may_end || !message.contains("method")) {
            return message;
        }
        if (message.contains("id")) {
            post_silently({{"jsonrpc", "2.0"},
                           {"id", message["id"]},
                           {"result", answer_to(message["method"], message.value("params", Json::object()))}});
        }
    }
    throw std::runtime_error("a stream without a response to " + request.dump());
}

Json WireClient::ask(const std::string& method, Json params) {
    Json response = ask_once(method, params);
    for (int round = 1;
         round < most_rounds && response.contains("result") && response["result"].value("resultType", "") == "input_required"; ++round) {
        params["requestState"] = response["result"]["requestState"];
        params["inputResponses"] = Json::object();
        const Json questions = response["result"].value("inputRequests", Json::object());
        for (const auto& [key, question] : questions.items()) {
            params["inputResponses"][key] = answer_to(question["method"], question.value("params", Json::object()));
        }
        response = ask_once(method, params);
    }
    return response;
}

}  // namespace durable_mcp::conformance
