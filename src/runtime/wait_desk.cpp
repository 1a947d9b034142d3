// SPDX-License-Identifier: Apache-2.0
#include "runtime/wait_desk.hpp"

#include <utility>

#include "base/crash_point.hpp"
#include "runtime/call_registry.hpp"

namespace durable_mcp::runtime {

void WaitDesk::rest(const std::shared_ptr<Call>& call) {
    std::optional<Due> due;
    std::string due_key;
    StateChanges::Maps maps;
    StateChanges::Mark mark = 0;
    {
        const std::lock_guard lock(call->mutex);
        due = call->rest->due;
        due_key = call->rest->due_key;
        maps = call->rest->maps;
        mark = call->rest->mark;
    }
    if (due) {
        ring(call, *due, due_key);
    }
    if (!maps.empty()) {
        services_->changes.watch(call->id, std::move(maps), mark, [this, owner = calls_.weak_life(), weak = std::weak_ptr(call)] {
            const auto life = owner.lock();
            if (const auto waiting = weak.lock(); life && waiting) {
                waiting->services->inbox->put([this, life, waiting] { calls_.wake(waiting); });
            }
        });
    }
}

void WaitDesk::forget(Call& call) { services_->changes.forget(call.id); }

void WaitDesk::ring(const std::shared_ptr<Call>& call, const Due& due, const std::string& key) {
    auto ring = [this, owner = calls_.weak_life(), weak = std::weak_ptr(call), key] {
        const auto life = owner.lock();
        const auto waiting = weak.lock();
        if (!life || !waiting || !waiting->is_resting) {
            return;
        }
        {
            const std::lock_guard lock(waiting->mutex);
            if (!waiting->rest || waiting->rest->due_key != key) {
                return;  // it rests on something else by now
            }
        }
        DURABLE_MCP_CRASH_POINT("wait.due");
        waiting->deliver_arrival(key, {});
        calls_.wake(waiting);
    };
    if (due.steady) {
        alarms_->set(*due.steady, std::move(ring));
    } else {
        alarms_->set_wall(due.wall_ms, std::move(ring));
    }
}

void WaitDesk::signal(const std::string& id, const std::string& name, const std::string& payload, Done done) {
    if (calls_.is_draining()) {
        done(base::Failure{base::FailureCode::store_unavailable, "the server is stopping"});
        return;
    }
    const auto call = calls_.find(id);
    const std::string key = signal_key(name);
    store::Group group{store::InsertArrival{id, {key, payload}}};
    auto settled = [this, life = calls_.life(), call, id, key, payload, done](const base::Result<store::GroupOutcome>& outcome) {
        services_->inbox->put([this, life, call, id, key, payload, done, outcome] {
            DURABLE_MCP_CRASH_POINT("signal.recorded");
            if (!outcome) {
                done(outcome.error());
                return;
            }
            if (*outcome == store::GroupOutcome::committed) {
                if (call) {
                    call->deliver_arrival(key, payload);
                    calls_.wake(call);
                }
                done(SignalOutcome::taken);
                return;
            }
            services_->readers.submit([this, life, id, key, done] {
                const auto row = services_->store->call(id);
                const bool is_there = row && *row && (**row).state <= store::CallState::suspended;
                services_->inbox->put([is_there, done, failure = row ? std::optional<base::Failure>() : row.error()] {
                    if (failure) {
                        done(*failure);
                    } else {
                        done(is_there ? SignalOutcome::repeated : SignalOutcome::no_call);
                    }
                });
            });
        });
    };
    if (call) {
        const std::lock_guard lock(call->mutex);
        call->submit(std::move(group), store::Urgency::soon, store::WhenFull::fail, std::move(settled));
    } else {
        services_->queue->submit(std::move(group), store::Urgency::soon, store::WhenFull::fail, std::move(settled));
    }
}

}  // namespace durable_mcp::runtime
