// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "http/exchange.hpp"
#include "http/head_check.hpp"
#include "http/listener_state.hpp"
#include "http/request_parser.hpp"
#include "runtime/exchange.hpp"

namespace durable_mcp::http {

/// One client's TCP connection. Lives in ListenerState::connections until it is closed; everything happens on the loop.
class Connection final : public std::enable_shared_from_this<Connection> {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// `peer`: the client's address. `counted`: whether it has a share in ListenerState::peers.
    Connection(std::shared_ptr<ListenerState> state, boost::asio::ip::tcp::socket socket, std::string peer, bool counted);

    void start();
    /// Answers 503 to whatever comes, and closes.
    void start_refusing();
    /// Looks at the clock: time-outs, and comments that keep quiet streams alive. Called every few hundred milliseconds.
    void sweep(TimePoint now);
    /// Closes as soon as no request is being read or answered.
    void drain();
    /// Closes now. Whoever waits for this connection is told, later.
    void close();

    [[nodiscard]] const std::shared_ptr<const std::string>& peer() const { return peer_; }
    [[nodiscard]] bool is_counted() const { return counted_; }
    [[nodiscard]] const std::shared_ptr<ListenerState>& state() const { return state_; }
    [[nodiscard]] std::size_t& place() { return place_; }

    // For the exchange that is being answered.
    void send_whole(const runtime::WholeResponse& response, const CheckedHead& head);
    void send_stream_head(const runtime::HeaderList& headers, const CheckedHead& head);
    void send_frame(std::string_view frame, std::function<void()> flushed);
    void send_stream_end();
    /// The exchange was released without an answer.
    void close_unanswered();

private:
    enum class Phase {
        idle,       ///< between requests
        head,       ///< the first byte of a request has come
        body,       ///< its head is accepted
        serving,    ///< a service owes the answer
        sending,    ///< the answer is complete; the kernel has not taken all of it
        lingering,  ///< our side is shut; what still comes is thrown away, so that no reset overtakes the answer
        closed,
    };
    enum class Body { none, chunked, until_close };

    struct FrameEnd {
        std::uint64_t at;  ///< counted as queued_
        std::function<void()> flushed;
    };

    /// Runs `act`; whatever it throws is logged and closes the connection.
    template <class Act>
    void guard(Act act) noexcept;

    // Reading.
    void await_input();
    void read_input();
    void take_input(std::string_view bytes);
    [[nodiscard]] std::size_t consume(std::string_view bytes);
    void resume_held_input();
    [[nodiscard]] std::size_t consume_head(std::string_view bytes);
    [[nodiscard]] bool accept_head(std::string_view raw, bool more_follows);
    void serve();
    void refuse(const Refusal& refusal, bool keep_alive);

    // Writing.
    [[nodiscard]] std::size_t pending() const { return out_.size() - out_sent_; }
    void schedule_flush();
    void flush();
    void await_output();
    void finish_response(bool keep_alive);
    void finish_sending();
    void linger();
    void send_response(const runtime::WholeResponse& response, bool omit_body, bool keep_alive);
    void append(std::string_view bytes);
    void append_to_stream(std::string_view frame);
    void release_frames(std::uint64_t sent);
    [[nodiscard]] bool is_too_far_behind(std::size_t frame_bytes) const;

    std::shared_ptr<ListenerState> state_;
    boost::asio::ip::tcp::socket socket_;
    std::shared_ptr<const std::string> peer_;
    std::size_t place_ = 0;
    Phase phase_ = Phase::idle;
    Body stream_body_ = Body::none;
    bool counted_;
    bool reading_ = false;           // a wait for input is out
    bool blocked_ = false;           // the kernel refused bytes; a wait for room is out
    bool consuming_ = false;         // consume() is on the call stack
    bool flush_scheduled_ = false;
    bool streaming_ = false;
    bool keep_alive_ = true;         // after the present response
    TimePoint since_;                // start of what the phase's time-out measures
    TimePoint last_write_;           // the last time the kernel took bytes

    RequestParser parser_;
    std::shared_ptr<Exchange> incoming_;   // while its body is being read
    runtime::Service* service_ = nullptr;  // who will answer it
    std::weak_ptr<Exchange> current_;      // while a service answers it
    std::string held_;                     // input that is not a whole head or chunk header yet, or belongs to the next request
    std::size_t scanned_ = 0;              // bytes of held_ known not to begin the end of a head
    std::size_t discarded_ = 0;            // while lingering

    std::string out_;                  // bytes that wait for the kernel
    std::size_t out_sent_ = 0;         // of which it has taken so many
    std::uint64_t queued_ = 0;         // bytes ever put into out_
    std::vector<FrameEnd> frames_;     // ends of the stream's frames that are not wholly sent
};

}  // namespace durable_mcp::http
