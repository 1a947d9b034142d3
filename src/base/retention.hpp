// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace durable_mcp::base {

/// What is forgotten, and when: durable_mcp::RetentionPolicy for the house. How long a session, a key and a task are kept stands in Limits.
struct Retention {
    std::chrono::milliseconds calls = std::chrono::hours(7 * 24);          ///< since it finished: who still has the session finds the answer
    std::chrono::milliseconds announcements = std::chrono::hours(7 * 24);  ///< events of a standalone stream: while its session may be idle
    std::size_t announcements_per_session = 1'000;         ///< equal ones wait only once for a client that is away
    std::size_t finished_calls = 1'000'000;                ///< without key or task; about 1 GiB of small ones
    std::uint64_t store_bytes = std::uint64_t{16} << 30;   ///< a share of a small server's disk
    std::chrono::milliseconds grace = std::chrono::minutes(10);    ///< whatever the amounts say: who lost a connection is back by then
    std::chrono::milliseconds interval = std::chrono::minutes(1);  ///< kept so much too long at most; a sweep that finds nothing is a few reads
    std::size_t rows_at_once = 512;                        ///< forgotten in one commit: a millisecond or two, like a batch of calls
};

}  // namespace durable_mcp::base
