// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/fork_guard.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace durable_mcp::store::sqlite {
namespace {

// A fork concerns the whole process, so these are the process's.
std::atomic<unsigned> generation{0};

struct LockFiles {
    std::mutex mutex;
    std::vector<int> fds;
};

LockFiles& lock_files() {
    static auto* const files = new LockFiles;  // never destroyed: a fork may come after the statics are gone
    return *files;
}

void before_fork() {
    lock_files().mutex.lock();
}
void after_fork_in_parent() {
    lock_files().mutex.unlock();
}
void after_fork_in_child() {
    generation.fetch_add(1);
    for (const int fd : lock_files().fds) {
        ::close(fd);  // the lock belongs to the open file, which the parent still has open
    }
    lock_files().fds.clear();
    lock_files().mutex.unlock();
}

}  // namespace

ForkGuard::ForkGuard(int lock_fd) : born_(generation.load()), lock_fd_(lock_fd) {
    static const int registered = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    static_cast<void>(registered);
    const std::lock_guard lock(lock_files().mutex);
    lock_files().fds.push_back(lock_fd);
}

ForkGuard::~ForkGuard() {
    const std::lock_guard lock(lock_files().mutex);
    std::erase(lock_files().fds, lock_fd_);
}

bool ForkGuard::is_in_child() const {
    return generation.load(std::memory_order_relaxed) != born_;
}

void ForkGuard::refuse() {
    std::fputs(
        "durable_mcp: a store was used in a forked child of the process that opened it, which would destroy the database. "
        "Open the store after the fork, or exec. The child ends here.\n",
        stderr);
    std::abort();
}

}  // namespace durable_mcp::store::sqlite
