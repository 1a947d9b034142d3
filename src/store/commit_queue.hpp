// SPDX-License-Identifier: Apache-2.0
#pragma once

// Group commit by leader and followers. Whoever waits and finds the one writing connection free leads: it commits everything that queued
// up during the last commit as one batch, and wakes those whose groups were in it. The fsync is the clock: nobody is delayed on purpose.
// A thread of our own leads only when nobody waits (groups that the engine submitted, or records that their handler does not wait for
// yet; the latter may stay `lazy_grace` for the sake of the group that usually follows them).
//
// Groups are committed in the order of submission, so "ticket n is durable" says that all before it are. The one exception is a disk that
// is full: groups that are owed nothing yet fail at once, past those that are kept.
//
// A thread that will wait for its group at once submits it `lazy`: its wait() leads, and our own thread is not woken for nothing.

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

namespace durable_mcp::store {

/// Position in the order of commits; 0 is "nothing", and always durable.
using Ticket = std::uint64_t;

enum class Urgency : std::uint8_t {
    soon,  ///< commit as soon as the connection is free
    lazy,  ///< nobody waits for it yet; at most `lazy_grace` later
};

/// What a disk that is full means for a group.
enum class WhenFull : std::uint8_t {
    fail,  ///< nothing is owed for it yet: fail with `store_full`, the peer gets a 503
    keep,  ///< it records what has already happened: keep it and try again until there is room
};

/// Called exactly once per group, in ticket order, on the thread that led the commit. Must not block and must not submit-and-wait.
/// Fails with `store_full`, `store_unavailable` or `outcome_unknown`.
using Completion = std::function<void(base::Result<GroupOutcome>)>;

enum class StoreHealth : std::uint8_t { good, full, poisoned };

class CommitQueue {
public:
    CommitQueue(std::shared_ptr<Store> store, const base::Limits& limits);
    /// Commits what is queued (unless poisoned or full), then ends its thread. A completion may own the queue: when that is the last owner, its
    /// thread ends by itself.
    ~CommitQueue();
    CommitQueue(const CommitQueue&) = delete;
    CommitQueue& operator=(const CommitQueue&) = delete;

    /// Queues `group`. Any thread, under any lock; never blocks. Whoever can wait calls wait_for_room() first, holding no lock; who cannot
    /// asks is_congested() and says no (the engine answers 503).
    Ticket submit(Group group, Urgency urgency, WhenFull when_full, Completion completion = {});

    /// Blocks while `queued_bytes` is reached: at most one group per thread goes beyond it. Handler threads only.
    void wait_for_room();

    /// Returns when the group of `ticket` and all before it have been settled and their completions called; where it failed with
    /// `store_full` or `store_unavailable`, groups that are kept may still be in front of it. Leads if need be. Handler threads only.
    void wait(Ticket ticket);

    [[nodiscard]] bool is_congested() const;
    /// `full` from a commit that certainly did not happen (no space, or the database busy) until one succeeds, or, where nothing is kept,
    /// until the store says that there is room; while kept groups live on the store's reserve it stays `full`. `poisoned` for good.
    [[nodiscard]] StoreHealth health() const;
    /// Called on each change of health(), on whichever thread found it (the failure says why; meaningless for `good`). Set once, before the
    /// first submit.
    void on_health_change(std::function<void(StoreHealth, const base::Failure&)> listener);
    /// Called with each group that is durable and wrote to a map, on the committing thread, before the group's own completion. Must not block.
    /// Set once, before the first submit.
    void on_map_change(std::function<void(const Group&)> listener);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;  // shared with the queue's own thread
};

}  // namespace durable_mcp::store
