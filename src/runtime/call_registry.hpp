// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loop's side of every call that is on its way: begins it, accepts it when it has been undecided for too long, lets it rest and wakes it,
// cancels it, finds it again after a boot, and lets its answer go once it is durable. Everything here happens on the loop, but for the
// constructor. What belongs to some calls only is next door: questions (question_desk), other waits (wait_desk), clients without a session (leg_desk).

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "mcp/front.hpp"
#include "runtime/alarms.hpp"
#include "runtime/call.hpp"
#include "runtime/leg_desk.hpp"
#include "runtime/question_desk.hpp"
#include "runtime/wait_desk.hpp"

namespace durable_mcp::runtime {

/// A refusal of the protocol layer as a response.
[[nodiscard]] WholeResponse response_of(mcp::HttpRefusal refusal);

/// Where the rest of the engine hears of calls. On the loop.
struct CallNews {
    std::function<void(const std::shared_ptr<Call>&)> task_changed;  ///< its status, or what it asks, is another one
    std::function<void(const std::string& list)> list_changed;
    std::function<void(const std::string& uri, std::function<void(bool)> done)> resource_updated;
};

class CallRegistry final : public CallListener {
public:
    explicit CallRegistry(std::shared_ptr<Services> services);
    /// Whoever owns this; kept alive by every call. Said once, before the first call.
    void set_owner(std::weak_ptr<void> owner, CallNews news);
    [[nodiscard]] std::shared_ptr<void> life() const { return owner_.lock(); }
    [[nodiscard]] const std::weak_ptr<void>& weak_life() const { return owner_; }
    [[nodiscard]] LegDesk& legs() { return legs_; }
    [[nodiscard]] QuestionDesk& questions() { return questions_; }
    [[nodiscard]] WaitDesk& waits() { return waits_; }
    [[nodiscard]] Alarms& alarms() { return *alarms_; }

    /// A stream for new calls of that session. find_stream() knows it from the first acceptance on until its last answer is out.
    [[nodiscard]] std::shared_ptr<Stream> make_stream(const std::shared_ptr<SessionState>& session);
    /// The call of that request, if it is on its way.
    [[nodiscard]] std::shared_ptr<Call> find(const SessionState& session, const jsonrpc::Id& request) const;
    /// The call of that id, if it is on its way.
    [[nodiscard]] std::shared_ptr<Call> find(const std::string& id) const;
    /// A stream that has not ended, if it is that session's.
    [[nodiscard]] std::shared_ptr<Stream> find_stream(const SessionState& session, const std::string& id) const;

    /// Begins a session's call whose answer goes to `stream` (which already expects it).
    void start(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::StartCall start, const std::shared_ptr<Stream>& stream);
    /// The same, not begun yet.
    [[nodiscard]] std::shared_ptr<Call> make_bound(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::StartCall start,
                                                   const std::shared_ptr<Stream>& stream);
    /// A call of no session's stream: its answer goes to its legs. Not begun yet.
    [[nodiscard]] std::shared_ptr<Call> make_unbound(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::Revision revision,
                                                     mcp::StartCall start);
    /// Dispatches it at once.
    void begin(const std::shared_ptr<Call>& call);
    /// Dispatches it when it is on disk together with how it can be reached; `refused` when that could not be written (a conflict: another call
    /// has its idempotency key).
    void begin_reachable(const std::shared_ptr<Call>& call, std::uint32_t reach, std::chrono::milliseconds lifetime,
                         std::function<void(const base::Result<store::GroupOutcome>&)> then);
    [[nodiscard]] bool is_full(const SessionState* session) const;

    using Done = std::function<void(base::Result<store::GroupOutcome>)>;
    /// Takes a request back. `done` when that is durable, and at once where there is nothing to take back.
    void cancel(const SessionState& session, const jsonrpc::Id& request, Done done);
    void cancel(const std::shared_ptr<Call>& call, Done done);
    /// Takes everything of an ended session back, and ends its readers. What somebody can reach without the session goes on.
    void cancel_all(SessionState& session);
    /// Whoever follows the task, if the call is one, hears of it.
    void tell_task_changed(const std::shared_ptr<Call>& call);
    /// Something has come for a call that rests.
    void wake(const std::shared_ptr<Call>& call);

