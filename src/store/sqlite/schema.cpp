// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/schema.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <span>
#include <utility>

#include "base/crash_point.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/failure.hpp"

// Forward only. A step that was released is never changed: a later one follows it. journal/FORMAT.md tells the meaning of every column.
//
// Every table is WITHOUT ROWID: rows lie in the order of their keys, which begin with ids that sort by their time of birth, so that what is
// written together lies together, at the end, however much there is already.

namespace durable_mcp::store::sqlite {
namespace {

using base::Failure;
using base::FailureCode;

constexpr const char* to_version_1[] = {
    "CREATE TABLE meta(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "INSERT INTO meta(name, value) VALUES('map_version', 0)",
    "CREATE TABLE session(id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, document TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    " last_seen_ms INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE call(id TEXT NOT NULL PRIMARY KEY, session TEXT NOT NULL, request_id TEXT NOT NULL, digest TEXT NOT NULL,"
    " stream TEXT NOT NULL, document TEXT NOT NULL, state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4),"
    " attempts INTEGER NOT NULL CHECK(attempts >= 0), crashed_attempts INTEGER NOT NULL CHECK(crashed_attempts >= 0),"
    " crash_mark INTEGER NOT NULL, answer_event INTEGER NOT NULL, accepted_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL,"
    " checksum INTEGER NOT NULL, state_checksum INTEGER NOT NULL, attempt_checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE UNIQUE INDEX call_request ON call(session, request_id) WHERE session <> ''",
    "CREATE INDEX call_stream ON call(stream)",
    "CREATE INDEX call_unfinished ON call(accepted_ms) WHERE state < 2",
    "CREATE TABLE entry(call TEXT NOT NULL REFERENCES call(id) ON DELETE CASCADE, seq INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " key TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY(call, seq)) STRICT, WITHOUT "
    "ROWID",
    "CREATE TABLE event(stream TEXT NOT NULL, seq INTEGER NOT NULL, payload TEXT NOT NULL, checksum INTEGER NOT NULL,"
    " PRIMARY KEY(stream, seq)) STRICT, WITHOUT ROWID",
    "CREATE TABLE map_row(map TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " PRIMARY KEY(map, key)) STRICT, WITHOUT ROWID",
};

// Calls that can be reached without a session. A session's own calls have no row in these, and pay one look-up in each when they are
// dropped.
constexpr const char* to_version_2[] = {
    "CREATE TABLE handle(call TEXT NOT NULL PRIMARY KEY REFERENCES call(id) ON DELETE CASCADE, owner TEXT NOT NULL,"
    " idempotency_key TEXT NOT NULL, reach INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " ttl_ms INTEGER NOT NULL, document TEXT NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE UNIQUE INDEX handle_key ON handle(idempotency_key) WHERE idempotency_key <> ''",
    "CREATE INDEX handle_owner ON handle(owner, call, reach)",
    "CREATE INDEX handle_expiry ON handle(created_ms + ttl_ms) WHERE ttl_ms > 0",
    "CREATE TABLE arrival(call TEXT NOT NULL REFERENCES call(id) ON DELETE CASCADE, key TEXT NOT NULL, payload TEXT NOT NULL,"
    " checksum INTEGER NOT NULL, PRIMARY KEY(call, key)) STRICT, WITHOUT ROWID",
    "CREATE TABLE secret(id INTEGER NOT NULL PRIMARY KEY, created_ms INTEGER NOT NULL, value BLOB NOT NULL, checksum INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
};

// What each scope's maps take, counted as rows are written; and rows that expire.
constexpr const char* to_version_3[] = {
    "ALTER TABLE map_row ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX map_expiry ON map_row(expires_ms) WHERE expires_ms > 0",
    "CREATE TABLE scope(name TEXT NOT NULL PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "INSERT INTO scope(name, rows, bytes) SELECT '', n, size FROM"
    " (SELECT count(*) AS n, sum(length(key) + length(value)) AS size FROM map_row) WHERE n > 0",
};

// What may be forgotten is found by when it was: calls by when they finished, and events that no call keeps (their column costs the others a byte).
constexpr const char* to_version_4[] = {
    "CREATE INDEX call_finished ON call(finished_ms, state) WHERE state >= 2",
    "ALTER TABLE event ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX event_age ON event(created_ms) WHERE created_ms > 0",
};

using Step = std::span<const char* const>;
constexpr std::array<Step, schema_version> steps = {Step(to_version_1), Step(to_version_2), Step(to_version_3), Step(to_version_4)};

Failure migration_failure(Connection& writer, int code, const std::string& path, bool at_commit) {
    const bool full = meaning_of(code, write_errno(writer.handle(), File::log)) == Meaning::full;
    const char* const advice = full || !at_commit ? ". Nothing was changed; free some space or check the disk, and start again."
                                                  : ". The step was made whole or not at all, nobody knows which; check the disk, and start again.";
    return {full ? FailureCode::store_full : FailureCode::io, explain(writer.handle(), code, "Setting up the store " + path) + advice};
}

std::string copy_before(const std::string& path, std::int64_t schema) {
    return fmt::format("{}.before-schema-{}", path, schema);
}

// All steps from there on as one transaction: what is copied before it is what a death in the middle leaves.
std::optional<Failure> go_forward(Connection& writer, const std::string& path, std::int64_t from) {
    bool at_commit = false;
    int code = writer.run("BEGIN IMMEDIATE");
    for (auto step = static_cast<std::size_t>(from); step < steps.size(); ++step) {
        for (const char* statement : steps[step]) {
            if (code != SQLITE_OK) {
                break;
            }
            DURABLE_MCP_CRASH_POINT("migrate.each_statement");
            code = writer.run(statement);
        }
    }
    if (code == SQLITE_OK) {
        code = writer.run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application_id, schema_version).c_str());
    }
    if (code == SQLITE_OK) {
        DURABLE_MCP_CRASH_POINT("migrate.each_statement");
        at_commit = true;
        code = writer.run("COMMIT");
    }
    if (code == SQLITE_OK) {
        return std::nullopt;
    }
    auto failure = migration_failure(writer, code, path, at_commit);
    if (sqlite3_get_autocommit(writer.handle()) == 0) {
        writer.run("ROLLBACK");
    }
    return failure;
}

}  // namespace

