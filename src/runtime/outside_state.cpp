// SPDX-License-Identifier: Apache-2.0
#include "runtime/outside_state.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "durable_mcp/error.hpp"
#include "runtime/failure_report.hpp"
#include "runtime/map_sweeper.hpp"

namespace durable_mcp::runtime {
namespace {

using Body = std::function<std::string(detail::TransactionPort&)>;

const MapOwners nobody;

// Under which the aliases that were run are kept.
std::string initialized_map() { return store::scope_name(store::ScopeKind::house) + "initialize"; }

std::unique_ptr<store::Snapshot> snapshot_of(Services& services) { return value_of(services.store->snapshot(services.clock.wall_ms())); }

store::GroupOutcome commit(Services& services, store::Group group) {
    base::Result<store::GroupOutcome> outcome = store::GroupOutcome::conflict;
    const HandlerPool::Blocked blocked;  // where a handler's thread is outside: in a step
    services.queue->wait_for_room();
    services.queue->wait(services.queue->submit(std::move(group), store::Urgency::lazy, store::WhenFull::fail,
                                                [&outcome](const base::Result<store::GroupOutcome>& result) { outcome = result; }));
    return value_of(std::move(outcome));
}

// Runs `body` until its commit is not refused because somebody else wrote first.
std::string apply(Services& services, const Body& body) {
    bool has_swept = false;
    for (std::uint32_t tries = 0; tries < services.limits.transaction_tries; ++tries) {
        const std::int64_t now_ms = services.clock.wall_ms();
        TransactionView view(value_of(services.store->snapshot(now_ms)), services.limits, nobody, now_ms);
        std::string value = body(view);
        if (!view.has_written()) {
            return value;  // its snapshot is one moment, whatever came after it
        }
        DURABLE_MCP_CRASH_POINT("outside.before_commit");
        const store::GroupOutcome outcome = commit(services, view.finish());
        if (outcome == store::GroupOutcome::committed) {
            DURABLE_MCP_CRASH_POINT("outside.after_commit");
            return value;
        }
        if (outcome == store::GroupOutcome::exceeded && !std::exchange(has_swept, true)) {
            sweep_expired_rows(services);
        } else if (outcome != store::GroupOutcome::conflict) {
            throw_refused(outcome, view.grown_scopes(), services.limits);
        }
    }
    throw Error(ErrorCode::conflict,
                fmt::format("a transaction from outside lost against others {} times; nothing of it was applied", services.limits.transaction_tries));
}

}  // namespace

void initialize_once(Services& services, const std::vector<Initialization>& list) {
    const std::string map = initialized_map();
    for (const Initialization& one : list) {
        if (value_of(snapshot_of(services)->get(map, one.alias))) {
            continue;
        }
        bool is_inside = false;
        try {
            apply(services, [&](detail::TransactionPort& state) {
                is_inside = true;
                one.function(state);
                is_inside = false;
                state.map_put(map, one.alias, fmt::format("{{\"at\":{}}}", services.clock.wall_ms()));
                return std::string();
            });
        } catch (...) {
            if (!is_inside) {
                throw;  // the store's, or a limit: Error says so
            }
            const journal::Fault fault = describe_current_exception();
            std::throw_with_nested(StepFailed(one.alias, fault.type,
                                              fmt::format("initialize '{}' failed: {}: {}. Nothing of it was written, and the server was not started",
                                                          one.alias, fault.type, fault.message)));
        }
        services.log->info("initialize '{}': done, once for this store", one.alias);
    }
}

// ── The door ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Somebody is inside: the services stay as they are.
class OutsideState::Visit {
public:
    explicit Visit(OutsideState& state) : state_(state) {
        const std::lock_guard lock(state_.mutex_);
        if (!state_.services_) {
            throw Error(ErrorCode::stopped, "the state of a server can be reached while it runs: after start() has returned, and before stop()");
        }
        services_ = state_.services_;
        ++state_.inside_;
    }
    ~Visit() {
        const std::lock_guard lock(state_.mutex_);
        --state_.inside_;
        state_.left_.notify_all();
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

    [[nodiscard]] Services& services() const { return *services_; }

private:
    OutsideState& state_;
    std::shared_ptr<Services> services_;
};

void OutsideState::open(std::shared_ptr<Services> services) {
    const std::lock_guard lock(mutex_);
    services_ = std::move(services);
}

bool OutsideState::close(std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    services_.reset();
    return left_.wait_until(lock, until, [this] { return inside_ == 0; });
}

std::string OutsideState::map_name(detail::MapScope scope, std::string_view name) const { return map_name_of(nobody, scope, name); }

std::optional<std::string> OutsideState::map_get(std::string_view map, std::string_view key) {
    const Visit visit(*this);
    auto row = value_of(snapshot_of(visit.services())->get(map, key));
    return row ? std::optional(std::move(row->value)) : std::nullopt;
}

detail::MapRows OutsideState::map_range(std::string_view map, const detail::MapRangeRequest& range) {
    const Visit visit(*this);
    detail::MapRows rows;
    for (store::MapRow& row : value_of(snapshot_of(visit.services())->range(map, bounded_range(range, visit.services().limits)))) {
        rows.emplace_back(std::move(row.key), std::move(row.value));
    }
    return rows;
}

std::uint64_t OutsideState::map_count(std::string_view map) {
    const Visit visit(*this);
    return value_of(snapshot_of(visit.services())->count(map));
}

void OutsideState::map_put(std::string_view map, std::string_view key, std::string value) {
    transact([&](detail::TransactionPort& state) {
        state.map_put(map, key, value);
        return std::string();
    });
}

void OutsideState::map_erase(std::string_view map, std::string_view key) {
    transact([&](detail::TransactionPort& state) {
        state.map_erase(map, key);
        return std::string();
    });
}

bool OutsideState::map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                                       std::optional<std::string> desired) {
    return transact([&](detail::TransactionPort& state) {
               return std::string(state.map_compare_and_set(map, key, expected, desired) ? "true" : "false");
           }) == "true";
}

std::string OutsideState::transact(const std::function<std::string(detail::TransactionPort&)>& body) {
    const Visit visit(*this);
    return apply(visit.services(), body);
}

}  // namespace durable_mcp::runtime