    /// Makes the call of a row that was found at boot; dispatched by run_recovered(), a bounded number at a time. `session` is null where there is none.
    void recover(const std::shared_ptr<SessionState>& session, store::CallRow row, std::optional<store::HandleRow> handle, std::uint64_t last_event,
                 mcp::Revision revision, const base::Json& document, std::variant<mcp::StartCall, mcp::Refuse> found);
    void run_recovered();

    /// No recovered call is begun any more; every call that can be is accepted, and leaves its handler at the next step.
    void suspend_all();
    /// Every reader of a call is told to come back later.
    void send_readers_away();
    /// The store is poisoned: nothing that readers wait for will come.
    void cut_readers();
    /// Gives up what hangs on the loop, which may end before this does.
    void close();
    /// Called on the loop each time the last attempt has ended.
    void on_idle(std::function<void()> listener) { idle_listener_ = std::move(listener); }
    [[nodiscard]] std::size_t running() const { return running_; }
    [[nodiscard]] bool is_draining() const { return draining_; }
    [[nodiscard]] std::size_t open_tasks(std::string_view owner) const;

    void accepted(const std::shared_ptr<Call>& call, const base::Result<store::GroupOutcome>& outcome) override;
    void answered(const std::shared_ptr<Call>& call, std::uint64_t seq, const std::string& payload,
                  const base::Result<store::GroupOutcome>& outcome) override;
    void left(const std::shared_ptr<Call>& call) override;
    void found_recorded(const std::shared_ptr<Call>& call, const store::CallRow& row) override;
    void asked(const std::shared_ptr<Call>& call, const PendingQuestion& question) override;
    void became_task(const std::shared_ptr<Call>& call) override;
    void list_changed(const std::string& list) override { news_.list_changed(list); }
    void resource_updated(const std::string& uri, std::function<void(bool)> done) override { news_.resource_updated(uri, std::move(done)); }
    void history_loaded(const std::shared_ptr<Call>& call) override;

private:
    void run(const std::shared_ptr<Call>& call);
    void rest(const std::shared_ptr<Call>& call);
    void decide_later(const std::shared_ptr<Call>& call);
    void decide_due();
    void send_away(Call& call);
    void open_when_all_accepted(const std::shared_ptr<Call>& call);
    void end_attempt(const std::shared_ptr<Call>& call);
    void unlist(const std::shared_ptr<Call>& call);
    void conclude_cancelled(const std::shared_ptr<Call>& call);
    void left_before_it_ran(const std::shared_ptr<Call>& call);
    void forget(const std::shared_ptr<Call>& call);
    void answer_as_recorded(const std::shared_ptr<Call>& call);
    void answer_error(const std::shared_ptr<Call>& call, int code, const std::string& message);
    [[nodiscard]] std::shared_ptr<Call> make_call(const std::shared_ptr<SessionState>& session, std::shared_ptr<Stream> stream);

    const std::shared_ptr<Services> services_;
    const std::shared_ptr<Alarms> alarms_;
    LegDesk legs_;
    QuestionDesk questions_;
    WaitDesk waits_;
    std::weak_ptr<void> owner_;
    CallNews news_;
    struct OpenStream {
        std::shared_ptr<Stream> stream;
        std::string session;
    };
    std::unordered_map<std::string, OpenStream> streams_;
    std::unordered_map<std::string, std::shared_ptr<Call>> calls_;  // by id: running, at rest, or found and not dispatched yet
    std::size_t running_ = 0;
    std::deque<std::shared_ptr<Call>> recovered_;   // not dispatched yet
    std::size_t recovering_ = 0;                    // dispatched and not ended
    std::deque<std::pair<std::chrono::steady_clock::time_point, std::weak_ptr<Call>>> undecided_;  // oldest first
    std::optional<boost::asio::steady_timer> decide_timer_;
    bool decide_timer_runs_ = false;
    bool draining_ = false;
    std::function<void()> idle_listener_;
};

}  // namespace durable_mcp::runtime
