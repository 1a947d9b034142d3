// SPDX-License-Identifier: Apache-2.0
#pragma once

// A call in memory. Its handler's thread drives it (call_driver.hpp); the loop accepts it when it grows old, cancels it, suspends it. Both go through
// `mutex`, which guards the machine and the order of what is queued for it, and is never held while anybody waits for the disk or runs a handler.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "journal/call_machine.hpp"
#include "mcp/router.hpp"
#include "runtime/handler.hpp"
#include "runtime/services.hpp"
#include "runtime/session_state.hpp"
#include "runtime/stream.hpp"
#include "store/store.hpp"

namespace durable_mcp::runtime {

/// The loop's side of a call's life; implemented by the call registry. Every member is called on the loop.
class CallListener {
public:
    virtual ~CallListener() = default;
    /// The call's row is durable (or its commit was refused: then `outcome` says why, and the attempt unwinds).
    virtual void accepted(const std::shared_ptr<Call>& call, const base::Result<store::GroupOutcome>& outcome) = 0;
    /// The answer is durable as event `seq` (0: it was not written, by the tool's durability), or its commit was refused.
    virtual void answered(const std::shared_ptr<Call>& call, std::uint64_t seq, const std::string& payload,
                          const base::Result<store::GroupOutcome>& outcome) = 0;
    /// The attempt is over and there will be no answer from it: cancelled, suspended, or the store failed.
    virtual void left(const std::shared_ptr<Call>& call) = 0;
    /// The same request has been answered before, or is another one under the same id.
    virtual void found_recorded(const std::shared_ptr<Call>& call, const store::CallRow& row) = 0;
};

/// The text that identifies what was asked: method, params and revision, keys sorted. What a row's document holds.
[[nodiscard]] std::string document_of(const mcp::StartCall& start, mcp::Revision revision);

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
    const std::shared_ptr<CallListener> listener;  ///< kept alive by its calls
    const std::shared_ptr<SessionState> session;
    const std::shared_ptr<Stream> stream;
    bool look_up_first = false;        ///< the request id may have been used before: ask the store before the handler runs
    bool shares_stream = false;        ///< one of a batch
    bool is_recovered = false;         ///< found in the store at boot
    store::CallRow found;              ///< the row, if recovered
    std::uint32_t attempt = 1;

    // ── Loop only.
    bool is_row_durable = false;       ///< said by accepted()
    bool is_conflicted = false;        ///< its row was refused: the request id was used before

    // ── Guarded by mutex.
    std::mutex mutex;
    std::unique_ptr<journal::CallMachine> machine = std::make_unique<journal::CallMachine>();
    store::Ticket last_ticket = 0;

    // ── Any thread.
    [[nodiscard]] bool is_durable() const { return target == nullptr || target->durability == Durability::full; }
    [[nodiscard]] std::string document() const { return document_of(start, revision); }
    [[nodiscard]] store::CallRow row(store::CallState state) const;

    /// Queues what the machine has handed out, with `extra` in the group of its newest entry. With the mutex held. Afterwards last_ticket
    /// covers it. A refused group breaks the call: see broken(). `committed` is called, on the committing thread, when that group is durable.
    void flush(store::Urgency urgency, store::Group extra = {}, std::function<void()> committed = {});
    /// Queues one group for this call. With the mutex held.
    void submit(store::Group group, store::Urgency urgency, store::WhenFull when_full, store::Completion completion = {});

    /// Why the attempt cannot go on: the store refused something of it. Checked after every wait.
    enum class Broken : std::uint8_t { no, gone, unavailable };
    [[nodiscard]] Broken broken() const { return broken_.load(std::memory_order_acquire); }
    void break_off(Broken why) { broken_.store(why, std::memory_order_release); }

    /// The peer has been told where to resume from, if it has to be told at all. The first step waits for it (bounded by `write_stall`).
    void wait_until_primed();
    void mark_primed();

private:
    std::atomic<Broken> broken_{Broken::no};
    std::mutex primed_mutex_;
    std::condition_variable primed_condition_;
    bool primed_ = false;
};

/// The method a call of that kind was asked by.
[[nodiscard]] std::string_view method_of(mcp::ItemKind kind);
/// Its params, put together again.
[[nodiscard]] base::Json params_of(const mcp::StartCall& start);

}  // namespace durable_mcp::runtime
