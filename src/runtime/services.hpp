// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/random.hpp"
#include "base/retention.hpp"
#include "mcp/router.hpp"
#include "runtime/handler_pool.hpp"
#include "runtime/inbox.hpp"
#include "runtime/state_changes.hpp"
#include "store/commit_queue.hpp"
#include "store/store.hpp"

namespace spdlog {
class logger;
}

namespace durable_mcp::runtime {

/// What every part of the engine may reach. `store` and `queue` are there from open() on. Shared by the tasks in flight, so that a handler that
/// outlives a stop finds everything still in place.
struct Services {
    base::Limits limits;
    const base::Clock& clock;
    base::Random& random;
    std::shared_ptr<spdlog::logger> log;  ///< never null
    std::shared_ptr<Inbox> inbox;
    std::shared_ptr<store::Store> store;
    std::unique_ptr<store::CommitQueue> queue;
    std::shared_ptr<const mcp::ServerFacts> facts;  ///< never null
    HandlerPool handlers;
    HandlerPool readers;                  ///< reads of the store on behalf of the loop
    base::Retention retention = {};
    StateChanges changes = {};            ///< of the maps, as far as they are committed
};

}  // namespace durable_mcp::runtime
