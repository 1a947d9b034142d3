// SPDX-License-Identifier: Apache-2.0
#include "runtime/alarms.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace durable_mcp::runtime {
namespace {

using namespace std::chrono_literals;

// Somebody may set the wall clock: an alarm on it is at most this late.
constexpr std::chrono::milliseconds wall_recheck = 10s;

}  // namespace

void Alarms::set(Time when, std::function<void()> ring) {
    if (!timer_) {
        return;
    }
    waiting_.emplace(when, std::move(ring));
    wait();
}

void Alarms::set_wall(std::int64_t when_ms, std::function<void()> ring) {
    if (!timer_) {
        return;
    }
    on_the_wall_.emplace(when_ms, std::move(ring));
    wait();
}

void Alarms::close() {
    timer_.reset();
    waiting_.clear();
    on_the_wall_.clear();
    set_for_.reset();
}

void Alarms::wait() {
    const Time now = clock_.steady();
    std::optional<Time> next;
    if (!waiting_.empty()) {
        next = waiting_.begin()->first;
    }
    if (!on_the_wall_.empty()) {
        const std::int64_t left_ms = std::clamp<std::int64_t>(on_the_wall_.begin()->first - clock_.wall_ms(), 0, wall_recheck.count());
        const Time when = now + std::chrono::milliseconds(left_ms);
        next = next ? std::min(*next, when) : when;
    }
    if (!next || (set_for_ && *set_for_ <= *next)) {
        return;
    }
    set_for_ = *next;
    timer_->expires_after(std::clamp<std::chrono::steady_clock::duration>(*next - now, 0ms, clock_.trust()));
    timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error && self->timer_) {
            self->ring_due();
        }
    });
}

void Alarms::ring_due() {
    set_for_.reset();
    const Time now = clock_.steady();
    const std::int64_t wall_now = clock_.wall_ms();
    // What is set while ringing waits for its own turn, so that an alarm that is set anew at once does not keep the loop.
    std::vector<std::function<void()>> due;
    for (; !waiting_.empty() && waiting_.begin()->first <= now; waiting_.erase(waiting_.begin())) {
        due.push_back(std::move(waiting_.begin()->second));
    }
    for (; !on_the_wall_.empty() && on_the_wall_.begin()->first <= wall_now; on_the_wall_.erase(on_the_wall_.begin())) {
        due.push_back(std::move(on_the_wall_.begin()->second));
    }
    for (const std::function<void()>& ring : due) {
        if (timer_) {
            ring();
        }
    }
    if (timer_) {
        wait();
    }
}

}  // namespace durable_mcp::runtime
