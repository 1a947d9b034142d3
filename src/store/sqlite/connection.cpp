// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/connection.hpp"

#include <fmt/core.h>

#include "store/sqlite/failure.hpp"
#include "store/store.hpp"

namespace durable_mcp::store::sqlite {

using base::Failure;
using base::FailureCode;

base::Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Role role, const std::string& vfs,
                                                           int busy_timeout_ms) {
    std::unique_ptr<Connection> connection(new Connection);
    // NOMUTEX: one thread at a time is the house's own rule. NOFOLLOW: nobody puts a link in our way after we looked.
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(path.c_str(), &connection->handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
    sqlite3* const handle = connection->handle_;
    if (code != SQLITE_OK) {
        return Failure{FailureCode::io, explain(handle, code, "Opening the store " + path) +
                                            ". Check that the file is there and that this user may read and write it."};
    }
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, static_cast<int>(row_bytes));
    connection->checkpoint_on_close(false);
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    sqlite3_wal_autocheckpoint(handle, 0);  // only tidy() and the writer decide
    const char* const pragmas = role == Role::writer ? "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY"

                                                     : "PRAGMA cell_size_check = ON; PRAGMA query_only = ON; PRAGMA cache_size = -1024";
    if (const int hardened = connection->run(pragmas); hardened != SQLITE_OK) {
        return Failure{FailureCode::io, explain(handle, hardened, "Preparing the store " + path)};
    }
    return connection;
}

Connection::~Connection() {
    for (sqlite3_stmt* statement : statements_) {
        if (handle_ != nullptr) {
            sqlite3_finalize(statement);
        }
    }
    sqlite3_close(handle_);
}

sqlite3_stmt* Connection::prepared(Sql which, int& code) {
    sqlite3_stmt*& statement = statements_[static_cast<std::size_t>(which)];
    if (statement == nullptr) {
        code = sqlite3_prepare_v3(handle_, text_of(which), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    }
    return statement;
}

int Connection::run(const char* sql) {
    return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
}

template <class Take>
int Connection::ask_with(const char* sql, Take take) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            take(statement);
        }
        const int finalized = sqlite3_finalize(statement);
        code = finalized != SQLITE_OK ? finalized : SQLITE_OK;
    }
    return code;
}

int Connection::ask(const char* sql, std::int64_t& answer) {
    return ask_with(sql, [&](sqlite3_stmt* row) { answer = sqlite3_column_int64(row, 0); });
}

int Connection::ask(const char* sql, std::string& answer) {
    return ask_with(sql, [&](sqlite3_stmt* row) {
        const auto* text = sqlite3_column_blob(row, 0);
        answer.assign(static_cast<const char*>(text), text == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(row, 0)));
    });
}

void Connection::checkpoint_on_close(bool wanted) {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

}  // namespace durable_mcp::store::sqlite
