// SPDX-License-Identifier: Apache-2.0
#include "store/commit_queue.hpp"

// How it works. `pending` holds every group that is not settled, in the order of tickets. At any time at most one thread leads: it claims
// groups, commits them without the mutex, calls their completions, takes them out of `pending`, and gives leadership up. A ticket is
// therefore settled exactly when it is no longer in `pending`.
//
// Giving up leadership wakes the followers whose groups are settled and, if there is more to do, ONE follower that may lead next. It does
// not hand leadership to that one: whichever thread runs first takes it, because a thread that runs already is a scheduler tick ahead of
// one that must be woken, and all that is queued is committed in order anyway, whoever does it. A candidate that comes too late waits
// again.
//
// Our own thread leads what nobody waits for. Between submissions that come close together it sleeps for `lazy_grace` at a time, so that a
// submitter finds it in a sleep that ends early enough and need not wake it; after `idle_after` without any it tidies the store and sleeps
// until it is woken.
//
// When the disk is full the queue goes from `good` to `blocked`: groups that may fail do so at once, kept ones are tried again every
// `try_again_after`. If the store had a reserve and released it, kept groups get through (`on_reserve`), and the rest goes on failing until
// the reserve is back. `poisoned` is final.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "store/gate.hpp"
#include "store/group_weight.hpp"

namespace durable_mcp::store {
namespace {

using Steady = std::chrono::steady_clock;
using base::Failure;
using base::FailureCode;

constexpr auto try_again_after = std::chrono::milliseconds(250);  // a human does not notice, and a full disk is not hammered
constexpr auto idle_after = std::chrono::milliseconds(100);  // longer than the pauses of a busy server, short enough to checkpoint often

enum class Mode : std::uint8_t { good, blocked, on_reserve, poisoned };

struct Pending {
    Ticket ticket;
    Group group;
    std::size_t bytes;
    Urgency urgency;
    WhenFull when_full;
    Completion completion;
    Steady::time_point due;
    bool claimed = false;
    bool settled = false;
};

struct Waiter {
    Ticket ticket;
    Gate* gate;
    bool settled = false;
};

Failure unavailable_after(const Failure& poison) {
    return {FailureCode::store_unavailable,
            "The store does not take anything any more, because an earlier commit ended in the unknown; nothing of this was written. " +
                poison.sentence};
}

}  // namespace

struct CommitQueue::Impl {
    Impl(std::shared_ptr<Store> the_store, const base::Limits& the_limits) : store(std::move(the_store)), limits(the_limits) {}

    const std::shared_ptr<Store> store;
    const base::Limits limits;
    std::function<void(StoreHealth, const Failure&)> listener;
    std::function<void(const Group&)> map_listener;
    std::atomic<StoreHealth> health{StoreHealth::good};
    std::atomic<std::size_t> bytes{0};  // of `pending`; changed under the mutex

    // Guarded by the mutex.
    std::mutex mutex;
    std::deque<Pending> pending;  // only the leader takes out; so its pointers into it stay good while others push at the back
    std::size_t unclaimed = 0;
    std::size_t unclaimed_soon = 0;
    std::size_t unclaimed_fail = 0;
    Ticket next_ticket = 1;
    std::vector<Waiter*> waiters;
    bool leading = false;
    std::thread::id leader;
    Mode mode = Mode::good;
    Failure trouble{FailureCode::store_unavailable, {}};  // why the mode is not good
    Steady::time_point next_try{};
    bool reserve_is_out = false;
    std::size_t probe_groups = 1;  // a batch that did not fit is tried again by halves
    Steady::time_point last_submit = Steady::now();
    bool untidy = false;
    bool stopping = false;
    std::condition_variable room;
    std::size_t blocked_submitters = 0;

    enum class Sleep : std::uint8_t { awake, timed, deep } own_sleep = Sleep::awake;
    Gate own_gate;
    std::thread own_thread;

    // The leader's alone.
    std::vector<Pending*> claimed;
    std::vector<const Group*> batch;
    std::vector<Pending> graveyard;
    std::vector<Gate*> to_wake;

