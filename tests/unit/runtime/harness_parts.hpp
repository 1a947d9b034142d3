// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the engine's tests hold in their hands: a door at which a handler waits, a clock that only the test turns, a store that dies with
// its process, and what was logged.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/sinks/base_sink.h>

#include "base/clock.hpp"
#include "store/store.hpp"

namespace durable_mcp::test {

/// Handlers wait at it until the test opens it. A handle: copy it into the handler.
class Door {
public:
    /// Waits until the door is open.
    void pass() const {
        std::unique_lock lock(state_->mutex);
        ++state_->came;
        state_->changed.notify_all();
        state_->changed.wait(lock, [this] { return state_->is_open; });
    }
    void open() const {
        const std::lock_guard lock(state_->mutex);
        state_->is_open = true;
        state_->changed.notify_all();
    }
    /// How many have come to it so far.
    [[nodiscard]] int came() const {
        const std::lock_guard lock(state_->mutex);
        return state_->came;
    }
    class Opener;

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool is_open = false;
        int came = 0;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Declared after the harness: a test that fails early must not leave a handler waiting.
class Door::Opener {
public:
    explicit Opener(Door door) : door_(std::move(door)) {}
    ~Opener() { door_.open(); }
    Opener(const Opener&) = delete;
    Opener& operator=(const Opener&) = delete;

private:
    Door door_;
};

/// Its wall stands still until the test turns it. The steady clock goes on (short time-outs are for real), and is turned with it.
class FakeClock final : public base::Clock {
public:
    std::int64_t wall_ms() const override { return now_ms.load(); }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::now() + std::chrono::milliseconds(turned_ms.load());
    }
    std::chrono::milliseconds trust() const override { return std::chrono::milliseconds(1); }
    /// Time passes.
    void advance(std::chrono::milliseconds by) {
        now_ms += by.count();
        turned_ms += by.count();
    }
    /// Somebody sets the wall clock, and no time passes.
    void set_wall_by(std::chrono::milliseconds by) { now_ms += by.count(); }

    std::atomic<std::int64_t> now_ms{1'800'000'000'000};
    std::atomic<std::int64_t> turned_ms{0};
};

/// What was logged, line by line.
class LogLines final : public spdlog::sinks::base_sink<std::mutex> {
public:
    [[nodiscard]] std::size_t count(std::string_view part) {
        const std::lock_guard lock(mutex_);
        std::size_t lines = 0;
        for (const std::string& line : lines_) {
            lines += line.find(part) == std::string::npos ? 0u : 1u;
        }
        return lines;
    }
    [[nodiscard]] bool has(std::string_view part) { return count(part) > 0; }

private:
    void sink_it_(const spdlog::details::log_msg& message) override { lines_.emplace_back(message.payload.data(), message.payload.size()); }
    void flush_() override {}
    std::vector<std::string> lines_;
};

/// A store as one process sees it: after kill() nothing more of this process reaches what is kept.
class MortalStore final : public store::Store {
public:
    explicit MortalStore(std::shared_ptr<store::Store> kept) : kept_(std::move(kept)) {}
    void kill() { dead_ = true; }
    /// The next commits wait at it.
    void hold_commits(const Door& door) {
        const std::lock_guard lock(gate_mutex_);
        commit_gate_ = door;
    }
    /// The next commits happen, and their news waits at it.
    void hold_news_of_commits(const Door& door) {
        const std::lock_guard lock(gate_mutex_);
        committed_gate_ = door;
    }
    /// The next commits that say how a call can be reached wait at it.
    void hold_handles(const Door& door) {
        const std::lock_guard lock(gate_mutex_);
        handle_gate_ = door;
    }
    /// The next readings of a call's history wait at it.
    void hold_histories(const Door& door) {
        const std::lock_guard lock(gate_mutex_);
        history_gate_ = door;
    }
    /// The next lookups of idempotency keys wait at it.
    void hold_lookups(const Door& door) {
        const std::lock_guard lock(gate_mutex_);
        lookup_gate_ = door;
    }

