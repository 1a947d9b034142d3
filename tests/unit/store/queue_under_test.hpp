// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/commit_queue.hpp"

namespace durable_mcp::store {

/// A store that records what is committed; a test can hold commits, count them and make them fail.
class ScriptedStore final : public Store {
public:
    struct Batch {
        std::vector<std::string> names;
        std::thread::id thread;
    };

    BatchOutcome commit(std::span<const Group* const> groups) override {
        std::unique_lock lock(mutex_);
        EXPECT_FALSE(busy_) << "two threads commit at once";
        busy_ = true;
        Batch batch{{}, std::this_thread::get_id()};
        for (const Group* group : groups) {
            batch.names.push_back(std::get<AppendEvent>(group->front()).row.stream);
        }
        ++entered_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !held_; });
        busy_ = false;
        ++tried_;
        if (failure_) {
            changed_.notify_all();
            return *failure_;
        }
        if (largest_ != 0 && groups.size() > largest_) {
            changed_.notify_all();
            return base::Failure{base::FailureCode::store_full, "too many at once"};
        }
        batches_.push_back(batch);
        changed_.notify_all();
        return std::vector<GroupOutcome>(groups.size(), GroupOutcome::committed);
    }
    std::optional<base::Failure> tidy() override {
        const std::lock_guard lock(mutex_);
        EXPECT_FALSE(busy_) << "tidied during a commit";
        ++tidied_;
        changed_.notify_all();
        return fails_to_tidy_ ? std::optional(base::Failure{base::FailureCode::outcome_unknown, "scripted checkpoint"}) : std::nullopt;
    }
    bool release_reserve() override {
        const std::lock_guard lock(mutex_);
        if (!reserve_) {
            return false;
        }
        reserve_ = false;
        failure_.reset();
        return true;
    }
    bool restore_reserve() override {
        const std::lock_guard lock(mutex_);
        ++asked_for_room_;
        changed_.notify_all();
        return room_;
    }

    void hold() {
        set([this] { held_ = true; });
    }
    void let_go() {
        set([this] { held_ = false; });
    }
    void fail_with(base::FailureCode code) {
        set([this, code] {
            failure_ = base::Failure{code, "scripted"};
            room_ = false;
        });
    }
    void recover() {
        set([this] {
            failure_.reset();
            room_ = true;
        });
    }
    void fail_to_tidy() {
        set([this] { fails_to_tidy_ = true; });
    }
    void have_reserve() {
        set([this] { reserve_ = true; });
    }
    void take_at_most(std::size_t groups) {
        set([this, groups] { largest_ = groups; });
    }

    void wait_until_entered(int commits) {
        wait([&] { return entered_ >= commits; });
    }
    void wait_until_tried(int commits) {
        wait([&] { return tried_ >= commits; });
    }
    void wait_until_tidied(int times) {
        wait([&] { return tidied_ >= times; });
    }
    void wait_until_asked_for_room(int times) {
        wait([&] { return asked_for_room_ >= times; });
    }

    std::vector<Batch> batches() {
        const std::lock_guard lock(mutex_);
        return batches_;
    }
    std::vector<std::string> names() {
        std::vector<std::string> all;
        for (const Batch& batch : batches()) {
            all.insert(all.end(), batch.names.begin(), batch.names.end());
        }
        return all;
    }
    int tried() {
        const std::lock_guard lock(mutex_);
        return tried_;
    }
    int tidied() {
        const std::lock_guard lock(mutex_);
        return tidied_;
    }

    base::Result<std::vector<SessionRow>> sessions() override { return std::vector<SessionRow>(); }
    base::Result<std::optional<CallRow>> call(std::string_view) override { return std::optional<CallRow>(); }
    base::Result<std::optional<CallRow>> call_of_request(std::string_view, std::string_view) override { return std::optional<CallRow>(); }
    base::Result<std::vector<CallRow>> calls_of_stream(std::string_view) override { return std::vector<CallRow>(); }
    base::Result<std::vector<CallRow>> unfinished_calls() override { return std::vector<CallRow>(); }
    base::Result<std::optional<HandleRow>> handle(std::string_view) override { return std::optional<HandleRow>(); }
    base::Result<std::optional<HandleRow>> handle_of_key(std::string_view) override { return std::optional<HandleRow>(); }
    base::Result<std::vector<HandleRow>> handles(std::string_view, std::uint32_t, std::string_view, std::size_t) override {
        return std::vector<HandleRow>();
    }
    base::Result<std::vector<HandleRow>> expired_handles(std::int64_t, const HandleRow*, std::size_t) override {
        return std::vector<HandleRow>();
    }
    base::Result<std::vector<ArrivalRow>> arrivals(std::string_view) override { return std::vector<ArrivalRow>(); }
    base::Result<std::vector<SecretRow>> secrets() override { return std::vector<SecretRow>(); }
    base::Result<std::vector<journal::Entry>> entries(std::string_view) override { return std::vector<journal::Entry>(); }
    base::Result<std::vector<EventRow>> events(std::string_view, std::uint64_t, std::size_t) override { return std::vector<EventRow>(); }
    base::Result<std::uint64_t> last_event(std::string_view) override { return std::uint64_t{0}; }
    base::Result<std::uint64_t> first_event(std::string_view) override { return std::uint64_t{0}; }
    base::Result<std::vector<OldCall>> finished_calls(std::int64_t, std::int64_t, std::size_t) override { return std::vector<OldCall>(); }
    base::Result<std::int64_t> finished_since(std::size_t) override { return std::int64_t{0}; }
    base::Result<std::vector<OldCall>> calls_of_session(std::string_view, std::size_t) override { return std::vector<OldCall>(); }
    base::Result<std::vector<OldEvents>> old_events(std::int64_t, std::size_t) override { return std::vector<OldEvents>(); }
    base::Result<Space> space() override { return Space(); }
    base::Result<std::unique_ptr<Snapshot>> snapshot(std::int64_t) override { return base::Failure{base::FailureCode::io, "none"}; }
    base::Result<std::vector<std::string>> expired_maps(std::int64_t, std::size_t) override { return std::vector<std::string>(); }
    std::string describe() const override { return "{}"; }

