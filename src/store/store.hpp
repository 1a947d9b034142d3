// SPDX-License-Identifier: Apache-2.0
#pragma once

// The seam between the house and whatever keeps its rows. A store knows rows and batches; it does not know MCP, HTTP, handlers or time.
//
// Writing: groups of writes, many groups in one batch, one batch at a time. A group is applied whole or not at all; a batch is durable when
// commit() returns. Only the leader of the commit queue calls commit() (store/commit_queue.hpp), so an engine needs no lock of its own
// around its writing connection. Reading: any thread, at any time, sees committed batches only.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "journal/entry.hpp"

namespace durable_mcp::store {

/// A session of the session era. `document` is the protocol layer's JSON: client info, capabilities, revision, log level, …
struct SessionRow {
    std::string id;
    std::string owner;  ///< the principal it is bound to; "" is the anonymous one
    std::string document;
    std::int64_t created_ms = 0;
    std::int64_t last_seen_ms = 0;
};

/// The numbers are on disk.
enum class CallState : std::uint8_t {
    running = 0,      ///< to be run again after a boot
    suspended = 1,    ///< as running, but it was put down on purpose: not held against it
    completed = 2,    ///< answered, with a result or an error
    cancelled = 3,    ///< the client took it back; also the tombstone of a call that was not journaled yet
    quarantined = 4,  ///< it killed its process too often: answered with an error that says so
};

/// A call that the server has taken on. `document` is the runtime's JSON: method, params, revision, principal's claims, progress token, …
struct CallRow {
    std::string id;
    std::string session;     ///< "" outside the session era
    std::string request_id;  ///< the JSON text of the JSON-RPC id, so that 1 and "1" differ
    std::string digest;      ///< of method and params
    std::string stream;      ///< where its events and its answer go
    std::string document;
    CallState state = CallState::running;
    std::uint32_t attempts = 1;
    std::uint32_t crashed_attempts = 0;  ///< that ended with the process and left no new entry
    std::uint64_t crash_mark = 0;        ///< number of entries when crashed_attempts was last counted
    std::uint64_t answer_event = 0;      ///< seq of the answer on `stream`; 0 while there is none
    std::int64_t accepted_ms = 0;
    std::int64_t finished_ms = 0;
};

/// How a call can be reached other than through its session: by whom, and by what. Only calls that can have one.
enum class Reach : std::uint8_t {
    key = 1,           ///< an idempotency key
    state = 2,         ///< a requestState that is out with its client
    task = 4,          ///< a task of the extension (2026-07-28)
    session_task = 8,  ///< a task of revision 2025-11-25
};
struct HandleRow {
    std::string call;
    std::string owner;            ///< principal; "" is the anonymous one
    std::string idempotency_key;  ///< digest of owner, tool and key; "" is none. Unique where it is not ""
    std::uint32_t reach = 0;      ///< of Reach, or'ed
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
    std::int64_t ttl_ms = 0;  ///< from created_ms; 0: for ever
    std::string document;     ///< JSON of the runtime: what a task says of itself
};

/// Something from outside that a call waits for, or will: the answer to one of its questions, a signal. The first one stays.
struct ArrivalRow {
    std::string key;      ///< the question's key in the call
    std::string payload;  ///< JSON
};

/// A key of the ring with which states are sealed.
struct SecretRow {
    std::uint64_t id = 0;
    std::int64_t created_ms = 0;
    std::string value;  ///< bytes
};

/// One message on a stream. `seq` counts from 1 without a gap; `.0` is the priming event, which is never stored.
struct EventRow {
    std::string stream;
    std::uint64_t seq = 0;
    std::string payload;  ///< the JSON-RPC message, byte for byte as it is sent every time
    /// When it was said, where it is kept for a time of its own (a standalone stream); 0 where it is kept as long as its call.
    std::int64_t created_ms = 0;
};

/// One key of a map. `version` changes with every write of the key and is never reused.
struct MapRow {
    std::string key;
    std::string value;
    std::uint64_t version = 0;
};

/// Half-open: start ≤ key < end in byte order. An absent end has no bound. `limit` rows at most.
struct MapRange {
    std::string start = {};
    std::optional<std::string> end = {};
    std::size_t limit = 0;
    bool reverse = false;  ///< from the end downwards
};

/// What the maps of a scope (map_scope.hpp) take, keys and values: also rows that have expired, until they are swept.
struct ScopeUsage {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
};

// ── Writes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

struct PutSession {
    SessionRow row;
};  ///< inserts or replaces
struct TouchSession {
    std::string id;
    std::int64_t last_seen_ms = 0;
};  ///< no effect where there is none
struct DropSession {
    std::string id;
};  ///< with its maps, its calls, their maps, entries and all their events; calls that have a handle stay, whole, with the events of their streams
struct DropStream {
    std::string stream;
};  ///< the events of one stream
struct InsertCall {
    CallRow row;
};                   ///< conflict when (session, request_id) exists in a session
struct UpdateCall {  ///< no effect where the call is gone
    std::string id;
    CallState state = CallState::running;
    std::uint64_t answer_event = 0;
    std::int64_t finished_ms = 0;
};
struct CountAttempt {  ///< at recovery; no effect where the call is gone
    std::string id;
    std::uint32_t attempts = 1;
    std::uint32_t crashed_attempts = 0;
    std::uint64_t crash_mark = 0;
};
struct AppendEntry {
    std::string call;
    journal::Entry entry;
};  ///< conflict when (call, seq) exists or the call is gone
struct DropEntries {
    std::string call;
    std::vector<std::uint64_t> seqs;
};  ///< no effect where there are none
struct AppendEvent {
    EventRow row;
};  ///< conflict when (stream, seq) exists
struct PutHandle {
    HandleRow row;
};  ///< inserts or replaces; conflict when the idempotency key is another call's, or the call is not there
struct InsertArrival {
    std::string call;
    ArrivalRow row;
};  ///< conflict when (call, key) exists, or the call is not there or has finished
/// With its entries, arrivals, handle, maps, and the events of its stream when no other call has it; no effect where there is none. At most `rows` of
/// its entries and, after them, of its events go at once, the oldest first, and fewer where they are large; the last event goes with the call itself.
struct DropCall {
    static constexpr std::size_t every_row = ~std::size_t{0};
    std::string id;
    std::size_t rows = every_row;
};
struct DropHandle {
    std::string call;
};  ///< the call stays; no effect where there is none
/// The events of a stream up to `through`, at most `rows` of them, the oldest first. The newest of all stays, because its number is where the
/// stream goes on; with `through` behind it, it is kept as long as the stream from now on.
struct DropEvents {
    std::string stream;
    std::uint64_t through = 0;
    std::size_t rows = DropCall::every_row;
};
/// Gives a little of the space that nothing is in back to the disk; Store::space() says how much there is. No effect where the store has none.
struct ReleaseSpace {};
struct PutSecret {
    SecretRow row;
};  ///< inserts or replaces
struct DropSecret {
    std::uint64_t id = 0;
};  ///< no effect where there is none
struct PutMapRow {
    std::string map, key, value;
    std::int64_t expires_ms = 0;  ///< 0: never. From then on nobody sees it
};  ///< inserts or replaces; orphaned when the map is a session's or a call's that is not there
struct EraseMapRow {
    std::string map, key;
};
struct DropExpiredRows {
    std::int64_t now_ms = 0;
    std::size_t limit = 0;
};  ///< of map rows that had expired by then, the longest over first, so many at most

// Conditions, checked where they stand in the group, against everything that was applied before it. Those on map rows ask what a snapshot of
// `now_ms` would see: a row that had expired when a transaction read is absent for its conditions too, whether it has been swept or not.

struct ExpectMapRow {
    std::string map, key;
    std::uint64_t version = 0;
    std::int64_t now_ms = 0;
};  ///< 0: absent
struct ExpectMapRange {
    std::string map;
    MapRange range;
    std::vector<std::pair<std::string, std::uint64_t>> found;
    std::int64_t now_ms = 0;
};  ///< keys and versions
struct ExpectRunning {
    std::string call;
};  ///< the call is there, and running or suspended
struct LimitScope {
    std::string scope;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
};  ///< exceeded when the maps of the scope take more; 0: as much as they like

using Write = std::variant<PutSession, TouchSession, DropSession, DropStream, InsertCall, UpdateCall, CountAttempt, AppendEntry,
                           DropEntries, AppendEvent, PutHandle, InsertArrival, DropCall, DropHandle, DropEvents, ReleaseSpace, PutSecret,
                           DropSecret, PutMapRow, EraseMapRow, DropExpiredRows, ExpectMapRow, ExpectMapRange, ExpectRunning, LimitScope>;

/// A row has no more: twice the largest value that base/limits.hpp lets through, for what stands around it.
constexpr std::size_t row_bytes = 32u << 20;

/// Applied whole or not at all, in this order.
using Group = std::vector<Write>;

enum class GroupOutcome : std::uint8_t {
    committed,  ///< durable
    // Nothing of this group was applied; the rest of the batch was:
    conflict,   ///< a condition did not hold, or a row is larger than any may be (row_bytes)
    exceeded,   ///< a LimitScope stands in the way
    orphaned,   ///< it writes to a map whose session or call is not there
};

/// What commit() says of the whole batch. On failure nothing of it may be believed to have happened, except after `outcome_unknown`,
/// when nothing may be believed at all: the store is poisoned then, and every later call fails.
using BatchOutcome = base::Result<std::vector<GroupOutcome>>;

// ── What may be forgotten ──────────────────────────────────────────────────────────────────────────────────────────────────

/// A call that could be dropped, and what that takes.
struct OldCall {
    std::string id;
    std::int64_t finished_ms = 0;  ///< 0 where it has not finished
    std::size_t rows = 0;          ///< of itself, its entries and its events, near enough
};

/// Events of a stream that are old, from its first one on.
struct OldEvents {
    std::string stream;
    std::uint64_t through = 0;
};

struct Space {
    std::uint64_t used_bytes = 0;
    std::uint64_t free_bytes = 0;  ///< taken from the disk, and nothing in it
};

// ── The seam ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A view of the maps that does not change while it is held. Used by one thread; given back when destroyed, within a second. Rows that had
/// expired when it was taken are not in it.
class Snapshot {
public:
    virtual ~Snapshot() = default;
    [[nodiscard]] virtual base::Result<std::optional<MapRow>> get(std::string_view map, std::string_view key) = 0;
    [[nodiscard]] virtual base::Result<std::vector<MapRow>> range(std::string_view map, const MapRange& range) = 0;
    [[nodiscard]] virtual base::Result<std::uint64_t> count(std::string_view map) = 0;
    [[nodiscard]] virtual base::Result<ScopeUsage> usage(std::string_view scope) = 0;
};

class Store {
public:
    virtual ~Store() = default;

