// SPDX-License-Identifier: Apache-2.0
#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <spdlog/logger.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "base/crash_point.hpp"
#include "http/response_head.hpp"

// A connection serves one request at a time; what a client sends ahead is held until the answer has left.
//
// Reading. A wait for readability is always out, in every phase, so that a client that leaves is noticed while a service still thinks. The
// read itself goes into a buffer that all connections share: an idle connection owns none. (Only a client that sends far ahead is not read
// further until its answer is out.) A head is cut out of the input by its closing empty line, checked (head_check), given to Beast for a
// second opinion, and only then is its body read.
//
// Writing. The kernel is asked at once; a wait for room is out only while it refuses bytes. A whole response is one gather write. What a
// service writes to a stream within one turn of the loop leaves together at the end of that turn, or as soon as it fills `eager_bytes`.
//
// Nothing here calls a service, a listener or a callback from inside a member of the sink: those calls are posted.

namespace durable_mcp::http {
namespace {

using boost::system::error_code;
namespace asio = boost::asio;

constexpr std::size_t sent_ahead_bytes = 64u << 10;      // of further requests, while one is being answered
constexpr std::size_t eager_bytes = 16u << 10;           // a stream that has so much to say does not wait for the end of the turn
constexpr std::size_t kept_capacity = 2u << 10;          // a buffer larger than this is given back when it is empty
constexpr std::chrono::milliseconds linger_time{2'000};  // for the client to read our last answer
constexpr std::size_t linger_bytes = 16u << 20;          // and to finish what it was sending
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view quiet_comment = ": \n\n";

void release_if_large(std::string& buffer) {
    if (buffer.capacity() > kept_capacity) {
        std::string().swap(buffer);
    } else {
        buffer.clear();
    }
}

}  // namespace

Connection::Connection(std::shared_ptr<ListenerState> state, asio::ip::tcp::socket socket, std::string peer, bool counted)
    : state_(std::move(state)),
      socket_(std::move(socket)),
      peer_(std::make_shared<const std::string>(std::move(peer))),
      counted_(counted),
      since_(state_->clock->steady()),
      last_write_(since_),
      parser_(state_->limits) {}

template <class Act>
void Connection::guard(Act act) noexcept {
    try {
        try {
            act();
        } catch (...) {
            state_->note_exception();
            close();
        }
    } catch (...) {  // even closing failed: the sweep will try again
        state_->note_exception();
    }
}

void Connection::start() {
    guard([this] { await_input(); });
}

void Connection::start_refusing() {
    guard([this] { refuse({503, "This server has as many connections as it can hold."}, false); });
}

void Connection::drain() {
    guard([this] {
        keep_alive_ = false;
        if (phase_ == Phase::idle) {
            close();
        }
    });
}

void Connection::close() {
    if (phase_ == Phase::closed) {
        return;
    }
    const auto self = shared_from_this();
    phase_ = Phase::closed;
    error_code ignored;
    socket_.close(ignored);
    state_->forget(*this);
    incoming_.reset();
    held_ = {};
    out_ = {};
    out_sent_ = 0;
    if (const auto exchange = current_.lock()) {
        exchange->client_left();
    }
    current_.reset();
    release_frames(queued_);
}

void Connection::close_unanswered() {
    guard([this] {
        if (phase_ == Phase::serving && current_.expired()) {
            if (state_->logger) {
                state_->logger->warn("a request of {} was released without an answer; its connection is closed", *peer_);
            }
            close();
        }
    });
}

void Connection::sweep(TimePoint now) {
    guard([this, now] {
        const auto& limits = state_->limits;
        const auto spent = now - since_;
        switch (phase_) {
            case Phase::idle:
                if (spent >= limits.idle_timeout) {
                    close();
                }
                break;
            case Phase::head:
                if (spent >= limits.header_timeout) {
                    refuse({408, "The request head did not arrive in time."}, false);
                }
                break;
            case Phase::body:
                if (spent >= limits.body_timeout) {
                    refuse({408, "The request body did not arrive in time."}, false);
                }
                break;
            case Phase::serving:
                if (streaming_ && pending() == 0 && stream_body_ != Body::none && now - last_write_ >= limits.keep_alive_comment) {
                    append_to_stream(quiet_comment);
                    flush();
                }
                break;
            case Phase::lingering:
                if (spent >= linger_time) {
                    close();
                }
                break;
            case Phase::sending:
            case Phase::closed:
                break;
        }
        if (phase_ != Phase::closed && blocked_ && now - last_write_ >= limits.write_stall) {
            if (state_->logger) {
                state_->logger->info("{} has taken no byte for too long; its connection is closed", *peer_);
            }
            close();
        }
    });
}

// --- reading -----------------------------------------------------------------------------------------------------------------------------

void Connection::await_input() {
    reading_ = true;
    socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
        self->reading_ = false;
        if (!error && self->phase_ != Phase::closed) {
            self->guard([&self] { self->read_input(); });
        }
    });
}

