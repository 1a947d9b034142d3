// SPDX-License-Identifier: Apache-2.0
#pragma once

// Things to be done later on the loop: one timer, and what it is to ring for. Loop only.

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <boost/asio/steady_timer.hpp>

namespace durable_mcp::runtime {

class Alarms : public std::enable_shared_from_this<Alarms> {
public:
    using Time = std::chrono::steady_clock::time_point;

    explicit Alarms(const boost::asio::any_io_executor& loop) : timer_(std::in_place, loop) {}

    /// Calls `ring` on the loop, not before `when`. Hold what it uses weakly: it may be asked to ring long after nobody cares.
    void set(Time when, std::function<void()> ring);
    /// Nothing rings any more, and nothing hangs on the loop.
    void close();
    [[nodiscard]] std::size_t size() const { return waiting_.size(); }

private:
    void wait();
    void ring_due();

    std::multimap<Time, std::function<void()>> waiting_;
    std::optional<boost::asio::steady_timer> timer_;  // none once closed
    std::optional<Time> set_for_;
};

}  // namespace durable_mcp::runtime
