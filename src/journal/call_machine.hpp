// SPDX-License-Identifier: Apache-2.0
#pragma once

// The journal of one call, as a machine: it decides what an attempt may do next, and what must be on disk first. No I/O, no clock, no threads.
//
// One attempt is one execution of the handler by one process. The machine is made from what earlier attempts left behind (a History), and is
// asked before every effect. It answers with a Decision, and hands out what has to be written:
//
//     driver:   decision = machine.begin(step)      "I am about to charge the card, at most once"
//     machine:  AwaitDurable                        … and take_outputs() yields {Accept, once_started}
//     driver:   commits them, machine.confirm(n)
//     driver:   decision = machine.begin(step)      the same question again
//     machine:  Execute
//     driver:   runs the callable; machine.complete(step, value); take_outputs() yields {once_completed}
//
// The law of the house is kept here: begin() says Execute only when every entry handed out so far has been confirmed. A value may be
// returned to the handler before its entry is durable; nothing that could depend on it (a later step, transaction or read, an event, the
// answer) gets past the machine or the first-in-first-out commit queue before it.
//
// A step is identified by its key, never by its position: handlers may be changed between attempts. What a key was recorded as must not change
// (StepMismatch), and a key can be used once in an attempt (Duplicate).

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "journal/entry.hpp"
#include "journal/fault.hpp"

namespace durable_mcp::journal {

enum class StepKind : std::uint8_t { at_least_once, at_most_once, transact, map_write, map_read, event, question, sleep, signal, until, loop };
[[nodiscard]] std::string_view name_of(StepKind kind);

/// A step as the handler names it in this attempt.
struct Step {
    StepKind kind = StepKind::at_least_once;
    std::string key;   ///< name space and alias (Entry::key)
    std::string type;  ///< type tag of the result
};

// ── Decisions ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Execute {};                                  ///< run the callable now: all that it depends on is durable
struct AwaitDurable {};                             ///< commit what take_outputs() yields, confirm it, then ask again
struct AwaitArrival {};                             ///< a question that was put and has no answer yet: wait for arrival(), or leave
struct GoOnWaiting { std::string begun; };          ///< an earlier attempt has begun this wait: go on where it stands, then complete()
struct UseRecorded { std::string value; };          ///< an earlier attempt did it: this is what it returned
struct RaiseFailed { Fault fault; };                ///< it failed, now or in an earlier attempt, and that is recorded
struct RaiseInterrupted {};                         ///< an earlier attempt died inside an at_most_once callable
struct RaiseDuplicate {};                           ///< the key was used before in this attempt
struct RaiseMismatch { StepKind recorded_kind; std::string recorded_type; };  ///< the key is recorded as something else
struct Leave { enum Reason : std::uint8_t { suspended, cancelled } reason; };  ///< unwind the handler; take_outputs() may hold more

using Decision = std::variant<Execute, AwaitDurable, AwaitArrival, GoOnWaiting, UseRecorded, RaiseFailed, RaiseInterrupted, RaiseDuplicate, RaiseMismatch, Leave>;

// ── Outputs ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Accept {};                                   ///< write the call's row
struct Forget { std::vector<std::uint64_t> entries; };  ///< delete these, in the batch of the entry that was handed out before: an iteration has ended
using Output = std::variant<Accept, Entry, Forget>;

/// An event on the call's own stream.
struct SentEvent {
    SentEvent(std::uint64_t hash_in, std::uint64_t seq_in = 0) : hash(hash_in), seq(seq_in) {}  // NOLINT: a hash is enough where no loop is
    std::uint64_t hash;  ///< of its content
    std::uint64_t seq;   ///< on the stream
};

/// What earlier attempts left behind.
struct History {
    bool accepted = false;                          ///< the call's row is on disk
    std::vector<Entry> entries;
    std::vector<SentEvent> events;                  ///< those on the call's own stream
    std::optional<double> last_progress;
    std::map<std::string, std::string> arrivals;    ///< what came from outside: the question's key, and its answer
};

class CallMachine {
public:
    explicit CallMachine(History history = {});

    // ── Steps. begin() until it no longer says AwaitDurable; after Execute exactly one of complete(), fail(), reset(), abandon().

