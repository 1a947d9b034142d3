// SPDX-License-Identifier: Apache-2.0
#include "runtime/sweeper.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "runtime/call_registry.hpp"
#include "runtime/session_table.hpp"
#include "runtime/task_desk.hpp"

namespace durable_mcp::runtime {
namespace {

constexpr std::size_t calls_per_page = 128;     // each has a few rows: about what one commit forgets
constexpr std::size_t calls_for_a_start = 8;    // for want of space: how much they give back is not known yet
constexpr std::size_t sessions_per_page = 64;
constexpr std::size_t handles_per_page = 16;    // how large the calls behind them are is not known: each gets its share of the rows
constexpr std::uint64_t least_slack = 4u << 20; // free space that the next calls will take: not worth giving back

std::uint64_t slack_of(const store::Space& space) { return std::max(least_slack, space.used_bytes / 8); }

}  // namespace

Sweeper::Sweeper(SessionTable& sessions, CallRegistry& calls, TaskDesk& tasks, std::shared_ptr<Services> services)
    : sessions_(sessions), calls_(calls), tasks_(tasks), services_(std::move(services)) {}

void Sweeper::begin() {
    if (is_sweeping_ || calls_.is_draining()) {
        return;
    }
    is_sweeping_ = true;
    going_.clear();
    held_.reset();
    now_ms_ = services_->clock.wall_ms();
    for (auto& session : sessions_.take_expired()) {
        services_->log->info("session {} has been idle for too long and ends", session->data.id);
        ended_.push_back(std::move(session));
    }
    forget_sessions();
}

void Sweeper::end() { is_sweeping_ = false; }

template <class Found>
void Sweeper::read(std::function<base::Result<Found>(store::Store&)> query, void (Sweeper::*use)(Found)) {
    services_->readers.submit([this, life = calls_.life(), query = std::move(query), use] {
        auto found = query(*services_->store);
        services_->inbox->put([this, life, use, found = std::move(found)]() mutable {
            if (calls_.is_draining()) {
                return;
            }
            if (!found) {
                services_->log->warn("nothing is forgotten for now: {}", found.error().sentence);
                end();
                return;
            }
            (this->*use)(std::move(*found));
        });
    });
}

void Sweeper::forget(store::Group group, Step next, store::WhenFull when_full) {
    services_->queue->submit(std::move(group), store::Urgency::lazy, when_full,
                             [this, life = calls_.life(), next](const base::Result<store::GroupOutcome>& outcome) {
                                 services_->inbox->put([this, life, next, is_done = outcome.has_value()] {
                                     DURABLE_MCP_CRASH_POINT("retention.mid");
                                     if (calls_.is_draining()) {
                                         return;
                                     }
                                     is_done ? (this->*next)() : end();
                                 });
                             });
}

// ── Sessions ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Sweeper::forget_sessions() {
    for (const std::string& gone : std::exchange(going_, {})) {
        std::erase_if(ended_, [&](const auto& session) { return session->data.id == gone; });
    }
    if (ended_.empty()) {
        forget_handles();
        return;
    }
    std::vector<std::pair<std::string, std::string>> ids;  // with the standalone stream
    for (auto at = ended_.rbegin(); at != ended_.rend() && ids.size() < sessions_per_page; ++at) {
        ids.emplace_back((*at)->data.id, (*at)->data.standalone_stream);
    }
    const std::size_t most = services_->retention.rows_at_once;
    read<store::Group>(
        [ids = std::move(ids), most](store::Store& store) -> base::Result<store::Group> {
            store::Group group;
            std::size_t rows = 0;
            for (const auto& [session, stream] : ids) {
                if (rows >= most) {
                    break;
                }
                auto calls = store.calls_of_session(session, calls_per_page);
                auto first = store.first_event(stream);
                auto last = store.last_event(stream);
                if (!calls || !first || !last) {
                    return !calls ? calls.error() : !first ? first.error() : last.error();
                }
                for (const store::OldCall& call : *calls) {
                    if (rows < most) {
                        group.emplace_back(store::DropCall{call.id, most - rows});
                        rows += call.rows;
                    }
                }
                const auto events = static_cast<std::size_t>(*last - *first);
                if (!calls->empty()) {
                    continue;  // it goes when they are gone
                }
                if (events > most) {
                    group.emplace_back(store::DropEvents{stream, *last, most});
                    rows += most;
                    continue;
                }
                group.emplace_back(store::DropSession{session});
                group.emplace_back(store::DropStream{stream});
                rows += 1 + events;
            }
            return group;
        },
        &Sweeper::take_sessions);
}

void Sweeper::take_sessions(store::Group group) {
    for (const store::Write& write : group) {
        if (const auto* const gone = std::get_if<store::DropSession>(&write)) {
            going_.push_back(gone->id);
        }
    }
    forget(std::move(group), &Sweeper::forget_sessions);
}

// ── Handles ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Sweeper::forget_handles() {
    read<std::vector<Overdue>>(
        [now = now_ms_, after = held_](store::Store& store) -> base::Result<std::vector<Overdue>> {
            auto handles = store.expired_handles(now, after ? &*after : nullptr, handles_per_page);
            if (!handles) {
                return handles.error();
            }
            std::vector<Overdue> page;
            for (store::HandleRow& handle : *handles) {
                auto call = store.call(handle.call);
                if (!call) {
                    return call.error();
                }
                page.push_back({std::move(handle), std::move(*call)});
            }
            return page;
        },
        &Sweeper::take_handles);
}

