// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client that says everything that a client can say, answers whatever it is asked, and holds each message of the server to the
// specification's schema of its revision.

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "support/message_schema.hpp"
#include "support/sse_client.hpp"

namespace durable_mcp::conformance {

using Json = nlohmann::json;

class WireClient {
public:
    /// Initializes a session, unless the revision has none.
    WireClient(std::uint16_t port, std::string revision, testing_support::MessageSchema schema);

    /// The response, without those before it. A session's client answers questions while it waits; one without sends the request again with
    /// the answers, until there is none (an error's response is one too).
    Json ask(const std::string& method, Json params = Json::object());
    /// One request and its response, whatever that is. `may_end` false: reads the first message only, and leaves.
    Json ask_once(const std::string& method, Json params, bool may_end = true);
    void notify(const std::string& method);

    [[nodiscard]] bool is_stateless() const { return revision_ >= "2026-07-28"; }
    [[nodiscard]] const std::string& revision() const { return revision_; }
    /// What clientCapabilities say from now on; of a session, only before it begins.
    void declare_tasks() { capabilities_["extensions"]["io.modelcontextprotocol/tasks"] = Json::object(); }

    /// Methods of the requests and notifications that were heard, and how many messages in all.
    [[nodiscard]] const std::set<std::string>& heard() const { return heard_; }
    [[nodiscard]] int messages() const { return messages_; }

private:
    [[nodiscard]] testing_support::HttpExchange::Headers headers_for(const Json& message) const;
    void post_silently(const Json& message);
    void look_at(const Json& message, const std::string& answered);

    const std::uint16_t port_;
    const std::string revision_;
    testing_support::MessageSchema schema_;
    std::string session_;
    Json capabilities_;
    int next_id_ = 1;
    int messages_ = 0;
    std::set<std::string> heard_;
};

/// Values that fit a flat schema, `everything` or only what is required: arguments for a tool, a filled-in form.
[[nodiscard]] Json fill_in(const Json& schema, bool everything);
/// What this client answers to a question.
[[nodiscard]] Json answer_to(const std::string& method, const Json& params);

}  // namespace durable_mcp::conformance
