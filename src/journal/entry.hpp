// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace durable_mcp::journal {

/// What an entry says. The numbers are on disk (FORMAT.md): never reuse one.
enum class EntryKind : std::uint8_t {
    step_completed = 1,   ///< at_least_once returned; payload is the value
    once_started = 2,     ///< at_most_once is about to run its body
    once_completed = 3,   ///< at_most_once returned; payload is the value
    once_failed = 4,      ///< at_most_once threw; payload is a Fault
    once_interrupted = 5, ///< a later attempt found `once_started` and nothing after it
    once_reset = 6,       ///< at_most_once threw a retryable exception: as if it had not started
    transacted = 7,       ///< a transaction was applied in the same batch; payload is its value
    map_written = 8,      ///< one map mutation was applied in the same batch; payload is empty
    map_read = 9,         ///< one map read; payload is what it found
    step_failed = 10,     ///< at_least_once gave up, or a map step could not be recorded; payload is a Fault
    transaction_failed = 11,  ///< the transaction's function threw; nothing was applied; payload is a Fault
    event_sent = 12,      ///< an event on a stream other than the call's own was appended in the same batch; payload is empty
    event_inside = 13,    ///< an event of the call's own stream, appended in the same batch, came from inside the callable of step `key`;
                          ///< payload is the event's content hash in hexadecimal
    question_asked = 14,  ///< a question was put to the client, with its event (where the call's stream keeps events) in the same batch; payload
                          ///< is the question. Its answer is an arrival, not an entry: it comes when nobody may be running the call
    sleep_begun = 15,     ///< the call sleeps; payload says until when: {"until":wall_ms,"for":ms}, the latter where it was asked for a span
    sleep_over = 16,      ///< it has slept; payload is empty
    signal_awaited = 17,  ///< the call waits for a signal; payload is {"name":…,"until":wall_ms}, the latter where there is a deadline. The signal
                          ///< itself is an arrival
    signal_taken = 18,    ///< what the wait came to: payload is {"value":…}, or {"expired":true}
    until_begun = 19,     ///< the call waits for a condition; payload is {"until":wall_ms}, or {} without a deadline
    until_held = 20,      ///< the condition held: payload is {"value":…}, or {"expired":true}
    loop_carried = 21,    ///< an iteration of a loop has ended and hands over to the next: payload is {"events":n,"round":…,"carry":text,"seen":{…}},
                          ///< with "until" and "for" where there is an interval; n is the last event of the call's stream by then. The entries
                          ///< of the iteration are deleted in the same batch
    loop_done = 22,       ///< the loop has ended, likewise; payload is {"events":n,"value":…}
};

inline constexpr EntryKind newest_entry_kind = EntryKind::loop_done;

/// One record of a call's journal. `seq` counts from 1 without a gap.
struct Entry {
    std::uint64_t seq = 0;
    EntryKind kind = EntryKind::step_completed;
    std::string key;      ///< name space (one letter and a colon) and alias: what a user names is "s:…", so that no alias reaches our own
    std::string type;     ///< type tag of the value, "" where there is none
    std::string payload;  ///< JSON text
};

}  // namespace durable_mcp::journal