    [[nodiscard]] Decision begin(const Step& step);
    void complete(const Step& step, std::string value);
    /// The callable threw, or its value cannot be stored.
    void fail(const Step& step, const Fault& fault);
    /// An at_most_once callable threw what its author calls retryable: as if it had not started.
    void reset(const Step& step);
    /// Nothing happened and nothing is recorded (a transaction whose commit was refused): the key may be used again.
    void abandon(const Step& step);
    /// The entry that complete() would hand out, without handing it out: for a commit that may be refused as a whole. Behind it may follow one
    /// for each event that the callable sent, `nth` from 1. Follow with adopt() once they are durable, or abandon().
    [[nodiscard]] Entry draft(const Step& step, std::string value) const;
    [[nodiscard]] Entry draft_event(const Step& step, std::uint64_t nth, std::uint64_t content_hash) const;
    void adopt(const Step& step, std::uint64_t events = 0);

    // ── Waits: sleep, signal, until. Execute means: begin it, with await(), or complete() it at once where there is nothing to wait for; after
    // GoOnWaiting it has begun. Then complete() or fail(), or leave: the next attempt is told to go on.

    /// The wait begins; `begun` is what a later attempt needs in order to go on with it.
    void await(const Step& step, std::string begun);

    // ── Loops. A loop is a wait that goes on from iteration to iteration. The keys of what happens in one begin, behind the name space, with its
    // path: names of loops and numbers of iterations, nested ones behind each other, each part with path_end behind it. No user's alias has that
    // character. Everything under a path goes with its iteration, so that an endless loop keeps a short journal.

    static constexpr char path_end = '\x1f';
    /// What is emitted and counted from here on belongs to the iteration of that path; "" is the handler itself.
    void enter(std::string path) { path_ = std::move(path); }
    /// The iteration of `path` is over, and hands `carried` over to the next: a JSON object that begins with "events", the last number that the call's
    /// stream has given out. Every replay from here on has these events behind it.
    void carry(const Step& loop, const std::string& path, std::string carried);
    /// The loop has a value, after the iteration of `path`: the same kind of object.
    void end_loop(const Step& loop, const std::string& path, std::string value);

    // ── Questions. Execute means: put it; complete() hands out the entry that it was put, with the question as its value.

    /// The answer to a question is durable. The first one stays.
    void deliver(const std::string& key, std::string payload) { arrivals_.try_emplace(key, std::move(payload)); }
    [[nodiscard]] const std::map<std::string, std::string>& arrivals() const { return arrivals_; }
    /// The answer to the question of that key, if it has come.
    [[nodiscard]] const std::string* arrival(const std::string& key) const {
        const auto found = arrivals_.find(key);
        return found == arrivals_.end() ? nullptr : &found->second;
    }

    /// The key for something that has no alias but its content: `base` and how often it was asked for in this attempt.
    [[nodiscard]] std::string next_occurrence(const std::string& base);

    // ── Events on the call's own stream.

    /// True when an event of that content must be sent now: it was not sent by an earlier attempt, and the replay has left old ground.
    /// What a step's callable, or an iteration, emits is counted apart from what the handler emits outside: a replay that does not run it
    /// passes over its events too, and must not take an equal one behind it for one of them.
    [[nodiscard]] bool emit(std::uint64_t content_hash);
    /// True when a message that nobody can ask for again may be sent now: it is not kept, so that only a replay silences it.
    [[nodiscard]] bool may_say() const { return !has_left_ && !finished_ && !is_cancelled() && !is_replaying(); }
    /// An event is being queued. Hands out the entry that says where it came from, which must be committed in the event's own batch.
    void mark_sent(std::uint64_t content_hash);
    /// True when that progress may be sent: it is higher than any before, in this attempt or an earlier one.
    [[nodiscard]] bool advance_progress(double progress);
    [[nodiscard]] std::optional<double> last_progress() const { return last_progress_; }
    /// Takes advances back whose events were refused together with the transaction that they belonged to.
    void restore_progress(std::optional<double> progress) { last_progress_ = progress; }

    // ── The call's life.

