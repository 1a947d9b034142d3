// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/store_files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

namespace durable_mcp::store::sqlite {
namespace {

using base::Failure;
using base::FailureCode;

constexpr std::size_t margin_bytes = 1u << 20;  // beside the ballast, so that restoring it does not fill the disk again

Failure io_failure(std::string_view what, const std::string& path, int error, std::string_view advice) {
    return {FailureCode::io, fmt::format("The store cannot be opened: {} {}: {}. {}", what, path, std::strerror(error), advice)};
}

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

}  // namespace

const char* network_file_system(std::uint64_t statfs_type) {
    switch (statfs_type & 0xffffffff) {
        case 0x6969:
            return "NFS";
        case 0x517b:
            return "SMB";
        case 0xff534d42:
            return "CIFS";
        case 0xfe534d42:
            return "SMB2";
        case 0x01021997:
            return "9p";
        case 0x73757245:
            return "Coda";
        case 0x5346414f:
            return "AFS";
        case 0x00c36400:
            return "Ceph";
        default:
            return nullptr;
    }
}

base::Result<StoreFiles> StoreFiles::open(const std::string& path, std::size_t ballast_bytes) {
    StoreFiles files;
    files.path_ = path;
    files.ballast_bytes_ = ballast_bytes;
    if (auto failure = files.prepare_directory()) {
        return *std::move(failure);
    }
    if (auto failure = files.take_lock()) {
        return *std::move(failure);
    }
    if (auto failure = files.create_file()) {
        return *std::move(failure);
    }
    return files;
}

StoreFiles::StoreFiles(StoreFiles&& other) noexcept
    : directory_(std::move(other.directory_)),
      path_(std::move(other.path_)),
      ballast_bytes_(other.ballast_bytes_),
      lock_fd_(std::exchange(other.lock_fd_, -1)) {}

StoreFiles::~StoreFiles() {
    if (lock_fd_ >= 0) {
        // Unlocking, not only closing: a child that was forked a moment ago has a copy of the descriptor until it runs for the first time,
        // and the lock would live as long. The file stays: removing it would let two others lock two different ones.
        ::flock(lock_fd_, LOCK_UN);
        ::close(lock_fd_);
    }
}

std::optional<Failure> StoreFiles::prepare_directory() {
    const auto slash = path_.rfind('/');
    const std::string name = slash == std::string::npos ? path_ : path_.substr(slash + 1);
    const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
    if (name.empty() || name == "." || name == ".." || path_.find('\0') != std::string::npos) {
        return Failure{FailureCode::io,
                       fmt::format("The store cannot be opened: '{}' does not name a file. Give the path of a database file.", path_)};
    }
    if (::mkdir(parent.c_str(), 0700) == 0) {
        const auto above = parent.rfind('/');
        const std::string grandparent = above == std::string::npos ? "." : above == 0 ? "/" : parent.substr(0, above);
        if (const int fd = ::open(grandparent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
            ::fsync(fd);
            ::close(fd);
        }
    } else if (errno != EEXIST) {
        return io_failure("creating its directory", parent, errno,
                          "Create the directories above it, or choose a place where this user may write.");
    }
    std::array<char, PATH_MAX> resolved;
    if (::realpath(parent.c_str(), resolved.data()) == nullptr) {
        return io_failure("finding its directory", parent, errno, "Check the path.");
    }
    directory_ = resolved.data();
    path_ = directory_ == "/" ? "/" + name : directory_ + "/" + name;

    struct stat status {};
    if (::stat(directory_.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return io_failure("its directory", directory_, ENOTDIR, "Check the path.");
    }
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
        return Failure{FailureCode::io,
                       fmt::format("The store {} is not opened: everybody may write to its directory and replace its files. "
                                   "Take that right away (chmod o-w {}), or choose another directory.",
                                   path_, directory_)};
    }
    struct statfs system {};
    if (::statfs(directory_.c_str(), &system) == 0) {
        if (const char* name_of_it = network_file_system(static_cast<std::uint64_t>(system.f_type))) {
            return Failure{FailureCode::store_incompatible,
                           fmt::format("The store {} is not opened: it lies on a network file system ({}), where SQLite cannot keep its "
                                       "promises. Choose a local disk.",
                                       path_, name_of_it)};
        }
    }
    return std::nullopt;
}

std::optional<Failure> StoreFiles::take_lock() {
    const std::string lock_path = path_ + ".lock";
    lock_fd_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (lock_fd_ < 0) {
        return io_failure("opening its lock", lock_path, errno,
                          "Check that this user may write to the directory, and that it is not a link.");
    }
    if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        std::array<char, 32> text{};
        const auto got = ::pread(lock_fd_, text.data(), text.size() - 1, 0);
        const long pid = got > 0 ? std::strtol(text.data(), nullptr, 10) : 0;
        ::close(std::exchange(lock_fd_, -1));
        if (error != EWOULDBLOCK) {
            return io_failure("locking", lock_path, error, "Choose a local file system.");
        }
        const std::string who = pid == static_cast<long>(::getpid()) ? "this process has it open already"
                                : pid > 0                            ? fmt::format("process {} has it open", pid)
                                                                     : std::string("another process has it open");
        return Failure{
            FailureCode::store_locked,
            fmt::format("The store {} is in use: {}. One store serves one server at a time: stop the other one, or choose another path.",
                        path_, who)};
    }
    const std::string text = fmt::format("{}\n{}\n", ::getpid(), boot_id());
    if (::ftruncate(lock_fd_, 0) != 0 || ::pwrite(lock_fd_, text.data(), text.size(), 0) < 0) {
        // Only a help for whoever is refused; a disk that is full must not keep the server from starting.
    }
    return std::nullopt;
}

std::optional<Failure> StoreFiles::create_file() {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0) {
        if (!S_ISREG(status.st_mode)) {
            return Failure{FailureCode::io,
                           fmt::format("The store {} is not opened: it is {}, not a plain file. Give the path of the file itself.", path_,
                                       S_ISLNK(status.st_mode) ? "a symbolic link" : "a directory or a device")};
        }
        return std::nullopt;
    }
    const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return io_failure("creating", path_, errno, "Check that this user may write to the directory.");
    }
    ::fchmod(fd, 0600);  // whatever the umask adds or takes
    ::close(fd);         // before SQLite opens it, so that no lock is lost
    return std::nullopt;
}

base::Result<void> StoreFiles::sync_directory() const {
    const int fd = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return io_failure("opening", directory_, errno, "Check the permissions of the directory.");
    }
    const int outcome = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (outcome != 0) {
        return io_failure("syncing", directory_, error, "Check the disk.");
    }
    return {};
}

bool StoreFiles::restore_ballast() {
    struct statvfs space {};
    const bool known = ::statvfs(directory_.c_str(), &space) == 0;
    const auto available = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    const std::string ballast = path_ + ".ballast";
    struct stat status {};
    if (ballast_bytes_ == 0 || (::lstat(ballast.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) >= ballast_bytes_)) {
        return !known || available >= margin_bytes;
    }
    if (known && available < ballast_bytes_ + margin_bytes) {
        return false;
    }
    const int fd = ::open(ballast.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(ballast_bytes_));
    ::close(fd);
    if (error != 0) {
        ::unlink(ballast.c_str());
    }
    return error == 0;
}

bool StoreFiles::release_ballast() {
    return ballast_bytes_ > 0 && ::unlink((path_ + ".ballast").c_str()) == 0;
}

}  // namespace durable_mcp::store::sqlite
