// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "durable_mcp/content.hpp"
#include "durable_mcp/fwd.hpp"
#include "durable_mcp/log.hpp"
#include "durable_mcp/retention.hpp"
#include "durable_mcp/store.hpp"

namespace durable_mcp {

/// Bounds that an embedder may want to move. Everything else that can grow has a bound too (src/base/limits.hpp). None may be 0.
struct Limits {
    // One HTTP message and its connection.
    std::size_t body_bytes = std::size_t{4} << 20;                        ///< beyond it: 413. At most 24 MiB
    std::chrono::milliseconds header_timeout = std::chrono::seconds(10);
    std::chrono::milliseconds body_timeout = std::chrono::seconds(30);
    std::chrono::milliseconds idle_timeout = std::chrono::seconds(75);    ///< between two requests; above the 60 s of common proxies
    std::size_t connections = 20'000;
    std::size_t stream_buffer_bytes = std::size_t{256} << 10;             ///< a reader this far behind is cut off, and resumes from the log
    std::chrono::milliseconds keep_alive_comment = std::chrono::seconds(15);

    // Sessions and calls.
    std::size_t sessions = 100'000;
    std::size_t running_calls = 1'024;                                    ///< beyond it: 503 with Retry-After
    std::size_t running_calls_per_session = 64;
    std::chrono::milliseconds decide_after = std::chrono::milliseconds(50);  ///< a call this old is on disk and its response is a stream
    std::chrono::milliseconds retry_after = std::chrono::seconds(5);      ///< when a client whose stream ended is told to come back
    std::chrono::milliseconds boot_hold = std::chrono::seconds(10);       ///< what arrives while a start recovers waits so long; then 503
    std::size_t recovery_concurrency = 64;                                ///< unfinished calls that run again at once after a start
    std::uint32_t crashed_attempts = 20;                                  ///< a call whose attempts ended the process so often is given up
    std::chrono::milliseconds reask_after = std::chrono::seconds(60);     ///< unanswered so long behind a resumed stream, a question is put again, once
    std::chrono::milliseconds state_lifetime = std::chrono::minutes(10);  ///< a client of 2026-07-28 may come back so long: see QuestionOptions

    // What one call may keep. Of the bytes at most 24 MiB each.
    std::size_t step_value_bytes = std::size_t{16} << 20;
    std::size_t result_bytes = std::size_t{16} << 20;
    std::size_t events_per_stream = 10'000;
    std::size_t entries_per_call = 100'000;

    std::size_t list_page = 1'000;                                        ///< items on one page of tools/list and its kin
};

/// What the maps of one user, of one session, of one call, or of the server may take together, and how long their rows live. 0: without a bound.
struct ScopeLimits {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;                                              ///< keys and values
    /// A row is gone so long after it was last written. Counts from the next write on: rows that are there keep the time that they were given.
    std::chrono::milliseconds ttl = std::chrono::milliseconds(0);
};

/// Bounds of the state (SortedMap). A write that would exceed one is Error(limit_exceeded), and is not applied. Rows that have expired count until they
/// are swept, which is at once when they stand in a write's way.
struct StateOptions {
    ScopeLimits server = {};                                              ///< `map`: yours, and not bounded unless you say so
    ScopeLimits user = {100'000, std::uint64_t{64} << 20};                ///< `user_map`: of each principal, the anonymous one too
    ScopeLimits session = {10'000, std::uint64_t{16} << 20};              ///< `session_map` and `session_state`: of each session
    ScopeLimits call = {10'000, std::uint64_t{16} << 20};                 ///< `call_map`: of each call
};

/// Something to be done once in the life of a store: see Options::initialize.
struct Initialization {
    std::string alias = {};                                               ///< by which the store knows that it was done; not empty
    std::function<void(Transaction&)> function = {};
};

/// What a server is. Every member but `name` and `store` has a default that is good for one machine behind a proxy.
struct Options {
    std::string name = {};                   ///< how clients know the server; not empty
    std::string version = "0";               ///< yours, shown to clients
    std::string title = {};                  ///< for people; "" shows the name
    std::string description = {};
    std::string website_url = {};
    std::vector<Icon> icons = {};
    std::string instructions = {};           ///< for the model: what the server is good for, and how its tools go together

    std::string path = "/mcp";               ///< where it answers; begins with "/"
    std::string host = "127.0.0.1";          ///< numeric address to listen on. Anything but loopback wants TLS and authorization in front
    std::uint16_t port = 9991;               ///< 0: any free one, see DurableMCP::port()

    Store store = {};                        ///< sqlite("file.db"), or memory() in tests. There is no default

    /// What `Host` may say: "mcp.example.com" (without a port), "mcp.example.com:8443", or "mcp.example.com:*" for any port. Others get 403: that
    /// is what keeps web pages from reaching a server on the user's machine (DNS rebinding). On a loopback address its names and `host` itself
    /// may always be said; on any other address this list must not be empty, and `host` counts as one of it unless it stands for all addresses.
    std::vector<std::string> allowed_hosts = {};
    /// What `Origin` may say beyond loopback, such as "https://app.example.com". Requests without `Origin` (not browsers) pass.
    std::vector<std::string> allowed_origins = {};

    /// How long a client of 2026-07-28, which cannot resume, is kept waiting for a result before it gets a task, if it knows tasks, or an
    /// `input_required` with which it comes back for it by itself. Below the 60 s after which common clients give up. 0 is at once.
    std::chrono::milliseconds inline_wait = std::chrono::seconds(25);
    /// How long clients of 2026-07-28 may keep a list without asking again (`ttlMs`). They hear of changes only where they listen, so 0 is safe.
    std::chrono::milliseconds list_cache = std::chrono::milliseconds(0);

    StateOptions state = {};
    /// Done by start(), in this order, before the first request is answered and before unfinished calls go on: each exactly once per store, whatever
    /// dies in between, because its writes and the record of its alias are one commit. What is added to the list later is done by the next start.
    /// A function that throws stops start() with StepFailed, what it threw nested; nothing of it is written, and the next start tries again.
    ///
    ///     .initialize = {{"first prices", [](Transaction& state) { state.map("prices").insert("apple", 120); }}}
    std::vector<Initialization> initialize = {};

    std::size_t handler_threads = 64;        ///< handlers that may run, and block, at once; started when needed

    /// Where the library says what happens. Null: to standard error. spdlog's global registry is never touched.
    std::shared_ptr<spdlog::logger> logger = {};
    LogLevel log_level = LogLevel::info;     ///< the least severe that it says, with the logger of the library's own; yours keeps its level

    Limits limits = {};
    RetentionPolicy retention = {};          ///< what is forgotten, and when
};

}  // namespace durable_mcp