void Sweeper::take_handles(std::vector<Overdue> page) {
    if (page.empty()) {
        held_.reset();
        find_oldest_kept();
        return;
    }
    store::Group group;
    for (const auto& [handle, row] : page) {
        if (const auto call = calls_.find(handle.call)) {
            tasks_.give_up(call, now_ms_);
            continue;
        }
        // A session's own call is kept as long as any other of it; only its key is free again.
        const bool is_logged = row && !row->session.empty() && (handle.reach & static_cast<std::uint32_t>(store::Reach::session_task)) == 0;
        const bool can_be_resumed = is_logged && row->finished_ms != 0 && sessions_.find_whoever(row->session) &&
                                    row->finished_ms + services_->retention.calls.count() > now_ms_;
        if (can_be_resumed) {
            group.emplace_back(store::DropHandle{handle.call});
        } else {
            group.emplace_back(store::DropCall{handle.call, std::max<std::size_t>(1, services_->retention.rows_at_once / handles_per_page)});
        }
    }
    if (group.empty()) {
        held_ = std::move(page.back().handle);  // what stays for now hides nothing that comes behind it
        forget_handles();
    } else {
        forget(std::move(group), &Sweeper::forget_handles);
    }
}

// ── Calls ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Sweeper::find_oldest_kept() {
    read<std::int64_t>([most = services_->retention.finished_calls](store::Store& store) { return store.finished_since(most); },
                       &Sweeper::take_oldest_kept);
}

void Sweeper::take_oldest_kept(std::int64_t since_ms) {
    from_ms_ = 0;
    to_ms_ = now_ms_ - services_->retention.calls.count();
    if (since_ms > 0) {
        to_ms_ = std::max(to_ms_, std::min(since_ms - 1, now_ms_ - services_->retention.grace.count()));
    }
    forget_calls();
}

void Sweeper::forget_calls() {
    read<std::vector<store::OldCall>>([from = from_ms_, to = to_ms_](store::Store& store) { return store.finished_calls(from, to, calls_per_page); },
                                      &Sweeper::take_calls);
}

void Sweeper::take_calls(std::vector<store::OldCall> page) {
    store::Group group = group_of(page);
    if (group.empty()) {
        forget_announcements();
        return;
    }
    from_ms_ = page.front().finished_ms;
    forget(std::move(group), &Sweeper::forget_calls);
}

store::Group Sweeper::group_of(const std::vector<store::OldCall>& page) const {
    const std::size_t most = services_->retention.rows_at_once;
    store::Group group;
    std::size_t rows = 0;
    for (const store::OldCall& call : page) {
        if (rows >= most) {
            break;
        }
        if (!calls_.find(call.id)) {
            group.emplace_back(store::DropCall{call.id, most - rows});
            rows += call.rows;
        }
    }
    return group;
}

// ── Announcements ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void Sweeper::forget_announcements() {
    const std::int64_t to_ms = now_ms_ - services_->retention.announcements.count();
    read<std::vector<store::OldEvents>>([to_ms, most = services_->retention.rows_at_once](store::Store& store) { return store.old_events(to_ms, most); },
                                        &Sweeper::take_announcements);
}

void Sweeper::take_announcements(std::vector<store::OldEvents> page) {
    if (page.empty()) {
        from_ms_ = 0;
        used_bytes_ = 0;
        calls_for_space_ = calls_for_a_start;
        keep_to_size();
        return;
    }
    store::Group group;
    for (store::OldEvents& events : page) {
        group.emplace_back(store::DropEvents{std::move(events.stream), events.through, services_->retention.rows_at_once});
    }
    forget(std::move(group), &Sweeper::forget_announcements);
}

// ── Size ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Sweeper::keep_to_size() {
    read<store::Space>([](store::Store& store) { return store.space(); }, &Sweeper::take_size);
}

void Sweeper::take_size(store::Space space) {
    if (space.used_bytes <= services_->retention.store_bytes) {
        is_too_large_ = false;
        free_bytes_ = ~std::uint64_t{0};
        take_space(space);
        return;
    }
    // How much a call gives back is seen by what the last ones gave: no more of them go than have to.
    if (used_bytes_ > space.used_bytes) {
        const std::uint64_t each = std::max<std::uint64_t>(1, (used_bytes_ - space.used_bytes) / calls_for_space_);
        const std::uint64_t wanted = (space.used_bytes - services_->retention.store_bytes) / each + 1;
        calls_for_space_ = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, calls_per_page));
    } else if (used_bytes_ != 0) {
        calls_for_space_ = std::min(2 * calls_for_space_, calls_per_page);
    }
    used_bytes_ = space.used_bytes;
    read<std::vector<store::OldCall>>(
        [from = from_ms_, to = now_ms_ - services_->retention.grace.count(), limit = calls_for_space_](store::Store& store) {
            return store.finished_calls(from, to, limit);
        },
        &Sweeper::take_calls_for_space);
}

void Sweeper::take_calls_for_space(std::vector<store::OldCall> page) {
    store::Group group = group_of(page);
    if (!group.empty()) {
        from_ms_ = page.front().finished_ms;
        forget(std::move(group), &Sweeper::keep_to_size);
        return;
    }
    if (!std::exchange(is_too_large_, true)) {
        services_->log->warn("the store is larger than the {} bytes that it may have, and holds nothing that may be forgotten now", services_->retention.store_bytes);
    }
    free_bytes_ = ~std::uint64_t{0};
    release_space();
}

void Sweeper::release_space() {
    read<store::Space>([](store::Store& store) { return store.space(); }, &Sweeper::take_space);
}

void Sweeper::take_space(store::Space space) {
    // A store that does not get smaller is left as it is: its file may have been made without the means.
    if (space.free_bytes <= slack_of(space) || space.free_bytes >= free_bytes_) {
        end();
        return;
    }
    free_bytes_ = space.free_bytes;
    forget({store::ReleaseSpace{}}, &Sweeper::release_space, store::WhenFull::fail);
}

}  // namespace durable_mcp::runtime
