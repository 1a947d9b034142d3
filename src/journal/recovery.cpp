// SPDX-License-Identifier: Apache-2.0
#include "journal/recovery.hpp"

#include <algorithm>

namespace durable_mcp::journal {

bool is_whole(const std::vector<Entry>& entries) {
    const auto is_of_loop = [](const Entry& entry) { return entry.kind == EntryKind::loop_carried || entry.kind == EntryKind::loop_done; };
    const auto loop = std::find_if(entries.rbegin(), entries.rend(), is_of_loop);
    const std::uint64_t forgotten = loop == entries.rend() ? 0 : loop->seq;
    std::uint64_t seq = 0;
    for (const Entry& entry : entries) {
        const bool follows = entry.seq == seq + 1 || (entry.seq > seq && entry.seq <= forgotten);
        if (!follows || entry.kind < EntryKind::step_completed || entry.kind > newest_entry_kind ||
            (is_of_loop(entry) && !entry.payload.starts_with(R"({"events":)"))) {
            return false;
        }
        seq = entry.seq;
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
