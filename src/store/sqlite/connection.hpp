// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/sqlite/statements.hpp"

namespace durable_mcp::store::sqlite {

/// One SQLite connection and its prepared statements. Used by one thread at a time.
class Connection {
public:
    enum class Role { writer, reader };

    /// Opens and hardens the connection: no schema of ours is touched. `vfs` "" is the default one.
    [[nodiscard]] static base::Result<std::unique_ptr<Connection>> open(const std::string& path, Role role, const std::string& vfs,
                                                                        int busy_timeout_ms);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] sqlite3* handle() const { return handle_; }
    /// The prepared statement, or null when it cannot be prepared; then `code` says why.
    [[nodiscard]] sqlite3_stmt* prepared(Sql which, int& code);
    /// Runs SQL that returns nothing of interest.
    int run(const char* sql);
    /// The first column of the first row.
    int ask(const char* sql, std::int64_t& answer);
    int ask(const char* sql, std::string& answer);
    /// Whether closing this connection, if it is the last one, checkpoints the WAL and removes it.
    void checkpoint_on_close(bool wanted);
    /// Leaks the handle: what a forked child must do with it.
    void abandon() { handle_ = nullptr; }

private:
    Connection() = default;
    template <class Take>
    int ask_with(const char* sql, Take take);

    sqlite3* handle_ = nullptr;
    std::array<sqlite3_stmt*, static_cast<std::size_t>(Sql::count_of_them)> statements_{};
};

/// A prepared statement in use: bind in order, step, read; it is reset when this goes out of scope. What is bound must outlive it.
class Statement {
public:
    Statement(Connection& connection, Sql which) : statement_(connection.prepared(which, code_)) {}
    ~Statement() {
        if (statement_ != nullptr) {
            sqlite3_reset(statement_);
        }
    }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& text(std::string_view value) {
        return bound(statement_ == nullptr ? code_
                                           : sqlite3_bind_text64(statement_, ++at_, value.data() == nullptr ? "" : value.data(),
                                                                 value.size(), SQLITE_STATIC, SQLITE_UTF8));
    }
    Statement& blob(std::string_view value) {
        return bound(statement_ == nullptr ? code_
                                           : sqlite3_bind_blob64(statement_, ++at_, value.data() == nullptr ? "" : value.data(),
                                                                 value.size(), SQLITE_STATIC));
    }
    template <std::integral Integer>
    Statement& integer(Integer value) {
        return bound(statement_ == nullptr ? code_ : sqlite3_bind_int64(statement_, ++at_, static_cast<sqlite3_int64>(value)));
    }
    /// Leaves the next parameter as it is.
    Statement& skip() {
        ++at_;
        return *this;
    }

    /// SQLITE_ROW, SQLITE_DONE, or what went wrong (in binding, too).
    int step() { return code_ != SQLITE_OK ? code_ : sqlite3_step(statement_); }

    [[nodiscard]] std::string_view bytes_at(int column) const {
        const void* data = sqlite3_column_blob(statement_, column);
        return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size_at(column));
    }
    [[nodiscard]] std::int64_t integer_at(int column) const { return sqlite3_column_int64(statement_, column); }
    [[nodiscard]] std::uint64_t count_at(int column) const { return static_cast<std::uint64_t>(integer_at(column)); }

private:
    [[nodiscard]] std::size_t size_at(int column) const { return static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)); }
    Statement& bound(int code) {
        if (code != SQLITE_OK && code_ == SQLITE_OK) {
            code_ = code;
        }
        return *this;
    }

    int code_ = SQLITE_OK;
    sqlite3_stmt* statement_;
    int at_ = 0;
};

}  // namespace durable_mcp::store::sqlite
