// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "store/sqlite/failure.hpp"
#include "store/sqlite/row_checksum.hpp"

namespace durable_mcp::store::sqlite {
namespace {

using base::Failure;
using base::FailureCode;

constexpr std::size_t idle_readers = 4;    // about 100 kB each
constexpr std::size_t most_readers = 128;  // above the number of handler threads, each of which may hold a snapshot
constexpr auto longest_wait = std::chrono::seconds(5);

std::string numbered(std::string_view id, std::uint64_t seq) {
    return fmt::format("({}, {})", quoted(id), seq);
}

Failure cannot_read(Connection& reader, int code, std::string_view path) {
    return read_failure(reader.handle(), code, fmt::format("Reading the store {}", path));
}

std::string copy(std::string_view bytes) {
    return std::string(bytes);
}

// One row of `call`; false when one of its three checksums does not fit.
bool take_call(const Statement& row, CallRow& call) {
    call.id = row.bytes_at(0);
    call.session = row.bytes_at(1);
    call.request_id = row.bytes_at(2);
    call.digest = row.bytes_at(3);
    call.stream = row.bytes_at(4);
    call.document = row.bytes_at(5);
    call.state = static_cast<CallState>(row.integer_at(6));
    call.attempts = static_cast<std::uint32_t>(row.integer_at(7));
    call.crashed_attempts = static_cast<std::uint32_t>(row.integer_at(8));
    call.crash_mark = row.count_at(9);
    call.answer_event = row.count_at(10);
    call.accepted_ms = row.integer_at(11);
    call.finished_ms = row.integer_at(12);
    return row.integer_at(13) == call_checksum(call) &&
           row.integer_at(14) == state_checksum(call.id, call.state, call.answer_event, call.finished_ms) &&
           row.integer_at(15) == attempt_checksum(call.id, call.attempts, call.crashed_attempts, call.crash_mark) &&
           call.state <= CallState::quarantined;
}

bool take_map_row(const Statement& row, std::string_view map, MapRow& taken) {
    taken.key = row.bytes_at(0);
    taken.value = row.bytes_at(1);
    taken.version = row.count_at(2);
    return row.integer_at(4) == map_row_checksum(map, taken.key, taken.value, taken.version, row.integer_at(3));
}

std::string map_key(std::string_view map, std::string_view key) {
    return fmt::format("({}, {})", quoted(map), quoted(key));
}

}  // namespace

// ── Checksums ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::int64_t session_checksum(const SessionRow& row) {
    return row_checksum(std::string_view(row.id), std::string_view(row.owner), std::string_view(row.document), row.created_ms);
}

std::int64_t call_checksum(const CallRow& row) {
    return row_checksum(std::string_view(row.id), std::string_view(row.session), std::string_view(row.request_id),
                        std::string_view(row.digest), std::string_view(row.stream), std::string_view(row.document), row.accepted_ms);
}

std::int64_t state_checksum(std::string_view call, CallState state, std::uint64_t answer_event, std::int64_t finished_ms) {
    return row_checksum(call, static_cast<std::uint64_t>(state), answer_event, finished_ms);
}

std::int64_t attempt_checksum(std::string_view call, std::uint32_t attempts, std::uint32_t crashed_attempts, std::uint64_t crash_mark) {
    return row_checksum(call, attempts, crashed_attempts, crash_mark);
}

std::int64_t entry_checksum(std::string_view call, const journal::Entry& entry) {
    return row_checksum(call, entry.seq, static_cast<std::uint64_t>(entry.kind), std::string_view(entry.key), std::string_view(entry.type),
                        std::string_view(entry.payload));
}

std::int64_t event_checksum(const EventRow& row) {
    return row_checksum(std::string_view(row.stream), row.seq, std::string_view(row.payload));
}

std::int64_t map_row_checksum(std::string_view map, std::string_view key, std::string_view value, std::uint64_t version, std::int64_t expires_ms) {
    // As it was before there was an expiry, for rows without one.
    return expires_ms == 0 ? row_checksum(map, key, value, version) : row_checksum(map, key, value, version, expires_ms);
}

// ── The pool ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

ReaderPool::ReaderPool(std::string path, std::string vfs, int busy_timeout_ms)
    : path_(std::move(path)), vfs_(std::move(vfs)), busy_timeout_ms_(busy_timeout_ms) {}

base::Result<ReaderPool::Lease> ReaderPool::borrow() {
    {
        std::unique_lock lock(mutex_);
        if (!returned_.wait_for(lock, longest_wait, [this] { return out_ < most_readers; })) {
            return Failure{FailureCode::store_unavailable, fmt::format("All {} readers of the store {} are busy.", most_readers, path_)};
        }
        ++out_;
        if (!idle_.empty()) {
            Lease lease(idle_.back().release(), GiveBack{this});
            idle_.pop_back();
            return lease;
        }
    }
    auto opened = Connection::open(path_, Connection::Role::reader, vfs_, busy_timeout_ms_);
    if (!opened) {
        const std::lock_guard lock(mutex_);
        --out_;
        returned_.notify_one();
        return opened.error();
    }
    return Lease(opened->release(), GiveBack{this});
}

void ReaderPool::give_back(Connection* connection) {
    std::unique_ptr<Connection> owned(connection);
    const bool clean = sqlite3_get_autocommit(connection->handle()) != 0;
    const std::lock_guard lock(mutex_);
    --out_;
    if (clean && idle_.size() < idle_readers) {
        idle_.push_back(std::move(owned));
    }
    returned_.notify_one();
}

