// SPDX-License-Identifier: Apache-2.0
// Transactions from the handler's side: those that it names, and those of ours that a single write or a compare_and_set is.

#include <utility>

#include <fmt/format.h>

#include "base/crash_point.hpp"
#include "base/hash.hpp"
#include "runtime/call_driver.hpp"
#include "runtime/failure_report.hpp"
#include "runtime/map_sweeper.hpp"
#include "runtime/state_names.hpp"
#include "runtime/transaction.hpp"

namespace durable_mcp::runtime {

std::string CallDriver::map_name(detail::MapScope scope, std::string_view name) const { return map_name_of(owners_, scope, name); }

std::unique_ptr<store::Snapshot> CallDriver::snapshot() const { return value_of(services_.store->snapshot(services_.clock.wall_ms())); }

void CallDriver::abandon(const journal::Step& step) {
    const std::lock_guard lock(call_->mutex);
    call_->machine->abandon(step);
}

std::string CallDriver::apply_transaction(const journal::Step& step, std::string_view label, const TransactionFunction& body) {
    bool has_swept = false;
    for (std::uint32_t tries = 0; tries < services_.limits.transaction_tries; ++tries) {
        std::optional<TransactionView> view;
        std::vector<std::string> emitted;
        std::string value;
        const std::optional<double> progress_before = last_progress();
        try {
            const std::int64_t now_ms = services_.clock.wall_ms();
            view.emplace(value_of(services_.store->snapshot(now_ms)), services_.limits, owners_, now_ms);
            const BodyScope scope(step.key);
            buffered_events_ = &emitted;
            value = body(*view);
            buffered_events_ = nullptr;
        } catch (const Unwind&) {
            buffered_events_ = nullptr;
            throw;
        } catch (const Error&) {
            // The store could not be read, or there is no such state: nothing is known that would be worth recording.
            buffered_events_ = nullptr;
            abandon(step);
            throw;
        } catch (...) {
            buffered_events_ = nullptr;
            restore_progress(progress_before);
            fail_step(step, label, describe_current_exception(), std::current_exception());
        }
        if (value.size() > services_.limits.step_value_bytes) {
            fail_step(step, label, {"value too large", fmt::format("the value has {} bytes as JSON", value.size())}, nullptr);
        }
        DURABLE_MCP_CRASH_POINT("transact.before_commit");
        const store::GroupOutcome outcome = commit_transaction(step, *view, value, emitted);
        if (outcome == store::GroupOutcome::committed) {
            DURABLE_MCP_CRASH_POINT("transact.after_commit");
            return value;
        }
        restore_progress(progress_before);
        if (outcome == store::GroupOutcome::exceeded && !std::exchange(has_swept, true)) {
            sweep_expired_rows(services_);  // what nobody sees any more must not stand in the way of what somebody wants to write
        } else if (outcome != store::GroupOutcome::conflict) {
            abandon(step);
            throw_refused(outcome, view->grown_scopes(), services_.limits);
        }
    }
    abandon(step);
    throw Error(ErrorCode::conflict, fmt::format("transaction '{}' lost against others {} times; nothing of it was applied", label,
                                                 services_.limits.transaction_tries));
}

store::GroupOutcome CallDriver::commit_transaction(const journal::Step& step, TransactionView& view, const std::string& value,
                                                   const std::vector<std::string>& emitted) {
    store::Group group = view.finish();
    base::Result<store::GroupOutcome> outcome = store::GroupOutcome::conflict;
    Stream::Numbering numbering(*call_->stream);
    std::vector<std::pair<std::uint64_t, std::string>> events;
    if (DURABLE_MCP_PLANTED_BUG("split_transaction")) {
        {
            const std::lock_guard lock(call_->mutex);
            call_->submit(std::exchange(group, {}), store::Urgency::soon, store::WhenFull::keep, [&outcome](const auto& result) { outcome = result; });
        }
        wait_for_disk();
        if (outcome && *outcome != store::GroupOutcome::committed) {
            return *outcome;
        }
        DURABLE_MCP_CRASH_POINT("transact.split");
    }
    {
        const std::lock_guard lock(call_->mutex);
        group.emplace_back(store::AppendEntry{call_->id, call_->machine->draft(step, value)});
        for (const std::string& payload : emitted) {
            events.emplace_back(numbering.next(), payload);
            group.emplace_back(store::AppendEvent{{call_->stream->id(), events.back().first, payload}});
            group.emplace_back(store::AppendEntry{call_->id, call_->machine->draft_event(step, events.size(), base::hash64(payload))});
        }
        call_->submit(std::move(group), store::Urgency::lazy, store::WhenFull::keep,
                      [&outcome, &events, stream = call_->stream, inbox = services_.inbox](const base::Result<store::GroupOutcome>& result) {
                          outcome = result;
                          if (result && *result == store::GroupOutcome::committed && !events.empty()) {
                              inbox->put([stream, events] {
                                  for (const auto& [seq, payload] : events) {
                                      stream->release(seq, payload);
                                  }
                              });
                          }
                      });
    }
    wait_for_disk();
    if (!outcome) {
        throw Unwind(Unwind::Reason::unavailable);
    }
    if (*outcome != store::GroupOutcome::committed) {
        numbering.give_back();
        if (cancelled()) {
            throw Unwind(Unwind::Reason::cancelled);
        }
        return *outcome;
    }
    const std::lock_guard lock(call_->mutex);
    call_->machine->adopt(step, events.size());
    return store::GroupOutcome::committed;
}

std::string CallDriver::run_inner_transaction(journal::StepKind kind, const std::string& base, std::string_view label, const TransactionFunction& body) {
    check_standing("reading or writing a map");
    journal::Step step{kind, {}, {}};
    {
        const std::lock_guard lock(call_->mutex);
        step.key = call_->machine->next_occurrence(scoped(base));
    }
    const journal::Decision decision = decide(step);
    if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
        return recorded->value;
    }
    if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, label);
    }
    return apply_transaction(step, label, body);
}

}  // namespace durable_mcp::runtime
