// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace durable_mcp::base {

using namespace std::chrono_literals;

/// What the maps of one scope may take, and how long.
struct ScopeLimits {
    std::uint64_t rows = 0;                          ///< 0: as many as the disk takes
    std::uint64_t bytes = 0;                         ///< keys and values; 0: as many as the disk takes
    std::chrono::milliseconds ttl{0};                ///< a row is gone so long after it was last written; 0: it stays
};

/// Every bound of the house in one table: its default and its reason. Each has a test that reaches it.
/// The embedder changes some of them through durable_mcp::Limits; the rest are ours.
struct Limits {
    // One HTTP message.
    std::size_t body_bytes = 4u << 20;               ///< what the official SDKs accept; a larger argument belongs in a resource
    std::size_t input_bytes = 64u << 20;             ///< bodies of all connections together that are being read or wait to be parsed
    std::size_t header_bytes = 16u << 10;            ///< head and chunk framing together: chunk extensions count too
    std::size_t header_fields = 100;                 ///< real clients send about fifteen
    std::size_t header_line_bytes = 8u << 10;        ///< a bearer token with many claims fits
    std::size_t target_bytes = 8u << 10;             ///< RFC 9110 §4.1 recommends at least 8000
    std::chrono::milliseconds header_timeout = 10s;  ///< a slow-header attack holds a connection this long
    std::chrono::milliseconds body_timeout = 30s;    ///< 4 MiB in 30 s is slower than any real uplink
    std::chrono::milliseconds idle_timeout = 75s;    ///< above the 60 s of common proxies, so that they close first

    // Connections and streams.
    std::size_t connections = 20'000;                ///< about 200 MiB when all of them hold a stream
    std::size_t connections_per_peer = 1'000;        ///< not applied to loopback, where all peers are one
    std::size_t stream_buffer_bytes = 256u << 10;    ///< a reader this far behind is cut off; the log replays what it missed
    std::chrono::milliseconds write_stall = 30s;     ///< a socket that took no byte for so long has nobody behind it
    std::chrono::milliseconds keep_alive_comment = 15s;  ///< below the 30 s idle limit of common load balancers

    // One JSON document.
    std::size_t json_depth = 64;                     ///< nlohmann recurses in dump() and on destruction
    std::size_t json_nodes = 100'000;                ///< 4 MiB of `{},` would cost 103 MiB of memory
    std::size_t request_id_bytes = 1'024;            ///< an id becomes part of keys and streams; real ones have under 40
    std::size_t uri_bytes = 8u << 10;                ///< a resource's URI, a URI template: as long as an HTTP target
    std::size_t handshake_bytes = 16u << 10;         ///< capabilities and clientInfo each: every session keeps them
    std::size_t batch_messages = 32;                 ///< a 2025-03-26 batch; no known client sends more than a handful

    // One JSON Schema. Its author is the embedder; what is checked with it comes from a peer.
    std::size_t schema_depth = 32;                   ///< subschemas inside of each other; we recurse when compiling
    std::size_t schema_subschemas = 2'000;           ///< the largest that generators make for real APIs have some hundreds
    std::size_t schema_steps = 1'000'000;            ///< one check of one value; about 15 ms. An honest one takes a few per value
    std::size_t schema_frames = 1'000;               ///< schemas entered and not left; about 1 MiB of stack when all are
    std::size_t pattern_bytes = 4u << 10;            ///< a regular expression that nobody can read any more
    std::size_t pattern_memory = 8u << 20;           ///< RE2's own default for program and states; [\p{L} ]{1,255} takes some of it

