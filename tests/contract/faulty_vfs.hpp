// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace durable_mcp::store {

/// What the next operations on files opened through the VFS "faulty" come to. Process-wide; each test resets it.
struct Faults {
    int wal_sync = 0;       ///< SQLite code of every sync of a -wal file; 0: it works
    int database_sync = 0;  ///< the same for the database file
    int wal_write = 0;      ///< code of every write to a -wal file
    int wal_syncs_seen = 0;

    /// Operations on files (all but locking and closing) are counted, and the one of this number fails, as its kind fails; 0: none.
    int fail_at = 0;
    bool forever = false;  ///< and all behind it
    bool full = false;     ///< its writes fail for want of space
    int operations_seen = 0;
};

Faults& faults();

/// Registers the VFS once; returns its name.
const char* faulty_vfs();

}  // namespace durable_mcp::store
