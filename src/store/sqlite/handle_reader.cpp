// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/handle_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "store/sqlite/failure.hpp"
#include "store/sqlite/row_checksum.hpp"

namespace durable_mcp::store::sqlite {
namespace {

using base::Failure;

Failure cannot_read(Connection& reader, int code, std::string_view path) {
    return read_failure(reader.handle(), code, fmt::format("Reading the store {}", path));
}

std::uint64_t bound_limit(std::size_t limit) {
    return std::min<std::uint64_t>(limit, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

// Takes every row that `statement`, with its parameters bound, yields.
base::Result<std::vector<HandleRow>> take_handles(Connection& reader, std::string_view path, Statement& statement) {
    std::vector<HandleRow> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        HandleRow row;
        row.call = statement.bytes_at(0);
        row.owner = statement.bytes_at(1);
        row.idempotency_key = statement.bytes_at(2);
        row.reach = static_cast<std::uint32_t>(statement.integer_at(3));
        row.created_ms = statement.integer_at(4);
        row.updated_ms = statement.integer_at(5);
        row.ttl_ms = statement.integer_at(6);
        row.document = statement.bytes_at(7);
        if (statement.integer_at(8) != handle_checksum(row)) {
            return damaged_row(path, "handle", quoted(row.call));
        }
        rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

}  // namespace

std::int64_t handle_checksum(const HandleRow& row) {
    return row_checksum(std::string_view(row.call), std::string_view(row.owner), std::string_view(row.idempotency_key), row.reach,
                        row.created_ms, row.updated_ms, row.ttl_ms, std::string_view(row.document));
}

std::int64_t arrival_checksum(std::string_view call, const ArrivalRow& row) {
    return row_checksum(call, std::string_view(row.key), std::string_view(row.payload));
}

std::int64_t secret_checksum(const SecretRow& row) {
    return row_checksum(row.id, row.created_ms, std::string_view(row.value));
}

base::Result<std::optional<HandleRow>> read_handle(Connection& reader, std::string_view path, Sql which, std::string_view parameter) {
    Statement statement(reader, which);
    auto rows = take_handles(reader, path, statement.text(parameter));
    if (!rows) {
        return rows.error();
    }
    return rows->empty() ? std::optional<HandleRow>() : std::optional<HandleRow>(std::move(rows->front()));
}

base::Result<std::vector<HandleRow>> read_handles(Connection& reader, std::string_view path, std::string_view owner, std::uint32_t reach,
                                                  std::string_view before, std::size_t limit) {
    Statement statement(reader, before.empty() ? Sql::handles : Sql::handles_before);
    statement.text(owner).integer(reach).integer(bound_limit(limit));
    if (!before.empty()) {
        statement.text(before);
    }
    return take_handles(reader, path, statement);
}

base::Result<std::vector<HandleRow>> read_expired_handles(Connection& reader, std::string_view path, std::int64_t now_ms,
                                                          const HandleRow* after, std::size_t limit) {
    Statement statement(reader, after == nullptr ? Sql::expired_handles : Sql::expired_handles_after);
    statement.integer(now_ms).integer(bound_limit(limit));
    if (after != nullptr) {
        statement.integer(after->created_ms + after->ttl_ms).text(after->call);
    }
    return take_handles(reader, path, statement);
}

base::Result<std::vector<ArrivalRow>> read_arrivals(Connection& reader, std::string_view path, std::string_view call) {
    Statement statement(reader, Sql::arrivals);
    statement.text(call);
    std::vector<ArrivalRow> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        ArrivalRow row{std::string(statement.bytes_at(0)), std::string(statement.bytes_at(1))};
        if (statement.integer_at(2) != arrival_checksum(call, row)) {
            return damaged_row(path, "arrival", fmt::format("({}, {})", quoted(call), quoted(row.key)));
        }
        rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    return rows;
}

base::Result<std::vector<SecretRow>> read_secrets(Connection& reader, std::string_view path) {
    Statement statement(reader, Sql::secrets);
    std::vector<SecretRow> rows;
    int code = statement.step();
    for (; code == SQLITE_ROW; code = statement.step()) {
        SecretRow row{statement.count_at(0), statement.integer_at(1), std::string(statement.bytes_at(2))};
        if (statement.integer_at(3) != secret_checksum(row)) {
            return damaged_row(path, "secret", std::to_string(row.id));
        }
        rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) {
        return cannot_read(reader, code, path);
    }
    // On disk the upper half of the unsigned numbers is negative.
    std::sort(rows.begin(), rows.end(), [](const SecretRow& a, const SecretRow& b) { return a.id < b.id; });
    return rows;
}

}  // namespace durable_mcp::store::sqlite