    using Lock = std::unique_lock<std::mutex>;

    // ── What there is to do ────────────────────────────────────────────────────────────────────────────────────────────────

    [[nodiscard]] bool is_settled(Ticket ticket) const {
        if (pending.empty() || ticket < pending.front().ticket) {
            return true;
        }
        const auto found =
            std::lower_bound(pending.begin(), pending.end(), ticket, [](const Pending& p, Ticket t) { return p.ticket < t; });
        return found == pending.end() || found->ticket != ticket;
    }

    /// True when a leader could do something at this moment.
    [[nodiscard]] bool has_work() const {
        switch (mode) {
            case Mode::good:
            case Mode::poisoned:
                return unclaimed > 0;
            case Mode::blocked:
                return unclaimed_fail > 0 || (unclaimed > 0 && (stopping || Steady::now() >= next_try));
            case Mode::on_reserve:
                return unclaimed > 0;
        }
        return false;
    }

    /// True when our own thread should do it, even though nobody waits.
    [[nodiscard]] bool is_due(Steady::time_point now) const {
        switch (mode) {
            case Mode::good:
                return unclaimed > 0 && (unclaimed_soon > 0 || blocked_submitters > 0 || stopping || first_unclaimed().due <= now);
            case Mode::blocked:
            case Mode::on_reserve:
                return has_work() || now >= next_try;
            case Mode::poisoned:
                return unclaimed > 0;
        }
        return false;
    }

    [[nodiscard]] const Pending& first_unclaimed() const {
        return pending[pending.size() - unclaimed];
    }  // in good mode a prefix is claimed

    // ── Leading ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// One act of the leader: a batch, or the failing of what cannot be tried, or a look whether there is room again.
    void lead(Lock& lock) {
        leading = true;
        leader = std::this_thread::get_id();
        claimed.clear();
        switch (mode) {
            case Mode::good:
                claim(limits.batch_groups, [](const Pending&) { return true; });
                commit_claimed(lock);
                break;
            case Mode::poisoned:
                claim(pending.size(), [](const Pending&) { return true; });
                settle_claimed(lock, unavailable_after(trouble));
                break;
            case Mode::blocked:
            case Mode::on_reserve:
                lead_without_room(lock);
                break;
        }
        finish(lock);
    }

    void lead_without_room(Lock& lock) {
        const bool kept = unclaimed > unclaimed_fail;
        const bool time_to_try = stopping || Steady::now() >= next_try;
        if (kept && (mode == Mode::on_reserve || time_to_try)) {
            claim(mode == Mode::on_reserve ? limits.batch_groups : probe_groups,
                  [](const Pending& p) { return p.when_full == WhenFull::keep; });
            commit_claimed(lock);
            return;
        }
        if (!time_to_try || (stopping && mode == Mode::on_reserve)) {  // at its end nobody waits for room
            claim(pending.size(), [](const Pending& p) { return p.when_full == WhenFull::fail; });
            settle_claimed(lock, trouble);
            return;
        }
        if (mode == Mode::blocked && unclaimed > 0) {  // only groups that may fail: let some of them find out
            claim(probe_groups, [](const Pending&) { return true; });
            commit_claimed(lock);
            return;
        }
        next_try = Steady::now() + try_again_after;
        lock.unlock();
        const bool restored = store->restore_reserve();
        lock.lock();
        if (restored) {
            reserve_is_out = false;
            become(lock, Mode::good);
        }
    }

    template <class Which>
    void claim(std::size_t most, Which which) {
        std::size_t weight = 0;
        for (Pending& item : pending) {
            if (claimed.size() == most || (!claimed.empty() && weight + item.bytes > limits.batch_bytes)) {
                return;
            }
            if (which(item)) {
                item.claimed = true;
                weight += item.bytes;
                count(item, false);
                claimed.push_back(&item);
            }
        }
    }

    /// Enters or takes out `item` from the counts of what nobody has claimed.
    void count(const Pending& item, bool in) {
        const auto step = [in](std::size_t& counter, bool applies) {
            if (applies) {
                in ? ++counter : --counter;
            }
        };
        step(unclaimed, true);
        step(unclaimed_soon, item.urgency == Urgency::soon);
        step(unclaimed_fail, item.when_full == WhenFull::fail);
    }

