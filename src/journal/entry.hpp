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
    value_drawn = 25,     ///< now, random, uuid: drawn once for all attempts; payload is the value
    step_retried = 26,    ///< at_least_once threw and is to be tried again; payload is a Retry
    put_off = 27,         ///< the handler wants to be run again later; payload says when. Over once another entry follows
};

/// One record of a call's journal. `seq` counts from 1 without a gap.
struct Entry {
    std::uint64_t seq = 0;
    EntryKind kind = EntryKind::step_completed;
    std::string key;      ///< name space (one letter and a colon) and alias: what a user names is "s:…", so that no alias reaches our own
    std::string type;     ///< type tag of the value, "" where there is none
    std::string payload;  ///< JSON text
};

}  // namespace durable_mcp::journal
