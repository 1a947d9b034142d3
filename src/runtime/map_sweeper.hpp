// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "runtime/services.hpp"

namespace durable_mcp::runtime {

/// Drops rows of maps that have expired, and tells who waits for a change of these maps, batch after batch, as long as there are any, but not for ever. A thread that may block.
void sweep_expired_rows(Services& services);

/// Drops them in the background, one batch behind the other, so that no commit waits for more than one. Loop only.
class MapSweeper : public std::enable_shared_from_this<MapSweeper> {
public:
    explicit MapSweeper(std::shared_ptr<Services> services) : services_(std::move(services)) {}

    /// Begins, unless it is at it already.
    void sweep();
    /// Nothing more is dropped.
    void close() { is_closed_ = true; }

private:
    void look();
    void drop(const StateChanges::Maps& maps);

    const std::shared_ptr<Services> services_;
    bool is_sweeping_ = false;
    bool is_closed_ = false;
};

}  // namespace durable_mcp::runtime
