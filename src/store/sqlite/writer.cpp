// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/writer.hpp"

// A batch is one transaction. Conflicts are rare, and most show before their group has written anything, so a batch is first applied
// without savepoints; only when a group met a conflict after it had written is everything rolled back and applied again, with a savepoint
// around each group. (A savepoint makes SQLite copy every page that a group touches: measured, a sixth of the CPU time of a workflow.)

#include <utility>

#include "base/crash_point.hpp"
#include "store/map_scope.hpp"
#include "store/sqlite/failure.hpp"
#include "store/sqlite/handle_reader.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/row_checksum.hpp"

namespace durable_mcp::store::sqlite {
namespace {

using base::Failure;
using base::FailureCode;

constexpr int worth_copying_pages = 1'000;  // 4 MiB: SQLite's own default
constexpr int too_long_pages = 4'096;       // 16 MiB: begin the file anew even under load
constexpr int far_too_long_pages = 16'384;  // 64 MiB: some reader held it open for long; give the space back

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection) : connection_(std::move(connection)), restart_at_pages_(too_long_pages) {
    const auto count = [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Writer*>(self)->wal_pages_.store(pages, std::memory_order_relaxed);
        return SQLITE_OK;
    };
    sqlite3_wal_hook(connection_->handle(), count, this);
}

std::optional<Failure> Writer::start() {
    std::int64_t version = 0;
    if (const int code = connection_->ask("SELECT value FROM meta WHERE name = 'map_version'", version); code != SQLITE_OK) {
        return read_failure(connection_->handle(), code, "Reading the store");
    }
    map_version_ = static_cast<std::uint64_t>(version);
    return std::nullopt;
}

BatchOutcome Writer::commit(std::span<const Group* const> groups) {
    if (wal_pages() >= restart_at_pages_) {
        if (auto failure = tidy()) {
            return *std::move(failure);
        }
    }
    std::vector<GroupOutcome> outcomes;
    outcomes.reserve(groups.size());
    for (const bool under_savepoints : {false, true}) {
        outcomes.clear();
        map_written_ = false;
        free_before_.reset();
        bool torn = false;
        if (!done(Sql::begin_immediate) || apply_batch(groups, under_savepoints, outcomes, torn) == Applied::failed) {
            return settle_failure(false);
        }
        if (torn) {
            if (!done(Sql::rollback)) {
                return settle_failure(false);
            }
            continue;
        }
        if (map_written_) {
            Statement statement(*connection_, Sql::put_map_version);
            if (written(statement.integer(map_version_)) != Applied::whole) {
                return settle_failure(false);
            }
        }
        if (!done(Sql::commit)) {
            return settle_failure(true);
        }
        break;
    }
    return outcomes;
}

GroupOutcome Writer::outcome_of(Applied applied) {
    switch (applied) {
        case Applied::whole:
            return GroupOutcome::committed;
        case Applied::exceeded:
            return GroupOutcome::exceeded;
        case Applied::orphaned:
            return GroupOutcome::orphaned;
        case Applied::conflict:
        case Applied::failed:
            break;
    }
    return GroupOutcome::conflict;
}

Writer::Applied Writer::apply_batch(std::span<const Group* const> groups, bool under_savepoints, std::vector<GroupOutcome>& outcomes,
                                    bool& torn) {
    for (const Group* group : groups) {
        bool wrote = false;
        if (under_savepoints && !done(Sql::savepoint)) {
            return Applied::failed;
        }
        const Applied applied = apply(*group, wrote);
        if (applied == Applied::failed) {
            return applied;
        }
        if (is_refused(applied) && wrote && !under_savepoints) {
            torn = true;
            return Applied::whole;
        }
        if (under_savepoints && ((is_refused(applied) && !done(Sql::rollback_to)) || !done(Sql::release))) {
            return Applied::failed;
        }
        outcomes.push_back(outcome_of(applied));
    }
    return Applied::whole;
}

Writer::Applied Writer::apply(const Group& group, bool& wrote) {
    for (const Write& write : group) {
        const Applied applied = std::visit([this](const auto& one) { return apply_one(one); }, write);
        if (applied != Applied::whole) {
            return applied;
        }
        wrote = wrote || write.index() < Write(ExpectMapRow{}).index();  // the conditions are the last alternatives
    }
    return Applied::whole;
}

// ── Writes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Writer::Applied Writer::apply_one(const PutSession& write) {
    const SessionRow& row = write.row;
    Statement statement(*connection_, Sql::put_session);
    return written(statement.text(row.id)
                       .text(row.owner)
                       .text(row.document)
                       .integer(row.created_ms)
                       .integer(row.last_seen_ms)
                       .integer(session_checksum(row)));
}

Writer::Applied Writer::apply_one(const TouchSession& write) {
    Statement statement(*connection_, Sql::touch_session);
    return written(statement.text(write.id).integer(write.last_seen_ms));
}