    /// Applies `groups` in order as one batch and makes it durable. One thread at a time. Fails with `store_full` or `store_unavailable`
    /// (certainly nothing happened: it may be tried again) or `outcome_unknown` (the store is poisoned from now on).
    [[nodiscard]] virtual BatchOutcome commit(std::span<const Group* const> groups) = 0;

    /// House-keeping that must not stand in a commit's way (checkpoints). Called by the thread that may commit, when nothing waits. Fails with
    /// `outcome_unknown`: the store is poisoned then.
    [[nodiscard]] virtual std::optional<base::Failure> tidy() { return std::nullopt; }

    /// Frees space that was set aside for what must not be lost. Called by the thread that may commit, after `store_full`, when such groups
    /// wait. False where there is none, or no more.
    [[nodiscard]] virtual bool release_reserve() { return false; }
    /// Asked from time to time after a commit failed for want of space: true when there is room again, and the reserve is back.
    /// Called by the thread that may commit.
    [[nodiscard]] virtual bool restore_reserve() { return true; }

    // Reading. Any thread. Fails with `store_damaged` where a checksum does not fit, `io`, or `store_unavailable` once poisoned.
    [[nodiscard]] virtual base::Result<std::vector<SessionRow>> sessions() = 0;
    [[nodiscard]] virtual base::Result<std::optional<CallRow>> call(std::string_view id) = 0;
    [[nodiscard]] virtual base::Result<std::optional<CallRow>> call_of_request(std::string_view session, std::string_view request_id) = 0;
    /// Some call whose events go to `stream`; for telling whose stream it is.
    [[nodiscard]] virtual base::Result<std::vector<CallRow>> calls_of_stream(std::string_view stream) = 0;
    /// Running and suspended calls, oldest first.
    [[nodiscard]] virtual base::Result<std::vector<CallRow>> unfinished_calls() = 0;
    /// The handle of a call, where it has one.
    [[nodiscard]] virtual base::Result<std::optional<HandleRow>> handle(std::string_view call) = 0;
    /// The one handle with this idempotency key; none for "".
    [[nodiscard]] virtual base::Result<std::optional<HandleRow>> handle_of_key(std::string_view idempotency_key) = 0;
    /// Those of an owner that have any bit of `reach`, newest first, at most `limit`, born before the call `before` ("": from the newest
    /// on). Call ids sort by birth.
    [[nodiscard]] virtual base::Result<std::vector<HandleRow>> handles(std::string_view owner, std::uint32_t reach, std::string_view before,
                                                                       std::size_t limit) = 0;
    /// Handles with a ttl that was over at `now_ms` (created_ms + ttl_ms ≤ now_ms), the longest over first (and by call where it is the same
    /// moment), at most `limit`, behind `after`: the last one of the page before, which need not be there any more; null: from the first on.
    [[nodiscard]] virtual base::Result<std::vector<HandleRow>> expired_handles(std::int64_t now_ms, const HandleRow* after,
                                                                               std::size_t limit) = 0;
    /// What has arrived for a call, in the order of the keys.
    [[nodiscard]] virtual base::Result<std::vector<ArrivalRow>> arrivals(std::string_view call) = 0;
    /// In the order of their ids.
    [[nodiscard]] virtual base::Result<std::vector<SecretRow>> secrets() = 0;
    [[nodiscard]] virtual base::Result<std::vector<journal::Entry>> entries(std::string_view call) = 0;
    /// Events with seq > `after`, in order, `limit` at most.
    [[nodiscard]] virtual base::Result<std::vector<EventRow>> events(std::string_view stream, std::uint64_t after, std::size_t limit) = 0;
    [[nodiscard]] virtual base::Result<std::uint64_t> last_event(std::string_view stream) = 0;
    /// The oldest that is kept; 0 where there is none.
    [[nodiscard]] virtual base::Result<std::uint64_t> first_event(std::string_view stream) = 0;