    void commit_claimed(Lock& lock) {
        if (claimed.empty()) {
            return;
        }
        lock.unlock();
        batch.clear();
        for (const Pending* item : claimed) {
            batch.push_back(&item->group);
        }
        const bool lied = DURABLE_MCP_PLANTED_BUG("ack_before_commit");
        if (lied) {
            for (Pending* item : claimed) {
                complete(*item, GroupOutcome::committed);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));  // a slow disk: time enough for the lie to be heard
        }
        DURABLE_MCP_CRASH_POINT("commit.before");
        const BatchOutcome outcome = commit_batch();
        DURABLE_MCP_CRASH_POINT("commit.after");
        if (outcome.has_value()) {
            DURABLE_MCP_ASSERT(outcome->size() == claimed.size());
            lock.lock();
            untidy = true;
            if (mode ==
                Mode::blocked) {  // told before the completions, as a failure is: who hears "committed" finds the health that goes with it
                become(lock, reserve_is_out ? Mode::on_reserve : Mode::good);
            }
            lock.unlock();
            for (std::size_t i = 0; i < claimed.size(); ++i) {
                if (map_listener && (*outcome)[i] == GroupOutcome::committed && writes_to_a_map(claimed[i]->group)) {
                    map_listener(claimed[i]->group);
                }
                if (!lied) {
                    complete(*claimed[i], (*outcome)[i]);
                }
                claimed[i]->settled = true;
            }
            lock.lock();
            return;
        }
        lock.lock();
        stay_or_fail(lock, outcome.error());
    }

    BatchOutcome commit_batch() {
        try {
            return store->commit(batch);
        } catch (
            const std::exception& thrown) {  // out of memory, most likely: where it was thrown is not known, so the outcome is not either
            return Failure{FailureCode::outcome_unknown, std::string("The store threw during a commit: ") + thrown.what()};
        }
    }

    /// After a commit that failed: kept groups go back to where they stood, the others fail; or everything does.
    void stay_or_fail(Lock& lock, const Failure& failure) {
        trouble = failure;
        if (failure.code != FailureCode::store_full && failure.code != FailureCode::store_unavailable) {
            become(lock, Mode::poisoned);
            settle_claimed(lock, failure);
            return;
        }
        probe_groups = std::max<std::size_t>(1, claimed.size() / 2);
        next_try = Steady::now() + try_again_after;
        std::vector<Pending*> failing;
        bool kept = false;
        for (Pending* item : claimed) {
            if (item->when_full == WhenFull::keep && !stopping) {
                item->claimed = false;
                count(*item, true);
                kept = true;
            } else {
                failing.push_back(item);
            }
        }
        claimed.swap(failing);
        if (mode != Mode::blocked) {
            become(lock, Mode::blocked);
        }
        if (kept && failure.code == FailureCode::store_full && !reserve_is_out) {
            lock.unlock();
            const bool released = store->release_reserve();
            lock.lock();
            if (released) {
                reserve_is_out = true;
                next_try = Steady::now();
            }
        }
        settle_claimed(lock, failure);
    }

    /// Completes what is claimed with `failure`.
    void settle_claimed(Lock& lock, const Failure& failure) {
        if (claimed.empty()) {
            return;
        }
        const Failure reason = failure;
        lock.unlock();
        for (Pending* item : claimed) {
            complete(*item, reason);
            item->settled = true;
        }
        lock.lock();
    }

    static void complete(Pending& item, base::Result<GroupOutcome> outcome) noexcept {  // one that throws leaves nothing to go on with
        if (item.completion) {
            item.completion(std::move(outcome));
        }
    }

    void become(Lock& lock, Mode next) {
        mode = next;
        const StoreHealth seen = next == Mode::good       ? StoreHealth::good
                                 : next == Mode::poisoned ? StoreHealth::poisoned
                                                          : StoreHealth::full;
        if (health.exchange(seen) != seen && listener) {
            const Failure why = trouble;
            lock.unlock();
            listener(seen, why);
            lock.lock();
        }
    }

