// SPDX-License-Identifier: Apache-2.0
#pragma once

// A call in memory. Its handler's thread drives it (call_driver.hpp); the loop accepts it when it grows old, cancels it, suspends it. Both go through
// `mutex`, which guards the machine and the order of what is queued for it, and is never held while anybody waits for the disk or runs a handler.
//
//     running ──▶ answered, left            rests: no thread; what it rests on wakes it
//        ▲  └──▶ resting (a question without an answer, a sleep, a signal, a condition)
//        └───────────┘ wake

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "journal/call_machine.hpp"
#include "journal/recovery.hpp"
#include "mcp/question.hpp"
#include "mcp/router.hpp"
#include "runtime/handler.hpp"
#include "runtime/services.hpp"
#include "runtime/session_state.hpp"
#include "runtime/stream.hpp"
#include "store/store.hpp"

namespace durable_mcp::runtime {

/// A question that was put to the client.
struct PendingQuestion {
    mcp::Question question;               ///< its key is the alias
    std::string id;                       ///< under which session clients were asked
    std::uint64_t event = 0;              ///< seq on the call's stream; 0 where it is on none
    std::optional<std::int64_t> deadline_ms;  ///< on the wall clock
    bool was_put_again = false;
};
/// The key of a question's step, and of its answer's arrival.
[[nodiscard]] std::string question_key(std::string_view alias);
/// `<call>.<hash of the key>`: the same in every process.
[[nodiscard]] std::string question_id(std::string_view call, std::string_view alias);

/// The same as the id of a JSON-RPC request.
[[nodiscard]] jsonrpc::Id question_request(const std::string& id);

/// The key of a signal's arrival.
[[nodiscard]] std::string signal_key(std::string_view name);

/// A moment that a call waits for. Until the process ends it is a span on the steady clock, which nobody can set; what is on disk is the wall's.
struct Due {
    std::int64_t wall_ms = 0;
    std::optional<std::chrono::steady_clock::time_point> steady;  ///< none: the wall's time itself is what was asked for
};

/// What a call that was put down waits for: whatever comes first wakes it.
struct Rest {
    std::vector<std::string> arrivals;  ///< keys of the machine's arrivals: answers to questions, signals
    bool asks = false;                  ///< its client is one who could go on
    std::optional<Due> due;
    std::string due_key;                ///< under which the machine hears that it was due
    std::vector<std::string> maps;      ///< a change of one of these behind `mark`
    std::uint64_t mark = 0;
};

/// A response that waits for a call beside the call's own stream: of a stateless client, of a request that named the same idempotency key, of
/// tasks/result. It is not kept: whoever loses it asks again by the handle that it has.
struct Leg {
    enum class Kind : std::uint8_t {
        inline_answer,  ///< tools/call and its kin: the answer, or what the client has to do to get it
        task_result,    ///< tasks/result (2025-11-25): questions and the answer
    } kind = Kind::inline_answer;
    std::shared_ptr<Stream> stream;
    jsonrpc::Id request;
    mcp::Revision revision = mcp::stateless_revision;
    std::optional<base::Json> progress_token;
    std::optional<mcp::LogLevel> log_level;
    bool may_become_task = false;
    bool loss_cancels = false;            ///< 2026-07-28: who hangs up takes the call back, unless a key or a task leads to it
};

/// The loop's side of a call's life; implemented by the call registry. Every member is called on the loop.
class CallListener {
public:
    virtual ~CallListener() = default;
    /// The call's row is durable (or its commit was refused: then `outcome` says why, and the attempt unwinds).
    virtual void accepted(const std::shared_ptr<Call>& call, const base::Result<store::GroupOutcome>& outcome) = 0;
    /// The answer is durable as event `seq` (0: it was not written, by the tool's durability), or its commit was refused.
    virtual void answered(const std::shared_ptr<Call>& call, std::uint64_t seq, const std::string& payload,
                          const base::Result<store::GroupOutcome>& outcome) = 0;
    /// The attempt is over and there will be no answer from it: cancelled, suspended, at rest, or the store failed.
    virtual void left(const std::shared_ptr<Call>& call) = 0;
    /// A question of the call is on disk, now or since an earlier attempt, and has no answer yet.
    virtual void asked(const std::shared_ptr<Call>& call, const PendingQuestion& question) = 0;
    /// The call is a task from now on, and that is durable.
    virtual void became_task(const std::shared_ptr<Call>& call) = 0;
    /// Whoever listens to lists is told.
    virtual void list_changed(const std::string& list) = 0;
    /// Whoever has subscribed to that resource is told; `done` says whether all of it is on disk that has to be.
    virtual void resource_updated(const std::string& uri, std::function<void(bool)> done) = 0;
    /// The first attempt after a boot knows what is recorded.
    virtual void history_loaded(const std::shared_ptr<Call>& call) = 0;
    /// The same request has been answered before, or is another one under the same id.
    virtual void found_recorded(const std::shared_ptr<Call>& call, const store::CallRow& row) = 0;
};

/// The text that identifies what was asked: method, params and revision, keys sorted.
[[nodiscard]] std::string document_of(const mcp::StartCall& start, mcp::Revision revision);
/// Identifies what was asked, whatever the keys' order and the numbers' spelling; `_meta` does not count.
[[nodiscard]] std::string digest_of(const mcp::StartCall& start);

class Call : public std::enable_shared_from_this<Call> {
public:
    Call(std::shared_ptr<Services> services, std::shared_ptr<CallListener> listener, std::shared_ptr<SessionState> session, std::shared_ptr<Stream> stream);