void Connection::read_input() {
    error_code error;
    const auto size = socket_.read_some(asio::buffer(state_->read_buffer), error);
    if (error && error != asio::error::would_block) {
        close();
        return;
    }
    if (!error) {
        take_input({state_->read_buffer.data(), size});
    }
    const bool far_ahead = (phase_ == Phase::serving || phase_ == Phase::sending) && held_.size() >= sent_ahead_bytes;
    if (phase_ != Phase::closed && !reading_ && !far_ahead) {
        await_input();
    }
}

void Connection::take_input(std::string_view bytes) {
    if (phase_ == Phase::lingering) {
        discarded_ += bytes.size();
        if (discarded_ > linger_bytes) {
            close();
        }
        return;
    }
    if (phase_ == Phase::serving || phase_ == Phase::sending) {
        held_.append(bytes);
        return;
    }
    if (held_.empty()) {
        const auto used = consume(bytes);
        held_.assign(bytes.substr(used));
        return;
    }
    held_.append(bytes);
    resume_held_input();
}

void Connection::resume_held_input() {
    auto bytes = std::exchange(held_, {});
    const auto used = consume(bytes);
    if (used == 0) {
        held_ = std::move(bytes);
    } else {
        held_.assign(bytes, used);
    }
}

/// Takes messages out of `bytes` as long as no answer is owed, and returns how much of them is done with.
std::size_t Connection::consume(std::string_view bytes) {
    std::size_t used = 0;
    consuming_ = true;
    while (true) {
        const auto rest = bytes.substr(used);
        if (phase_ == Phase::idle || phase_ == Phase::head) {
            const auto taken = rest.empty() ? 0 : consume_head(rest);
            used += taken;
            if (taken == 0 && phase_ <= Phase::head) {
                break;
            }
        } else if (phase_ == Phase::body) {
            const auto progress = parser_.feed(rest);
            used += progress.consumed;
            const bool is_too_much = !incoming_->count_body();
            if (progress.refusal) {
                refuse(*progress.refusal, false);
            } else if (is_too_much) {
                refuse({503, "This server is reading as much as it can hold."}, false);
            } else if (parser_.is_complete()) {
                serve();
            } else {
                break;
            }
        } else {
            break;
        }
    }
    consuming_ = false;
    const bool over = phase_ == Phase::lingering || phase_ == Phase::closed || (phase_ == Phase::sending && !keep_alive_);
    return over ? bytes.size() : used;
}

/// Returns the length of the head that `bytes` begin with once it has been dealt with, 0 while it has not ended.
std::size_t Connection::consume_head(std::string_view bytes) {
    const auto end = bytes.find("\r\n\r\n", scanned_);
    if (end != std::string_view::npos) {
        scanned_ = 0;
        const auto length = end + 4;
        if (accept_head(bytes.substr(0, length), bytes.size() > length) && parser_.is_complete()) {
            serve();
        }
        return length;
    }
    if (phase_ == Phase::idle) {
        phase_ = Phase::head;
        since_ = state_->clock->steady();
    }
    scanned_ = bytes.size() < 3 ? 0 : bytes.size() - 3;
    if (const auto refusal = check_unfinished_head(bytes, state_->limits)) {
        refuse(*refusal, false);
    }
    return 0;
}

