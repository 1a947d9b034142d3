// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/crash_point.hpp"
#include "runtime/branches.hpp"
#include "runtime/call_driver.hpp"

namespace durable_mcp::runtime {

std::vector<detail::BranchOutcome> CallDriver::parallel(const detail::ParallelRequest& request) {
    check_standing("a step");
    check_alias(request.alias);
    const auto branches = std::make_shared<Branches>(*this, call_, request);
    if (branches->take_recorded()) {
        std::size_t at_once = std::min(request.branches.size(), services_.limits.handler_threads);
        if (request.limit > 0) {
            at_once = std::min(at_once, request.limit);
        }
        branches->run(branches, at_once);
    }
    return branches->outcomes();
}

Branches::Branches(CallDriver& driver, std::shared_ptr<Call> call, const detail::ParallelRequest& request)
    : driver_(driver), request_(request), call_(std::move(call)), outcomes_(request.branches.size()) {
    for (std::size_t place = 0; place < request.branches.size(); ++place) {
        // The place comes last, so that no alias of another one makes the same key. On disk: this form must not change.
        steps_.push_back({journal::StepKind::at_least_once, driver.scoped(fmt::format("p:{}[{}]", request.alias, place)), std::string(request.type)});
    }
}

bool Branches::take_recorded() {
    bool has_failed = false;
    for (std::size_t place = steps_.size(); place-- > 0;) {
        bool is_settled = false;
        {
            const std::lock_guard lock(call_->mutex);
            is_settled = call_->machine->settled_by(steps_[place].key) > 0;
        }
        if (is_settled) {
            run_one(place);
            has_failed = has_failed || outcomes_[place].failure;
        } else {
            left_.push_back(place);
        }
    }
    if (has_failed && !request_.settles_all) {
        // Nothing else is wanted of the others: a handler that does not come back to their tries is no other handler.
        const std::lock_guard lock(call_->mutex);
        for (const journal::Step& step : steps_) {
            call_->machine->pass_over(step.key);
        }
    }
    return !left_.empty() && !end_ && (!has_failed || request_.settles_all);
}

void Branches::run(const std::shared_ptr<Branches>& self, std::size_t at_once) {
    const std::size_t threads = std::min(at_once, left_.size());
    for (std::size_t helper = 1; helper < threads; ++helper) {
        call_->services->handlers.submit([self] { self->work(); });
    }
    work();
    const HandlerPool::Blocked blocked;
    std::unique_lock lock(mutex_);
    all_returned_.wait(lock, [this] { return running_ == 0; });
}

void Branches::work() {
    for (;;) {
        std::size_t place = 0;
        {
            const std::lock_guard lock(mutex_);
            if (left_.empty()) {
                return;
            }
            place = left_.back();
            left_.pop_back();
            ++running_;
        }
        run_one(place);
        DURABLE_MCP_CRASH_POINT("parallel.after_branch");
        const std::lock_guard lock(mutex_);
        if (--running_ == 0) {
            all_returned_.notify_all();
        }
    }
}

void Branches::run_one(std::size_t place) {
    const std::string alias = fmt::format("{}[{}]", request_.alias, place);
    detail::BranchOutcome outcome;
    std::exception_ptr end;
    try {
        outcome.value = driver_.run_step(steps_[place],
                                         {.kind = detail::StepKind::at_least_once,
                                          .alias = alias,
                                          .type = request_.type,
                                          .body = request_.branches[place],
                                          .retry = request_.retry,
                                          .timeout = request_.timeout,
                                          .takes_stop = true},
                                         this);
    } catch (const StepFailed&) {
        outcome.failure = std::current_exception();
    } catch (const BranchStopped&) {
    } catch (const BranchRests& rests) {
        const std::lock_guard lock(mutex_);
        if (!rest_ || *rests.rest.due->steady < *rest_->due->steady) {
            rest_ = rests.rest;
        }
    } catch (...) {
        end = std::current_exception();
    }
    const bool stops_others = end || (outcome.failure && !request_.settles_all);
    {
        const std::lock_guard lock(mutex_);
        outcomes_[place] = std::move(outcome);
        if (end && !end_) {
            end_ = end;
        }
        if (stops_others) {
            left_.clear();
        }
    }
    if (stops_others) {
        stop_.request_stop();
    }
}

std::vector<detail::BranchOutcome> Branches::outcomes() {
    if (end_) {
        std::rethrow_exception(end_);
    }
    // The failure that was recorded first is the one that every replay finds.
    std::uint64_t first = 0;
    std::exception_ptr failure;
    for (std::size_t place = 0; place < steps_.size() && !request_.settles_all; ++place) {
        if (!outcomes_[place].failure) {
            continue;
        }
        const std::lock_guard lock(call_->mutex);
        const std::uint64_t seq = call_->machine->settled_by(steps_[place].key);
        if (!failure || seq < first) {
            first = seq;
            failure = outcomes_[place].failure;
        }
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (rest_) {
        const std::lock_guard lock(call_->mutex);
        driver_.put_down(*std::move(rest_));
    }
    return std::move(outcomes_);
}

}  // namespace durable_mcp::runtime