    store::BatchOutcome commit(std::span<const store::Group* const> groups) override {
        if (const auto gate = gate_of(commit_gate_)) {
            gate->pass();
        }
        if (const auto gate = gate_of(handle_gate_); gate && puts_handle(groups)) {
            gate->pass();
        }
        const std::lock_guard lock(mutex_);
        if (dead_) {
            return base::Failure{base::FailureCode::outcome_unknown, "this process is dead"};
        }
        for (const store::Group* const group : groups) {
            writes += static_cast<int>(group->size());
        }
        watch_forgetting(groups);
        auto outcome = kept_->commit(groups);
        if (const auto gate = gate_of(committed_gate_)) {
            gate->pass();
        }
        return outcome;
    }
    std::optional<base::Failure> tidy() override { return dead_ ? std::nullopt : kept_->tidy(); }
    bool release_reserve() override { return kept_->release_reserve(); }
    bool restore_reserve() override { return kept_->restore_reserve(); }
    base::Result<std::vector<store::SessionRow>> sessions() override {
        return read([&] { return kept_->sessions(); });
    }
    base::Result<std::optional<store::CallRow>> call(std::string_view id) override {
        return read([&] { return kept_->call(id); });
    }
    base::Result<std::optional<store::CallRow>> call_of_request(std::string_view session, std::string_view request) override {
        return read([&] { return kept_->call_of_request(session, request); });
    }
    base::Result<std::vector<store::CallRow>> calls_of_stream(std::string_view stream) override {
        return read([&] { return kept_->calls_of_stream(stream); });
    }
    base::Result<std::vector<store::CallRow>> unfinished_calls() override {
        return read([&] { return kept_->unfinished_calls(); });
    }
    base::Result<std::optional<store::HandleRow>> handle(std::string_view call) override {
        if (handle_reads_left >= 0 && handle_reads_left-- == 0) {
            return base::Failure{base::FailureCode::store_damaged, "a handle cannot be read"};
        }
        return read([&] { return kept_->handle(call); });
    }
    base::Result<std::optional<store::HandleRow>> handle_of_key(std::string_view key) override {
        if (const auto gate = gate_of(lookup_gate_)) {
            gate->pass();
        }
        return read([&] { return kept_->handle_of_key(key); });
    }
    base::Result<std::vector<store::HandleRow>> handles(std::string_view owner, std::uint32_t reach, std::string_view before,
                                                        std::size_t limit) override {
        return read([&] { return kept_->handles(owner, reach, before, limit); });
    }
    base::Result<std::vector<store::HandleRow>> expired_handles(std::int64_t now_ms, const store::HandleRow* after, std::size_t limit) override {
        return read([&] { return kept_->expired_handles(now_ms, after, limit); });
    }
    base::Result<std::vector<store::ArrivalRow>> arrivals(std::string_view call) override {
        return read([&] { return kept_->arrivals(call); });
    }
    base::Result<std::vector<store::SecretRow>> secrets() override {
        return read([&] { return kept_->secrets(); });
    }
    base::Result<std::vector<journal::Entry>> entries(std::string_view call) override {
        if (const auto gate = gate_of(history_gate_)) {
            gate->pass();
        }
        return read([&] { return kept_->entries(call); });
    }
    base::Result<std::vector<store::EventRow>> events(std::string_view stream, std::uint64_t after, std::size_t limit) override {
        ++event_reads;
        return read([&] { return kept_->events(stream, after, limit); });
    }
    base::Result<std::uint64_t> last_event(std::string_view stream) override {
        return read([&] { return kept_->last_event(stream); });
    }
    base::Result<std::uint64_t> first_event(std::string_view stream) override {
        return read([&] { return kept_->first_event(stream); });
    }
    base::Result<std::vector<store::OldCall>> finished_calls(std::int64_t from_ms, std::int64_t to_ms, std::size_t limit) override {
        return read([&] { return kept_->finished_calls(from_ms, to_ms, limit); });
    }
    base::Result<std::int64_t> finished_since(std::size_t count) override {
        return read([&] { return kept_->finished_since(count); });
    }
    base::Result<std::vector<store::OldCall>> calls_of_session(std::string_view session, std::size_t limit) override {
        return read([&] { return kept_->calls_of_session(session, limit); });
    }
    base::Result<std::vector<store::OldEvents>> old_events(std::int64_t to_ms, std::size_t limit) override {
        return read([&] { return kept_->old_events(to_ms, limit); });
    }
    base::Result<store::Space> space() override {
        return read([&] { return kept_->space(); });
    }
    base::Result<std::unique_ptr<store::Snapshot>> snapshot(std::int64_t now_ms) override {
        return read([&] { return kept_->snapshot(now_ms); });
    }
    base::Result<std::vector<std::string>> expired_maps(std::int64_t now_ms, std::size_t limit) override {
        return read([&] { return kept_->expired_maps(now_ms, limit); });
    }
    std::string describe() const override { return kept_->describe(); }

    std::atomic<int> event_reads{0};
    std::atomic<int> writes{0};  ///< rows that were written, or tried
    std::atomic<int> handle_reads_left{-1};  ///< so many handles of calls can be read, and the next one is damaged; -1: all of them

    // Of batches that drop calls: how many there were, and the most that one had.
    std::atomic<int> forgetting_commits{0};
    std::atomic<int> most_forgetting_groups{0};
    std::atomic<int> most_forgotten_calls{0};

private:
    void watch_forgetting(std::span<const store::Group* const> groups) {
        int forgetting = 0;
        int calls = 0;
        for (const store::Group* const group : groups) {
            const auto dropped = std::count_if(group->begin(), group->end(), [](const auto& write) { return std::holds_alternative<store::DropCall>(write); });
            forgetting += dropped > 0 ? 1 : 0;
            calls += static_cast<int>(dropped);
        }
        forgetting_commits += forgetting > 0 ? 1 : 0;
        most_forgetting_groups = std::max(most_forgetting_groups.load(), forgetting);
        most_forgotten_calls = std::max(most_forgotten_calls.load(), calls);
    }
    std::optional<Door> gate_of(const std::optional<Door>& gate) {
        const std::lock_guard lock(gate_mutex_);
        return gate;
    }
    static bool puts_handle(std::span<const store::Group* const> groups) {
        return std::any_of(groups.begin(), groups.end(), [](const store::Group* group) {
            return std::any_of(group->begin(), group->end(),
                               [](const store::Write& write) { return std::holds_alternative<store::PutHandle>(write); });
        });
    }
    template <class Read>
    auto read(Read from_store) -> decltype(from_store()) {
        if (dead_) {
            return base::Failure{base::FailureCode::store_unavailable, "this process is dead"};
        }
        return from_store();
    }

    const std::shared_ptr<store::Store> kept_;
    std::mutex mutex_;
    std::mutex gate_mutex_;
    std::optional<Door> commit_gate_;
    std::optional<Door> committed_gate_;
    std::optional<Door> handle_gate_;
    std::optional<Door> lookup_gate_;
    std::optional<Door> history_gate_;
    std::atomic<bool> dead_{false};
};

}  // namespace durable_mcp::test
