// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_changes.hpp"

#include <algorithm>

namespace durable_mcp::runtime {
namespace {

constexpr std::size_t remembered = 1'024;  // a look at the state takes less than that many commits

bool contains(const StateChanges::Maps& maps, const std::string& map) { return std::find(maps.begin(), maps.end(), map) != maps.end(); }

}  // namespace

StateChanges::Mark StateChanges::mark() const {
    const std::lock_guard lock(mutex_);
    return count_;
}

void StateChanges::changed(const Maps& maps) {
    std::vector<std::function<void()>> due;
    {
        const std::lock_guard lock(mutex_);
        for (const std::string& map : maps) {
            recent_.emplace_back(++count_, map);
        }
        while (recent_.size() > remembered) {
            recent_.pop_front();
        }
        for (auto at = watchers_.begin(); at != watchers_.end();) {
            const bool is_theirs =
                std::any_of(maps.begin(), maps.end(), [&](const std::string& map) { return contains(at->second.maps, map); });
            if (is_theirs) {
                due.push_back(std::move(at->second.told));
                at = watchers_.erase(at);
            } else {
                ++at;
            }
        }
        happened_.notify_all();
    }
    for (const std::function<void()>& told : due) {
        told();
    }
}

bool StateChanges::is_changed(const Maps& maps, Mark since) const {
    if (count_ == since) {
        return false;
    }
    if (!recent_.empty() && recent_.front().first > since + 1) {
        return true;  // nobody knows any more
    }
    return std::any_of(recent_.begin(), recent_.end(),
                       [&](const auto& change) { return change.first > since && contains(maps, change.second); });
}

bool StateChanges::has_changed(const Maps& maps, Mark since) const {
    const std::lock_guard lock(mutex_);
    return is_changed(maps, since);
}

void StateChanges::wait(const Maps& maps, Mark since, std::chrono::milliseconds time) const {
    std::unique_lock lock(mutex_);
    happened_.wait_for(lock, time, [&] { return is_changed(maps, since); });
}

void StateChanges::watch(const std::string& watcher, Maps maps, Mark since, std::function<void()> told) {
    {
        const std::lock_guard lock(mutex_);
        if (!is_changed(maps, since)) {
            watchers_.insert_or_assign(watcher, Watcher{std::move(maps), std::move(told)});
            return;
        }
    }
    told();
}

void StateChanges::forget(const std::string& watcher) {
    const std::lock_guard lock(mutex_);
    watchers_.erase(watcher);
}

}  // namespace durable_mcp::runtime
