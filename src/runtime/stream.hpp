// SPDX-License-Identifier: Apache-2.0
#pragma once

// The output gate. A stream is the ordered events of one call (or of one batch, or a session's standalone ones), and at most one connection
// that reads them. Handlers number events and queue them for the commit; what reaches the loop here is durable, in order, and may leave.
//
//                 attach_post            open                        end
//     (no reader) ──────────▶ undecided ──────▶ live ───────────────────▶ (no reader)
//          │                      │ answered whole as JSON                    ▲
//          └──── attach_reader ───┴──▶ catching up (reads the store) ──▶ live ┘
//
// While a reader catches up, what is released is only counted: it is read from the store like everything before it, so there is one path on
// which a gap or a repetition could hide, and it is the short one. A reader that goes away changes nothing: the store has it all.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exchange.hpp"
#include "runtime/services.hpp"

namespace durable_mcp::runtime {

/// `<stream>.<seq>`: unique over all streams, and a cursor on its own.
[[nodiscard]] std::string write_event_id(std::string_view stream, std::uint64_t seq);
struct EventId {
    std::string stream;
    std::uint64_t seq = 0;
};
[[nodiscard]] std::optional<EventId> read_event_id(std::string_view text);

class Stream : public std::enable_shared_from_this<Stream> {
public:
    /// `last_seq`: the newest event in the store. `primes`: begins with an event id and no data, and may be closed before its end (revision ≥ 2025-11-25).
    Stream(std::string id, bool primes, std::uint64_t last_seq, std::shared_ptr<Services> services);
    /// One that keeps nothing, for one response to one request: its messages have no ids (2026-07-28; and whoever waits for another's call).
    explicit Stream(std::shared_ptr<Services> services) : Stream({}, false, 0, std::move(services)) {}

    [[nodiscard]] const std::string& id() const { return id_; }

    // ── Any thread.

    /// Numbers an event and has it queued: `submit` is called with the new seq while no other event can be numbered, so that the order of
    /// numbers is the order of commits. It returns false if it queued nothing. A call's mutex is taken inside, never outside.
    void append(const std::function<bool(std::uint64_t seq)>& submit);
    /// Held around a commit that may be refused as a whole: what was numbered under it can be given back.
    class Numbering {
    public:
        explicit Numbering(Stream& stream) : stream_(stream), lock_(stream.mutex_), first_(stream.last_seq_) {}
        [[nodiscard]] std::uint64_t next() { return ++stream_.last_seq_; }
        [[nodiscard]] std::uint64_t last() const { return stream_.last_seq_; }
        void give_back() { stream_.last_seq_ = first_; }

    private:
        Stream& stream_;
        std::unique_lock<std::mutex> lock_;
        std::uint64_t first_;
    };

    // ── The loop.

    /// The connection of the POST that asked; nothing is sent yet. `is_batch`: answers are collected into an array.
    void attach_post(std::shared_ptr<ResponseSink> sink, bool is_batch);
    /// A connection that wants everything after `after`. Takes the stream over from whoever reads it. `prime`: says the id to resume from first.
    void attach_reader(std::shared_ptr<ResponseSink> sink, std::uint64_t after, bool prime);
    /// `listener` is called when a reader has gone that had not got everything.
    void on_reader_gone(std::function<void()> listener) { reader_gone_ = std::move(listener); }
    /// From undecided to live: sends the head and the priming event. `flushed` when the kernel has them, or at once if there is nothing to send.
    void open(std::function<void()> flushed);

    /// Event `seq` is durable. `payload` goes out now if a live reader is there.
    void release(std::uint64_t seq, const std::string& payload);
    /// A message without an id, which nobody can ask for again.
    void send_ephemeral(const std::string& payload);
    /// An answer of a call that was never accepted (or needs no call at all): whole if undecided, else as release() or send_ephemeral() does.
    void answer(std::uint64_t seq, const std::string& payload);

    /// How many answers are still to come. The last one ends the stream, once everything has been read. A standalone stream expects one for ever.
    void expect(std::size_t answers) { outstanding_ += answers; expected_ += answers; }
    [[nodiscard]] std::size_t expected() const { return expected_; }
    void settle_one();
    [[nodiscard]] bool is_settled() const { return outstanding_ == 0; }
    /// Ends the reader's response with what has been sent so far, without an answer (cancelled, or the session's end).
    void end_without_answer();
    /// Ends the reader's response so that it comes back: `retry:` first, where the revision has it.
    void send_away();
    /// Refuses an undecided response; closes any other.
    void refuse(WholeResponse response);
    /// Closes the reader's connection without a word: what we know is not worth saying (a poisoned store).
    void cut();
    [[nodiscard]] bool is_undecided() const { return reading_ == Reading::undecided; }
    [[nodiscard]] bool has_reader() const { return sink_ != nullptr; }
    [[nodiscard]] std::uint64_t released() const { return released_; }

private:
    enum class Reading : std::uint8_t { nobody, undecided, live, catching_up };

    void watch_sink();
    void detach();
    void take_over(std::shared_ptr<ResponseSink> sink);
    void catch_up();
    void write_past(const std::vector<store::EventRow>& events);
    void write_event(std::uint64_t seq, const std::string& payload, std::function<void()> flushed = {});
    void end_if_settled();

    const std::string id_;
    const bool primes_;
    const std::shared_ptr<Services> services_;

    std::mutex mutex_;
    std::uint64_t last_seq_;                 // newest numbered event; guarded by mutex_

    // Loop only.
    std::uint64_t released_;                 // newest durable event
    std::size_t outstanding_ = 0;
    std::size_t expected_ = 0;
    Reading reading_ = Reading::nobody;
    std::shared_ptr<ResponseSink> sink_;
    std::function<void()> reader_gone_;
    std::uint64_t cursor_ = 0;               // newest event that the reader has been sent
    bool is_batch_ = false;
    struct Collected {
        std::uint64_t seq;                   // 0: has no id
        std::string payload;
    };
    std::vector<Collected> collected_;       // answers while undecided
};

}  // namespace durable_mcp::runtime