void ReaderPool::abandon() {
    for (auto& connection : idle_) {
        connection->abandon();
    }
}

// ── Queries ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

base::Result<std::vector<SessionRow>> read_sessions(Connection& reader, std::string_view path) {
    Statement statement(reader, Sql::sessions);
    std::vector<SessionRow> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        SessionRow row{copy(statement.bytes_at(0)), copy(statement.bytes_at(1)), copy(statement.bytes_at(2)), statement.integer_at(3),
                       statement.integer_at(4)};
        if (statement.integer_at(5) != session_checksum(row)) {
            return damaged_row(path, "session", quoted(row.id));
        }
        rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::vector<CallRow>> read_calls(Connection& reader, std::string_view path, Sql which, std::string_view first,
                                              std::string_view second) {
    Statement statement(reader, which);
    if (which != Sql::unfinished_calls) {
        statement.text(first);
    }
    if (which == Sql::call_of_request) {
        statement.text(second);
    }
    std::vector<CallRow> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        CallRow row;
        if (!take_call(statement, row)) {
            return damaged_row(path, "call", quoted(row.id));
        }
        rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::vector<journal::Entry>> read_entries(Connection& reader, std::string_view path, std::string_view call) {
    Statement statement(reader, Sql::entries);
    statement.text(call);
    std::vector<journal::Entry> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        journal::Entry entry{statement.count_at(0), static_cast<journal::EntryKind>(statement.integer_at(1)), copy(statement.bytes_at(2)),
                             copy(statement.bytes_at(3)), copy(statement.bytes_at(4))};
        if (statement.integer_at(5) != entry_checksum(call, entry)) {
            return damaged_row(path, "entry", numbered(call, entry.seq));
        }
        rows.push_back(std::move(entry));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::vector<EventRow>> read_events(Connection& reader, std::string_view path, std::string_view stream, std::uint64_t after,
                                                std::size_t limit) {
    Statement statement(reader, Sql::events);
    constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    statement.text(stream).integer(std::min(after, largest)).integer(std::min<std::uint64_t>(limit, largest));
    std::vector<EventRow> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        EventRow row{copy(stream), statement.count_at(0), copy(statement.bytes_at(1)), statement.integer_at(3)};
        if (statement.integer_at(2) != event_checksum(row)) {
            return damaged_row(path, "event", numbered(stream, row.seq));
        }
        rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::uint64_t> read_last_event(Connection& reader, std::string_view path, std::string_view stream) {
    Statement statement(reader, Sql::last_event);
    const int code = statement.text(stream).step();
    if (code != SQLITE_ROW) {
        return cannot_read(reader, code, path);
    }
    return statement.count_at(0);
}

base::Result<std::optional<MapRow>> read_map_row(Connection& reader, std::string_view path, std::string_view map, std::string_view key,
                                                 std::int64_t now_ms) {
    Statement statement(reader, Sql::map_row);
    const int code = statement.text(map).blob(key).integer(now_ms).step();
    if (code == SQLITE_DONE) {
        return std::optional<MapRow>();
    }
    if (code != SQLITE_ROW) {
        return cannot_read(reader, code, path);
    }
    MapRow row;
    if (!take_map_row(statement, map, row)) {
        return damaged_row(path, "map_row", map_key(map, row.key));
    }
    return std::optional<MapRow>(std::move(row));
}

Sql range_statement(const MapRange& range) {
    if (range.reverse) {
        return range.end ? Sql::map_range_down : Sql::map_range_down_open;
    }
    return range.end ? Sql::map_range_up : Sql::map_range_up_open;
}

void bind_range(Statement& statement, std::string_view map, const MapRange& range, std::int64_t now_ms) {
    statement.text(map).blob(range.start);
    if (range.end) {
        statement.blob(*range.end);
    } else {
        statement.skip();
    }
    statement.integer(std::min<std::uint64_t>(range.limit, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
    statement.integer(now_ms);
}

base::Result<std::vector<MapRow>> read_map_range(Connection& reader, std::string_view path, std::string_view map, const MapRange& range,
                                                 std::int64_t now_ms) {
    std::vector<MapRow> rows;
    if (range.limit == 0 || (range.end && *range.end <= range.start)) {
        return rows;
    }
    Statement statement(reader, range_statement(range));
    bind_range(statement, map, range, now_ms);
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        MapRow row;
        if (!take_map_row(statement, map, row)) {
            return damaged_row(path, "map_row", map_key(map, row.key));
        }
        rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::uint64_t> count_map(Connection& reader, std::string_view path, std::string_view map, std::int64_t now_ms) {
    Statement statement(reader, Sql::map_count);
    const int code = statement.text(map).integer(now_ms).step();
    if (code != SQLITE_ROW) {
        return cannot_read(reader, code, path);
    }
    return statement.count_at(0);
}

base::Result<ScopeUsage> read_usage(Connection& reader, std::string_view path, std::string_view scope) {
    Statement statement(reader, Sql::scope_usage);
    const int code = statement.text(scope).step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return code == SQLITE_ROW ? ScopeUsage{statement.count_at(0), statement.count_at(1)} : ScopeUsage();
}

base::Result<std::vector<std::string>> read_expired_maps(Connection& reader, std::string_view path, std::int64_t now_ms, std::size_t limit) {
    Statement statement(reader, Sql::expired_maps);
    statement.integer(now_ms).integer(limit);
    std::vector<std::string> maps;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        maps.push_back(copy(statement.bytes_at(0)));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return maps;
}

}  // namespace durable_mcp::store::sqlite