    /// Takes out what is settled, gives leadership up, and wakes whom it concerns.
    void finish(Lock& lock) {
        std::size_t freed = 0;
        std::size_t left =
            static_cast<std::size_t>(std::count_if(claimed.begin(), claimed.end(), [](const Pending* p) { return p->settled; }));
        for (; left > 0 && pending.front().settled; --left) {
            freed += pending.front().bytes;
            graveyard.push_back(std::move(pending.front()));
            pending.pop_front();
        }
        if (left > 0) {
            std::erase_if(pending, [&](Pending& item) {
                freed += item.settled ? item.bytes : 0;
                return item.settled;
            });
        }
        bytes.fetch_sub(freed, std::memory_order_relaxed);
        std::vector<Pending> dead;
        dead.swap(graveyard);  // the next leader fills its own while we destroy this one
        std::vector<Gate*> gates;
        gates.swap(to_wake);
        give_up_leadership(gates);
        if (blocked_submitters > 0 && (mode != Mode::good || bytes.load(std::memory_order_relaxed) < limits.queued_bytes)) {
            room.notify_all();
        }
        lock.unlock();
        for (Gate* gate : gates) {
            gate->open();
        }
        dead.clear();
        gates.clear();
        lock.lock();
        if (graveyard.capacity() < dead.capacity() && !leading) {
            graveyard.swap(dead);
            to_wake.swap(gates);
        }
    }

    void give_up_leadership(std::vector<Gate*>& gates) {
        leading = false;
        leader = {};
        const bool more = has_work();
        Waiter* candidate = nullptr;
        std::erase_if(waiters, [&](Waiter* waiter) {
            if (!is_settled(waiter->ticket)) {
                return false;
            }
            waiter->settled = true;
            gates.push_back(waiter->gate);
            return true;
        });
        if (more && !waiters.empty()) {
            candidate = waiters.back();  // the one that came last: its caches are the warmest
            waiters.pop_back();
            gates.insert(gates.begin(), candidate->gate);
        }
        if (candidate == nullptr && own_sleep != Sleep::awake && (own_sleep == Sleep::deep || is_due(Steady::now()))) {
            if (unclaimed > 0 || stopping || mode == Mode::blocked || mode == Mode::on_reserve) {
                wake_own(gates);
            }
        }
    }

    void wake_own(std::vector<Gate*>& gates) {
        own_sleep = Sleep::awake;
        gates.push_back(&own_gate);
    }

    // ── Our own thread ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void run() {
        Lock lock(mutex);
        while (!(stopping && pending.empty() && !leading)) {
            const auto now = Steady::now();
            if (!leading && is_due(now)) {
                lead(lock);
                continue;
            }
            if (!leading && untidy && mode == Mode::good && pending.empty() && now - last_submit >= idle_after) {
                tidy(lock);
                continue;
            }
            sleep(lock, now);
        }
    }

    void tidy(Lock& lock) {
        leading = true;
        leader = std::this_thread::get_id();
        untidy = false;
        claimed.clear();
        lock.unlock();
        const auto failure = store->tidy();
        lock.lock();
        if (failure) {  // nobody may have to try a commit to hear of it
            trouble = *failure;
            become(lock, Mode::poisoned);
        }
        finish(lock);
    }

    void sleep(Lock& lock, Steady::time_point now) {
        auto until = Steady::time_point::max();  // for whoever leads wakes us when there is something left
        if (!leading && (mode == Mode::blocked || mode == Mode::on_reserve)) {
            until = next_try;
        } else if (mode == Mode::good && unclaimed > 0 && first_unclaimed().due > now) {
            until = std::min(first_unclaimed().due, now + idle_after);  // somebody else may commit it, and then we tidy
        } else if (unclaimed == 0 && mode == Mode::good && (untidy || now - last_submit < idle_after)) {
            until = now + std::min<Steady::duration>(limits.lazy_grace, idle_after);
        }
        own_gate.close();
        own_sleep = until == Steady::time_point::max() ? Sleep::deep : Sleep::timed;
        lock.unlock();
        if (until == Steady::time_point::max()) {
            own_gate.wait();
        } else {
            own_gate.wait_until(until);
        }
        lock.lock();
        own_sleep = Sleep::awake;
    }
};

