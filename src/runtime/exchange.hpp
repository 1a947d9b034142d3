// SPDX-License-Identifier: Apache-2.0
#pragma once

// What passes between an HTTP server and the engine: bytes and headers in, response parts out. Neither side knows the other beyond this page.
// Everything here happens on one home, the loop: the strand (or the single thread) on which the listener and the engine live.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace durable_mcp::runtime {

/// One HTTP request whose head passed the strict check and whose body is whole. Lives until its response has ended.
class RequestView {
public:
    virtual ~RequestView() = default;
    [[nodiscard]] virtual std::string_view method() const = 0;
    /// Path without the query, undecoded.
    [[nodiscard]] virtual std::string_view path() const = 0;
    /// The value of that field, optional white space trimmed; names compare without case. Null `data()` when absent. Fields that are there more than
    /// once are joined with ", " (RFC 9110 §5.3).
    [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
    /// Whoever has read it empties it: a request lives as long as its response, and what it holds counts as input that waits.
    [[nodiscard]] virtual std::string& body() = 0;
    /// The peer's address, without port.
    [[nodiscard]] virtual std::string_view peer() const = 0;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// A response that is sent whole.
struct WholeResponse {
    unsigned status = 200;
    HeaderList headers = {};  ///< beyond Content-Type, Content-Length, Connection
    std::string body = {};    ///< "" sends no Content-Type
    std::string_view content_type = "application/json";
};

/// Where the answer to one request goes. Exactly one of respond(), open_stream() or abort() comes first.
/// Every member may be called after the client has left; it then does nothing.
class ResponseSink {
public:
    virtual ~ResponseSink() = default;
    virtual void respond(WholeResponse response) = 0;
    /// Sends status 200 and the head of a `text/event-stream`.
    virtual void open_stream(HeaderList headers) = 0;
    /// Sends `frame`, complete SSE lines with their blank line, at once. `flushed` (optional) is called when the kernel has it, or the client is gone.
    /// A client that is `stream_buffer_bytes` behind is cut off: on_gone is called and the log replays. One frame is always admitted.
    virtual void write(std::string frame, std::function<void()> flushed) = 0;
    /// Ends the stream in good order; the connection may be used again.
    virtual void end_stream() = 0;
    /// Closes the connection without an answer.
    virtual void abort() = 0;
    /// Called once if the client leaves, or is cut off, before the response has ended. Never called from inside another member.
    virtual void on_gone(std::function<void()> listener) = 0;
    [[nodiscard]] virtual bool is_gone() const = 0;
};

/// Whoever answers the requests for a path.
class Service {
public:
    virtual ~Service() = default;
    /// Called on the loop. `request` stays valid until the response of `sink` has ended or the sink is released.
    virtual void serve(std::shared_ptr<RequestView> request, std::shared_ptr<ResponseSink> sink) = 0;
};

}  // namespace durable_mcp::runtime
