// SPDX-License-Identifier: Apache-2.0
#pragma once

// The callables of one call's steps that run and would like to know when to stop: a time-out, a cancellation, the end of a stop's patience. Asking
// runs what the callables have registered with their tokens, which is users' code: nobody asks with a lock held, or on the loop.

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>

namespace durable_mcp::runtime {

class BodyStops {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// One callable, as long as it runs.
    class Running {
    public:
        explicit Running(BodyStops& stops, std::optional<Time> deadline);
        ~Running();
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        [[nodiscard]] std::stop_token token() const { return entry_->source.get_token(); }
        [[nodiscard]] std::stop_source source() const { return entry_->source; }
        /// Nothing rings for its deadline yet: the caller sees to it that ask_due() is called then.
        [[nodiscard]] bool needs_alarm() const { return needs_alarm_; }

    private:
        friend class BodyStops;
        struct Entry {
            std::stop_source source;
            std::optional<Time> deadline;
        };
        BodyStops& stops_;
        std::list<Entry>::iterator entry_;
        bool needs_alarm_ = false;
    };

    /// Those that begin from now on are asked at once. True where others run already: ask_all() is for them.
    [[nodiscard]] bool begin_asking();
    void ask_all();
    /// Asks those whose time is over. When to call again, if at all.
    std::optional<Time> ask_due(Time now);

private:
    std::mutex mutex_;
    std::list<Running::Entry> running_;
    std::optional<Time> alarm_;  // the earliest that has been set
    bool are_all_asked_ = false;
};

}  // namespace durable_mcp::runtime
