// SPDX-License-Identifier: Apache-2.0
#include "runtime/alarms.hpp"

#include <utility>

namespace durable_mcp::runtime {

void Alarms::set(Time when, std::function<void()> ring) {
    if (!timer_) {
        return;
    }
    waiting_.emplace(when, std::move(ring));
    wait();
}

void Alarms::close() {
    timer_.reset();
    waiting_.clear();
    set_for_.reset();
}

void Alarms::wait() {
    if (waiting_.empty() || (set_for_ && *set_for_ <= waiting_.begin()->first)) {
        return;
    }
    set_for_ = waiting_.begin()->first;
    timer_->expires_at(*set_for_);
    timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error && self->timer_) {
            self->ring_due();
        }
    });
}

void Alarms::ring_due() {
    set_for_.reset();
    const Time now = std::chrono::steady_clock::now();
    while (timer_ && !waiting_.empty() && waiting_.begin()->first <= now) {
        const std::function<void()> ring = std::move(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        ring();
    }
    if (timer_) {
        wait();
    }
}

}  // namespace durable_mcp::runtime
