// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace durable_mcp {

/// How long a server remembers, and how much. What is over is forgotten by a sweep after each start and at every `interval`, a little at a time: no
/// call waits for it longer than for one other commit, and a SQLite file gets smaller by it.
///
/// Never forgotten by any of this: a call that runs or waits; an answer whose idempotency key or task is kept; a session that has a call or a
/// reader; state (maps). What was forgotten gets a defined answer at once: 400 for an event id, 404 for a session, a JSON-RPC error for a task. A
/// key, or a request id, that is forgotten is a new one.
///
/// No member may be 0, and no time longer than a thousand years. An amount without a bound is `unlimited`.
struct RetentionPolicy {
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

    // By time.

    /// A session (revisions up to 2025-11-25) since its client was last heard of. A week: an agent that returns after a holiday begins anew.
    std::chrono::milliseconds sessions = std::chrono::hours(7 * 24);
    /// A finished call without key or task, since it finished: its answer, events, journal, and, of a cancelled one, that it was cancelled (so that
    /// the same request sent again does not run). A week, as sessions: whoever still has the session finds what it was answered.
    std::chrono::milliseconds calls = std::chrono::hours(7 * 24);
    /// A call with an idempotency key, since it was begun: so long the same key gets the same answer. A day: retries come within hours.
    std::chrono::milliseconds keys = std::chrono::hours(24);
    /// A task and its result, since it was made; `ToolOptions::task_ttl` goes before. A week: results of long work are fetched by people, too.
    std::chrono::milliseconds tasks = std::chrono::hours(7 * 24);
    /// What a session was told outside of calls (lists and resources that changed), for a client that comes back. A week, as sessions: while it may
    /// come back, it misses nothing.
    std::chrono::milliseconds announcements = std::chrono::hours(7 * 24);

    // By amount.

    /// Of such announcements per session; the oldest go first. 1,000: the same one waits only once for a client that is away.
    std::size_t announcements_per_session = 1'000;
    /// Finished calls without key or task; the oldest go first. A million: about 1 GiB of small ones.
    std::size_t finished_calls = 1'000'000;
    /// What is in the store, in bytes, not counting what it could give back to the disk. When it is more, finished calls without key or task go, the
    /// oldest first; when none is left that may go, the log says so. 16 GiB: a share of a small server's disk.
    std::uint64_t store_bytes = std::uint64_t{16} << 30;
    /// What finished so recently is kept whatever the two amounts above say. Ten minutes: a client whose connection broke is back by then.
    std::chrono::milliseconds grace = std::chrono::minutes(10);

    /// Between two sweeps. A minute: what is over is kept so much longer at most; a sweep that finds nothing costs a few reads.
    std::chrono::milliseconds interval = std::chrono::minutes(1);
};

}  // namespace durable_mcp
