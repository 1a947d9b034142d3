// SPDX-License-Identifier: Apache-2.0
// The maps as the writer changes them: rows, what their scopes take, and the conditions on both.

#include <string>
#include <utility>
#include <vector>

#include "store/map_scope.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/writer.hpp"

namespace durable_mcp::store::sqlite {

Writer::Applied Writer::look_up_size(const std::string& map, const std::string& key, bool& is_there, std::int64_t& bytes) {
    Statement statement(*connection_, Sql::map_size_of);
    const int code = statement.text(map).blob(key).step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return failed(code);
    }
    is_there = code == SQLITE_ROW;
    bytes = is_there ? statement.integer_at(0) : 0;
    return Applied::whole;
}

Writer::Applied Writer::look_for_owner(std::string_view map) {
    const Scope scope = scope_of(map);
    if (scope.kind != ScopeKind::session && scope.kind != ScopeKind::call) {
        return Applied::whole;
    }
    Statement statement(*connection_, scope.kind == ScopeKind::session ? Sql::session_exists : Sql::call_state_of);
    const int code = statement.text(scope.owner).step();
    if (code == SQLITE_ROW) {
        return Applied::whole;
    }
    return code == SQLITE_DONE ? Applied::orphaned : failed(code);
}

Writer::Applied Writer::apply_one(const PutMapRow& write) {
    bool is_there = false;
    std::int64_t bytes_before = 0;
    Applied applied = look_for_owner(write.map);
    applied = applied == Applied::whole ? look_up_size(write.map, write.key, is_there, bytes_before) : applied;
    if (applied != Applied::whole) {
        return applied;
    }
    map_written_ = true;
    ++map_version_;  // even if this batch is rolled back: a gap is harmless, using a number twice is not
    {
        Statement statement(*connection_, Sql::put_map_row);
        applied = written(statement.text(write.map)
                              .blob(write.key)
                              .blob(write.value)
                              .integer(map_version_)
                              .integer(write.expires_ms)
                              .integer(map_row_checksum(write.map, write.key, write.value, map_version_, write.expires_ms)));
        if (applied != Applied::whole) {
            return applied;
        }
    }
    const auto bytes = static_cast<std::int64_t>(write.value.size()) - bytes_before + (is_there ? 0 : static_cast<std::int64_t>(write.key.size()));
    Statement statement(*connection_, Sql::grow_scope);
    return written(statement.text(scope_of(write.map).name).integer(is_there ? 0 : 1).integer(bytes));
}

Writer::Applied Writer::apply_one(const EraseMapRow& write) {
    bool is_there = false;
    std::int64_t bytes = 0;
    Applied applied = look_up_size(write.map, write.key, is_there, bytes);
    if (applied != Applied::whole || !is_there) {
        return applied;
    }
    {
        Statement statement(*connection_, Sql::erase_map_row);
        applied = written(statement.text(write.map).blob(write.key));
    }
    const std::string_view scope = scope_of(write.map).name;
    if (applied == Applied::whole) {
        Statement statement(*connection_, Sql::shrink_scope);
        applied = written(statement.text(scope).integer(bytes + static_cast<std::int64_t>(write.key.size())));
    }
    if (applied == Applied::whole) {
        Statement statement(*connection_, Sql::drop_empty_scope);
        applied = written(statement.text(scope));
    }
    return applied;
}

Writer::Applied Writer::apply_one(const DropExpiredRows& write) {
    std::vector<EraseMapRow> doomed;
    {
        Statement statement(*connection_, Sql::expired_rows);
        statement.integer(write.now_ms).integer(write.limit);
        int code = statement.step();
        for (; code == SQLITE_ROW; code = statement.step()) {
            doomed.push_back({std::string(statement.bytes_at(0)), std::string(statement.bytes_at(1))});
        }
        if (code != SQLITE_DONE) {
            return failed(code);
        }
    }
    for (const EraseMapRow& row : doomed) {
        if (const Applied applied = apply_one(row); applied != Applied::whole) {
            return applied;
        }
    }
    return Applied::whole;
}

Writer::Applied Writer::drop_scope(const std::string& scope) {
    {
        Statement statement(*connection_, Sql::scope_usage);
        const int code = statement.text(scope).step();
        if (code != SQLITE_ROW) {
            return code == SQLITE_DONE ? Applied::whole : failed(code);
        }
    }
    const std::string end = scope_end(scope);
    {
        Statement statement(*connection_, Sql::drop_scope_rows);
        if (const Applied applied = written(statement.text(scope).text(end)); applied != Applied::whole) {
            return applied;
        }
    }
    Statement statement(*connection_, Sql::drop_scope);
    return written(statement.text(scope));
}

Writer::Applied Writer::drop_maps_of_session(const std::string& session) {
    std::vector<std::string> scopes{scope_name(ScopeKind::session, session)};
    {
        Statement statement(*connection_, Sql::call_scopes_of_session);
        statement.text(session);
        int code = statement.step();
        for (; code == SQLITE_ROW; code = statement.step()) {
            scopes.emplace_back(statement.bytes_at(0));
        }
        if (code != SQLITE_DONE) {
            return failed(code);
        }
    }
    for (const std::string& scope : scopes) {
        if (const Applied applied = drop_scope(scope); applied != Applied::whole) {
            return applied;
        }
    }
    return Applied::whole;
}

// ── Conditions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

Writer::Applied Writer::apply_one(const ExpectMapRow& write) {
    Statement statement(*connection_, Sql::map_version_of);
    const int code = statement.text(write.map).blob(write.key).integer(write.now_ms).step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return failed(code);
    }
    const std::uint64_t version = code == SQLITE_ROW ? statement.count_at(0) : 0;
    return version == write.version ? Applied::whole : Applied::conflict;
}

Writer::Applied Writer::apply_one(const ExpectMapRange& write) {
    if (write.range.limit == 0 || (write.range.end && *write.range.end <= write.range.start)) {
        return write.found.empty() ? Applied::whole : Applied::conflict;
    }
    Statement statement(*connection_, range_statement(write.range));
    bind_range(statement, write.map, write.range, write.now_ms);
    std::size_t at = 0;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step(), ++at) {
        if (at == write.found.size() || statement.bytes_at(0) != write.found[at].first || statement.count_at(2) != write.found[at].second) {
            return Applied::conflict;
        }
    }
    if (code != SQLITE_DONE) {
        return failed(code);
    }
    return at == write.found.size() ? Applied::whole : Applied::conflict;
}

Writer::Applied Writer::apply_one(const LimitScope& write) {
    Statement statement(*connection_, Sql::scope_usage);
    const int code = statement.text(write.scope).step();
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? Applied::whole : failed(code);
    }
    const bool is_over = (write.rows != 0 && statement.count_at(0) > write.rows) || (write.bytes != 0 && statement.count_at(1) > write.bytes);
    return is_over ? Applied::exceeded : Applied::whole;
}

}  // namespace durable_mcp::store::sqlite
