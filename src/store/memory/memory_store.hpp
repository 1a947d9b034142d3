// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "store/store.hpp"

namespace durable_mcp::store {

/// What a test wants a commit to come to.
struct CommitFault {
    base::Failure failure;
    /// For `outcome_unknown`: whether the batch is there after reopen() nevertheless.
    bool applied = false;
};

/// A store that lives as long as the process: for tests and for servers that need no durability. It is a shared handle, so that it outlives
/// a simulated reboot. All functions: any thread.
class MemoryStore : public Store {
public:
    /// Called at the start of each commit with its number (from 1); may block, and may make the commit fail. Replaces the one before.
    virtual void on_commit(std::function<std::optional<CommitFault>(std::uint64_t)> hook) = 0;
    /// While set, each commit fails with `store_full` and there is no room.
    virtual void set_full(bool full) = 0;
    /// What a new process would do after `outcome_unknown`: the store works again, and what is there is there.
    virtual void reopen() = 0;
};

[[nodiscard]] std::shared_ptr<MemoryStore> open_memory_store();

}  // namespace durable_mcp::store
