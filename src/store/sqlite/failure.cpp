// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/failure.hpp"

#include <fmt/core.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace durable_mcp::store::sqlite {

using base::Failure;
using base::FailureCode;

Meaning meaning_of(int code, int system_errno) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return Meaning::full;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Meaning::busy;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Meaning::damaged;
        case SQLITE_IOERR:
            // SQLite calls only ENOSPC "full". A write that was refused for a quota or RLIMIT_FSIZE did not happen either: the WAL is
            // written before it is synced, and its last frame is what makes a commit.
            if (code == SQLITE_IOERR_WRITE && (system_errno == EDQUOT || system_errno == EFBIG || system_errno == ENOSPC)) {
                return Meaning::full;
            }
            return Meaning::broken;
        default:
            return Meaning::broken;
    }
}

int write_errno(sqlite3* database, File file) {
    int value = 0;
    if (file == File::database) {
        sqlite3_file_control(database, "main", SQLITE_FCNTL_LAST_ERRNO, &value);
        return value;
    }
    sqlite3_file* log = nullptr;
    if (sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log != nullptr &&
        log->pMethods != nullptr) {
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &value);
    }
    return value;
}

std::string explain(sqlite3* database, int code, std::string_view what) {
    std::string sentence = fmt::format("{} failed: {} (SQLite {}", what, sqlite3_errstr(code), code);
    const int primary = code & 0xff;
    int system = 0;
    if (database != nullptr) {
        system = code == SQLITE_IOERR_WRITE ? write_errno(database, File::log) : sqlite3_system_errno(database);
    }
    if (system != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL)) {
        sentence += fmt::format("; the system says: {}", std::strerror(system));
    }
    return sentence + ")";
}

Failure read_failure(sqlite3* database, int code, std::string_view what) {
    switch (meaning_of(code, 0)) {
        case Meaning::damaged:
            return {
                FailureCode::store_damaged,
                explain(database, code, what) + ". Keep the files, stop the server, and restore a backup or try `sqlite3 FILE .recover`."};
        case Meaning::busy:
            return {FailureCode::store_unavailable, explain(database, code, what)};
        case Meaning::full:
        case Meaning::broken:
            break;
    }
    return {FailureCode::io, explain(database, code, what)};
}

Failure damaged_row(std::string_view path, std::string_view table, std::string_view key) {
    return {FailureCode::store_damaged,
            fmt::format(
                "The store {} is damaged: in table '{}' the row {} is not what was written (its checksum does not fit). Keep the files, "
                "and restore a backup.",
                path, table, key)};
}

std::string quoted(std::string_view bytes) {
    constexpr std::size_t longest = 80;
    std::string text = "'";
    for (const char c : bytes.substr(0, longest)) {
        if (c >= 0x20 && c < 0x7f && c != '\'' && c != '\\') {
            text.push_back(c);
        } else {
            text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return text + (bytes.size() > longest ? "…'" : "'");
}

bool has_wal_reset_bug(int version_number) {
    const bool backported =
        (version_number >= 3'044'006 && version_number < 3'045'000) || (version_number >= 3'050'007 && version_number < 3'051'000);
    return version_number >= 3'007'000 && version_number < 3'051'003 && !backported;
}

}  // namespace durable_mcp::store::sqlite