/// Decides on a request by its head. Answers true when its body is to be read (which may be empty).
bool Connection::accept_head(std::string_view raw, bool more_follows) {
    incoming_ = std::make_shared<Exchange>(shared_from_this(), raw);
    auto& head = incoming_->head();
    auto refusal = check_head(incoming_->raw_head(), state_->limits, head);
    if (!refusal) {
        refusal = parser_.begin(incoming_->raw_head(), head, incoming_->body());
    }
    if (!refusal) {
        refusal = state_->policy.check(head);
    }
    if (refusal) {
        refuse(*refusal, false);
        return false;
    }
    const auto route = state_->routes.find(head.path);
    if (route == state_->routes.end()) {
        refuse({404, "There is nothing at this path."}, head.keep_alive && !head.has_body());
        return false;
    }
    service_ = route->second;
    phase_ = Phase::body;
    if (head.has_body()) {
        since_ = state_->clock->steady();
        if (head.expects_continue && !more_follows) {
            append(continue_line);
            flush();
        }
    }
    return phase_ == Phase::body;
}

void Connection::serve() {
    const auto exchange = std::move(incoming_);
    incoming_.reset();
    current_ = exchange;
    phase_ = Phase::serving;
    exchange->owe_answer();
    try {
        service_->serve(exchange, exchange);
    } catch (...) {
        state_->note_exception();
        if (exchange->is_unanswered()) {
            exchange->respond(make_refusal_response({500, "The server failed to take this request on."}));
        } else {
            close();
        }
    }
    static_cast<void>(exchange->count_body());  // a service that has read the body lets go of it
}

void Connection::refuse(const Refusal& refusal, bool keep_alive) {
    if (state_->logger) {
        state_->logger->debug("{} is refused with {}: {}", *peer_, refusal.status, refusal.sentence);
    }
    const bool omit_body = incoming_ && incoming_->head().method == "HEAD";
    incoming_.reset();
    phase_ = Phase::serving;
    send_response(make_refusal_response(refusal), omit_body, keep_alive);
}

// --- writing -----------------------------------------------------------------------------------------------------------------------------

void Connection::send_whole(const runtime::WholeResponse& response, const CheckedHead& head) {
    guard([&] { send_response(response, head.method == "HEAD", head.keep_alive); });
}

void Connection::send_response(const runtime::WholeResponse& response, bool omit_body, bool keep_alive) {
    keep_alive = keep_alive && !state_->draining;
    auto& head = state_->head_buffer;
    head.clear();
    append_whole_head(head, response, keep_alive);
    const auto body = omit_body ? std::string_view() : std::string_view(response.body);
    if (pending() > 0) {
        append(head);
        append(body);
    } else {
        const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::const_buffer(body.data(), body.size())};
        error_code error;
        const auto sent = socket_.write_some(parts, error);
        if (error && error != asio::error::would_block) {
            close();
            return;
        }
        last_write_ = state_->clock->steady();
        append(std::string_view(head).substr(std::min(sent, head.size())));
        append(body.substr(sent > head.size() ? sent - head.size() : 0));
    }
    finish_response(keep_alive);
}

void Connection::send_stream_head(const runtime::HeaderList& headers, const CheckedHead& head) {
    guard([&] {
        const bool until_close = head.http_1_0;
        keep_alive_ = head.keep_alive && !state_->draining;
        streaming_ = true;
        stream_body_ = head.method == "HEAD" ? Body::none : until_close ? Body::until_close : Body::chunked;
        last_write_ = state_->clock->steady();
        auto& text = state_->head_buffer;
        text.clear();
        append_stream_head(text, headers, !until_close, !keep_alive_);
        append(text);
        schedule_flush();
    });
}

bool Connection::is_too_far_behind(std::size_t frame_bytes) const {
    // The frame that is on its way does not count, nor does the first one behind it: however large an event is, it can be sent.
    if (!blocked_ || frames_.empty()) {
        return false;
    }
    const auto behind = queued_ - frames_.front().at;
    return behind > 0 && behind + frame_bytes > state_->limits.stream_buffer_bytes;
}

void Connection::send_frame(std::string_view frame, std::function<void()> flushed) {
    guard([&] {
        if (is_too_far_behind(frame.size())) {
            if (state_->logger) {
                state_->logger->info("{} reads its stream too slowly and is cut off", *peer_);
            }
            if (flushed) {
                state_->post(std::move(flushed));
            }
            close();
            return;
        }
        if (stream_body_ != Body::none) {
            append_to_stream(frame);
        }
        frames_.push_back({queued_, std::move(flushed)});
        if (blocked_) {
            return;
        }
        if (pending() >= eager_bytes) {
            flush();
        } else {
            schedule_flush();
        }
    });
}

