// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace durable_mcp::store::sqlite {

/// A database connection that a forked child uses destroys the parent's locks, and with them the database. A guard remembers in which
/// process it was made; in a child it lets nothing be used, and it gives the child's copy of the lock file back, so that a child that
/// outlives the server does not keep the store locked.
class ForkGuard {
public:
    /// `lock_fd` is closed in children. The guard does not own it.
    explicit ForkGuard(int lock_fd);
    ~ForkGuard();
    ForkGuard(const ForkGuard&) = delete;
    ForkGuard& operator=(const ForkGuard&) = delete;

    [[nodiscard]] bool is_in_child() const;
    /// Ends the process with a sentence when it is not the one that opened the store.
    void check() const {
        if (is_in_child()) [[unlikely]] {
            refuse();
        }
    }

private:
    [[noreturn]] static void refuse();

    const unsigned born_;
    const int lock_fd_;
};

}  // namespace durable_mcp::store::sqlite
