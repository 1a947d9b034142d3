// SPDX-License-Identifier: Apache-2.0
#include "runtime/call_driver.hpp"

#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "mcp/projection.hpp"
#include "runtime/failure_report.hpp"
#include "runtime/transaction.hpp"

namespace durable_mcp::runtime {
namespace {

using journal::StepKind;

// A text in which two parts cannot run into each other.
std::string sized(std::string_view part) { return fmt::format("{}:{}", part.size(), part); }

std::string encode_rows(const detail::MapRows& rows) {
    std::string text;
    for (const auto& [key, value] : rows) {
        text.append(sized(key)).append(sized(value));
    }
    return text;
}

std::string take_sized(std::string_view& text) {
    const auto colon = text.find(':');
    DURABLE_MCP_ASSERT(colon != std::string_view::npos);
    const std::size_t size = std::stoul(std::string(text.substr(0, colon)));
    DURABLE_MCP_ASSERT(text.size() - colon - 1 >= size);
    std::string part(text.substr(colon + 1, size));
    text.remove_prefix(colon + 1 + size);
    return part;
}

detail::MapRows decode_rows(std::string_view text) {
    detail::MapRows rows;
    while (!text.empty()) {
        std::string key = take_sized(text);
        rows.emplace_back(std::move(key), take_sized(text));
    }
    return rows;
}

// Marks the callable of a step as running, so that a step or a wait inside it is refused.
class BodyGuard {
public:
    BodyGuard(std::string_view& body_of, std::string_view alias) : body_of_(body_of) { body_of_ = alias; }
    ~BodyGuard() { body_of_ = {}; }
    BodyGuard(const BodyGuard&) = delete;
    BodyGuard& operator=(const BodyGuard&) = delete;

private:
    std::string_view& body_of_;
};

}  // namespace

// ── Steps ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void CallDriver::check_standing(std::string_view what) const {
    if (std::this_thread::get_id() != thread_) {
        throw std::logic_error(fmt::format("{} from a thread that is not the handler's: a context belongs to the thread that its handler runs on", what));
    }
    if (!body_of_.empty()) {
        throw std::logic_error(fmt::format("{} inside the callable of step '{}': steps do not nest; return from it first", what, body_of_));
    }
    if (!call_->is_durable()) {
        throw std::logic_error(fmt::format("{} in a tool registered with durability::none, which keeps no journal: register it without that", what));
    }
}

void CallDriver::check_alias(std::string_view alias) const {
    if (alias.empty() || alias.size() > services_.limits.alias_bytes) {
        throw std::invalid_argument(fmt::format("a step's alias has {} bytes; it needs 1 to {}", alias.size(), services_.limits.alias_bytes));
    }
    if (alias.find(journal::CallMachine::path_end) != std::string_view::npos) {
        throw std::invalid_argument(fmt::format("a step's alias has the character U+001F at offset {}, which is the library's own", alias.find(journal::CallMachine::path_end)));
    }
    if (const std::size_t valid = base::valid_utf8_prefix(alias); valid != alias.size()) {
        throw std::invalid_argument(fmt::format("a step's alias is not UTF-8: what begins with byte 0x{:02X} at offset {}, after '{}', is no character",
                                                static_cast<unsigned char>(alias[valid]), valid, alias.substr(0, valid)));
    }
}

void CallDriver::wait_for_disk() {
    store::Ticket ticket = 0;
    std::uint64_t handed_out = 0;
    {
        const std::lock_guard lock(call_->mutex);
        ticket = call_->last_ticket;
        handed_out = call_->machine->handed_out();
    }
    {
        const HandlerPool::Blocked blocked;
        services_.queue->wait(ticket);
    }
    const std::lock_guard lock(call_->mutex);
    if (const Call::Broken broken = call_->broken(); broken != Call::Broken::no) {
        call_->machine->break_off();
        throw Unwind(broken == Call::Broken::gone ? Unwind::Reason::cancelled : Unwind::Reason::unavailable);
    }
    call_->machine->confirm(handed_out);
}

