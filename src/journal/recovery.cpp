// SPDX-License-Identifier: Apache-2.0
#include "journal/recovery.hpp"

namespace durable_mcp::journal {

bool is_whole(const std::vector<Entry>& entries) {
    std::uint64_t seq = 0;
    for (const Entry& entry : entries) {
        if (entry.seq != ++seq || entry.kind < EntryKind::step_completed || entry.kind > EntryKind::question_asked) {
            return false;
        }
    }
    return true;
}

AttemptCount begin_attempt(AttemptCount before, bool was_suspended, std::uint64_t entries_now) {
    AttemptCount now = before;
    ++now.attempts;
    if (entries_now > before.crash_mark) {
        now.crashed_attempts = was_suspended ? 0 : 1;
    } else if (!was_suspended) {
        ++now.crashed_attempts;
    }
    now.crash_mark = entries_now;
    return now;
}

bool is_to_be_quarantined(const AttemptCount& count, std::uint32_t limit) { return count.crashed_attempts >= limit; }

}  // namespace durable_mcp::journal