Writer::Applied Writer::apply_one(const DropSession& write) {
    if (const Applied applied = drop_maps_of_session(write.id); applied != Applied::whole) {
        return applied;
    }
    for (const Sql which : {Sql::drop_call_events, Sql::drop_session_calls, Sql::drop_session}) {
        Statement statement(*connection_, which);
        if (const Applied applied = written(statement.text(write.id)); applied != Applied::whole) {
            return applied;
        }
    }
    return Applied::whole;
}

Writer::Applied Writer::apply_one(const DropStream& write) {
    Statement statement(*connection_, Sql::drop_stream);
    return written(statement.text(write.stream));
}

Writer::Applied Writer::apply_one(const InsertCall& write) {
    const CallRow& row = write.row;
    Statement statement(*connection_, Sql::insert_call);
    statement.text(row.id).text(row.session).text(row.request_id).text(row.digest).text(row.stream).text(row.document);
    statement.integer(static_cast<int>(row.state)).integer(row.attempts).integer(row.crashed_attempts).integer(row.crash_mark);
    statement.integer(row.answer_event).integer(row.accepted_ms).integer(row.finished_ms);
    return written(statement.integer(call_checksum(row))
                       .integer(state_checksum(row.id, row.state, row.answer_event, row.finished_ms))
                       .integer(attempt_checksum(row.id, row.attempts, row.crashed_attempts, row.crash_mark)));
}

Writer::Applied Writer::apply_one(const UpdateCall& write) {
    Statement statement(*connection_, Sql::update_call);
    return written(statement.text(write.id)
                       .integer(static_cast<int>(write.state))
                       .integer(write.answer_event)
                       .integer(write.finished_ms)
                       .integer(state_checksum(write.id, write.state, write.answer_event, write.finished_ms)));
}

Writer::Applied Writer::apply_one(const CountAttempt& write) {
    Statement statement(*connection_, Sql::count_attempt);
    return written(statement.text(write.id)
                       .integer(write.attempts)
                       .integer(write.crashed_attempts)
                       .integer(write.crash_mark)
                       .integer(attempt_checksum(write.id, write.attempts, write.crashed_attempts, write.crash_mark)));
}

Writer::Applied Writer::apply_one(const AppendEntry& write) {
    const journal::Entry& entry = write.entry;
    Statement statement(*connection_, Sql::append_entry);
    statement.text(write.call)
        .integer(entry.seq)
        .integer(static_cast<int>(entry.kind))
        .text(entry.key)
        .text(entry.type)
        .text(entry.payload);
    return written(statement.integer(entry_checksum(write.call, entry)));
}

Writer::Applied Writer::apply_one(const DropEntries& write) {
    for (const std::uint64_t seq : write.seqs) {
        Statement statement(*connection_, Sql::drop_entry);
        if (const Applied applied = written(statement.text(write.call).integer(seq)); applied != Applied::whole) {
            return applied;
        }
    }
    return Applied::whole;
}

Writer::Applied Writer::apply_one(const AppendEvent& write) {
    const EventRow& row = write.row;
    Statement statement(*connection_, Sql::append_event);
    return written(statement.text(row.stream).integer(row.seq).text(row.payload).integer(row.created_ms).integer(event_checksum(row)));
}

Writer::Applied Writer::apply_one(const PutHandle& write) {
    const HandleRow& row = write.row;
    Statement statement(*connection_, Sql::put_handle);
    statement.text(row.call).text(row.owner).text(row.idempotency_key).integer(row.reach);
    statement.integer(row.created_ms).integer(row.updated_ms).integer(row.ttl_ms).text(row.document);
    return written(statement.integer(handle_checksum(row)));
}

Writer::Applied Writer::apply_one(const InsertArrival& write) {
    if (const Applied runs = apply_one(ExpectRunning{write.call}); runs != Applied::whole) {
        return runs;
    }
    Statement statement(*connection_, Sql::insert_arrival);
    return written(statement.text(write.call).text(write.row.key).text(write.row.payload).integer(arrival_checksum(write.call, write.row)));
}

Writer::Applied Writer::apply_one(const DropCall& write) {
    if (write.rows != DropCall::every_row) {
        bool is_whole = true;
        if (const Applied trimmed = trim(write, is_whole); trimmed != Applied::whole || !is_whole) {
            return trimmed;
        }
    }
    if (const Applied applied = drop_scope(scope_name(ScopeKind::call, write.id)); applied != Applied::whole) {
        return applied;
    }
    for (const Sql which : {Sql::drop_call_own_events, Sql::drop_call}) {
        Statement statement(*connection_, which);
        if (const Applied applied = written(statement.text(write.id)); applied != Applied::whole) {
            return applied;
        }
    }
    return Applied::whole;
}

Writer::Applied Writer::apply_one(const PutSecret& write) {
    const SecretRow& row = write.row;
    Statement statement(*connection_, Sql::put_secret);
    return written(statement.integer(row.id).integer(row.created_ms).blob(row.value).integer(secret_checksum(row)));
}

