// SPDX-License-Identifier: Apache-2.0
#pragma once

// The maps for whoever is outside of any handler: the program's own threads, and what it wants done once before the first request. No call, so
// no journal: a write is a commit of its own.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "durable_mcp/detail/call_port.hpp"
#include "runtime/services.hpp"
#include "runtime/state_names.hpp"
#include "runtime/transaction.hpp"

namespace durable_mcp::runtime {

/// What is to be done once in the life of a store, known by its alias.
struct Initialization {
    std::string alias;
    std::function<void(detail::TransactionPort&)> function;
};

/// Runs those that this store has not seen yet, in their order; each commits together with the record that it was run. Throws StepFailed, with what
/// the function threw nested, and Error. Blocks.
void initialize_once(Services& services, const std::vector<Initialization>& list);

/// A door that is open while an engine serves. Made before its engines, and outlives them: one at a time has it.
class OutsideState final : public detail::StatePort {
public:
    /// From now on, until close(). Any thread.
    void open(std::shared_ptr<Services> services);
    /// Lets nobody in any more, and waits for those inside. False if some were still there at `until`.
    bool close(std::chrono::steady_clock::time_point until);

    [[nodiscard]] std::string map_name(detail::MapScope scope, std::string_view name) const override;
    std::optional<std::string> map_get(std::string_view map, std::string_view key) override;
    detail::MapRows map_range(std::string_view map, const detail::MapRangeRequest& range) override;
    std::uint64_t map_count(std::string_view map) override;
    void map_put(std::string_view map, std::string_view key, std::string value) override;
    void map_erase(std::string_view map, std::string_view key) override;
    bool map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                             std::optional<std::string> desired) override;
    std::string transact(const std::function<std::string(detail::TransactionPort&)>& body) override;

private:
    class Visit;

    std::mutex mutex_;
    std::condition_variable left_;
    std::shared_ptr<Services> services_;  // null while it is closed
    std::size_t inside_ = 0;
};

}  // namespace durable_mcp::runtime