journal::Decision CallDriver::decide(const journal::Step& step) {
    services_.queue->wait_for_room();
    for (;;) {
        journal::Decision decision;
        {
            const std::lock_guard lock(call_->mutex);
            // Only a new step can be one too many: what is recorded must replay whatever the limit is now.
            if (call_->machine->entry_count() >= services_.limits.entries_per_call && !call_->machine->knows(step.key)) {
                throw Error(ErrorCode::limit_exceeded,
                            fmt::format("call {} has {} entries, which is the limit: split the work into several calls", call_->id,
                                        services_.limits.entries_per_call));
            }
            decision = call_->machine->begin(step);
            call_->flush(store::Urgency::lazy);  // whoever waits for it leads
        }
        if (!std::holds_alternative<journal::AwaitDurable>(decision)) {
            return decision;
        }
        DURABLE_MCP_CRASH_POINT("step.before_commit");
        wait_for_disk();
        const HandlerPool::Blocked blocked;
        call_->wait_until_primed();
    }
}

void CallDriver::raise(const journal::Decision& decision, const journal::Step& step, std::string_view alias) {
    if (const auto* leaving = std::get_if<journal::Leave>(&decision)) {
        throw Unwind(leaving->reason == journal::Leave::cancelled ? Unwind::Reason::cancelled : Unwind::Reason::suspended);
    }
    if (std::holds_alternative<journal::RaiseDuplicate>(decision)) {
        throw DuplicateStepError(fmt::format("step '{}' was begun twice in one attempt: each step needs a name of its own; in a loop use "
                                             "context.key(\"{}\", i)", alias, alias));
    }
    if (const auto* mismatch = std::get_if<journal::RaiseMismatch>(&decision)) {
        throw StepMismatchError(fmt::format("step '{}' is recorded as {} of type '{}', and the handler now asks for {} of type '{}'. The record is "
                                            "untouched. Give the changed step another alias, or deploy a handler that fits",
                                            alias, name_of(mismatch->recorded_kind), mismatch->recorded_type, name_of(step.kind), step.type));
    }
    if (std::holds_alternative<journal::RaiseInterrupted>(decision)) {
        throw AtMostOnceFailedBeforeCompleting(
            AtMostOnceFailedBeforeCompleting::Cause::interrupted, std::string(alias), {},
            fmt::format("step '{}': the process ended inside it. Whether its effect happened is unknown, and it will not run again", alias));
    }
    raise_failed(step, alias, std::get<journal::RaiseFailed>(decision).fault, nullptr);
}

void CallDriver::raise_failed(const journal::Step& step, std::string_view alias, const journal::Fault& fault, const std::exception_ptr& cause) {
    const std::string message = fmt::format("step '{}' failed: {}: {}", alias, fault.type, fault.message);
    const auto raise_with = [&cause](auto error) {
        if (!cause) {
            throw error;
        }
        try {
            std::rethrow_exception(cause);
        } catch (...) {
            std::throw_with_nested(std::move(error));
        }
    };
    if (step.kind == StepKind::at_most_once) {
        raise_with(AtMostOnceFailedBeforeCompleting(AtMostOnceFailedBeforeCompleting::Cause::failed, std::string(alias), fault.type, message));
    }
    raise_with(StepFailed(std::string(alias), fault.type, message));
    DURABLE_MCP_ASSERT(false && "not reached");
    std::abort();
}

void CallDriver::fail_step(const journal::Step& step, std::string_view alias, const journal::Fault& whole, const std::exception_ptr& cause) {
    const journal::Fault fault = journal::cut_short(whole);  // raised as it is recorded: a replay raises the same
    {
        const std::lock_guard lock(call_->mutex);
        call_->machine->fail(step, fault);
        call_->flush(store::Urgency::lazy);
    }
    raise_failed(step, alias, fault, cause);
}

std::string CallDriver::step(const detail::StepRequest& request) {
    check_standing("a step");
    check_alias(request.alias);
    const journal::Step step{request.kind == detail::StepKind::at_most_once ? StepKind::at_most_once : StepKind::at_least_once,
                             scoped(fmt::format("s:{}", request.alias)), std::string(request.type)};
    const journal::Decision decision = decide(step);
    if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
        return recorded->value;
    }
    if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, request.alias);
    }
    return execute(step, request);
}