std::optional<Failure> refuse_foreign(Connection& writer, const std::string& path) {
    std::int64_t mark = 0;
    std::int64_t version = 0;
    std::int64_t tables = 0;
    int code = writer.ask("PRAGMA application_id", mark);
    code = code == SQLITE_OK ? writer.ask("PRAGMA user_version", version) : code;
    code = code == SQLITE_OK ? writer.ask("SELECT count(*) FROM sqlite_schema", tables) : code;
    if ((code & 0xff) == SQLITE_NOTADB) {
        return Failure{
            FailureCode::store_incompatible,
            fmt::format("The file {} is not a store: it is not a SQLite database. It was left as it is; choose another path.", path)};
    }
    if (code != SQLITE_OK) {
        return read_failure(writer.handle(), code, "Reading the store " + path);
    }
    const bool empty = mark == 0 && version == 0 && tables == 0;
    if (!empty && mark != application_id) {
        return Failure{
            FailureCode::store_incompatible,
            fmt::format("The file {} is a SQLite database of another program (its application_id is {:#010x}, ours is {:#010x}). It was "
                        "left as it is; choose another path.",
                        path, static_cast<std::uint32_t>(mark), static_cast<std::uint32_t>(application_id))};
    }
    if (version > schema_version) {
        return Failure{
            FailureCode::store_incompatible,
            fmt::format("The store {} was written by a newer version of this library: its schema is {}, and this program reads up to {}. "
                        "It was left as it is; start the newer program, or choose another path.",
                        path, version, schema_version)};
    }
    return std::nullopt;
}

std::optional<Failure> migrate(Connection& writer, const std::string& path) {
    std::int64_t version = 0;
    if (const int code = writer.ask("PRAGMA user_version", version); code != SQLITE_OK) {
        return migration_failure(writer, code, path, false);
    }
    if (version > 0 && version < schema_version) {
        if (auto failure = back_up(writer, path, copy_before(path, schema_version))) {
            failure->sentence = fmt::format("The store {} has schema {} and is to be brought to {}, but first it is copied. {}", path,
                                            version, schema_version, failure->sentence);
            return failure;
        }
    }
    if (version < schema_version) {
        if (auto failure = go_forward(writer, path, version)) {
            return failure;
        }
    }
    for (const std::string& copy : copies_of(path)) {
        drop_if_outlived(copy);
    }
    return std::nullopt;
}

std::vector<std::string> copies_of(const std::string& path) {
    std::vector<std::string> copies;
    for (std::int64_t schema = 2; schema <= schema_version; ++schema) {
        std::string copy = copy_before(path, schema);
        if (::access(copy.c_str(), F_OK) == 0) {
            copies.push_back(std::move(copy));
        }
    }
    return copies;
}

}  // namespace durable_mcp::store::sqlite
