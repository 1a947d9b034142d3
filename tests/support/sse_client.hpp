// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client for tests that want to see exactly what is on the wire, and exactly where it breaks off: one request on one socket, blocking.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace durable_mcp::testing_support {

/// The peer went away in the middle: refused, reset, or the end came before it was due.
struct Lost : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Nothing came in time.
struct Silent : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct SseEvent {
    std::string id;  ///< "" when it had none
    std::optional<std::string> data;
    std::optional<long> retry_ms;
};

/// One HTTP request to 127.0.0.1 and its response. Closing is leaving: the destructor drops the connection, whatever is still to come.
class HttpExchange {
public:
    using Clock = std::chrono::steady_clock;
    using Headers = std::vector<std::pair<std::string, std::string>>;

    /// Sends the request and reads the head of the response. Throws Lost or Silent.
    HttpExchange(std::uint16_t port, std::string_view method, std::string_view path, const Headers& headers, std::string_view body,
                 Clock::time_point until);
    HttpExchange(const HttpExchange&) = delete;
    HttpExchange& operator=(const HttpExchange&) = delete;
    ~HttpExchange();

    [[nodiscard]] int status() const noexcept { return status_; }
    /// A header of the response by its lower-case name; "" when it is not there.
    [[nodiscard]] std::string header(const std::string& name) const;
    [[nodiscard]] bool is_stream() const;

    /// The whole body. Throws Lost when the connection ends before it, or Silent.
    [[nodiscard]] std::string read_body(Clock::time_point until);
    /// The next block of an event stream; nothing at its proper end. Throws Lost or Silent.
    [[nodiscard]] std::optional<SseEvent> next_event(Clock::time_point until);

private:
    void receive(Clock::time_point until);  // more bytes into raw_; sets closed_
    void decode();                          // raw_ → body_, as the head says
    void read_head(Clock::time_point until);

    int socket_ = -1;
    int status_ = 0;
    std::map<std::string, std::string> headers_;
    std::string raw_;
    std::string body_;
    bool closed_ = false;    // the peer sends no more
    bool complete_ = false;  // the body has come to its end
    bool is_chunked_ = false;
    std::optional<std::size_t> left_;  // of Content-Length, or of the current chunk
};

}  // namespace durable_mcp::testing_support
