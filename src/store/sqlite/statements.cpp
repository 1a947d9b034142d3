// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/statements.hpp"

#include "base/assert.hpp"

// The columns of `call` in the order in which they are bound and read.
#define CALL_COLUMNS                                                                                                                \
    "id, session, request_id, digest, stream, document, state, attempts, crashed_attempts, crash_mark, answer_event, accepted_ms, " \
    "finished_ms, checksum, state_checksum, attempt_checksum"

// How many rows go when the call `c` goes, near enough.
#define ROWS_OF_CALL                                                                                                                    \
    "1 + coalesce((SELECT max(seq) FROM entry WHERE entry.call = c.id) - (SELECT min(seq) FROM entry WHERE entry.call = c.id) + 1, 0)"  \
    " + coalesce((SELECT max(seq) FROM event WHERE stream = c.stream) - (SELECT min(seq) FROM event WHERE stream = c.stream) + 1, 0)"

#define HANDLE_COLUMNS "call, owner, idempotency_key, reach, created_ms, updated_ms, ttl_ms, document, checksum"
#define MAP_COLUMNS "key, value, version, expires_ms, checksum"

namespace durable_mcp::store::sqlite {

const char* text_of(Sql statement) {
    switch (statement) {
        case Sql::begin_immediate:
            return "BEGIN IMMEDIATE";
        case Sql::begin_deferred:
            return "BEGIN";
        case Sql::commit:
            return "COMMIT";
        case Sql::rollback:
            return "ROLLBACK";
        case Sql::savepoint:
            return "SAVEPOINT a_group";
        case Sql::release:
            return "RELEASE a_group";
        case Sql::rollback_to:
            return "ROLLBACK TO a_group";

        case Sql::put_session:
            return "INSERT OR REPLACE INTO session(id, owner, document, created_ms, last_seen_ms, checksum) VALUES(?,?,?,?,?,?)";
        case Sql::touch_session:
            return "UPDATE session SET last_seen_ms = ?2 WHERE id = ?1";
        case Sql::drop_session:
            return "DELETE FROM session WHERE id = ?1";
        // `session <> ''` lets the planner use the partial index.
        case Sql::drop_call_events:
            return "DELETE FROM event WHERE stream IN (SELECT stream FROM call WHERE session = ?1 AND session <> '' AND NOT EXISTS "
                   "(SELECT 1 FROM call AS kept JOIN handle ON handle.call = kept.id WHERE kept.stream = call.stream))";
        case Sql::drop_session_calls:
            return "DELETE FROM call WHERE session = ?1 AND session <> '' AND NOT EXISTS (SELECT 1 FROM handle WHERE handle.call = "
                   "call.id)";
        case Sql::drop_stream:
            return "DELETE FROM event WHERE stream = ?1";

        case Sql::insert_call:
            return "INSERT INTO call(" CALL_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
        case Sql::update_call:
            return "UPDATE call SET state = ?2, answer_event = ?3, finished_ms = ?4, state_checksum = ?5 WHERE id = ?1";
        case Sql::count_attempt:
            return "UPDATE call SET attempts = ?2, crashed_attempts = ?3, crash_mark = ?4, attempt_checksum = ?5 WHERE id = ?1";
        case Sql::append_entry:
            return "INSERT INTO entry(call, seq, kind, key, type, payload, checksum) VALUES(?,?,?,?,?,?,?)";
        case Sql::drop_entry:
            return "DELETE FROM entry WHERE call = ?1 AND seq = ?2";
        case Sql::append_event:
            return "INSERT INTO event(stream, seq, payload, created_ms, checksum) VALUES(?,?,?,?,?)";

        // Not INSERT OR REPLACE: that would take the key away from another call.
        case Sql::put_handle:
            return "INSERT INTO handle(" HANDLE_COLUMNS
                   ") VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(call) DO UPDATE SET owner = excluded.owner, idempotency_key = "
                   "excluded.idempotency_key, reach = excluded.reach, created_ms = excluded.created_ms, updated_ms = excluded.updated_ms, "
                   "ttl_ms = excluded.ttl_ms, document = excluded.document, checksum = excluded.checksum";
        case Sql::insert_arrival:
            return "INSERT INTO arrival(call, key, payload, checksum) VALUES(?,?,?,?)";
        case Sql::drop_call_own_events:
            return "DELETE FROM event WHERE stream IN (SELECT stream FROM call WHERE id = ?1 AND NOT EXISTS "
                   "(SELECT 1 FROM call AS other WHERE other.stream = call.stream AND other.id <> ?1))";
        case Sql::drop_call:
            return "DELETE FROM call WHERE id = ?1";
        case Sql::trim_entries:
            return "DELETE FROM entry WHERE call = ?1 AND seq < (SELECT min(seq) FROM entry WHERE call = ?1) + ?2";
        case Sql::trim_events:
            return "DELETE FROM event WHERE stream = (SELECT stream FROM call WHERE id = ?1 AND NOT EXISTS "
                   "(SELECT 1 FROM call AS other WHERE other.stream = call.stream AND other.id <> ?1)) AND seq < "
                   "(SELECT min(seq) FROM event WHERE stream = (SELECT stream FROM call WHERE id = ?1)) + ?2 AND seq < "
                   "(SELECT max(seq) FROM event WHERE stream = (SELECT stream FROM call WHERE id = ?1))";
        case Sql::drop_handle:
            return "DELETE FROM handle WHERE call = ?1";
        case Sql::drop_events:
            return "DELETE FROM event WHERE stream = ?1 AND seq <= ?2 AND seq < (SELECT max(seq) FROM event WHERE stream = ?1) AND seq < "
                   "(SELECT min(seq) FROM event WHERE stream = ?1) + ?3";
        case Sql::settle_newest_event:
            return "UPDATE event SET created_ms = 0 WHERE stream = ?1 AND seq <= ?2 AND created_ms > 0 AND seq = "
                   "(SELECT min(seq) FROM event WHERE stream = ?1) AND seq = (SELECT max(seq) FROM event WHERE stream = ?1)";
        case Sql::release_space:
            return "PRAGMA incremental_vacuum(128)";  // half a MiB: about as much work as a batch of calls
        case Sql::put_secret:
            return "INSERT OR REPLACE INTO secret(id, created_ms, value, checksum) VALUES(?,?,?,?)";
        case Sql::drop_secret:
            return "DELETE FROM secret WHERE id = ?1";

        case Sql::put_map_row:
            return "INSERT OR REPLACE INTO map_row(map, key, value, version, expires_ms, checksum) VALUES(?,?,?,?,?,?)";
        case Sql::erase_map_row:
            return "DELETE FROM map_row WHERE map = ?1 AND key = ?2";
        case Sql::map_size_of:
            return "SELECT length(value) FROM map_row WHERE map = ?1 AND key = ?2";
        case Sql::expired_rows:
            return "SELECT map, key FROM map_row WHERE expires_ms <= ?1 AND expires_ms > 0 ORDER BY expires_ms LIMIT ?2";
        case Sql::expired_maps:
            return "SELECT DISTINCT map FROM (SELECT map FROM map_row WHERE expires_ms <= ?1 AND expires_ms > 0 ORDER BY expires_ms LIMIT ?2) ORDER BY map";
        case Sql::grow_scope:
            return "INSERT INTO scope(name, rows, bytes) VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET rows = rows + ?2, bytes = bytes + ?3";
        case Sql::shrink_scope:
            return "UPDATE scope SET rows = rows - 1, bytes = bytes - ?2 WHERE name = ?1";
        case Sql::drop_empty_scope:
            return "DELETE FROM scope WHERE name = ?1 AND rows = 0";
        case Sql::scope_usage:
            return "SELECT rows, bytes FROM scope WHERE name = ?1";
        // Spelled as scope_name() spells it. One look-up per call; few have maps.
        case Sql::call_scopes_of_session:
            return "SELECT name FROM scope WHERE name IN (SELECT '$call:' || length(CAST(id AS BLOB)) || ':' || id || ':' FROM call WHERE session = ?1 "
                   "AND session <> '' AND NOT EXISTS (SELECT 1 FROM handle WHERE handle.call = call.id))";
        case Sql::drop_scope_rows:
            return "DELETE FROM map_row WHERE map >= ?1 AND map < ?2";
        case Sql::drop_scope:
            return "DELETE FROM scope WHERE name = ?1";
        case Sql::map_version_of:
            return "SELECT version FROM map_row WHERE map = ?1 AND key = ?2 AND (expires_ms = 0 OR expires_ms > ?3)";
        case Sql::session_exists:
            return "SELECT 1 FROM session WHERE id = ?1";
        case Sql::call_state_of:
            return "SELECT state FROM call WHERE id = ?1";
        case Sql::put_map_version:
            return "UPDATE meta SET value = ?1 WHERE name = 'map_version'";

        case Sql::sessions:
            return "SELECT id, owner, document, created_ms, last_seen_ms, checksum FROM session ORDER BY id";
        case Sql::call:
            return "SELECT " CALL_COLUMNS " FROM call WHERE id = ?1";
        case Sql::call_of_request:
            return "SELECT " CALL_COLUMNS " FROM call WHERE session = ?1 AND session <> '' AND request_id = ?2";
        case Sql::calls_of_stream:
            return "SELECT " CALL_COLUMNS " FROM call WHERE stream = ?1 ORDER BY id";
        case Sql::unfinished_calls:
            return "SELECT " CALL_COLUMNS " FROM call WHERE state < 2 ORDER BY accepted_ms, id";
        case Sql::handle:
            return "SELECT " HANDLE_COLUMNS " FROM handle WHERE call = ?1";
        case Sql::handle_of_key:
            return "SELECT " HANDLE_COLUMNS " FROM handle WHERE idempotency_key = ?1 AND idempotency_key <> ''";
        case Sql::handles:
            return "SELECT " HANDLE_COLUMNS " FROM handle WHERE owner = ?1 AND reach & ?2 ORDER BY call DESC LIMIT ?3";
        case Sql::handles_before:
            return "SELECT " HANDLE_COLUMNS " FROM handle WHERE owner = ?1 AND reach & ?2 AND call < ?4 ORDER BY call DESC LIMIT ?3";
        case Sql::expired_handles:
            return "SELECT " HANDLE_COLUMNS
                   " FROM handle WHERE created_ms + ttl_ms <= ?1 AND ttl_ms > 0 ORDER BY created_ms + ttl_ms, call LIMIT ?2";
        // Not (created_ms + ttl_ms, call) > (?3, ?4), for which the planner would read the index from its beginning.
        case Sql::expired_handles_after:
            return "SELECT " HANDLE_COLUMNS
                   " FROM handle WHERE created_ms + ttl_ms <= ?1 AND ttl_ms > 0 AND created_ms + ttl_ms >= ?3"
                   " AND (created_ms + ttl_ms > ?3 OR call > ?4) ORDER BY created_ms + ttl_ms, call LIMIT ?2";
        case Sql::arrivals:
            return "SELECT key, payload, checksum FROM arrival WHERE call = ?1 ORDER BY key";
        case Sql::secrets:
            return "SELECT id, created_ms, value, checksum FROM secret ORDER BY id";
        case Sql::entries:
            return "SELECT seq, kind, key, type, payload, checksum FROM entry WHERE call = ?1 ORDER BY seq";
        case Sql::events:
            return "SELECT seq, payload, checksum, created_ms FROM event WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        case Sql::last_event:
            return "SELECT max(seq) FROM event WHERE stream = ?1";
        case Sql::first_event:
            return "SELECT min(seq) FROM event WHERE stream = ?1";
        case Sql::finished_calls:
            return "SELECT id, finished_ms, " ROWS_OF_CALL
                   ", state, answer_event, state_checksum FROM call AS c WHERE state >= 2 AND finished_ms BETWEEN ?1 AND ?2 AND NOT EXISTS "
                   "(SELECT 1 FROM handle WHERE handle.call = c.id) ORDER BY finished_ms LIMIT ?3";
        case Sql::count_finished:
            return "SELECT count(*) FROM call WHERE state >= 2";
        case Sql::finished_since:
            return "SELECT finished_ms FROM call WHERE state >= 2 AND NOT EXISTS (SELECT 1 FROM handle WHERE handle.call = call.id) "
                   "ORDER BY finished_ms DESC LIMIT 1 OFFSET ?1";
        case Sql::calls_of_session:
            return "SELECT id, finished_ms, " ROWS_OF_CALL
                   " FROM call AS c WHERE session = ?1 AND session <> '' AND NOT EXISTS (SELECT 1 FROM handle WHERE handle.call = c.id) LIMIT ?2";
        case Sql::old_events:
            return "SELECT stream, max(seq) FROM (SELECT stream, seq FROM event WHERE created_ms > 0 AND created_ms <= ?1 "
                   "ORDER BY created_ms LIMIT ?2) GROUP BY stream";
        case Sql::page_size:
            return "PRAGMA page_size";
        case Sql::page_count:
            return "PRAGMA page_count";
        case Sql::free_pages:
            return "PRAGMA freelist_count";

        case Sql::map_row:
            return "SELECT " MAP_COLUMNS " FROM map_row WHERE map = ?1 AND key = ?2 AND (expires_ms = 0 OR expires_ms > ?3)";
        case Sql::map_range_up:
            return "SELECT " MAP_COLUMNS " FROM map_row WHERE map = ?1 AND key >= ?2 AND key < ?3 AND (expires_ms = 0 OR expires_ms > ?5) ORDER BY key LIMIT ?4";
        case Sql::map_range_up_open:
            return "SELECT " MAP_COLUMNS " FROM map_row WHERE map = ?1 AND key >= ?2 AND (expires_ms = 0 OR expires_ms > ?5) ORDER BY key LIMIT ?4";
        case Sql::map_range_down:
            return "SELECT " MAP_COLUMNS
                   " FROM map_row WHERE map = ?1 AND key >= ?2 AND key < ?3 AND (expires_ms = 0 OR expires_ms > ?5) ORDER BY key DESC LIMIT ?4";
        case Sql::map_range_down_open:
            return "SELECT " MAP_COLUMNS " FROM map_row WHERE map = ?1 AND key >= ?2 AND (expires_ms = 0 OR expires_ms > ?5) ORDER BY key DESC LIMIT ?4";
        case Sql::map_count:
            return "SELECT count(*) FROM map_row WHERE map = ?1 AND (expires_ms = 0 OR expires_ms > ?2)";
        case Sql::count_of_them:
            break;
    }
    DURABLE_MCP_ASSERT(statement != Sql::count_of_them);  // which is none
    return nullptr;
}

}  // namespace durable_mcp::store::sqlite
