// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loop's side of every call that is on its way: begins it, accepts it when it has been undecided for too long, cancels it, finds it again
// after a boot, and lets its answer go once it is durable. Everything here happens on the loop, but for the constructor.

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

#include "mcp/session_front.hpp"
#include "runtime/call.hpp"

namespace durable_mcp::runtime {

/// A refusal of the protocol layer as a response.
[[nodiscard]] WholeResponse response_of(mcp::HttpRefusal refusal);

class CallRegistry final : public CallListener {
public:
    explicit CallRegistry(std::shared_ptr<Services> services);
    /// Whoever owns this; kept alive by every call. Said once, before the first call.
    void set_owner(std::weak_ptr<void> owner) { owner_ = std::move(owner); }

    /// A stream for new calls of that session. find_stream() knows it from the first acceptance on until its last answer is out.
    [[nodiscard]] std::shared_ptr<Stream> make_stream(const std::shared_ptr<SessionState>& session);
    /// The call of that request, if it is on its way.
    [[nodiscard]] std::shared_ptr<Call> find(const SessionState& session, const jsonrpc::Id& request) const;
    /// A stream that has not ended, if it is that session's.
    [[nodiscard]] std::shared_ptr<Stream> find_stream(const SessionState& session, const std::string& id) const;

    /// Begins a call whose answer goes to `stream` (which already expects it).
    void start(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::StartCall start, const std::shared_ptr<Stream>& stream);
    [[nodiscard]] bool is_full(const SessionState& session) const;

    /// Takes a request back. `done` when that is durable, and at once where there is nothing to take back.
    void cancel(const SessionState& session, const jsonrpc::Id& request, std::function<void(base::Result<store::GroupOutcome>)> done);
    /// Takes everything of an ended session back, and ends its readers.
    void cancel_all(SessionState& session);

    /// Makes the call of a row that was found at boot; dispatched by run_recovered(), a bounded number at a time.
    void recover(const std::shared_ptr<SessionState>& session, store::CallRow row, std::uint64_t last_event,
                 std::variant<mcp::StartCall, mcp::Refuse> found, std::string name);
    void run_recovered();

    /// No recovered call is begun any more; every call of the session that can be is accepted, and leaves its handler at the next step.
    void hold_recovered() { recovered_.clear(); }
    void suspend_all(SessionState& session);
    /// Every reader of the session is told to come back later.
    void send_readers_away(SessionState& session);
    /// The store is poisoned: nothing that readers wait for will come.
    void cut_readers(SessionState& session);
    /// Gives up what hangs on the loop, which may end before this does.
    void close();
    /// Called on the loop each time the last attempt has ended.
    void on_idle(std::function<void()> listener) { idle_listener_ = std::move(listener); }
    [[nodiscard]] std::size_t running() const { return running_; }

    void accepted(const std::shared_ptr<Call>& call, const base::Result<store::GroupOutcome>& outcome) override;
    void answered(const std::shared_ptr<Call>& call, std::uint64_t seq, const std::string& payload,
                  const base::Result<store::GroupOutcome>& outcome) override;
    void left(const std::shared_ptr<Call>& call) override;
    void found_recorded(const std::shared_ptr<Call>& call, const store::CallRow& row) override;

private:
    void run(const std::shared_ptr<Call>& call);
    void decide_later(const std::shared_ptr<Call>& call);
    void decide_due();
    void send_away(Call& call);
    void open_when_all_accepted(const std::shared_ptr<Call>& call);
    void forget(const std::shared_ptr<Call>& call);
    void answer_as_recorded(const std::shared_ptr<Call>& call);
    void answer_error(const std::shared_ptr<Call>& call, int code, const std::string& message);

    const std::shared_ptr<Services> services_;
    std::weak_ptr<void> owner_;
    struct OpenStream {
        std::shared_ptr<Stream> stream;
        std::string session;
    };
    std::unordered_map<std::string, OpenStream> streams_;
    std::size_t running_ = 0;
    std::deque<std::shared_ptr<Call>> recovered_;   // not dispatched yet
    std::size_t recovering_ = 0;                    // dispatched and not ended
    std::deque<std::pair<std::chrono::steady_clock::time_point, std::weak_ptr<Call>>> undecided_;  // oldest first
    std::optional<boost::asio::steady_timer> decide_timer_;
    bool decide_timer_runs_ = false;
    std::function<void()> idle_listener_;
};

}  // namespace durable_mcp::runtime
