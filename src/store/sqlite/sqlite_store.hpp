// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "store/store.hpp"
#include "store/store_lock.hpp"

namespace durable_mcp::store {

enum class SqliteDurability {
    full,     ///< a commit that returned survives power loss, on storage that honours flushes
    relaxed,  ///< it survives the death of the process; the last ones may be lost when the power fails
};

struct SqliteOptions {
    std::string path;  ///< of the database file; beside it lie -wal, -shm, .lock and .ballast
    SqliteDurability durability = SqliteDurability::full;
    std::chrono::milliseconds busy_timeout = std::chrono::seconds(5);  ///< for locks of others (a backup, an `inspect`)
    std::size_t ballast_bytes = 4u << 20;                              ///< kept free for work that must finish on a full disk; 0: none
    std::string vfs = {};                                              ///< "" is SQLite's default; tests put faults underneath
};

/// Takes the store at `options.path` for this process alone, creating the file where it is absent, and opens it only when it is told to. Both
/// fail as open_sqlite_store() does.
[[nodiscard]] base::Result<std::unique_ptr<StoreLock>> lock_sqlite_store(const SqliteOptions& options);

/// Opens the store at `options.path` for this process alone, creating it where it is absent, and brings its schema up to date. What it
/// creates only its user may read. Fails with `store_locked` (the sentence names the process that has it), `store_incompatible` (not ours,
/// newer than we are, on a network file system), `store_damaged`, `store_full` or `io`; what was there is left as it is then.
[[nodiscard]] base::Result<std::shared_ptr<Store>> open_sqlite_store(const SqliteOptions& options);

}  // namespace durable_mcp::store