    // ── Fixed before the first attempt.
    std::string id;
    jsonrpc::Id request;
    mcp::Revision revision = mcp::latest_session_revision;
    mcp::StartCall start;
    std::shared_ptr<const HandlerTarget> target;
    const std::shared_ptr<Services> services;
    const std::shared_ptr<SessionState> session;  ///< null in the stateless era, and for a task that outlived its session
    const std::shared_ptr<Stream> stream;         ///< of a session's call: what its client reads. Of others: where the answer is kept
    std::string owner;                 ///< principal
    base::Json capabilities = base::Json::object();  ///< ClientCapabilities of whoever asked
    base::Json client_info;            ///< Implementation, or null
    bool is_session_task = false;      ///< of revision 2025-11-25: its request was answered with a task
    bool look_up_first = false;        ///< the request id may have been used before: ask the store before the handler runs
    bool shares_stream = false;        ///< one of a batch
    bool is_to_be_ended = false;       ///< found at boot, and nobody can come back for it: it starts nothing new
    // Fixed before each attempt.
    bool has_history = false;          ///< found in the store at boot, or woken
    bool was_put_down = false;         ///< the attempt before ended on purpose, which is not held against the call
    journal::AttemptCount count;
    std::uint32_t attempt = 1;

    // ── Loop only.
    std::shared_ptr<CallListener> listener;  ///< kept alive by its calls; null in one that rests or waits for its turn, which is only its own
    bool is_row_durable = false;       ///< said by accepted()
    bool is_task_durable = false;      ///< its client may hear that it is a task
    bool is_state_durable = false;     ///< since the stop began: whoever waits for it may be sent away with a state
    bool is_cancel_durable = false;    ///< anybody may hear that it was taken back
    bool is_conflicted = false;        ///< its row was refused: the request id was used before
    bool is_running = false;           ///< an attempt is under way
    bool is_resting = false;           ///< put down until one of its questions is answered
    std::string answer;                ///< the response, once it is durable; "" before
    bool is_recovering = false;        ///< one of the attempts that a boot begins a bounded number of at a time
    bool is_history_known = true;      ///< false from a boot until its first attempt has read its journal
    std::vector<Leg> legs;
    std::map<std::string, PendingQuestion, std::less<>> questions;  ///< put, and not answered; by alias
    std::uint32_t round = 0;           ///< of requestStates given out