void Connection::send_stream_end() {
    guard([&] {
        if (stream_body_ == Body::chunked) {
            append("0\r\n\r\n");
        }
        finish_response(keep_alive_ && stream_body_ != Body::until_close);
    });
}

void Connection::append(std::string_view bytes) {
    out_.append(bytes);
    queued_ += bytes.size();
}

void Connection::append_to_stream(std::string_view frame) {
    if (frame.empty()) {
        return;  // as a chunk it would end the stream
    }
    if (stream_body_ == Body::until_close) {
        append(frame);
        return;
    }
    char size[20];
    const auto end = std::to_chars(size, size + sizeof size, frame.size(), 16).ptr;
    append({size, static_cast<std::size_t>(end - size)});
    append("\r\n");
    append(frame);
    append("\r\n");
}

void Connection::schedule_flush() {
    if (flush_scheduled_ || blocked_) {
        return;
    }
    flush_scheduled_ = true;
    asio::post(state_->loop, [self = shared_from_this()] {
        self->flush_scheduled_ = false;
        if (self->phase_ != Phase::closed && !self->blocked_) {
            self->guard([&self] { self->flush(); });
        }
    });
}

void Connection::flush() {
    if (blocked_) {
        return;
    }
    while (pending() > 0) {
        error_code error;
        const bool breaks_off = streaming_ && DURABLE_MCP_CRASH_POINT_IS_NEXT("event.mid_write");
        const auto sent = socket_.write_some(asio::buffer(out_.data() + out_sent_, breaks_off ? pending() / 2 : pending()), error);
        if (streaming_) {
            DURABLE_MCP_CRASH_POINT("event.mid_write");
        }
        if (error == asio::error::would_block) {
            await_output();
            break;
        }
        if (error) {
            close();
            return;
        }
        out_sent_ += sent;
        last_write_ = state_->clock->steady();
    }
    release_frames(queued_ - pending());
    if (pending() > 0) {
        if (out_sent_ >= eager_bytes && out_sent_ >= pending()) {
            out_.erase(0, out_sent_);
            out_sent_ = 0;
        }
        return;
    }
    release_if_large(out_);
    out_sent_ = 0;
    if (phase_ == Phase::sending) {
        finish_sending();
    }
}

void Connection::await_output() {
    blocked_ = true;
    socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const error_code& error) {
        self->blocked_ = false;
        if (!error && self->phase_ != Phase::closed) {
            self->guard([&self] { self->flush(); });
        }
    });
}

void Connection::release_frames(std::uint64_t sent) {
    const auto first_unsent = std::find_if(frames_.begin(), frames_.end(), [sent](const FrameEnd& frame) { return frame.at > sent; });
    for (auto frame = frames_.begin(); frame != first_unsent; ++frame) {
        if (frame->flushed) {
            state_->post(std::move(frame->flushed));
        }
    }
    frames_.erase(frames_.begin(), first_unsent);
}

void Connection::finish_response(bool keep_alive) {
    current_.reset();
    streaming_ = false;
    keep_alive_ = keep_alive;
    phase_ = Phase::sending;
    if (pending() == 0) {
        release_frames(queued_);
        finish_sending();
    } else {
        schedule_flush();
    }
}

/// The answer has left: on to the next request, or to the end.
void Connection::finish_sending() {
    if (!keep_alive_ || state_->draining) {
        linger();
        return;
    }
    phase_ = Phase::idle;
    since_ = last_write_;
    if (consuming_) {
        return;  // consume() goes on by itself
    }
    if (!held_.empty()) {
        asio::post(state_->loop, [self = shared_from_this()] {
            if (self->phase_ == Phase::idle && !self->held_.empty()) {
                self->guard([&self] { self->resume_held_input(); });
            }
        });
    }
    if (!reading_) {
        await_input();
    }
}

void Connection::linger() {
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    phase_ = Phase::lingering;
    since_ = state_->clock->steady();
    held_ = {};
    if (!reading_) {
        await_input();
    }
}

}  // namespace durable_mcp::http
