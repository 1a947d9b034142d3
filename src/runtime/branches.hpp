// SPDX-License-Identifier: Apache-2.0
#pragma once

// Steps of one call that run side by side. The handler's own thread takes one after the other, and threads of the pool that have nothing better to
// do help it, up to a limit: where the pool is busy there is less help, and never a wait for it.

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "durable_mcp/detail/call_port.hpp"
#include "journal/call_machine.hpp"
#include "runtime/call.hpp"

namespace durable_mcp::runtime {

class CallDriver;

/// Leaves a branch that was asked to stop because another one failed: nothing of it is recorded.
struct BranchStopped {};
/// Leaves a branch whose next try is a long way off. The call rests when the others have returned.
struct BranchRests { Rest rest; };

class Branches {
public:
    Branches(CallDriver& driver, std::shared_ptr<Call> call, const detail::ParallelRequest& request);

    /// Takes what earlier attempts have recorded, in the handler's thread. False where that is all there is to do.
    [[nodiscard]] bool take_recorded();
    /// Runs the rest. Returns when nothing of it runs any more. The handler's thread; `self` is what helpers hold.
    void run(const std::shared_ptr<Branches>& self, std::size_t at_once);
    /// Throws what ends the step as a whole.
    [[nodiscard]] std::vector<detail::BranchOutcome> outcomes();

    // Asked from inside a branch.
    [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }
    [[nodiscard]] bool is_stopped() const { return stop_.stop_requested(); }

private:
    void work();
    void run_one(std::size_t place);

    // Gone when run() has returned: whoever helps later finds nothing left to do.
    CallDriver& driver_;
    const detail::ParallelRequest& request_;
    const std::shared_ptr<Call> call_;
    std::vector<journal::Step> steps_;
    std::stop_source stop_;

    std::mutex mutex_;
    std::condition_variable all_returned_;
    std::vector<std::size_t> left_;                  // places that nobody has taken, the last one first
    std::size_t running_ = 0;
    std::vector<detail::BranchOutcome> outcomes_;
    std::optional<Rest> rest_;                       // of the branch that goes on first, among those that wait for their next try
    std::exception_ptr end_;                         // what ends the attempt, or is an error of the handler
};

}  // namespace durable_mcp::runtime