Writer::Applied Writer::apply_one(const DropSecret& write) {
    Statement statement(*connection_, Sql::drop_secret);
    return written(statement.integer(write.id));
}

// ── Conditions (those on maps: writer_maps.cpp) ────────────────────────────────────────────────────────────────────────────

Writer::Applied Writer::apply_one(const ExpectRunning& write) {
    Statement statement(*connection_, Sql::call_state_of);
    const int code = statement.text(write.call).step();
    if (code == SQLITE_ROW) {
        return statement.integer_at(0) <= static_cast<int>(CallState::suspended) ? Applied::whole : Applied::conflict;
    }
    return code == SQLITE_DONE ? Applied::conflict : failed(code);
}

// ── Outcomes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

Writer::Applied Writer::written(Statement& statement) {
    const int code = statement.step();
    switch (code) {
        case SQLITE_DONE:
            return Applied::whole;
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return Applied::conflict;
        default:
            return failed(code);
    }
}

Writer::Applied Writer::failed(int code) {
    if (code == SQLITE_TOOBIG) {
        return Applied::conflict;  // it would be in the way of all others for ever
    }
    code_ = code;
    return Applied::failed;
}

bool Writer::done(Sql which) {
    Statement statement(*connection_, which);
    const int code = statement.step();
    if (code != SQLITE_DONE) {
        code_ = code;
    }
    return code == SQLITE_DONE;
}

Failure Writer::settle_failure(bool at_commit) {
    sqlite3* const handle = connection_->handle();
    const int code = code_;
    const Meaning meaning = meaning_of(code, write_errno(handle, File::log));
    const std::string what = explain(handle, code, at_commit ? "COMMIT" : "Writing a batch");
    if (meaning == Meaning::damaged) {
        return {FailureCode::outcome_unknown,
                what + ". The store is damaged; keep its files, and restore a backup or try `sqlite3 FILE .recover`."};
    }
    if (at_commit && meaning == Meaning::broken) {
        return {FailureCode::outcome_unknown,
                what + ". Nobody knows whether it happened; the store says nothing more until it is opened anew."};
    }
    if (sqlite3_get_autocommit(handle) == 0 && (!done(Sql::rollback) || sqlite3_get_autocommit(handle) == 0)) {
        return {FailureCode::outcome_unknown, what + ", and it could not be rolled back: " + explain(handle, code_, "ROLLBACK")};
    }
    if (meaning == Meaning::full) {
        return {FailureCode::store_full, what + ". Nothing was written; it works again when there is room on the disk."};
    }
    return {FailureCode::store_unavailable, what + ". Nothing was written."};
}

// ── Checkpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<Failure> Writer::tidy() {
    const int pages = wal_pages();
    if (pages < worth_copying_pages && !has_shrunk_) {
        return std::nullopt;
    }
    DURABLE_MCP_CRASH_POINT("ckpt.begin");
    if (auto failure = checkpoint(SQLITE_CHECKPOINT_PASSIVE)) {
        return failure;
    }
    DURABLE_MCP_CRASH_POINT("ckpt.mid");
    if (pages >= too_long_pages) {
        // When a reader stands in the way, another thousand pages may pass before the next try.
        restart_at_pages_ = pages + worth_copying_pages;
        return checkpoint(pages >= far_too_long_pages ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART);
    }
    return std::nullopt;
}

std::optional<Failure> Writer::checkpoint(int mode) {
    sqlite3* const handle = connection_->handle();
    int busy_timeout = 0;
    std::int64_t before = 0;
    if (connection_->ask("PRAGMA busy_timeout", before) == SQLITE_OK) {
        busy_timeout = static_cast<int>(before);
    }
    sqlite3_busy_timeout(handle, 0);  // a reader must not make a commit wait: what it holds open is copied next time
    int in_log = 0;
    int copied = 0;
    const int code = sqlite3_wal_checkpoint_v2(handle, "main", mode, &in_log, &copied);
    sqlite3_busy_timeout(handle, busy_timeout);
    if (code == SQLITE_OK) {
        has_shrunk_ = has_shrunk_ && copied < in_log;  // with the last page of the log the file is cut to its size
        if (mode != SQLITE_CHECKPOINT_PASSIVE) {
            wal_pages_.store(0, std::memory_order_relaxed);
            restart_at_pages_ = too_long_pages;
        }
        return std::nullopt;
    }
    switch (meaning_of(code, write_errno(handle, File::database))) {
        case Meaning::busy:
        case Meaning::full:
            return std::nullopt;  // everything is in the WAL still
        case Meaning::broken:
        case Meaning::damaged:
            break;
    }
    // Linux forgets the pages whose fsync failed, and a second fsync says that all is well: only opening anew, from the WAL, is safe.
    return Failure{FailureCode::outcome_unknown, explain(handle, code, "A checkpoint") +
                                                     ". What was committed is in the write-ahead log; the store must be opened anew."};
}

}  // namespace durable_mcp::store::sqlite