    // ── Guarded by mutex.
    std::mutex mutex;
    std::unique_ptr<journal::CallMachine> machine = std::make_unique<journal::CallMachine>();
    store::Ticket last_ticket = 0;
    store::HandleRow handle;           ///< how it can be reached; `reach` is 0 while it cannot
    std::optional<Rest> rest;          ///< what the attempt left for; none while it runs
    [[nodiscard]] bool has_reach(store::Reach reach) const { return (handle.reach & static_cast<std::uint32_t>(reach)) != 0; }
    /// Somebody can come back for its answer. Also who came back for the call already, and may lose the answer on its way.
    [[nodiscard]] bool keeps_answer() const { return is_logged() || !handle.call.empty(); }
    [[nodiscard]] bool is_task() const { return has_reach(store::Reach::task) || has_reach(store::Reach::session_task); }
    /// Makes the machine hear of it, also when its attempt has left already, to rest.
    void take_back();
    /// The group that makes it reachable by these too. The caller queues it, under the same lock.
    [[nodiscard]] store::Write reach_by(std::uint32_t reach, std::chrono::milliseconds lifetime);

    // ── Any thread.
    /// Its events are kept on its stream, for a session's client to resume.
    [[nodiscard]] bool is_logged() const { return session != nullptr && !is_session_task; }
    /// Its session was deleted, and nothing else leads to it.
    [[nodiscard]] bool is_abandoned() const;
    [[nodiscard]] std::string session_id() const;
    [[nodiscard]] bool is_durable() const { return target == nullptr || target->durability == Durability::full; }
    /// What was asked, as text: requests of a session with the same one are the same request.
    [[nodiscard]] std::string identity() const;
    /// What the next process has to know of it. With the mutex held, or before the first attempt.
    [[nodiscard]] std::string document() const;
    [[nodiscard]] store::CallRow row(store::CallState state) const;

    /// Queues what the machine has handed out, with `extra` in the group of its newest entry. With the mutex held. Afterwards last_ticket
    /// covers it. A refused group breaks the call: see broken(). `settled` hears what became of that group, on the committing thread.
    void flush(store::Urgency urgency, store::Group extra = {}, store::Completion settled = {});
    /// For flush(): hears of a group that is durable only.
    [[nodiscard]] static store::Completion when_committed(std::function<void()> committed);
    /// Queues one group for this call. With the mutex held.
    void submit(store::Group group, store::Urgency urgency, store::WhenFull when_full, store::Completion completion = {});

    /// Why the attempt cannot go on: the store refused something of it. Checked after every wait.
    enum class Broken : std::uint8_t { no, gone, unavailable };
    [[nodiscard]] Broken broken() const { return broken_.load(std::memory_order_acquire); }
    void break_off(Broken why) { broken_.store(why, std::memory_order_release); }

    /// The answer to a question has been recorded. The loop; wakes the handler if it still waits.
    void deliver(const std::string& alias, const std::string& payload);
    /// The same for anything that a wait's key stands for: a signal, a moment that has come.
    void deliver_arrival(const std::string& key, const std::string& payload);
    /// Waits, for `time` at most, until all of these have arrived or the attempt has to leave. With `lock` held on the mutex.
    void wait_for_arrivals(std::unique_lock<std::mutex>& lock, const std::vector<std::string>& keys, std::chrono::milliseconds time);
    /// Lets a handler that waits look again whether it has to leave.
    void stir() { arrived_.notify_all(); }

    /// The peer has been told where to resume from, if it has to be told at all. The first step waits for it (bounded by `write_stall`).
    void wait_until_primed();
    void mark_primed();

private:
    std::atomic<Broken> broken_{Broken::no};
    std::condition_variable arrived_;
    std::mutex primed_mutex_;
    std::condition_variable primed_condition_;
    bool primed_ = false;
};

/// The method a call of that kind was asked by.
[[nodiscard]] std::string_view method_of(mcp::ItemKind kind);
/// Its params, put together again.
[[nodiscard]] base::Json params_of(const mcp::StartCall& start);

}  // namespace durable_mcp::runtime