    /// Makes sure that the call's row is, or is going to be, on disk.
    void accept();
    [[nodiscard]] bool is_accepted() const { return accepted_; }
    /// The row is on disk. Nothing but the row itself may be queued for a call before: whatever refuses the row must refuse the rest.
    [[nodiscard]] bool is_acceptance_durable() const { return accepted_ && durable_ >= acceptance_output_; }
    /// From now on begin() says Leave. What already executes may complete and is recorded.
    void cancel() { leave(Leave::cancelled); }
    /// As suspend(), in the middle of a begin() that was told to wait: the wait failed, and the handler is being unwound already.
    void break_off() {
        suspend();
        open_.reset();
        has_left_ = true;
    }
    void suspend() { leave(Leave::suspended); }
    [[nodiscard]] bool is_cancelled() const { return leaving_ == Leave::cancelled; }
    [[nodiscard]] bool is_leaving() const { return leaving_.has_value(); }
    /// True once begin() has said Leave: a handler that returns normally after that has swallowed the unwinding.
    [[nodiscard]] bool has_left() const { return has_left_; }
    /// The handler will not run again: what an earlier attempt began and did not end is recorded as interrupted.
    void mark_interrupted();
    /// The handler is done. Nothing is handed out after this; cancel() and suspend() come too late.
    void finish() { finished_ = true; }
    [[nodiscard]] bool is_finished() const { return finished_; }

    /// What has to be written, in order. Ownership moves to the caller, who must confirm it when it is durable.
    [[nodiscard]] std::vector<Output> take_outputs();
    /// Number of outputs handed out so far: what confirm() counts in.
    [[nodiscard]] std::uint64_t handed_out() const { return handed_out_; }
    /// The first `count` outputs are durable.
    void confirm(std::uint64_t count);
    /// Everything that was handed out is durable.
    [[nodiscard]] bool is_settled() const { return outputs_.empty() && durable_ >= handed_out_; }

    // ── What may be asked.

    /// True while recorded steps lie ahead and no new one has begun.
    [[nodiscard]] bool is_replaying() const { return !left_old_ground_ && unpassed_ > 0; }
    /// The key is recorded, or begun in this attempt: asking for it hands out no new one.
    [[nodiscard]] bool knows(const std::string& key) const { return records_.contains(key) || used_.contains(key); }
    /// Keys that are recorded but were not asked for in this attempt (B4).
    [[nodiscard]] std::vector<std::string> divergent_keys() const;
    [[nodiscard]] std::uint64_t entry_count() const { return entries_; }

private:
    enum class Status : std::uint8_t { started, interrupted, waiting, completed, failed };
    struct Record {
        StepKind kind;
        Status status;
        std::string type;
        std::string payload;
        bool passed = false;
    };

    void fold(const Entry& entry);
    void leave(Leave::Reason reason);
    void append(EntryKind kind, const Step& step, std::string payload);
    [[nodiscard]] Decision replay(const Step& step, Record& record);
    [[nodiscard]] bool all_entries_are_durable() const { return durable_ >= last_entry_output_; }
    void count(const Entry& entry);
    void forget_iteration(const Step& loop, const std::string& path, std::uint64_t kept);
    [[nodiscard]] std::optional<std::string> emitter() const;

    std::unordered_map<std::string, Record> records_;
    std::set<std::string, std::less<>> used_;            // keys asked for in this attempt
    std::optional<std::string> open_;                    // key between AwaitDurable and Execute
    std::unordered_map<std::string, std::uint64_t> occurrences_;
    std::unordered_map<std::uint64_t, std::uint64_t> sent_before_;  // event content → times sent by earlier attempts, not yet repeated
    std::map<std::string, std::unordered_map<std::uint64_t, std::uint64_t>> sent_inside_;  // the same, by the step whose callable sent them
    std::optional<std::string> body_;                    // key of the step whose callable runs
    std::string path_;                                   // of the iteration that the handler is in
    std::multimap<std::string, std::uint64_t> scoped_;   // entries of iterations, and of the loops themselves, by key
    std::optional<double> last_progress_;
    std::map<std::string, std::string> arrivals_;
    std::size_t unpassed_ = 0;
    bool left_old_ground_ = false;

    bool accepted_ = false;
    bool finished_ = false;
    bool has_left_ = false;
    std::optional<Leave::Reason> leaving_;

    std::vector<Output> outputs_;
    std::uint64_t last_seq_ = 0;
    std::uint64_t entries_ = 0;            // on disk, or on their way: fewer than last_seq_ once iterations were forgotten
    std::uint64_t handed_out_ = 0;         // outputs, including those still in outputs_
    std::uint64_t acceptance_output_ = 0;  // position of Accept; 0 where an earlier attempt wrote it
    std::uint64_t last_entry_output_ = 0;  // position of the newest one that an effect could depend on
    std::uint64_t durable_ = 0;
};

}  // namespace durable_mcp::journal
