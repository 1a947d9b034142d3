// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which maps have changed since when: for handlers that wait until the state is as they want it. Any thread.
//
// A reader takes a mark, then a snapshot. What was committed behind the snapshot has a number above the mark, so that no change falls between
// looking and waiting. What was committed before may be told as well: it costs one look too many.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace durable_mcp::runtime {

class StateChanges {
public:
    using Mark = std::uint64_t;
    using Maps = std::vector<std::string>;

    [[nodiscard]] Mark mark() const;
    /// A commit has written to these.
    void changed(const Maps& maps);
    /// True when one of these may have changed behind the mark.
    [[nodiscard]] bool has_changed(const Maps& maps, Mark since) const;
    /// Returns when one of these has changed behind the mark, or `time` is over.
    void wait(const Maps& maps, Mark since, std::chrono::milliseconds time) const;

    /// Calls `told` once, on whichever thread commits, as soon as one of these has changed behind the mark; at once if it has already.
    void watch(const std::string& watcher, Maps maps, Mark since, std::function<void()> told);
    void forget(const std::string& watcher);

private:
    [[nodiscard]] bool is_changed(const Maps& maps, Mark since) const;

    struct Watcher {
        Maps maps;
        std::function<void()> told;
    };
    mutable std::mutex mutex_;
    mutable std::condition_variable happened_;
    Mark count_ = 0;
    std::deque<std::pair<Mark, std::string>> recent_;  // the newest changes; who asks for older ones is told "perhaps"
    std::unordered_map<std::string, Watcher> watchers_;
};

}  // namespace durable_mcp::runtime
