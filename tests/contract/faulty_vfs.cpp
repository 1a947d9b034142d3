// SPDX-License-Identifier: Apache-2.0
#include "contract/faulty_vfs.hpp"

#include <sqlite3.h>

#include <new>

// A SQLite VFS that passes everything on to the default one, but for what faults() says.

namespace durable_mcp::store {
namespace {

struct FaultyFile {
    sqlite3_file base;
    bool wal;
    bool database;
    sqlite3_file* real;
};

FaultyFile& self(sqlite3_file* file) {
    return *reinterpret_cast<FaultyFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
    return self(file).real;
}

/// Whether the operation that comes now fails.
bool fails_now() {
    Faults& now = faults();
    ++now.operations_seen;
    return now.fail_at != 0 && (now.operations_seen == now.fail_at || (now.forever && now.operations_seen > now.fail_at));
}

int close_it(sqlite3_file* f) {
    return real(f)->pMethods != nullptr ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK;
}
int read_it(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    return fails_now() ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), to, n, at);
}
int write_it(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
    if (self(f).wal && faults().wal_write != 0) {
        return faults().wal_write;
    }
    if (fails_now()) {
        return faults().full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    return real(f)->pMethods->xWrite(real(f), from, n, at);
}
int truncate_it(sqlite3_file* f, sqlite3_int64 n) {
    return fails_now() ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), n);
}
int sync_it(sqlite3_file* f, int flags) {
    if (self(f).wal) {
        ++faults().wal_syncs_seen;
        if (faults().wal_sync != 0) {
            return faults().wal_sync;
        }
    }
    if (self(f).database && faults().database_sync != 0) {
        return faults().database_sync;
    }
    return fails_now() ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
}
int size_of(sqlite3_file* f, sqlite3_int64* n) {
    return fails_now() ? SQLITE_IOERR_FSTAT : real(f)->pMethods->xFileSize(real(f), n);
}
int lock_it(sqlite3_file* f, int level) {
    return real(f)->pMethods->xLock(real(f), level);
}
int unlock_it(sqlite3_file* f, int level) {
    return real(f)->pMethods->xUnlock(real(f), level);
}
int check_lock(sqlite3_file* f, int* out) {
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
int control(sqlite3_file* f, int op, void* arg) {
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}
int sector(sqlite3_file* f) {
    return real(f)->pMethods->xSectorSize(real(f));
}
int traits(sqlite3_file* f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
int shm_map(sqlite3_file* f, int page, int n, int extend, void volatile** out) {
    return fails_now() ? SQLITE_IOERR_SHMMAP : real(f)->pMethods->xShmMap(real(f), page, n, extend, out);
}
int shm_lock(sqlite3_file* f, int at, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
void shm_barrier(sqlite3_file* f) {
    real(f)->pMethods->xShmBarrier(real(f));
}
int shm_unmap(sqlite3_file* f, int remove) {
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

const sqlite3_io_methods methods = {2,        close_it,    read_it,    write_it, truncate_it, sync_it, size_of,
                                    lock_it,  unlock_it,   check_lock, control,  sector,      traits,  shm_map,
                                    shm_lock, shm_barrier, shm_unmap,  nullptr,  nullptr};

int open_it(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto* const below = static_cast<sqlite3_vfs*>(vfs->pAppData);
    auto* const mine = new (file) FaultyFile{};
    mine->wal = (flags & SQLITE_OPEN_WAL) != 0;
    mine->database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
    const int code = fails_now() ? SQLITE_CANTOPEN : below->xOpen(below, name, mine->real, flags, out_flags);
    mine->base.pMethods = code == SQLITE_OK ? &methods : nullptr;
    return code;
}

}  // namespace

Faults& faults() {
    static Faults the_faults;
    return the_faults;
}

const char* faulty_vfs() {
    static sqlite3_vfs* const vfs = [] {
        sqlite3_vfs* const below = sqlite3_vfs_find(nullptr);
        auto* const made = new sqlite3_vfs(*below);
        made->pNext = nullptr;
        made->zName = "faulty";
        made->szOsFile = below->szOsFile + static_cast<int>(sizeof(FaultyFile));
        made->pAppData = below;
        made->xOpen = open_it;
        sqlite3_vfs_register(made, 0);
        return made;
    }();
    return vfs->zName;
}

}  // namespace durable_mcp::store
