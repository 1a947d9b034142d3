// SPDX-License-Identifier: Apache-2.0
#pragma once

// One thread sleeps here, one other wakes it. Made for the commit queue, where a condition variable would make each woken follower queue up
// again for the mutex that the leader holds. The opener may touch nothing after the store: the sleeper may be gone by then; the address
// that it hands to the kernel is only a number, and a wake-up at a wrong address is a spurious one, which every sleeper here survives.

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace durable_mcp::store {

class Gate {
public:
    /// To be called by the sleeper before it makes itself known to the opener.
    void close() { open_.store(0, std::memory_order_relaxed); }

    void open() {
        std::uint32_t* const address = word();
        open_.store(1, std::memory_order_release);
        ::syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }

    void wait() {
        while (open_.load(std::memory_order_acquire) == 0) {
            ::syscall(SYS_futex, word(), FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
        }
    }

    /// As wait(), but no longer than until `deadline`.
    void wait_until(std::chrono::steady_clock::time_point deadline) {
        while (open_.load(std::memory_order_acquire) == 0) {
            const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - std::chrono::steady_clock::now()).count();
            if (left <= 0) {
                return;
            }
            timespec relative{};
            relative.tv_sec = static_cast<std::time_t>(left / 1'000'000'000);
            relative.tv_nsec = static_cast<long>(left % 1'000'000'000);
            ::syscall(SYS_futex, word(), FUTEX_WAIT_PRIVATE, 0, &relative, nullptr, 0);
        }
    }

private:
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
    std::uint32_t* word() { return reinterpret_cast<std::uint32_t*>(&open_); }

    std::atomic<std::uint32_t> open_{0};
};

}  // namespace durable_mcp::store
