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

}  // namespace

// ── Steps ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void CallDriver::check_standing(std::string_view what) const {
    if (!BodyScope::key().empty()) {
        throw std::logic_error(fmt::format("{} inside the callable of step '{}': steps do not nest; return from it first", what, readable(BodyScope::key())));
    }
    if (std::this_thread::get_id() != thread_) {
        throw std::logic_error(fmt::format("{} from a thread that is not the handler's: a context belongs to the thread that its handler runs on", what));
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
                             scoped(fmt::format("s:{}", request.alias)), std::string(request.type), request.reconcile != nullptr};
    return run_step(step, request);
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
    return apply_transaction(step, alias, body);
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
        auto row = value_of(snapshot()->get(map, key));
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
        for (store::MapRow& row : value_of(snapshot()->range(map, range))) {
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
    const auto read = [&] { return value_of(snapshot()->count(map)); };
    if (live || watched_ != nullptr) {
        prepare_live_read(map);
        return read();
    }
    return std::stoull(run_inner(StepKind::map_read, "m:count:" + sized(map), [&](store::Group&) { return std::to_string(read()); }));
}

void CallDriver::map_put(std::string_view map, std::string_view key, std::string value) {
    check_row(key, value, services_.limits);
    const std::string base = fmt::format("m:put:{}{}{:016x}", sized(map), sized(key), base::hash64(value));
    if (may_be_refused(map, services_.limits)) {
        run_inner_transaction(StepKind::map_write, base, "insert", [&](detail::TransactionPort& state) {
            state.map_put(map, key, value);
            return std::string();
        });
        return;
    }
    run_inner(StepKind::map_write, base, [&](store::Group& writes) {
        writes.emplace_back(store::PutMapRow{std::string(map), std::string(key), std::move(value),
                                             expiry_of(map, services_.limits, services_.clock.wall_ms())});
        return std::string();
    });
}

void CallDriver::map_erase(std::string_view map, std::string_view key) {
    run_inner(StepKind::map_write, "m:erase:" + sized(map) + sized(key), [&](store::Group& writes) {
        writes.emplace_back(store::EraseMapRow{std::string(map), std::string(key)});
        return std::string();
    });
}

bool CallDriver::map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                                     std::optional<std::string> desired) {
    check_row(key, desired.value_or(""), services_.limits);
    const auto digest = [](const std::optional<std::string>& text) { return text ? fmt::format("{:016x}", base::hash64(*text)) : std::string("-"); };
    const std::string base = fmt::format("m:cas:{}{}{}:{}", sized(map), sized(key), digest(expected), digest(desired));
    return run_inner_transaction(StepKind::transact, base, "compare_and_set", [&](detail::TransactionPort& state) {
               return std::string(state.map_compare_and_set(map, key, expected, desired) ? "true" : "false");
           }) == "true";
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
