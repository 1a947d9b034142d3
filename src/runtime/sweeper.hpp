// SPDX-License-Identifier: Apache-2.0
#pragma once

// Forgets what is over (RetentionPolicy): sessions that are idle, handles whose time has passed with the calls behind them, finished calls,
// announcements; then what the store has too much of; and gives the space back. Page by page: a page is read by a reader, looked at on the loop,
// and forgotten by one small group of the commit queue, so that no commit waits for more than that. Nothing is remembered between two pages:
// whatever a process that dies leaves, the next one finds in its first sweep. Loop only.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/services.hpp"
#include "runtime/session_state.hpp"

namespace durable_mcp::runtime {

class CallRegistry;
class SessionTable;
class TaskDesk;

class Sweeper {
public:
    Sweeper(SessionTable& sessions, CallRegistry& calls, TaskDesk& tasks, std::shared_ptr<Services> services);

    /// Goes through everything once, until nothing is left that is over. Does nothing while it still does.
    void begin();

private:
    using Step = void (Sweeper::*)();

    void forget_sessions();
    void forget_handles();
    void find_oldest_kept();
    void forget_calls();
    void forget_announcements();
    void keep_to_size();
    void release_space();

    /// Reads on a reader, and goes on here with what was found.
    template <class Found>
    void read(std::function<base::Result<Found>(store::Store&)> query, void (Sweeper::*use)(Found));
    void take_sessions(store::Group group);
    struct Overdue {
        store::HandleRow handle;
        std::optional<store::CallRow> call;
    };
    void take_handles(std::vector<Overdue> page);
    void take_oldest_kept(std::int64_t since_ms);
    void take_calls(std::vector<store::OldCall> page);
    void take_announcements(std::vector<store::OldEvents> page);
    void take_size(store::Space space);
    void take_calls_for_space(std::vector<store::OldCall> page);
    void take_space(store::Space space);

    /// The group that forgets what of `page` nobody holds, as much as one commit may.
    [[nodiscard]] store::Group group_of(const std::vector<store::OldCall>& page) const;
    /// Forgets `group`, then does `next`.
    void forget(store::Group group, Step next, store::WhenFull when_full = store::WhenFull::keep);
    void end();

    SessionTable& sessions_;
    CallRegistry& calls_;
    TaskDesk& tasks_;
    const std::shared_ptr<Services> services_;

    bool is_sweeping_ = false;
    bool is_too_large_ = false;                        // and said so
    std::int64_t now_ms_ = 0;                          // of this sweep
    std::vector<std::shared_ptr<SessionState>> ended_; // expired sessions whose rows are still there; goes on with the next sweep
    std::vector<std::string> going_;                   // those of them that are forgotten when the commit under way is
    std::optional<store::HandleRow> held_;             // the last of a page of overdue handles whose calls are all on their way
    std::int64_t from_ms_ = 0;                         // nothing that finished earlier is left
    std::int64_t to_ms_ = 0;                           // what finished up to here is over
    std::uint64_t used_bytes_ = 0;                     // before the last calls went for want of space
    std::size_t calls_for_space_ = 0;                  // how many went then
    std::uint64_t free_bytes_ = 0;                     // before the last portion was released
};

}  // namespace durable_mcp::runtime