// ── The door ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

CommitQueue::CommitQueue(std::shared_ptr<Store> store, const base::Limits& limits)
    : impl_(std::make_shared<Impl>(std::move(store), limits)) {
    impl_->own_thread = std::thread([impl = impl_] { impl->run(); });
}

CommitQueue::~CommitQueue() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->own_gate.open();
    if (impl_->own_thread.get_id() == std::this_thread::get_id()) {
        impl_->own_thread.detach();  // it destroys a completion that owned us, and cannot wait for itself; it keeps what it stands on
    } else {
        impl_->own_thread.join();
    }
}

Ticket CommitQueue::submit(Group group, Urgency urgency, WhenFull when_full, Completion completion) {
    Impl& impl = *impl_;
    const std::size_t weight = sizeof(Pending) + weigh(group);
    const auto now = Steady::now();
    bool wake = false;
    Ticket ticket = 0;
    {
        Impl::Lock lock(impl.mutex);
        ticket = impl.next_ticket++;
        impl.bytes.fetch_add(weight, std::memory_order_relaxed);
        const auto due = urgency == Urgency::soon ? now : now + impl.limits.lazy_grace;
        impl.pending.push_back({ticket, std::move(group), weight, urgency, when_full, std::move(completion), due});
        impl.count(impl.pending.back(), true);
        impl.last_submit = now;
        if (!impl.leading) {
            wake = impl.own_sleep == Impl::Sleep::deep ||
                   (impl.own_sleep == Impl::Sleep::timed && (urgency == Urgency::soon || impl.mode != Mode::good));
            if (wake) {
                impl.own_sleep = Impl::Sleep::awake;
            }
        }
    }
    if (wake) {
        impl.own_gate.open();
    }
    return ticket;
}

void CommitQueue::wait_for_room() {
    Impl& impl = *impl_;
    if (impl.bytes.load(std::memory_order_relaxed) < impl.limits.queued_bytes) {
        return;
    }
    Impl::Lock lock(impl.mutex);
    const auto has_room = [&] {
        return impl.bytes.load(std::memory_order_relaxed) < impl.limits.queued_bytes || impl.mode == Mode::poisoned;
    };
    if (has_room()) {
        return;
    }
    ++impl.blocked_submitters;
    if (!impl.leading && impl.own_sleep != Impl::Sleep::awake) {
        impl.own_sleep = Impl::Sleep::awake;
        impl.own_gate.open();
    }
    impl.room.wait(lock, has_room);
    --impl.blocked_submitters;
}

void CommitQueue::wait(Ticket ticket) {
    thread_local Gate gate;
    const std::shared_ptr<Impl> kept = impl_;  // a completion that this thread destroys may be the last owner of the queue
    Impl& impl = *kept;
    Impl::Lock lock(impl.mutex);
    DURABLE_MCP_ASSERT(ticket < impl.next_ticket);
    while (!impl.is_settled(ticket)) {
        if (!impl.leading && impl.has_work()) {
            impl.lead(lock);
            continue;
        }
        Waiter waiter{ticket, &gate};
        gate.close();
        impl.waiters.push_back(&waiter);
        lock.unlock();
        gate.wait();
        if (waiter.settled) {
            return;
        }
        lock.lock();
    }
}

bool CommitQueue::is_congested() const {
    return impl_->bytes.load(std::memory_order_relaxed) >= impl_->limits.queued_bytes;
}

StoreHealth CommitQueue::health() const {
    return impl_->health.load();
}

void CommitQueue::on_health_change(std::function<void(StoreHealth, const Failure&)> listener) {
    const std::lock_guard lock(impl_->mutex);
    impl_->listener = std::move(listener);
}

void CommitQueue::on_map_change(std::function<void(const Group&)> listener) {
    const std::lock_guard lock(impl_->mutex);
    impl_->map_listener = std::move(listener);
}

}  // namespace durable_mcp::store
