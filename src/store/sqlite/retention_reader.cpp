// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/retention_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "store/sqlite/failure.hpp"
#include "store/sqlite/reader.hpp"

namespace durable_mcp::store::sqlite {
namespace {

base::Failure cannot_read(Connection& reader, int code, std::string_view path) {
    return read_failure(reader.handle(), code, fmt::format("Reading the store {}", path));
}

std::uint64_t bound(std::size_t count) {
    return std::min<std::uint64_t>(count, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 2));
}

/// One number; 0 where there is no row.
base::Result<std::uint64_t> read_number(Connection& reader, std::string_view path, Statement& statement) {
    const int code = statement.step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return code == SQLITE_ROW ? statement.count_at(0) : std::uint64_t{0};
}

OldCall take_old_call(const Statement& row) {
    return {std::string(row.bytes_at(0)), row.integer_at(1), static_cast<std::size_t>(row.integer_at(2))};
}

}  // namespace

base::Result<std::uint64_t> read_first_event(Connection& reader, std::string_view path, std::string_view stream) {
    Statement statement(reader, Sql::first_event);
    return read_number(reader, path, statement.text(stream));
}

base::Result<std::vector<OldCall>> read_finished_calls(Connection& reader, std::string_view path, std::int64_t from_ms, std::int64_t to_ms,
                                                       std::size_t limit) {
    Statement statement(reader, Sql::finished_calls);
    statement.integer(from_ms).integer(to_ms).integer(bound(limit));
    std::vector<OldCall> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        OldCall call = take_old_call(statement);
        // That it has finished, and when, may be damaged: then it is left as it is, for whoever repairs the store.
        if (statement.integer_at(5) ==
            state_checksum(call.id, static_cast<CallState>(statement.integer_at(3)), statement.count_at(4), call.finished_ms)) {
            rows.push_back(std::move(call));
        }
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::int64_t> read_finished_since(Connection& reader, std::string_view path, std::size_t count) {
    Statement counting(reader, Sql::count_finished);
    const auto finished = read_number(reader, path, counting);  // from the index alone: as a rule there are fewer
    if (!finished) {
        return finished.error();
    }
    if (*finished < count) {
        return std::int64_t{0};
    }
    Statement statement(reader, Sql::finished_since);
    const auto since = read_number(reader, path, statement.integer(bound(count) - 1));
    if (!since) {
        return since.error();
    }
    return static_cast<std::int64_t>(*since);
}

base::Result<std::vector<OldCall>> read_calls_of_session(Connection& reader, std::string_view path, std::string_view session,
                                                         std::size_t limit) {
    Statement statement(reader, Sql::calls_of_session);
    statement.text(session).integer(bound(limit));
    std::vector<OldCall> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        rows.push_back(take_old_call(statement));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::vector<OldEvents>> read_old_events(Connection& reader, std::string_view path, std::int64_t to_ms, std::size_t limit) {
    Statement statement(reader, Sql::old_events);
    statement.integer(to_ms).integer(bound(limit));
    std::vector<OldEvents> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        rows.push_back({std::string(statement.bytes_at(0)), statement.count_at(1)});
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<Space> read_space(Connection& reader, std::string_view path) {
    std::uint64_t numbers[3] = {};
    const Sql questions[3] = {Sql::page_size, Sql::page_count, Sql::free_pages};
    for (std::size_t i = 0; i < 3; ++i) {
        Statement statement(reader, questions[i]);
        const auto number = read_number(reader, path, statement);
        if (!number) {
            return number.error();
        }
        numbers[i] = *number;
    }
    const auto [page, pages, free] = numbers;
    return Space{(pages - std::min(pages, free)) * page, free * page};
}

}  // namespace durable_mcp::store::sqlite
