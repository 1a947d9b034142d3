// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream.hpp"

#include <charconv>
#include <utility>

#include <spdlog/logger.h>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "base/id.hpp"

namespace durable_mcp::runtime {
namespace {

constexpr std::size_t events_per_read = 256;

// A JSON text of ours has no line break, so that one `data:` line carries it.
std::string event_frame(std::string_view id, std::string_view payload) {
    std::string frame;
    frame.reserve(id.size() + payload.size() + 16);
    if (!id.empty()) {
        frame.append("id: ").append(id).push_back('\n');
    }
    frame.append("data: ").append(payload).append("\n\n");
    return frame;
}

HeaderList no_headers() { return {}; }

}  // namespace

std::string write_event_id(std::string_view stream, std::uint64_t seq) {
    std::string id;
    id.reserve(stream.size() + 8);
    id.append(stream).push_back('.');
    id.append(std::to_string(seq));
    return id;
}

std::optional<EventId> read_event_id(std::string_view text) {
    const auto dot = text.rfind('.');
    if (dot == std::string_view::npos || !base::is_id(text.substr(0, dot))) {
        return std::nullopt;
    }
    const std::string_view digits = text.substr(dot + 1);
    EventId id{std::string(text.substr(0, dot)), 0};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id.seq);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return id;
}

Stream::Stream(std::string id, bool primes, std::uint64_t last_seq, std::shared_ptr<Services> services)
    : id_(std::move(id)), primes_(primes), services_(std::move(services)), last_seq_(last_seq), released_(last_seq) {
    if (DURABLE_MCP_PLANTED_BUG("reuse_event_id") && last_seq_ > 0) {
        --last_seq_;
    }
}

void Stream::append(const std::function<bool(std::uint64_t)>& submit) {
    const std::lock_guard lock(mutex_);
    if (submit(last_seq_ + 1)) {
        ++last_seq_;
    }
}

void Stream::attach_post(std::shared_ptr<ResponseSink> sink, bool is_batch) {
    take_over(std::move(sink));
    reading_ = Reading::undecided;
    is_batch_ = is_batch;
    collected_.clear();
}

void Stream::attach_reader(std::shared_ptr<ResponseSink> sink, std::uint64_t after, bool prime) {
    take_over(std::move(sink));
    sink_->open_stream(no_headers());
    if (prime && primes_) {
        sink_->write("retry: " + std::to_string(services_->limits.retry_after.count()) + "\nid: " + write_event_id(id_, after) + "\ndata:\n\n", {});
    }
    reading_ = Reading::catching_up;
    cursor_ = DURABLE_MCP_PLANTED_BUG("resume_off_by_one") ? after + 1 : after;
    catch_up();
}

void Stream::take_over(std::shared_ptr<ResponseSink> sink) {
    if (sink_) {
        std::exchange(sink_, nullptr)->abort();
    }
    sink_ = std::move(sink);
    watch_sink();
}

void Stream::watch_sink() {
    sink_->on_gone([weak = weak_from_this(), gone = sink_.get()] {
        if (const auto self = weak.lock(); self && self->sink_.get() == gone) {
            self->detach();
            if (const auto told = std::exchange(self->reader_gone_, nullptr)) {
                told();
            }
        }
    });
}

void Stream::detach() {
    sink_ = nullptr;
    reading_ = Reading::nobody;
    collected_.clear();
}

void Stream::open(std::function<void()> flushed) {
    if (reading_ != Reading::undecided) {
        if (flushed) {
            flushed();
        }
        return;
    }
    reading_ = Reading::live;
    sink_->open_stream(no_headers());
    if (primes_) {
        sink_->write("retry: " + std::to_string(services_->limits.retry_after.count()) + "\nid: " + write_event_id(id_, 0) + "\ndata:\n\n",
                     std::move(flushed));
    } else if (flushed) {
        flushed();
    }
    for (const Collected& answer : std::exchange(collected_, {})) {
        sink_->write(event_frame(answer.seq == 0 ? std::string() : write_event_id(id_, answer.seq), answer.payload), {});
    }
    cursor_ = released_;
}

void Stream::release(std::uint64_t seq, const std::string& payload) {
    DURABLE_MCP_ASSERT(seq == released_ + 1 || DURABLE_MCP_PLANTED_BUG("reuse_event_id"));
    released_ = seq;
    DURABLE_MCP_CRASH_POINT("event.after_append_before_write");
    if (reading_ == Reading::undecided) {
        open({});
    }
    if (reading_ == Reading::live) {
        write_event(seq, payload);
    }
}