std::string CallDriver::execute(const journal::Step& step, const detail::StepRequest& request) {
    DURABLE_MCP_CRASH_POINT("step.before_run");
    std::string value;
    try {
        const HandlerPool::Blocked blocked;
        const BodyGuard guard(body_of_, request.alias);
        value = (*request.body)();
    } catch (const Unwind&) {
        throw;
    } catch (const detail::NotEncodable& error) {
        fail_step(step, request.alias, {"not encodable", error.what()}, std::current_exception());
    } catch (...) {
        DURABLE_MCP_CRASH_POINT("step.after_effect_before_record");
        if (step.kind == StepKind::at_most_once && request.is_retryable != nullptr && (*request.is_retryable)(std::current_exception())) {
            {
                const std::lock_guard lock(call_->mutex);
                call_->machine->reset(step);
                call_->flush(store::Urgency::lazy);
            }
            wait_for_disk();
            throw;
        }
        fail_step(step, request.alias, describe_current_exception(), std::current_exception());
    }
    DURABLE_MCP_CRASH_POINT("step.after_effect_before_record");
    if (step.kind == StepKind::at_most_once) {
        DURABLE_MCP_CRASH_POINT("once.after_effect_before_record");  // the worst place that there is: nobody knows now but the receiver
    }
    if (value.size() > services_.limits.step_value_bytes) {
        fail_step(step, request.alias, {"value too large", fmt::format("the value has {} bytes as JSON; the limit is {}", value.size(),
                                                                       services_.limits.step_value_bytes)}, nullptr);
    }
    {
        const std::lock_guard lock(call_->mutex);
        call_->machine->complete(step, value);
        call_->flush(store::Urgency::lazy);
    }
    DURABLE_MCP_CRASH_POINT("step.after_record");
    return value;
}

// ── State ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string CallDriver::transact(std::string_view alias, std::string_view type, const std::function<std::string(detail::TransactionPort&)>& body) {
    check_standing("a transaction");
    check_alias(alias);
    const journal::Step step{StepKind::transact, scoped(fmt::format("s:{}", alias)), std::string(type)};
    const journal::Decision decision = decide(step);
    if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
        return recorded->value;
    }
    if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, alias);
    }
    for (std::uint32_t tries = 0; tries < services_.limits.transaction_tries; ++tries) {
        std::optional<TransactionView> view;
        std::vector<std::string> emitted;
        std::string value;
        const std::optional<double> progress_before = last_progress();
        try {
            view.emplace(value_of(services_.store->snapshot()), services_.limits);
            const BodyGuard guard(body_of_, alias);
            buffered_events_ = &emitted;
            value = body(*view);
            buffered_events_ = nullptr;
        } catch (const Unwind&) {
            buffered_events_ = nullptr;
            throw;
        } catch (const Error&) {
            // The store could not be read: nothing is known that would be worth recording.
            buffered_events_ = nullptr;
            const std::lock_guard lock(call_->mutex);
            call_->machine->abandon(step);
            throw;
        } catch (...) {
            buffered_events_ = nullptr;
            restore_progress(progress_before);
            fail_step(step, alias, describe_current_exception(), std::current_exception());
        }
        if (value.size() > services_.limits.step_value_bytes) {
            fail_step(step, alias, {"value too large", fmt::format("the value has {} bytes as JSON", value.size())}, nullptr);
        }
        DURABLE_MCP_CRASH_POINT("transact.before_commit");
        if (commit_transaction(step, *view, value, emitted)) {
            DURABLE_MCP_CRASH_POINT("transact.after_commit");
            return value;
        }
        restore_progress(progress_before);
    }
    {
        const std::lock_guard lock(call_->mutex);
        call_->machine->abandon(step);
    }
    throw Error(ErrorCode::conflict, fmt::format("transaction '{}' lost against others {} times; nothing of it was applied", alias,
                                                 services_.limits.transaction_tries));
}

bool CallDriver::commit_transaction(const journal::Step& step, TransactionView& view, const std::string& value,
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
        if (outcome && *outcome == store::GroupOutcome::conflict) {
            return false;
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
    if (*outcome == store::GroupOutcome::conflict) {
        numbering.give_back();
        if (cancelled()) {
            throw Unwind(Unwind::Reason::cancelled);
        }
        return false;
    }
    const std::lock_guard lock(call_->mutex);
    call_->machine->adopt(step, events.size());
    return true;
}

std::string CallDriver::run_inner(StepKind kind, const std::string& base, const std::function<std::string(store::Group&)>& body) {
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
        raise(decision, step, readable(step.key));
    }
    store::Group writes;
    std::string value;
    try {
        value = body(writes);
        if (value.size() > services_.limits.step_value_bytes) {
            throw Error(ErrorCode::limit_exceeded, fmt::format("a read found {} bytes, more than a recorded read may hold ({}): ask for fewer rows, or live()",
                                                               value.size(), services_.limits.step_value_bytes));
        }
    } catch (...) {
        const std::lock_guard lock(call_->mutex);
        call_->machine->abandon(step);
        throw;
    }
    const std::lock_guard lock(call_->mutex);
    call_->machine->complete(step, value);
    call_->flush(store::Urgency::lazy, std::move(writes));
    return value;
}