private:
    template <class Change>
    void set(Change change) {
        const std::lock_guard lock(mutex_);
        change();
        changed_.notify_all();
    }
    template <class Condition>
    void wait(Condition condition) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, condition);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Batch> batches_;
    std::optional<base::Failure> failure_;
    std::size_t largest_ = 0;
    bool held_ = false;
    bool busy_ = false;
    bool reserve_ = false;
    bool room_ = true;
    bool fails_to_tidy_ = false;
    int entered_ = 0;
    int tried_ = 0;
    int tidied_ = 0;
    int asked_for_room_ = 0;
};

inline Group named(std::string name, std::size_t bytes = 0) {
    return {AppendEvent{{std::move(name), 1, std::string(bytes, 'x')}}};
}

/// What completions said, in the order in which they said it.
class Log {
public:
    Completion expect(std::string name) {
        return [this, name](base::Result<GroupOutcome> outcome) {
            const std::lock_guard lock(mutex_);
            lines_.push_back(name + (outcome                                                      ? " committed"
                                     : outcome.error().code == base::FailureCode::store_full      ? " full"
                                     : outcome.error().code == base::FailureCode::outcome_unknown ? " unknown"
                                                                                                  : " unavailable"));
            changed_.notify_all();
        };
    }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return lines_.size() >= count; });
    }
    /// False when `patience` was not enough: for what a defect would keep waiting for ever.
    bool wait_for(std::size_t count, std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return lines_.size() >= count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

class CommitQueueTest : public ::testing::Test {
protected:
    using Lines = std::vector<std::string>;
    const std::shared_ptr<ScriptedStore> store_ = std::make_shared<ScriptedStore>();
    Log log_;
    base::Limits limits_;

    /// With a grace so long that our own thread takes no lazy group while the test looks.
    CommitQueueTest() { limits_.lazy_grace = std::chrono::minutes(10); }

    std::unique_ptr<CommitQueue> open() { return std::make_unique<CommitQueue>(store_, limits_); }
    Ticket submit(CommitQueue& queue, const std::string& name, Urgency urgency, WhenFull when_full = WhenFull::fail) {
        return queue.submit(named(name), urgency, when_full, log_.expect(name));
    }
};

}  // namespace durable_mcp::store
