// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "http/head_check.hpp"

namespace durable_mcp::http {

/// Beast's message parser behind a wall: a second opinion on every head, and the decoder of bodies.
/// One per connection, used again for each message.
class RequestParser {
public:
    explicit RequestParser(const base::Limits& limits);
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    /// Begins a message. `raw` is the whole head that `head` was checked from. Refuses what Beast refuses, and any difference of opinion
    /// about how the message is framed. `body` receives the decoded body and must live until the message is complete or refused.
    [[nodiscard]] std::optional<Refusal> begin(std::string_view raw, const CheckedHead& head, std::string& body);

    struct Progress {
        std::size_t consumed = 0;  ///< bytes taken; the rest must be offered again, with more behind it
        std::optional<Refusal> refusal;
    };

    /// Decodes more of the body. After a refusal the message must be given up.
    [[nodiscard]] Progress feed(std::string_view bytes);

    /// True when the body is whole (at once, for a message without one).
    [[nodiscard]] bool is_complete() const;

private:
    class Message;

    const base::Limits& limits_;
    std::unique_ptr<Message> message_;
};

}  // namespace durable_mcp::http