// What is there now. A condition that is being looked at remembers what it looked at.
void CallDriver::prepare_live_read(std::string_view map) {
    if (watched_ != nullptr) {
        if (std::this_thread::get_id() != thread_) {
            check_standing("reading a map");
        }
        watched_->emplace_back(map);
        return;
    }
    check_standing("reading a map");
    wait_for_disk();
}

std::optional<std::string> CallDriver::map_get(std::string_view map, std::string_view key, bool live) {
    const auto read = [&]() -> std::string {
        auto row = value_of(value_of(services_.store->snapshot())->get(map, key));
        return row ? '=' + row->value : std::string();
    };
    std::string found;
    if (live || watched_ != nullptr) {
        prepare_live_read(map);
        found = read();
    } else {
        found = run_inner(StepKind::map_read, "m:get:" + sized(map) + sized(key), [&](store::Group&) { return read(); });
    }
    return found.empty() ? std::nullopt : std::optional(found.substr(1));
}

detail::MapRows CallDriver::map_range(std::string_view map, const detail::MapRangeRequest& request, bool live) {
    const store::MapRange range = bounded_range(request, services_.limits);
    const auto read = [&] {
        detail::MapRows rows;
        for (store::MapRow& row : value_of(value_of(services_.store->snapshot())->range(map, range))) {
            rows.emplace_back(std::move(row.key), std::move(row.value));
        }
        return rows;
    };
    if (live || watched_ != nullptr) {
        prepare_live_read(map);
        return read();
    }
    const std::string base = fmt::format("m:range:{}{}{}{}{}", sized(map), sized(range.start), range.end ? sized(*range.end) : "-", range.limit,
                                         range.reverse ? "r" : "f");
    return decode_rows(run_inner(StepKind::map_read, base, [&](store::Group&) { return encode_rows(read()); }));
}

std::uint64_t CallDriver::map_count(std::string_view map, bool live) {
    const auto read = [&] { return value_of(value_of(services_.store->snapshot())->count(map)); };
    if (live || watched_ != nullptr) {
        prepare_live_read(map);
        return read();
    }
    return std::stoull(run_inner(StepKind::map_read, "m:count:" + sized(map), [&](store::Group&) { return std::to_string(read()); }));
}

void CallDriver::map_put(std::string_view map, std::string_view key, std::string value) {
    if (key.size() > services_.limits.map_key_bytes || value.size() > services_.limits.step_value_bytes) {
        throw std::invalid_argument(fmt::format("a map row with a key of {} and a value of {} bytes; the limits are {} and {}", key.size(), value.size(),
                                                services_.limits.map_key_bytes, services_.limits.step_value_bytes));
    }
    const std::string base = fmt::format("m:put:{}{}{:016x}", sized(map), sized(key), base::hash64(value));
    run_inner(StepKind::map_write, base, [&](store::Group& writes) {
        writes.emplace_back(store::PutMapRow{std::string(map), std::string(key), std::move(value)});
        return std::string();
    });
}

void CallDriver::map_erase(std::string_view map, std::string_view key) {
    run_inner(StepKind::map_write, "m:erase:" + sized(map) + sized(key), [&](store::Group& writes) {
        writes.emplace_back(store::EraseMapRow{std::string(map), std::string(key)});
        return std::string();
    });
}

void CallDriver::restore_progress(std::optional<double> progress) {
    const std::lock_guard lock(call_->mutex);
    call_->machine->restore_progress(progress);
}

std::optional<double> CallDriver::last_progress() const {
    const std::lock_guard lock(call_->mutex);
    return call_->machine->last_progress();
}

bool CallDriver::is_replaying() const {
    const std::lock_guard lock(call_->mutex);
    return call_->machine->is_replaying();
}

bool CallDriver::cancelled() const {
    const std::lock_guard lock(call_->mutex);
    return call_->machine->is_cancelled() || call_->is_abandoned();
}

}  // namespace durable_mcp::runtime
