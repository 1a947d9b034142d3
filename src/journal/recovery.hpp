// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which calls to run again after a boot, and when to stop trying: pure arithmetic over what is on disk.

#include <cstdint>
#include <vector>

#include "journal/entry.hpp"

namespace durable_mcp::journal {

/// Whether these are all entries of a journal, and none that this release does not know: numbered from 1 without a gap, but
/// for what loops have forgotten before the newest entry of one. A machine is made of nothing else. Checksums do not find a row that is gone.
[[nodiscard]] bool is_whole(const std::vector<Entry>& entries);

/// What is known of a call's earlier attempts, and stays on disk.
struct AttemptCount {
    std::uint32_t attempts = 1;          ///< executions so far, this one included once begin_attempt() has counted it
    std::uint32_t crashed_attempts = 0;  ///< deaths of its process in a row, with no new entry between them
    std::uint64_t crash_mark = 0;        ///< number of entries when crashed_attempts was last counted
};

/// Counts one more attempt (B22). `was_suspended`: the last one was put down on purpose, which is not held against the call. Any new entry
/// since the last count sets the crashed ones back.
[[nodiscard]] AttemptCount begin_attempt(AttemptCount before, bool was_suspended, std::uint64_t entries_now);

/// True when the call must not be run again.
[[nodiscard]] bool is_to_be_quarantined(const AttemptCount& count, std::uint32_t limit);

}  // namespace durable_mcp::journal
