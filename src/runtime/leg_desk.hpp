// SPDX-License-Identifier: Apache-2.0
#pragma once

// Clients that have no stream of a session's to come back to. A stateless request waits for its call on a leg; what it gets there is the answer, or
// what it has to do to get it: answer questions, come back with a sealed requestState, look after a task. Two requests with one idempotency key wait
// for one call. Everything here happens on the loop.
//
//     request ──▶ leg ──▶ answer                              the call ended in time
//                    ├──▶ input_required + requestState       it asks, or takes longer than the inline wait, or the server stops
//                    ├──▶ task                                the same, and its client can have tasks
//                    └──▶ (the client hangs up) ─▶ cancelled  unless a key or a task leads to the call

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "auth/seal.hpp"
#include "runtime/alarms.hpp"
#include "runtime/call.hpp"

namespace durable_mcp::runtime {

class CallRegistry;

/// Who asks for a call, and where the answer goes.
struct Asker {
    jsonrpc::Id request;
    std::string owner;
    mcp::Revision revision = mcp::stateless_revision;
    std::shared_ptr<SessionState> session;     ///< null in the stateless era
    base::Json capabilities = base::Json::object();
    base::Json client_info;
    std::optional<mcp::LogLevel> log_level;
    std::shared_ptr<ResponseSink> sink;
};

class LegDesk {
public:
    LegDesk(CallRegistry& calls, std::shared_ptr<Services> services, std::shared_ptr<Alarms> alarms);

    /// The keys with which states are sealed; there from the end of recovery on.
    void set_keys(std::shared_ptr<const auth::KeyRing> ring) { ring_ = std::move(ring); }
    [[nodiscard]] const std::shared_ptr<const auth::KeyRing>& keys() const { return ring_; }

    /// A call of the stateless era, fresh or come back for.
    void take(Asker asker, mcp::StartCall start);
    /// The idempotency key of a call, if its tool takes keys and it has one. Fails with a sentence for the client.
    [[nodiscard]] static base::Result<std::string> key_of(const mcp::StartCall& start, std::size_t most_bytes);
    /// What a handle is found by: the key within its principal and tool.
    [[nodiscard]] static std::string digest_of_key(std::string_view owner, std::string_view tool, std::string_view key);
    /// Whether that handle is of the same request.
    [[nodiscard]] static bool is_of(const store::HandleRow& handle, const mcp::StartCall& start);
    /// The answer where it is of another one.
    [[nodiscard]] static jsonrpc::Error key_conflict();
    /// A call with a key: waits for the call that has it, or is it. `fresh` begins it where nobody has, and says which call that is.
    using Begin = std::function<void(const std::string& idempotency_key)>;
    void take_keyed(Asker asker, mcp::StartCall start, const std::string& key, Begin fresh);

    /// Lets a response wait for a call.
    void attach(const std::shared_ptr<Call>& call, const Asker& asker, const mcp::StartCall& start, Leg::Kind kind);
    /// The call's answer is durable: all its legs get it.
    void answer(Call& call, const std::string& payload);
    /// The call rests on questions: legs that can be told so are.
    void ask(const std::shared_ptr<Call>& call);
    /// A new question, to those that hear questions as they come.
    void show_question(Call& call, const PendingQuestion& question);
    /// The call is a task: legs that may hear that do.
    void hand_over_task(const std::shared_ptr<Call>& call);
    /// The server stops; the call is on disk and goes on in the next process: its legs come back with a state.
    void put_down(const std::shared_ptr<Call>& call);
    /// The same at the end of the stop, for one whose handler stays behind.
    void send_away(Call& call);
    /// There will be no answer: cancelled, which whoever waits is told, or refused.
    void end(Call& call);
    void refuse(Call& call, const WholeResponse& response);
    void cut(Call& call);
    void close() { ticker_.reset(); }

private:
    void come_back(Asker asker, mcp::StartCall start);
    void come_back_to(const std::shared_ptr<Call>& call, Asker asker, mcp::StartCall start);
    /// `gone`: what to say where nothing is kept.
    void answer_from_store(const Asker& asker, const std::string& call, const std::string& gone);
    void abandon(const std::shared_ptr<Call>& call);
    void lost(const std::shared_ptr<Call>& call, const Stream* stream);
    void hand_off(const std::shared_ptr<Call>& call, std::vector<Leg> legs);
    enum class Why : std::uint8_t { it_asks, it_takes_long, it_is_put_down };
    void give_state(const std::shared_ptr<Call>& call, std::vector<Leg> legs, Why why);
    void hand_out_state(Call& call, const std::vector<Leg>& legs);
    void hold_again(const std::shared_ptr<Call>& call);
    void promote(const std::shared_ptr<Call>& call);
    void deliver(const Leg& leg, const Call& call, const std::string& payload) const;
    [[nodiscard]] std::string seal_state(Call& call);
    [[nodiscard]] std::vector<Leg> take_inline_legs(Call& call);
    void watch(const std::shared_ptr<Call>& call, const std::shared_ptr<Stream>& stream, std::optional<std::chrono::milliseconds> own_wait);
    void tick();
    static void respond(const Asker& asker, const std::string& payload, unsigned status = 200);

    CallRegistry& calls_;
    const std::shared_ptr<Services> services_;
    const std::shared_ptr<Alarms> alarms_;
    std::shared_ptr<const auth::KeyRing> ring_;
    struct Watched {
        std::weak_ptr<Call> call;
        std::weak_ptr<Stream> stream;
        std::chrono::steady_clock::time_point since;
        bool has_own_wait;           ///< an alarm rings for it
    };
    std::vector<Watched> watched_;   // legs under the server's own inline wait, swept a few times a second: most are gone by then
    std::optional<boost::asio::steady_timer> ticker_;
    bool ticks_ = false;
};

}  // namespace durable_mcp::runtime
