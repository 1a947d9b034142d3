// SPDX-License-Identifier: Apache-2.0
#include "mcp/front.hpp"

// The order of the checks is that of the failure tables (protocol §1.1.1, §1.2.1): method, Content-Type, JSON, era; the rest is the era's.
// Accept comes after the body has been read, because only the session era asks anything of it.

#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "mcp/media_type.hpp"

namespace durable_mcp::mcp {
namespace {

using jsonrpc::Error;

/// The words of one era are among those of both.
template <class... Some>
Asked widen(std::variant<Some...>&& some) {
    return std::visit([](auto&& one) -> Asked { return std::move(one); }, std::move(some));
}

Asked read_post(const HttpFacts& facts, std::string_view body) {
    if (!is_json(facts.content_type)) {
        return refuse_http(415, Error{jsonrpc::transport_error, "Unsupported media type: the Content-Type must be application/json", {}});
    }
    auto json = base::parse_json(body, base::wire_json_limits());
    if (!json) {
        return refuse_http(400, Error{jsonrpc::parse_error, fmt::format("Parse error: {}", json.error().sentence), {}});
    }
    Classified classified = classify(facts, *json);
    if (std::holds_alternative<SessionEra>(classified)) {
        return widen(read_session_post(facts, std::move(*json)));
    }
    if (auto* const request = std::get_if<StatelessRequest>(&classified)) {
        return std::move(*request);
    }
    if (auto* const refusal = std::get_if<HttpRefusal>(&classified)) {
        return std::move(*refusal);
    }
    return StatelessNotification{};
}

}  // namespace

Asked read_request(const HttpFacts& facts, std::string_view body) {
    if (facts.method == "POST") {
        return read_post(facts, body);
    }
    if (facts.method != "GET" && facts.method != "DELETE") {
        return method_not_allowed("GET, POST, DELETE");
    }
    // Whoever names no session and speaks the revision that has none hears what a server of that revision alone would say.
    if (facts.session_id.empty() && names_stateless_era(facts.protocol_version)) {
        return method_not_allowed("POST");
    }
    return widen(read_session_stream(facts));
}

}  // namespace durable_mcp::mcp
