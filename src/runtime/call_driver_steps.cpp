// SPDX-License-Identifier: Apache-2.0
// A step from its first word to its entry: asking the machine, running the callable, trying it again, asking its receiver; and values that are
// drawn once.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "base/id.hpp"
#include "runtime/branches.hpp"
#include "runtime/call_driver.hpp"
#include "runtime/failure_report.hpp"
#include "runtime/retry_delay.hpp"

namespace durable_mcp::runtime {
namespace {

using journal::StepKind;

const std::string no_key;
thread_local const std::string* key_of_body = &no_key;

bool is_non_retryable(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const NonRetryable&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace

BodyScope::BodyScope(const std::string& key) : outer_(std::exchange(key_of_body, &key)) {}
BodyScope::~BodyScope() { key_of_body = outer_; }
const std::string& BodyScope::key() { return *key_of_body; }

std::string CallDriver::run_step(const journal::Step& step, const detail::StepRequest& request, Branches* among) {
    for (;;) {
        wait_for_next_try(step, among);
        const journal::Decision decision = decide(step);
        std::optional<std::string> value;
        if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
            value = recorded->value;
        } else if (std::holds_alternative<journal::Execute>(decision)) {
            value = execute(step, request, among);
        } else if (std::holds_alternative<journal::Reconcile>(decision)) {
            value = reconcile(step, request);
        } else {
            raise(decision, step, request.alias);
        }
        if (value) {
            return std::move(*value);
        }
    }
}

std::optional<std::string> CallDriver::execute(const journal::Step& step, const detail::StepRequest& request, Branches* among) {
    DURABLE_MCP_CRASH_POINT("step.before_run");
    std::string value;
    std::exception_ptr thrown;
    bool was_asked_to_stop = false;
    try {
        value = run_body(step, request, among, was_asked_to_stop);
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
        const journal::Fault fault = describe_current_exception();
        if (step.kind == StepKind::at_least_once) {
            if (was_asked_to_stop) {
                leave_if_told_to(step, request.alias, among);
            }
            if (will_try_again(step, request, std::current_exception(), fault)) {
                return std::nullopt;
            }
        }
        fail_step(step, request.alias, fault, std::current_exception());
    }
    DURABLE_MCP_CRASH_POINT("step.after_effect_before_record");
    if (step.kind == StepKind::at_most_once) {
        DURABLE_MCP_CRASH_POINT("once.after_effect_before_record");  // the worst place that there is: nobody knows now but the receiver
    }
    record(step, request.alias, value);
    return value;
}

std::string CallDriver::run_body(const journal::Step& step, const detail::StepRequest& request, Branches* among, bool& was_asked_to_stop) {
    const HandlerPool::Blocked blocked;
    const BodyScope scope(step.key);
    if (!request.takes_stop && among == nullptr) {
        return (*request.body)(std::stop_token());
    }
    std::optional<BodyStops::Time> deadline;
    if (request.timeout.count() > 0) {
        deadline = services_.clock.steady() + request.timeout;
    }
    const BodyStops::Running running(call_->stops, deadline);
    if (running.needs_alarm()) {
        services_.inbox->put([call = call_, when = *deadline] { call->ring_at(when); });
    }
    const std::stop_callback with_the_others(among != nullptr ? among->stop_token() : std::stop_token(),
                                             [source = running.source()]() mutable { source.request_stop(); });
    try {
        return (*request.body)(running.token());
    } catch (...) {
        was_asked_to_stop = running.token().stop_requested();
        throw;
    }
}

void CallDriver::record(const journal::Step& step, std::string_view alias, const std::string& value) {
    if (value.size() > services_.limits.step_value_bytes) {
        fail_step(step, alias, {"value too large", fmt::format("the value has {} bytes as JSON; the limit is {}", value.size(),
                                                               services_.limits.step_value_bytes)}, nullptr);
    }
    {
        const std::lock_guard lock(call_->mutex);
        call_->machine->complete(step, value);
        call_->flush(store::Urgency::lazy);
    }
    DURABLE_MCP_CRASH_POINT("step.after_record");
}

// ── Trying again ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// A callable that ended because it was asked to has said nothing of its effect: where the call leaves, the next attempt runs it again.
void CallDriver::leave_if_told_to(const journal::Step& step, std::string_view alias, Branches* among) {
    bool is_leaving = false;
    {
        const std::lock_guard lock(call_->mutex);
        is_leaving = call_->machine->is_leaving();
        if (!is_leaving && (among == nullptr || !among->is_stopped())) {
            return;  // its time was over: that is a failure of this try
        }
        call_->machine->abandon(step);
    }
    if (!is_leaving) {
        throw BranchStopped{};
    }
    raise(decide(step), step, alias);
}

bool CallDriver::will_try_again(const journal::Step& step, const detail::StepRequest& request, const std::exception_ptr& thrown,
                                const journal::Fault& fault) {
    const detail::StepRetry& policy = request.retry;
    if (policy.attempts == 1 || is_non_retryable(thrown)) {
        return false;
    }
    try {
        if (policy.retry_if != nullptr && !(*policy.retry_if)(thrown)) {
            return false;
        }
    } catch (const Unwind&) {
        throw;
    } catch (...) {
        services_.log->error("call {}: the predicate that says whether step '{}' is tried again threw: {}. It is not", call_->id, request.alias,
                             describe_chain());
        return false;
    }
    constexpr std::uint64_t parts = 1u << 20;
    const double fraction = static_cast<double>(base::random_number(services_.random, parts)) / static_cast<double>(parts);
    DURABLE_MCP_CRASH_POINT("retry.before_record");
    journal::Retry retry{1, 0, 0, journal::cut_short(fault)};
    {
        const std::lock_guard lock(call_->mutex);
        if (const auto before = call_->machine->retry_of(step.key)) {
            retry.tries = before->tries + 1;
        }
        if ((policy.attempts != 0 && retry.tries >= policy.attempts) || call_->machine->entry_count() >= services_.limits.entries_per_call) {
            return false;
        }
        retry.delay_ms = retry_delay(policy, retry.tries, fraction).count();
        retry.next_ms = services_.clock.wall_ms() + retry.delay_ms;
        call_->machine->retry(step, retry);
        call_->flush(store::Urgency::lazy);
    }
    DURABLE_MCP_CRASH_POINT("retry.after_record");
    services_.log->warn("call {}: step '{}' failed (try {}) and is tried again in {} ms: {}: {}", call_->id, request.alias, retry.tries, retry.delay_ms,
                        fault.type, fault.message);
    return true;
}

// A short back-off holds the thread; a long one is put down like any other wait.
void CallDriver::wait_for_next_try(const journal::Step& step, Branches* among) {
    if (step.kind != StepKind::at_least_once) {
        return;
    }
    std::unique_lock lock(call_->mutex);
    const std::optional<journal::Retry> retry = call_->machine->retry_of(step.key);
    if (!retry) {
        return;
    }
    lock.unlock();
    wait_for_disk();
    lock.lock();
    Rest rest = rest_until(retry->next_ms, retry->delay_ms, fmt::format("t:{}#{}", step.key, retry->tries));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*rest.due->steady - services_.clock.steady());
    if (call_->machine->is_leaving() || left.count() <= 0 || call_->machine->arrival(rest.due_key) != nullptr) {
        return;
    }
    if (left <= services_.limits.short_wait) {
        const HandlerPool::Blocked blocked;
        call_->pause(lock, left);
    } else if (among != nullptr) {
        throw BranchRests{std::move(rest)};
    } else {
        put_down(std::move(rest));
    }
    if (among != nullptr && among->is_stopped()) {
        throw BranchStopped{};
    }
}

// A clock that was turned back makes nobody wait for longer than was meant.
Rest CallDriver::rest_until(std::int64_t wall_ms, std::int64_t span_ms, std::string key) const {
    Rest rest;
    const std::int64_t left = std::clamp<std::int64_t>(wall_ms - services_.clock.wall_ms(), 0, span_ms);
    rest.due = Due{wall_ms, services_.clock.steady() + std::chrono::milliseconds(left)};
    rest.due_key = std::move(key);
    return rest;
}

// ── Putting the call off ───────────────────────────────────────────────────────────────────────────────────────────────────

void CallDriver::retry_later(std::chrono::milliseconds delay) {
    check_standing("putting the call off");
    if (delay.count() < 0) {
        throw std::invalid_argument(fmt::format("retry_later({} ms): the past is over", delay.count()));
    }
    wait_for_acceptance();
    const std::lock_guard lock(call_->mutex);
    const std::int64_t until_ms = services_.clock.wall_ms() + delay.count();
    if (!call_->machine->is_leaving()) {
        call_->machine->put_off(base::Json{{"until", until_ms}, {"for", delay.count()}}.dump());
        call_->flush(store::Urgency::lazy);
    }
    put_down(rest_until(until_ms, delay.count(), fmt::format("t:l:{}", until_ms)));
}

void CallDriver::sit_out() {
    const std::lock_guard lock(call_->mutex);
    const std::string* const put_off = call_->machine->put_off_until();
    if (put_off == nullptr) {
        return;
    }
    const base::Json recorded = base::Json::parse(*put_off);
    const std::int64_t until_ms = recorded.at("until").get<std::int64_t>();
    Rest rest = rest_until(until_ms, recorded.at("for").get<std::int64_t>(), fmt::format("t:l:{}", until_ms));
    if (*rest.due->steady > services_.clock.steady() && call_->machine->arrival(rest.due_key) == nullptr) {
        put_down(std::move(rest));
    }
}

// ── Reconciling ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<std::string> CallDriver::reconcile(const journal::Step& step, const detail::StepRequest& request) {
    using Word = detail::StepOutcome::Word;
    DURABLE_MCP_CRASH_POINT("reconcile.before_ask");
    detail::StepOutcome told;
    try {
        const HandlerPool::Blocked blocked;
        const BodyScope scope(step.key);
        told = (*request.reconcile)(idempotency_key(request.alias));
    } catch (const Unwind&) {
        throw;
    } catch (const detail::NotEncodable& error) {
        fail_step(step, request.alias, {"not encodable", error.what()}, std::current_exception());
    } catch (...) {
        services_.log->error("call {}: the reconcile of step '{}' threw, so that what became of the step stays unknown: {}", call_->id, request.alias,
                             describe_chain());
        told = {};
    }
    DURABLE_MCP_CRASH_POINT("reconcile.after_ask_before_record");
    if (told.word == Word::done) {
        record(step, request.alias, told.value);
        return std::move(told.value);
    }
    {
        const std::lock_guard lock(call_->mutex);
        if (told.word == Word::not_done) {
            call_->machine->restart(step);
        } else {
            call_->machine->give_up(step);
        }
        call_->flush(store::Urgency::lazy);
    }
    DURABLE_MCP_CRASH_POINT("reconcile.after_record");
    if (told.word == Word::unknown) {
        raise(journal::RaiseInterrupted{}, step, request.alias);
    }
    return std::nullopt;
}

// ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string CallDriver::draw(std::string_view alias, const std::string& type, const std::function<std::string()>& from) {
    check_standing("a step");
    check_alias(alias);
    const journal::Step step{StepKind::value, scoped(fmt::format("s:{}", alias)), type};
    const journal::Decision decision = decide(step);
    if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
        return recorded->value;
    }
    if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, alias);
    }
    std::string value = from();
    record(step, alias, value);
    return value;
}

std::int64_t CallDriver::now_ms(std::string_view alias) {
    return std::stoll(draw(alias, "now", [this] { return std::to_string(services_.clock.wall_ms()); }));
}

std::uint64_t CallDriver::random(std::string_view alias, std::optional<std::uint64_t> below) {
    return std::stoull(draw(alias, below ? fmt::format("random<{}>", *below) : "random", [&] {
        return std::to_string(below ? base::random_number(services_.random, *below) : base::random_number(services_.random));
    }));
}

std::string CallDriver::uuid(std::string_view alias) {
    const std::string text = draw(alias, "uuid", [this] { return '"' + base::random_uuid(services_.random) + '"'; });
    return text.substr(1, text.size() - 2);
}

}  // namespace durable_mcp::runtime
