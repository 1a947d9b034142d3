// SPDX-License-Identifier: Apache-2.0
#pragma once

// One attempt of one call, on its handler's thread: what the handler says to its context arrives here, is put to the call's machine, and what
// the machine decides is done: run the callable, return what is recorded, wait for the disk, unwind.
//
// The driver never holds the call's mutex while it waits or runs the user's code.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"
#include "runtime/call.hpp"
#include "runtime/transaction.hpp"

namespace durable_mcp::runtime {

class Branches;

/// The step whose callable runs on this thread, as long as this lives: what else is said from in there is refused, or counted as its own.
class BodyScope {
public:
    explicit BodyScope(const std::string& key);
    ~BodyScope();
    BodyScope(const BodyScope&) = delete;
    BodyScope& operator=(const BodyScope&) = delete;
    /// "" outside of all.
    [[nodiscard]] static const std::string& key();

private:
    const std::string* const outer_;
};

class CallDriver final : public detail::CallPort {
public:
    explicit CallDriver(std::shared_ptr<Call> call);

    /// Runs the attempt from the first line to its end, whatever that is, and tells the call's listener.
    void run();

    std::string step(const detail::StepRequest& request) override;
    std::vector<detail::BranchOutcome> parallel(const detail::ParallelRequest& request) override;
    std::int64_t now_ms(std::string_view alias) override;
    std::uint64_t random(std::string_view alias, std::optional<std::uint64_t> below) override;
    std::string uuid(std::string_view alias) override;
    void retry_later(std::chrono::milliseconds delay) override;
    std::string transact(std::string_view alias, std::string_view type, const std::function<std::string(detail::TransactionPort&)>& body) override;
    [[nodiscard]] std::string map_name(detail::MapScope scope, std::string_view name) const override;
    std::optional<std::string> map_get(std::string_view map, std::string_view key, bool live) override;
    detail::MapRows map_range(std::string_view map, const detail::MapRangeRequest& range, bool live) override;
    std::uint64_t map_count(std::string_view map, bool live) override;
    void map_put(std::string_view map, std::string_view key, std::string value) override;
    void map_erase(std::string_view map, std::string_view key) override;
    bool map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                             std::optional<std::string> desired) override;
    void report_progress(double progress, std::optional<double> total, std::string_view message) override;
    void log(int level, std::string_view data_json, std::string_view logger) override;
    void send_list_changed(std::string_view list) override;
    void send_resource_updated(std::string_view uri) override;
    std::vector<std::string> ask(const std::vector<detail::QuestionRequest>& questions) override;
    bool become_task() override;
    void sleep(std::string_view alias, const detail::SleepRequest& request) override;
    std::optional<std::string> wait_for_signal(std::string_view alias, std::string_view type, std::string_view name,
                                               std::optional<std::chrono::milliseconds> deadline) override;
    std::optional<std::string> until(std::string_view alias, std::string_view type, const detail::UntilRequest& request) override;
    std::string loop(std::string_view alias, std::string_view type, const detail::LoopRequest& request) override;
    [[nodiscard]] std::string client_json() const override;
    std::string idempotency_key(std::string_view alias) override;
    [[nodiscard]] std::string_view call_id() const override { return call_->id; }
    [[nodiscard]] std::uint32_t attempt() const override { return call_->attempt; }
    [[nodiscard]] bool is_replaying() const override;
    [[nodiscard]] bool cancelled() const override;

private:
    // The attempt.
    bool prepare();
    bool load_history();
    [[nodiscard]] std::string produce_answer();
    [[nodiscard]] std::string within_limit(std::string payload) const;
    [[nodiscard]] std::string produce_error(int code, const std::string& message, std::optional<base::Json> data = {}) const;
    [[nodiscard]] std::string produce_tool_error(const std::string& text) const;
    void finish(const std::string& payload, store::CallState state);
    void leave(Unwind::Reason reason);
    void report_divergence();

