// SPDX-License-Identifier: Apache-2.0
#pragma once

// Things to be done later on the loop: one timer, and what it is to ring for. Loop only.
//
// Time is the injected clock's: a span is counted on the steady one, which never jumps, and a time of day on the wall, which does.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"

namespace durable_mcp::runtime {

class Alarms : public std::enable_shared_from_this<Alarms> {
public:
    using Time = std::chrono::steady_clock::time_point;

    Alarms(const boost::asio::any_io_executor& loop, const base::Clock& clock) : clock_(clock), timer_(std::in_place, loop) {}

    /// Calls `ring` on the loop, not before the steady clock shows `when`. Hold what it uses weakly: it may be asked to ring long after nobody
    /// cares.
    void set(Time when, std::function<void()> ring);
    /// The same for the wall clock, which may be set: it is looked at again from time to time.
    void set_wall(std::int64_t when_ms, std::function<void()> ring);
    /// Nothing rings any more, and nothing hangs on the loop.
    void close();
    [[nodiscard]] std::size_t size() const { return waiting_.size() + on_the_wall_.size(); }

private:
    void wait();
    void ring_due();

    const base::Clock& clock_;
    std::multimap<Time, std::function<void()>> waiting_;
    std::multimap<std::int64_t, std::function<void()>> on_the_wall_;
    std::optional<boost::asio::steady_timer> timer_;  // none once closed
    std::optional<Time> set_for_;
};

}  // namespace durable_mcp::runtime
