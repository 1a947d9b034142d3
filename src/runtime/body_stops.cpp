// SPDX-License-Identifier: Apache-2.0
#include "runtime/body_stops.hpp"

#include <vector>

namespace durable_mcp::runtime {

BodyStops::Running::Running(BodyStops& stops, std::optional<Time> deadline) : stops_(stops) {
    const std::lock_guard lock(stops.mutex_);
    entry_ = stops.running_.insert(stops.running_.end(), {std::stop_source(), deadline});
    if (stops.are_all_asked_) {
        entry_->source.request_stop();  // nobody has its token yet: no code of a user's runs here
    }
    if (deadline && (!stops.alarm_ || *deadline < *stops.alarm_)) {
        stops.alarm_ = deadline;
        needs_alarm_ = true;
    }
}

BodyStops::Running::~Running() {
    const std::lock_guard lock(stops_.mutex_);
    stops_.running_.erase(entry_);
}

bool BodyStops::begin_asking() {
    const std::lock_guard lock(mutex_);
    are_all_asked_ = true;
    return !running_.empty();
}

void BodyStops::ask_all() {
    std::vector<std::stop_source> asked;
    {
        const std::lock_guard lock(mutex_);
        for (const Running::Entry& entry : running_) {
            asked.push_back(entry.source);
        }
    }
    for (std::stop_source& source : asked) {
        source.request_stop();
    }
}

std::optional<BodyStops::Time> BodyStops::ask_due(Time now) {
    std::vector<std::stop_source> asked;
    std::optional<Time> next;
    {
        const std::lock_guard lock(mutex_);
        for (Running::Entry& entry : running_) {
            if (entry.deadline && *entry.deadline <= now) {
                asked.push_back(entry.source);
                entry.deadline.reset();
            } else if (entry.deadline && (!next || *entry.deadline < *next)) {
                next = entry.deadline;
            }
        }
        alarm_ = next;
    }
    for (std::stop_source& source : asked) {
        source.request_stop();
    }
    return next;
}

}  // namespace durable_mcp::runtime