    // Sessions and calls.
    std::size_t sessions = 100'000;                  ///< rows, and about 1 KiB of memory each
    std::size_t sessions_per_principal = 1'000;      ///< not applied to the anonymous principal of a loopback server
    std::chrono::milliseconds session_idle = 7 * 24h;    ///< an agent that returns after a holiday begins anew
    std::size_t running_calls = 1'024;               ///< more wait in front of 64 threads for longer than a client waits
    std::size_t running_calls_per_session = 64;
    std::chrono::milliseconds decide_after = 50ms;   ///< a call this old is accepted durably and its response becomes a stream
    std::chrono::milliseconds retry_after = 5s;      ///< `retry:`; SDK clients try twice, so half of the worst restart
    std::chrono::milliseconds boot_hold = 10s;       ///< what arrives while we recover is held this long, then answered 503
    std::chrono::milliseconds short_wait = 50ms;     ///< a handler holds its thread so long for an answer before it is put down
    std::chrono::milliseconds inline_wait = 25s;     ///< a stateless client is kept so long; below half of the 60 s after which SDKs give up
    std::chrono::milliseconds reask_after = 60s;     ///< a question behind which a stream was resumed is put once more after so long
    std::chrono::milliseconds state_lifetime = 10min;    ///< a requestState: as long as a person may take over a question
    std::chrono::milliseconds secret_lifetime = 24h;     ///< the key that seals states is followed by a new one after so long
    std::chrono::milliseconds key_retention = 24h;   ///< a finished call's answer under its idempotency key
    std::chrono::milliseconds task_ttl = 7 * 24h;
    std::chrono::milliseconds poll_interval = 2s;    ///< what clients of tasks are told
    std::size_t tasks_per_principal = 1'000;         ///< open ones; more are refused
    std::size_t subscriptions_per_session = 1'000;   ///< URIs of resources/subscribe: a session's row holds them
    std::size_t listeners = 1'024;                   ///< subscriptions/listen streams
    std::size_t listened_names = 1'000;              ///< URIs, or tasks, of one such stream: each is looked up when it begins
    std::size_t tasks_page = 100;                    ///< of tasks/list
    std::size_t idempotency_key_bytes = 1'024;
    std::size_t recovery_concurrency = 64;           ///< unfinished calls that run again at the same time after a boot
    std::uint32_t crashed_attempts = 20;             ///< attempts without a new entry that ended with the process, before quarantine

    // What one call may keep.
    std::size_t step_value_bytes = 16u << 20;
    std::size_t result_bytes = 16u << 20;
    std::size_t event_bytes = 16u << 20;
    std::size_t events_per_stream = 10'000;
    std::size_t event_bytes_per_stream = 64u << 20;
    std::size_t entries_per_call = 100'000;
    std::size_t alias_bytes = 1'024;
    std::size_t map_key_bytes = 4'096;
    std::size_t range_rows = 10'000;                 ///< rows that one range() returns at most
    std::uint32_t transaction_tries = 64;            ///< a transaction that loses so often is told so

    // State, by whose it is. What goes away by itself may be small; what stays is bounded against clients, not against the embedder.
    ScopeLimits server_maps = {};                    ///< the embedder's own data: bounding it is his business
    ScopeLimits user_maps = {100'000, 64u << 20};    ///< nothing removes them: a thousand users fill a small disk, and no more
    ScopeLimits session_maps = {10'000, 16u << 20};  ///< times `sessions_per_principal` this is 16 GiB: an agent's notes need a hundredth
    ScopeLimits call_maps = {10'000, 16u << 20};     ///< as much as one value of a step
    std::size_t swept_rows = 500;                    ///< expired rows that one commit drops: some milliseconds of the writer's time

    // One commit.
    std::size_t batch_groups = 1'024;
    std::size_t batch_bytes = 8u << 20;
    std::size_t queued_bytes = 256u << 20;           ///< what waits in front of the disk; beyond it submitters block
    std::chrono::microseconds lazy_grace = 1ms;      ///< a record that nobody waits for yet may wait so long for company

    std::size_t list_page = 1'000;                   ///< items on one page of tools/list and its kin
    std::size_t handler_threads = 64;                ///< handlers in front of one writer are what makes group commit
};

}  // namespace durable_mcp::base
