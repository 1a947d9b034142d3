// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room where the protocol, the journal, the store and the handlers meet. Requests come in through serve(), on the loop; what the
// protocol layer says of them becomes sessions (session_table), calls (call_registry) and streams (stream), and what is durable goes out.
//
// Life: constructed (holds every request) → open(store) (recovers, then serves) → stop() (suspends, sends readers away).

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "mcp/front.hpp"
#include "runtime/call_registry.hpp"
#include "runtime/exchange.hpp"
#include "runtime/listeners.hpp"
#include "runtime/map_sweeper.hpp"
#include "runtime/outside_state.hpp"
#include "runtime/services.hpp"
#include "runtime/session_table.hpp"
#include "runtime/sweeper.hpp"
#include "runtime/task_desk.hpp"

namespace durable_mcp::runtime {

struct EngineOptions {
    mcp::ServerFacts facts;
    base::Limits limits;
    base::Retention retention = {};
    const base::Clock* clock = nullptr;      ///< null: the system's
    base::Random* random = nullptr;          ///< null: the system's
    std::shared_ptr<spdlog::logger> log;     ///< null: nothing is logged
    /// Done once per store, in this order, before the first request is answered.
    std::vector<Initialization> initialize;
    /// The way to the maps from outside; null: one of the engine's own.
    std::shared_ptr<OutsideState> outside_state;
    /// Called once, on any thread, when the store is poisoned: nothing more will be answered until the process has opened it anew.
    std::function<void(const std::string& sentence)> on_poisoned;
};

class Engine final : public Service, public std::enable_shared_from_this<Engine> {
public:
    /// `loop` runs one thing at a time: the executor of a single thread, or a strand.
    Engine(boost::asio::any_io_executor loop, EngineOptions options, std::shared_ptr<const mcp::Catalog> catalog);
    ~Engine() override;

    /// Reads the store, takes up what is unfinished and begins to serve. Blocks; any thread but the loop. Called once. Throws what initialize_once()
    /// throws.
    [[nodiscard]] base::Result<void> open(std::shared_ptr<store::Store> store);

    /// What is on offer from now on. `changed` are the lists whose readers are told. Any thread.
    void replace_catalog(std::shared_ptr<const mcp::Catalog> catalog, const std::vector<mcp::ItemKind>& changed);

    /// Ends in good order: takes no new request; handlers leave at their next step, what they began finishes until `deadline`; what is unfinished
    /// goes on in the next process. Blocks; any thread but the loop, which must be running. False if some handler did not come back in time:
    /// then its thread, and what it uses, stays behind. Another stop after that does nothing.
    bool stop(std::chrono::milliseconds deadline);

    void serve(std::shared_ptr<RequestView> request, std::shared_ptr<ResponseSink> sink) override;

    /// An event from outside, for a call that waits for it or will. Returns when it is durable, or refused. Blocks; any thread but the loop.
    [[nodiscard]] base::Result<SignalOutcome> signal(const std::string& call, const std::string& name, const std::string& payload);

    /// True from the end of recovery to the beginning of stop(), unless the store is full or poisoned. Any thread.
    [[nodiscard]] bool is_ready() const;

    /// The maps from outside of any handler: from open() to the beginning of stop(). Any thread but the loop.
    [[nodiscard]] OutsideState& state() { return *outside_state_; }

private:
    enum class Phase : std::uint8_t { booting, serving, draining, stopped };
    struct Held {
        std::shared_ptr<RequestView> request;
        std::shared_ptr<ResponseSink> sink;
        std::chrono::steady_clock::time_point until;
    };
    /// Where the answer to one message goes: its own response, or the stream of its batch.
    struct Reply;

    [[nodiscard]] base::Result<void> recover(std::shared_ptr<store::Store> store);
    void recover_call(const mcp::Catalog& offered, store::CallRow row, store::Store& store,
                      const std::function<std::uint64_t(const std::string& stream)>& last_event);
    [[nodiscard]] std::optional<base::Failure> load_keys(store::Store& store);
    void rotate_keys();
    void begin_serving();
    void hold(std::shared_ptr<RequestView> request, std::shared_ptr<ResponseSink> sink);
    void refuse_held_too_long();
    void serve_stateless(mcp::StatelessRequest request, std::shared_ptr<ResponseSink> sink);
    void listen(const Asker& asker, mcp::ListenFilter filter);
    [[nodiscard]] bool answer_while_booting(RequestView& request, ResponseSink& sink);
    void take_posted(mcp::Posted posted, const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink);
    void take_message(jsonrpc::Message message, const std::shared_ptr<SessionState>& session, const std::shared_ptr<Reply>& reply);
    void start_call(jsonrpc::Id id, mcp::StartCall start, const std::shared_ptr<SessionState>& session, const std::shared_ptr<Reply>& reply);
    void start_keyed(jsonrpc::Id id, mcp::StartCall start, const std::string& key, const std::shared_ptr<SessionState>& session,
                     const std::shared_ptr<Reply>& reply);
    void begin_session(jsonrpc::Id id, mcp::BeginSession verdict, std::shared_ptr<ResponseSink> sink);
    void open_standalone(const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink);
    void resume(const std::shared_ptr<SessionState>& session, const std::string& last_event_id, std::shared_ptr<ResponseSink> sink);
    void resume_standalone(const std::shared_ptr<SessionState>& session, const std::shared_ptr<Stream>& stream, std::uint64_t after,
                           std::shared_ptr<ResponseSink> sink);
    void resume_finished(const std::shared_ptr<SessionState>& session, EventId id, std::shared_ptr<ResponseSink> sink);
    void end_session(const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink);
    void change_subscription(const jsonrpc::Id& id, const std::string& uri, bool subscribes, const std::shared_ptr<SessionState>& session,
                             const std::shared_ptr<Reply>& reply);
    void resource_updated(const std::string& uri, std::function<void(bool)> done);
    void append_to_standalone(const std::shared_ptr<Stream>& stream, const std::string& payload, std::function<void(bool)> done);
    void cut_all();
    void announce(const std::vector<mcp::ItemKind>& changed);
    void sweep();
    [[nodiscard]] std::shared_ptr<const mcp::Catalog> catalog() const;

    const EngineOptions options_;
    const std::shared_ptr<Services> services_;
    mutable std::mutex catalog_mutex_;
    std::shared_ptr<const mcp::Catalog> catalog_;

    // Loop only.
    Phase phase_ = Phase::booting;
    std::deque<Held> held_;
    SessionTable sessions_;
    CallRegistry calls_;
    const std::shared_ptr<Listeners> listeners_;
    TaskDesk tasks_;
    const std::shared_ptr<MapSweeper> map_sweeper_;
    const std::shared_ptr<OutsideState> outside_state_;
    Sweeper sweeper_;
    std::vector<auth::Key> secrets_;
    bool is_rotating_ = false;  // a new key is on its way to the disk
    std::optional<boost::asio::steady_timer> hold_timer_;
    std::optional<boost::asio::steady_timer> sweep_timer_;

    // For whoever waits in stop() or open().
    std::mutex phase_mutex_;
    std::condition_variable phase_changed_;
    bool is_idle_ = false;
    std::atomic<bool> is_stopped_{false};
    std::atomic<bool> ready_{false};
    std::atomic<store::StoreHealth> health_{store::StoreHealth::good};
};

}  // namespace durable_mcp::runtime
