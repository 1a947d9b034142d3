// SPDX-License-Identifier: Apache-2.0
#pragma once

// Clients that have more to say than a session's tools/call: those of the stateless era, and those that are asked something.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp::test {

/// A client of revision 2026-07-28, as each of its requests describes it.
struct StatelessClient {
    base::Json capabilities = base::Json::object();
    base::Json meta = base::Json::object();  ///< besides the envelope
    std::map<std::string, std::string, std::less<>> headers = {};

    std::shared_ptr<FakeSink> ask(EngineHarness& harness, const std::string& method, base::Json params, const base::Json& id = 1) const {
        auto all = headers;
        all["Accept"] = "application/json, text/event-stream";
        all["Content-Type"] = "application/json";
        all["MCP-Protocol-Version"] = "2026-07-28";
        all["Mcp-Method"] = method;
        for (const char* const member : {"name", "uri", "taskId"}) {
            if (params.contains(member)) {
                all["Mcp-Name"] = params[member].get<std::string>();
            }
        }
        base::Json envelope = meta;
        envelope["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
        envelope["io.modelcontextprotocol/clientCapabilities"] = capabilities;
        params["_meta"] = std::move(envelope);
        return harness.request("POST", std::move(all),
                               base::Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}}.dump());
    }
    /// `more`: requestState, inputResponses, idempotencyKey.
    std::shared_ptr<FakeSink> call(EngineHarness& harness, const std::string& tool, base::Json arguments = base::Json::object(),
                                   const base::Json& more = base::Json::object(), const base::Json& id = 1) const {
        base::Json params{{"name", tool}, {"arguments", std::move(arguments)}};
        params.update(more);
        return ask(harness, "tools/call", std::move(params), id);
    }
};

inline base::Json elicitation() {
    return {{"elicitation", base::Json::object()}};
}
/// Of a stateless client that knows tasks; `more` is declared besides.
inline base::Json tasks_and(base::Json more = base::Json::object()) {
    more["extensions"]["io.modelcontextprotocol/tasks"] = base::Json::object();
    return more;
}

/// The question for a number.
inline detail::QuestionRequest number_question(std::string alias, std::optional<std::chrono::milliseconds> deadline = {}) {
    const base::Json params{{"mode", "form"},
                            {"message", "how many for " + alias + "?"},
                            {"requestedSchema", {{"type", "object"}, {"properties", {{"n", {{"type", "integer"}}}}}, {"required", {"n"}}}}};
    return {std::move(alias), "elicitation/create", params.dump(), R"({"elicitation":{"form":{}}})", deadline};
}
inline base::Json number(std::int64_t n) {
    return {{"action", "accept"}, {"content", {{"n", n}}}};
}
/// Asks, and returns what was answered as text.
inline std::string ask_number(detail::CallPort& port, const std::string& alias, std::optional<std::chrono::milliseconds> deadline = {}) {
    const base::Json answer = base::Json::parse(port.ask({number_question(alias, deadline)}).at(0));
    return answer.contains("content") ? answer["content"]["n"].dump() : answer.value("action", "");
}

/// The questions among what a client has seen on a stream, in order.
inline std::vector<base::Json> questions_in(const FakeSink& sink) {
    std::vector<base::Json> questions;
    for (const std::string& text : sink.messages()) {
        base::Json message = base::Json::parse(text);
        if (message.contains("id") && message.contains("method")) {
            questions.push_back(std::move(message));
        }
    }
    return questions;
}
/// The response of a session's client.
inline base::Json response(const base::Json& id, base::Json result) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

/// The result of a JSON-RPC answer; null where it is an error.
inline base::Json result_of(const base::Json& answer) {
    return answer.is_object() && answer.contains("result") ? answer["result"] : base::Json();
}
inline int error_of(const base::Json& answer) {
    return answer.is_object() && answer.contains("error") ? answer["error"].value("code", 0) : 0;
}

}  // namespace durable_mcp::test