    // One step.
    [[nodiscard]] journal::Decision decide(const journal::Step& step);
    [[noreturn]] void raise(const journal::Decision& decision, const journal::Step& step, std::string_view alias);
    [[noreturn]] void raise_failed(const journal::Step& step, std::string_view alias, const journal::Fault& fault,
                                   const std::exception_ptr& cause);
    [[noreturn]] void fail_step(const journal::Step& step, std::string_view alias, const journal::Fault& fault, const std::exception_ptr& cause);
    /// The whole of a step: asks, waits, tries again. `among`: the others that run beside it.
    std::string run_step(const journal::Step& step, const detail::StepRequest& request, Branches* among = nullptr);
    /// One try. Nothing where there is to be another.
    std::optional<std::string> execute(const journal::Step& step, const detail::StepRequest& request, Branches* among);
    std::string run_body(const journal::Step& step, const detail::StepRequest& request, Branches* among, bool& was_asked_to_stop);
    void record(const journal::Step& step, std::string_view alias, const std::string& value);
    void wait_for_next_try(const journal::Step& step, Branches* among);
    [[nodiscard]] bool will_try_again(const journal::Step& step, const detail::StepRequest& request, const std::exception_ptr& thrown,
                                      const journal::Fault& fault);
    void leave_if_told_to(const journal::Step& step, std::string_view alias, Branches* among);
    /// What became of an interrupted step, by its receiver. Nothing: it did not happen, and begins anew.
    std::optional<std::string> reconcile(const journal::Step& step, const detail::StepRequest& request);
    /// Leaves until the time has come to which an earlier attempt has put the call off.
    void sit_out();
    [[nodiscard]] Rest rest_until(std::int64_t wall_ms, std::int64_t span_ms, std::string key) const;
    std::string draw(std::string_view alias, const std::string& type, const std::function<std::string()>& from);
    friend class Branches;
    using TransactionFunction = std::function<std::string(detail::TransactionPort&)>;
    /// Runs `body` until its commit is not refused because somebody else wrote first. `label` is the alias, or says which step of ours it is.
    std::string apply_transaction(const journal::Step& step, std::string_view label, const TransactionFunction& body);
    /// What the store said of it.
    store::GroupOutcome commit_transaction(const journal::Step& step, TransactionView& view, const std::string& value,
                                           const std::vector<std::string>& emitted);
    /// A step of ours that is a transaction, known by `base` and its occurrence.
    std::string run_inner_transaction(journal::StepKind kind, const std::string& base, std::string_view label, const TransactionFunction& body);
    void abandon(const journal::Step& step);
    [[nodiscard]] std::unique_ptr<store::Snapshot> snapshot() const;
    [[nodiscard]] std::optional<double> last_progress() const;
    /// A step whose value is computed here and whose entry commits together with `make_writes`' writes.
    std::string run_inner(journal::StepKind kind, const std::string& base, const std::function<std::string(store::Group&)>& body);
    void wait_for_disk();
    void wait_for_acceptance();
    void restore_progress(std::optional<double> progress);
    void check_standing(std::string_view what) const;
    void check_alias(std::string_view alias) const;
    void send_event(const std::string& payload);
    void say(std::function<std::optional<std::string>(const Leg&)> word);
    void tell_listeners(std::function<void(CallListener&)> tell);
    [[nodiscard]] bool put_question(const detail::QuestionRequest& request);
    void wait_for_answers(const std::vector<std::string>& aliases);
    [[nodiscard]] static std::string read_answer(const std::string& alias, const std::string& payload);
    // Waits: call_waits.cpp.
    [[noreturn]] void put_down(Rest rest);
    void sleep_through(const std::string& key, const Due& due);
    void prepare_live_read(std::string_view map);
    [[nodiscard]] std::optional<std::string> look(const std::function<std::optional<std::string>()>& condition, const std::string& key,
                                                  std::vector<std::string>& maps);
    /// What the keys of the iteration that the handler is in begin with; "" outside of loops.
    [[nodiscard]] std::string path() const;
    /// A key (name space and name) where the handler is now.
    [[nodiscard]] std::string scoped(const std::string& key) const;
    /// A key for people.
    [[nodiscard]] static std::string readable(std::string_view key);
    void end_orphan();
    void tell_of_open_questions(const journal::History& history, const std::vector<store::EventRow>& events);

    const std::shared_ptr<Call> call_;
    Services& services_;
    const MapOwners owners_;
    const std::thread::id thread_ = std::this_thread::get_id();
    std::vector<std::string>* buffered_events_ = nullptr;  ///< inside a transaction: what it emits commits with it
    std::vector<std::string>* watched_ = nullptr;    ///< while a condition is looked at: the maps that it reads
    struct Iteration {
        std::string path;
        base::Json seen;                             ///< by alias: the value that until_changes() returned last
    };
    std::vector<Iteration> loops_;                   ///< that the handler is in, the innermost last
    std::atomic<std::size_t> events_sent_ = 0;
    std::atomic<std::size_t> event_bytes_sent_ = 0;
};

}  // namespace durable_mcp::runtime