    // For forgetting.

    /// Calls without a handle that finished from `from_ms` to `to_ms`, the oldest first, at most `limit`. One that is damaged is not among them.
    [[nodiscard]] virtual base::Result<std::vector<OldCall>> finished_calls(std::int64_t from_ms, std::int64_t to_ms, std::size_t limit) = 0;
    /// Since when the newest `count` (> 0) of the finished calls without a handle finished; 0 where there are fewer.
    [[nodiscard]] virtual base::Result<std::int64_t> finished_since(std::size_t count) = 0;
    /// The calls of a session that have no handle, at most `limit`.
    [[nodiscard]] virtual base::Result<std::vector<OldCall>> calls_of_session(std::string_view session, std::size_t limit) = 0;
    /// Of the events that are kept for a time of their own and were said up to `to_ms`: `limit` at most, by stream.
    [[nodiscard]] virtual base::Result<std::vector<OldEvents>> old_events(std::int64_t to_ms, std::size_t limit) = 0;
    [[nodiscard]] virtual base::Result<Space> space() = 0;

    /// `now_ms`: rows that expire then or earlier are not seen.
    [[nodiscard]] virtual base::Result<std::unique_ptr<Snapshot>> snapshot(std::int64_t now_ms = 0) = 0;
    /// The maps in which DropExpiredRows with that limit would find something; none when it would find nothing.
    [[nodiscard]] virtual base::Result<std::vector<std::string>> expired_maps(std::int64_t now_ms, std::size_t limit) = 0;

    /// Seconds-old facts for people: engine, version, durability, path, what lies beside it. JSON text.
    [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace durable_mcp::store