void Stream::write_event(std::uint64_t seq, const std::string& payload, std::function<void()> flushed) {
    cursor_ = seq;
    if (DURABLE_MCP_PLANTED_BUG("drop_event") && seq % 3 == 2) {
        return;
    }
    sink_->write(event_frame(write_event_id(id_, seq), payload), std::move(flushed));
}

void Stream::send_ephemeral(const std::string& payload) {
    if (reading_ == Reading::undecided) {
        open({});
    }
    if (reading_ == Reading::live || reading_ == Reading::catching_up) {
        sink_->write(event_frame({}, payload), {});
    }
}

void Stream::answer(std::uint64_t seq, const std::string& payload) {
    if (seq != 0) {
        released_ = seq;
    }
    DURABLE_MCP_CRASH_POINT("result.after_commit_before_send");
    switch (reading_) {
        case Reading::undecided:
            collected_.push_back({seq, payload});
            break;
        case Reading::live:
            if (seq != 0) {
                write_event(seq, payload);
            } else {
                sink_->write(event_frame({}, payload), {});
            }
            break;
        case Reading::catching_up:
            if (seq == 0) {
                sink_->write(event_frame({}, payload), {});
            }
            break;
        case Reading::nobody:
            break;
    }
    settle_one();
}

void Stream::settle_one() {
    DURABLE_MCP_ASSERT(outstanding_ > 0);
    --outstanding_;
    end_if_settled();
}

void Stream::end_if_settled() {
    if (outstanding_ > 0 || !sink_) {
        return;
    }
    if (reading_ == Reading::undecided) {
        WholeResponse response;
        if (is_batch_) {
            response.body = "[";
            for (const Collected& answer : collected_) {
                response.body.append(response.body.size() > 1 ? "," : "").append(answer.payload);
            }
            response.body.push_back(']');
        } else if (!collected_.empty()) {
            response.body = std::move(collected_.front().payload);
        } else {
            cut();  // nothing to say, and nothing false either
            return;
        }
        sink_->respond(std::move(response));
        detach();
    } else if (reading_ == Reading::live && cursor_ >= released_) {
        sink_->end_stream();
        detach();
    }
}

void Stream::end_without_answer() {
    if (!sink_) {
        return;
    }
    if (reading_ == Reading::undecided) {
        sink_->open_stream(no_headers());
    }
    sink_->end_stream();
    detach();
}

void Stream::send_away() {
    if (!sink_) {
        return;
    }
    if (reading_ == Reading::undecided) {
        open({});
    }
    if (primes_) {
        sink_->write("retry: " + std::to_string(services_->limits.retry_after.count()) + "\n\n", {});
    }
    sink_->end_stream();
    detach();
}

void Stream::refuse(WholeResponse response) {
    if (!sink_) {
        return;
    }
    if (reading_ == Reading::undecided) {
        sink_->respond(std::move(response));
    } else {
        sink_->abort();
    }
    detach();
}

void Stream::cut() {
    if (sink_) {
        sink_->abort();
        detach();
    }
}

void Stream::catch_up() {
    if (cursor_ >= released_) {
        reading_ = Reading::live;
        end_if_settled();
        return;
    }
    // One read at a time; the reader may have changed, or gone, when it comes back.
    services_->readers.submit([self = shared_from_this(), sink = sink_, after = cursor_] {
        auto events = self->services_->store->events(self->id_, after, events_per_read);
        self->services_->inbox->put([self, sink, events = std::move(events)] {
            if (self->sink_ != sink || self->reading_ != Reading::catching_up) {
                return;
            }
            if (!events || events->empty() || events->front().seq != self->cursor_ + 1) {
                // Its next try is told that they are gone: never a stream with a gap.
                self->services_->log->warn("stream {}: events after {} cannot be read: {}", self->id_, self->cursor_,
                                           events ? "they were forgotten" : events.error().sentence);
                sink->abort();
                self->detach();
                return;
            }
            self->write_past(*events);
        });
    });
}

void Stream::write_past(const std::vector<store::EventRow>& events) {
    // Half of what the sink may hold, then wait for the kernel: a long log must not look like a slow reader.
    const std::size_t budget = services_->limits.stream_buffer_bytes / 2;
    std::size_t written = 0;
    for (const store::EventRow& event : events) {
        // What was committed but not released yet comes through release() in its turn.
        if (event.seq > released_) {
            break;
        }
        written += event.payload.size();
        if (written < budget) {
            write_event(event.seq, event.payload);
            continue;
        }
        write_event(event.seq, event.payload, [self = shared_from_this(), sink = sink_] {
            if (self->sink_ == sink && self->reading_ == Reading::catching_up) {
                self->catch_up();
            }
        });
        return;
    }
    catch_up();
}

}  // namespace durable_mcp::runtime
