// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;

namespace durable_mcp::store::sqlite {

/// What an error of SQLite means for a batch that was being applied, or committed.
enum class Meaning {
    full,     ///< no space (ENOSPC, a quota or a file size limit): certainly not committed
    busy,     ///< certainly not committed; may work later
    broken,   ///< the engine could not do it, and nothing was committed if COMMIT had not begun
    damaged,  ///< what is on disk is not a sound database
};

enum class File { log, database };

/// What the operating system said when a write to this file failed last. (sqlite3_system_errno() is not set by a COMMIT, and keeps old
/// values.)
[[nodiscard]] int write_errno(sqlite3* database, File file);

/// `code` is an extended result code; `system_errno` is write_errno() of the file that was written.
[[nodiscard]] Meaning meaning_of(int code, int system_errno);

/// One sentence: what was tried, SQLite's words and number, and the operating system's where they are known.
[[nodiscard]] std::string explain(sqlite3* database, int code, std::string_view what);

/// What a reading caller is told: store_damaged, store_unavailable or io.
[[nodiscard]] base::Failure read_failure(sqlite3* database, int code, std::string_view what);

/// The failure of a row whose checksum does not fit. `key` may hold any bytes.
[[nodiscard]] base::Failure damaged_row(std::string_view path, std::string_view table, std::string_view key);

/// `bytes` in quotes with what is not printable escaped, and cut off when long: for sentences.
[[nodiscard]] std::string quoted(std::string_view bytes);

/// Whether the linked SQLite can corrupt a database in the WAL-reset race (3.7.0 to 3.51.2, fixed in 3.51.3, 3.44.6 and 3.50.7).
[[nodiscard]] bool has_wal_reset_bug(int version_number);

}  // namespace durable_mcp::store::sqlite
