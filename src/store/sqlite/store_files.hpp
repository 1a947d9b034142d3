// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace durable_mcp::store::sqlite {

/// The directory, the lock and the ballast around one database file. What SQLite itself opens (the file, -wal, -shm) is not opened here
/// after SQLite has: closing another descriptor of the same file would drop SQLite's locks.
class StoreFiles {
public:
    /// Creates the directory (0700, only the last component) and the file (0600) where they are absent, and takes the lock, which is held
    /// as long as the object lives. Fails with `store_locked`, `store_incompatible` or `io`; the sentence names the path and says what to
    /// do.
    [[nodiscard]] static base::Result<StoreFiles> open(const std::string& path, std::size_t ballast_bytes);

    StoreFiles(StoreFiles&& other) noexcept;
    StoreFiles& operator=(StoreFiles&&) = delete;
    ~StoreFiles();

    /// The database file, with its directory resolved.
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] int lock_fd() const { return lock_fd_; }

    /// Forgets the lock without closing it: for a forked child, where it is closed already.
    void abandon() { lock_fd_ = -1; }

    /// Makes what was created in the directory durable.
    [[nodiscard]] base::Result<void> sync_directory() const;

    /// Creates `<path>.ballast` unless it is there; false where there is no room for it and a little more.
    [[nodiscard]] bool restore_ballast();
    /// Removes it; false when there was none.
    [[nodiscard]] bool release_ballast();

private:
    StoreFiles() = default;
    [[nodiscard]] std::optional<base::Failure> prepare_directory();
    [[nodiscard]] std::optional<base::Failure> take_lock();
    [[nodiscard]] std::optional<base::Failure> create_file();

    std::string directory_;
    std::string path_;
    std::size_t ballast_bytes_ = 0;
    int lock_fd_ = -1;
};

/// The name of a network file system by its statfs number, on which SQLite's WAL cannot work; nullptr for all others.
[[nodiscard]] const char* network_file_system(std::uint64_t statfs_type);

}  // namespace durable_mcp::store::sqlite
