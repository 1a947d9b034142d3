// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/backup.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "base/crash_point.hpp"
#include "store/sqlite/failure.hpp"

namespace durable_mcp::store::sqlite {
namespace {

using base::Failure;
using base::FailureCode;

constexpr std::time_t copy_kept_s = 30 * 24 * 3'600;  // who goes back further loses more than he can win

constexpr const char* advice = "Nothing was changed; free some space or check the disk, and start again.";

Failure not_copied(const std::string& part, const char* what, int error) {
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return {full ? FailureCode::store_full : FailureCode::io, fmt::format("{} {}: {}. {}", what, part, std::strerror(error), advice)};
}

// SQLite's part of it: every page, with those that are still in the log.
std::optional<Failure> copy_pages(sqlite3* source, const std::string& part) {
    sqlite3* copy = nullptr;
    int code = sqlite3_open_v2(part.c_str(), &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code == SQLITE_OK) {  // a copy that is not whole is thrown away, and a whole one is synced once
        code = sqlite3_exec(copy, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
    }
    if (code == SQLITE_OK) {
        sqlite3_backup* const backup = sqlite3_backup_init(copy, "main", source, "main");
        if (backup != nullptr) {
            const int step = sqlite3_backup_step(backup, -1);
            code = sqlite3_backup_finish(backup);
            code = code == SQLITE_OK && step != SQLITE_DONE ? step : code;  // finish() does not count a lock that was in the way
        } else {
            code = sqlite3_extended_errcode(copy);
        }
    }
    std::optional<Failure> failure;
    if (code != SQLITE_OK) {
        const bool full = meaning_of(code, write_errno(copy, File::database)) == Meaning::full;
        failure = Failure{full ? FailureCode::store_full : FailureCode::io,
                          fmt::format("{}. {}", explain(copy, code, "Copying it to " + part), advice)};
    }
    sqlite3_close(copy);
    return failure;
}

std::optional<Failure> sync_file(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    return synced ? std::nullopt : std::optional(not_copied(path, "Syncing", error));
}

}  // namespace

std::optional<Failure> back_up(Connection& source, const std::string& store, const std::string& target) {
    const std::string part = target + ".part";
    ::unlink(part.c_str());  // of a process that died here
    const int fd = ::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return not_copied(part, "Creating", errno);
    }
    ::fchmod(fd, 0600);  // whatever the umask adds or takes
    ::close(fd);
    auto failure = copy_pages(source.handle(), part);
    failure = failure ? failure : sync_file(part, O_RDWR);
    DURABLE_MCP_CRASH_POINT("migrate.back_up");
    if (!failure && std::rename(part.c_str(), target.c_str()) != 0) {
        failure = not_copied(target, "Naming", errno);
    }
    if (failure) {
        ::unlink(part.c_str());
        return failure;
    }
    return sync_file(store.substr(0, store.rfind('/') + 1), O_RDONLY | O_DIRECTORY);  // the name, too
}

void drop_if_outlived(const std::string& target) {
    struct stat status {};
    if (::lstat(target.c_str(), &status) == 0 && S_ISREG(status.st_mode) && std::time(nullptr) - status.st_mtime > copy_kept_s) {
        ::unlink(target.c_str());
    }
}

}  // namespace durable_mcp::store::sqlite
