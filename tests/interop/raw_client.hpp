// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests by hand: what is on the wire is what the test says, and what comes back is seen whole.

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/sse_client.hpp"

namespace durable_mcp::interop {

using Json = nlohmann::json;
using Headers = testing_support::HttpExchange::Headers;

/// A response, read to its end.
struct Reply {
    int status = 0;
    bool is_stream = false;
    std::string session;                             ///< Mcp-Session-Id
    std::string body;                                ///< "" of a stream
    std::vector<testing_support::SseEvent> events;   ///< of a stream
    std::vector<Json> messages;                      ///< of either, in their order; those of a batch one by one

    /// The one response to request `id`; null when there is none.
    [[nodiscard]] Json response_to(const Json& id) const;
    /// The result of the only response. Throws what is there instead.
    [[nodiscard]] Json result() const;
    /// The code of the only response's error; 0 when it is none.
    [[nodiscard]] int error_code() const;
};

/// One request, and all of its response. Throws testing_support::Lost, or Silent after half a minute.
Reply exchange(std::uint16_t port, const std::string& method, const Headers& headers, const std::string& body);

/// A request of the session era.
[[nodiscard]] Json request(const Json& id, const std::string& method, const Json& params = Json::object());
[[nodiscard]] Json notification(const std::string& method);

/// A client of the session era, which sends what its revision wants to be sent.
class SessionClient {
public:
    /// Initializes a session, and says notifications/initialized. Throws when that does not work.
    SessionClient(std::uint16_t port, std::string revision);

    Reply post(const Json& body) const { return post_with(headers(), body); }
    Reply post_with(const Headers& headers, const Json& body) const;
    /// A call of a tool, its progress asked for under the token "p".
    Reply call(const Json& id, const std::string& tool, const Json& arguments = Json::object()) const;

    /// Session and, where the revision has it, MCP-Protocol-Version.
    [[nodiscard]] Headers headers() const;
    [[nodiscard]] const Json& welcome() const { return welcome_; }  ///< InitializeResult
    [[nodiscard]] const Reply& acknowledgement() const { return acknowledgement_; }

private:
    const std::uint16_t port_;
    const std::string revision_;
    std::string session_;
    Json welcome_;
    Reply acknowledgement_;
};

/// A request of 2026-07-28, complete with `_meta` and the headers that repeat it. `capabilities` are the client's.
Reply ask_stateless(std::uint16_t port, const std::string& method, Json params, const Json& capabilities = Json::object());

}  // namespace durable_mcp::interop
