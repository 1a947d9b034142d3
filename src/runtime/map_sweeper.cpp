// SPDX-License-Identifier: Apache-2.0
#include "runtime/map_sweeper.hpp"

#include <utility>

#include "base/crash_point.hpp"

namespace durable_mcp::runtime {
namespace {

// A handler that is refused for the sake of a limit sweeps so many batches at most before it tries again.
constexpr int batches_in_place = 20;

store::Group one_batch(const Services& services) { return {store::DropExpiredRows{services.clock.wall_ms(), services.limits.swept_rows}}; }

}  // namespace

void sweep_expired_rows(Services& services) {
    const HandlerPool::Blocked blocked;
    for (int batch = 0; batch < batches_in_place; ++batch) {
        const auto maps = services.store->expired_maps(services.clock.wall_ms(), services.limits.swept_rows);
        if (!maps || maps->empty()) {
            return;
        }
        services.queue->wait(services.queue->submit(one_batch(services), store::Urgency::lazy, store::WhenFull::fail));
        services.changes.changed(*maps);
    }
}

void MapSweeper::sweep() {
    if (!is_sweeping_ && !is_closed_) {
        is_sweeping_ = true;
        look();
    }
}

void MapSweeper::look() {
    services_->readers.submit([self = shared_from_this()] {
        auto found = self->services_->store->expired_maps(self->services_->clock.wall_ms(), self->services_->limits.swept_rows);
        self->services_->inbox->put([self, maps = found ? std::move(*found) : StateChanges::Maps()] {
            if (!maps.empty() && !self->is_closed_) {
                self->drop(maps);
            } else {
                self->is_sweeping_ = false;
            }
        });
    });
}

void MapSweeper::drop(const StateChanges::Maps& maps) {
    DURABLE_MCP_CRASH_POINT("maps.before_sweep");
    services_->queue->submit(one_batch(*services_), store::Urgency::soon, store::WhenFull::fail,
                             [self = shared_from_this(), maps](const base::Result<store::GroupOutcome>& outcome) {
                                 self->services_->changes.changed(maps);  // for whoever waits until something has expired
                                 self->services_->inbox->put([self, is_done = static_cast<bool>(outcome)] {
                                     if (is_done && !self->is_closed_) {
                                         self->look();
                                     } else {
                                         self->is_sweeping_ = false;  // a store that takes nothing now is asked again at the next sweep
                                     }
                                 });
                             });
}

}  // namespace durable_mcp::runtime
