// SPDX-License-Identifier: Apache-2.0
// What a handler waits for that is not its client: time, signals, a condition of the state, the next iteration of a loop.
//
// A wait that is soon over holds the thread. A longer one is put down: its handler is unwound, the loop keeps what the call rests on (wait_desk),
// and the handler runs again from its first line when that has come. What a wait came to is an entry, so that every replay takes the same branch.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "runtime/call_driver.hpp"
#include "runtime/failure_report.hpp"

namespace durable_mcp::runtime {
namespace {

using journal::StepKind;
using std::chrono::milliseconds;

constexpr char path_end = journal::CallMachine::path_end;

/// Under which the machine hears that a moment has come.
std::string moment_key(const std::string& step) { return "t:" + step; }

base::Json write_due(const Due& due, std::optional<milliseconds> span) {
    base::Json begun{{"until", due.wall_ms}};
    if (span) {
        begun["for"] = span->count();
    }
    return begun;
}

/// A span that was begun in another attempt ends when the wall says so, but is never longer than it was: somebody may have set the clock back.
std::optional<Due> read_due(const base::Json& begun, const base::Clock& clock) {
    const auto until = begun.find("until");
    if (until == begun.end()) {
        return std::nullopt;
    }
    Due due{until->get<std::int64_t>(), {}};
    if (const auto span = begun.find("for"); span != begun.end()) {
        const std::int64_t left = std::clamp<std::int64_t>(due.wall_ms - clock.wall_ms(), 0, span->get<std::int64_t>());
        due.steady = clock.steady() + milliseconds(left);
    }
    return due;
}

/// A span that can be added to any time of either clock: below nothing is nothing, and above a century is for ever.
milliseconds countable(milliseconds span) {
    constexpr milliseconds century = std::chrono::hours(24) * 36'525;
    return std::clamp(span, milliseconds(0), century);
}
std::optional<milliseconds> countable(const std::optional<milliseconds>& span) { return span ? std::optional(countable(*span)) : std::nullopt; }

Due due_after(milliseconds span, const base::Clock& clock) { return {clock.wall_ms() + span.count(), clock.steady() + span}; }

milliseconds left_of(const Due& due, const base::Clock& clock) {
    return due.steady ? std::chrono::ceil<milliseconds>(*due.steady - clock.steady()) : milliseconds(due.wall_ms - clock.wall_ms());
}

// {"value":…} keeps the text of the value as it is.
constexpr std::string_view value_mark = R"({"value":)";
constexpr std::string_view expired = R"({"expired":true})";
std::string write_value(std::string_view text) { return std::string(value_mark).append(text).append("}"); }
std::optional<std::string> read_value(std::string_view recorded) {
    if (recorded == expired) {
        return std::nullopt;
    }
    DURABLE_MCP_ASSERT(recorded.starts_with(value_mark));
    return std::string(recorded.substr(value_mark.size(), recorded.size() - value_mark.size() - 1));
}

// What a loop records begins with the last event that lies behind it.
std::string with_events(std::string_view object, std::uint64_t last_event) { return fmt::format(R"({{"events":{},{})", last_event, object.substr(1)); }

}  // namespace

// ── Where the handler is ───────────────────────────────────────────────────────────────────────────────────────────────────

std::string CallDriver::path() const { return loops_.empty() ? std::string() : loops_.back().path; }

std::string CallDriver::scoped(const std::string& key) const { return loops_.empty() ? key : key.substr(0, 2) + loops_.back().path + key.substr(2); }

std::string CallDriver::readable(std::string_view key) {
    std::string text;
    std::string_view rest = key.substr(key.find(':') + 1);
    for (auto end = rest.find(path_end); end != std::string_view::npos; end = rest.find(path_end)) {
        const auto number_end = rest.find(path_end, end + 1);
        text.append(rest.substr(0, end)).append("[").append(rest.substr(end + 1, number_end - end - 1)).append("]/");
        rest.remove_prefix(number_end == std::string_view::npos ? rest.size() : number_end + 1);
    }
    return text.append(rest);
}

// ── Leaving for a wait ─────────────────────────────────────────────────────────────────────────────────────────────────────

// With the call's mutex held.
void CallDriver::put_down(Rest rest) {
    if (!call_->machine->is_leaving()) {
        call_->rest = std::move(rest);
    }
    const bool is_cancelled = call_->machine->is_cancelled();
    call_->machine->break_off();
    throw Unwind(is_cancelled ? Unwind::Reason::cancelled : Unwind::Reason::suspended);
}

// Returns when the moment has come; leaves the handler when that takes long.
void CallDriver::sleep_through(const std::string& key, const Due& due) {
    std::unique_lock lock(call_->mutex);
    if (!call_->machine->is_leaving()) {
        if (call_->machine->arrival(key) != nullptr) {
            return;
        }
        const milliseconds left = left_of(due, services_.clock);
        if (left <= milliseconds(0)) {
            return;
        }
        if (left <= services_.limits.short_wait) {
            const HandlerPool::Blocked blocked;
            call_->wait_for_arrivals(lock, {key}, left);
            if (!call_->machine->is_leaving()) {
                return;
            }
        }
    }
    Rest rest;
    rest.due = due;
    rest.due_key = key;
    put_down(std::move(rest));
}

void CallDriver::sleep(std::string_view alias, const detail::SleepRequest& request) {
    check_standing("sleeping");
    check_alias(alias);
    const journal::Step step{StepKind::sleep, scoped(fmt::format("s:{}", alias)), {}};
    const journal::Decision decision = decide(step);
    if (std::holds_alternative<journal::UseRecorded>(decision)) {
        return;
    }
    Due due;
    const std::optional<milliseconds> span = countable(request.span);
    if (const auto* begun = std::get_if<journal::GoOnWaiting>(&decision)) {
        due = read_due(base::Json::parse(begun->begun), services_.clock).value_or(Due{});
    } else if (std::holds_alternative<journal::Execute>(decision)) {
        due = span ? due_after(*span, services_.clock) : Due{request.until_ms, {}};
        const std::lock_guard lock(call_->mutex);
        call_->machine->await(step, write_due(due, span).dump());
        call_->flush(store::Urgency::lazy);
    } else {
        raise(decision, step, alias);
    }
    DURABLE_MCP_CRASH_POINT("wait.begun");
    sleep_through(moment_key(step.key), due);
    DURABLE_MCP_CRASH_POINT("wait.before_record");
    const std::lock_guard lock(call_->mutex);
    call_->machine->complete(step, {});
    call_->flush(store::Urgency::lazy);
}

// ── Signals ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<std::string> CallDriver::wait_for_signal(std::string_view alias, std::string_view type, std::string_view name,
                                                       std::optional<milliseconds> longest) {
    const std::optional<milliseconds> deadline = countable(longest);
    check_standing("waiting for a signal");
    check_alias(alias);
    check_alias(name);
    const journal::Step step{StepKind::signal, scoped(fmt::format("s:{}", alias)), std::string(type)};
    const journal::Decision decision = decide(step);
    if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
        return read_value(recorded->value);
    }
    std::optional<Due> due;
    bool has_begun = false;
    if (const auto* begun = std::get_if<journal::GoOnWaiting>(&decision)) {
        due = read_due(base::Json::parse(begun->begun), services_.clock);
        has_begun = true;
    } else if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, alias);
    } else if (deadline) {
        due = due_after(*deadline, services_.clock);
    }
    const std::string signal = signal_key(name);
    const std::string moment = moment_key(step.key);
    std::unique_lock lock(call_->mutex);
    journal::CallMachine& machine = *call_->machine;
    if (!has_begun && machine.arrival(signal) == nullptr) {
        base::Json begun = due ? write_due(*due, deadline) : base::Json::object();
        begun["name"] = name;
        machine.await(step, begun.dump());
        call_->flush(store::Urgency::lazy);
    }
    DURABLE_MCP_CRASH_POINT("wait.begun");
    const auto is_over = [&] { return due && (machine.arrival(moment) != nullptr || left_of(*due, services_.clock) <= milliseconds(0)); };
    if (machine.arrival(signal) == nullptr && !is_over()) {
        milliseconds in_place = services_.limits.short_wait;
        if (due) {
            in_place = std::min(in_place, left_of(*due, services_.clock));
        }
        const HandlerPool::Blocked blocked;
        call_->wait_for_arrivals(lock, {signal}, in_place);
    }
    const std::string* const arrived = machine.arrival(signal);
    if (machine.is_leaving() || (arrived == nullptr && !is_over())) {
        Rest rest;
        rest.arrivals = {signal};
        rest.due = due;
        rest.due_key = moment;
        put_down(std::move(rest));
    }
    DURABLE_MCP_CRASH_POINT("wait.before_record");
    std::optional<std::string> value = arrived == nullptr ? std::nullopt : std::optional(*arrived);
    machine.complete(step, value ? write_value(*value) : std::string(expired));
    call_->flush(store::Urgency::lazy);
    return value;
}

// ── Conditions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

// Looks at the condition, and remembers in `maps` what it looked at.
std::optional<std::string> CallDriver::look(const std::function<std::optional<std::string>()>& condition, const std::string& key,
                                            std::vector<std::string>& maps) {
    struct Watching {
        Watching(std::vector<std::string>*& watched, std::vector<std::string>& maps) : watched_(watched) { watched_ = &maps; }
        ~Watching() { watched_ = nullptr; }
        std::vector<std::string>*& watched_;
    };
    const HandlerPool::Blocked blocked;
    const BodyScope scope(key);
    const Watching watching(watched_, maps);
    return condition();
}

std::optional<std::string> CallDriver::until(std::string_view alias, std::string_view type, const detail::UntilRequest& request) {
    check_standing("waiting for a condition");
    const std::optional<milliseconds> deadline = countable(request.deadline);
    check_alias(alias);
    const journal::Step step{StepKind::until, scoped(fmt::format("s:{}", alias)), std::string(type)};
    const auto remember = [&](const std::optional<std::string>& value) {
        if (request.changes && value && !loops_.empty()) {
            loops_.back().seen[std::string(alias)] = *value;
        }
        return value;
    };
    const journal::Decision decision = decide(step);
    if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
        return remember(read_value(recorded->value));
    }
    std::optional<Due> due;
    bool has_begun = false;
    if (const auto* begun = std::get_if<journal::GoOnWaiting>(&decision)) {
        due = read_due(base::Json::parse(begun->begun), services_.clock);
        has_begun = true;
    } else if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, alias);
    } else if (deadline) {
        due = due_after(*deadline, services_.clock);
    }
    std::optional<std::string> before;
    if (request.changes && !loops_.empty()) {
        if (const auto seen = loops_.back().seen.find(std::string(alias)); seen != loops_.back().seen.end()) {
            before = seen->get<std::string>();
        }
    }
    const std::string moment = moment_key(step.key);
    const auto in_place_until = std::chrono::steady_clock::now() + services_.limits.short_wait;
    wait_for_disk();  // it sees what this call itself has written
    for (;;) {
        const StateChanges::Mark mark = services_.changes.mark();
        std::vector<std::string> maps;
        std::optional<std::string> value;
        try {
            value = look(*request.condition, step.key, maps);
        } catch (const Unwind&) {
            throw;
        } catch (...) {
            fail_step(step, alias, describe_current_exception(), std::current_exception());
        }
        if (value && value == before) {
            value.reset();
        }
        std::unique_lock lock(call_->mutex);
        journal::CallMachine& machine = *call_->machine;
        const bool is_over = due && (machine.arrival(moment) != nullptr || left_of(*due, services_.clock) <= milliseconds(0));
        if (!machine.is_leaving() && (value || is_over)) {
            DURABLE_MCP_CRASH_POINT("wait.before_record");
            machine.complete(step, value ? write_value(*value) : std::string(expired));
            call_->flush(store::Urgency::lazy);
            return remember(value);
        }
        if (maps.empty() && !due) {
            throw std::logic_error(fmt::format("until '{}': its condition does not hold, and it has read no map of this server: nothing would ever make it look "
                                               "again. Read the state inside it, give it a deadline, or use loop() with an interval",
                                               alias));
        }
        if (!has_begun) {
            machine.await(step, due ? write_due(*due, deadline).dump() : std::string("{}"));
            call_->flush(store::Urgency::lazy);
            has_begun = true;
        }
        const auto now = std::chrono::steady_clock::now();
        if (machine.is_leaving() || now >= in_place_until) {
            Rest rest;
            rest.due = due;
            rest.due_key = moment;
            rest.maps = std::move(maps);
            rest.mark = mark;
            put_down(std::move(rest));
        }
        lock.unlock();
        milliseconds in_place = std::chrono::ceil<milliseconds>(in_place_until - now);
        if (due) {
            in_place = std::min(in_place, left_of(*due, services_.clock));
        }
        const HandlerPool::Blocked blocked;
        services_.changes.wait(maps, mark, in_place);
    }
}

// ── Loops ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string CallDriver::loop(std::string_view alias, std::string_view type, const detail::LoopRequest& request) {
    check_standing("a loop");
    check_alias(alias);
    const journal::Step step{StepKind::loop, scoped(fmt::format("s:{}", alias)), fmt::format("{}/{}", type, request.carry_type)};
    const journal::Decision decision = decide(step);
    if (const auto* recorded = std::get_if<journal::UseRecorded>(&decision)) {
        const std::string_view text = recorded->value;
        return read_value('{' + std::string(text.substr(text.find(',') + 1))).value();
    }
    std::uint64_t round = 1;
    std::string carry = request.initial;
    base::Json seen = base::Json::object();
    std::optional<Due> due;
    const auto* const carried = std::get_if<journal::GoOnWaiting>(&decision);
    if (carried != nullptr && !DURABLE_MCP_PLANTED_BUG("restart_loop")) {
        const base::Json handed = base::Json::parse(carried->begun);
        round = handed.at("round").get<std::uint64_t>();
        carry = handed.at("carry").get<std::string>();
        seen = handed.at("seen");
        due = read_due(handed, services_.clock);
    } else if (carried == nullptr && !std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, alias);
    }
    struct Inside {
        Inside(CallDriver& driver, Iteration iteration) : driver_(driver) { enter(std::move(iteration)); }
        ~Inside() {
            driver_.loops_.pop_back();
            tell();
        }
        void enter(Iteration iteration) {
            driver_.loops_.push_back(std::move(iteration));
            tell();
        }
        void tell() {
            const std::lock_guard lock(driver_.call_->mutex);
            driver_.call_->machine->enter(driver_.path());
        }
        CallDriver& driver_;
    };
    const std::string loop_path = path() + std::string(alias) + path_end;
    for (;; ++round) {
        services_.queue->wait_for_room();
        if (due) {
            sleep_through(moment_key(step.key + path_end + std::to_string(round)), *due);
        }
        const std::string here = loop_path + std::to_string(round) + path_end;
        detail::LoopStep outcome;
        {
            const Inside inside(*this, {here, std::move(seen)});
            outcome = (*request.iteration)(carry);
            seen = std::move(loops_.back().seen);
        }
        if (outcome.text.size() > services_.limits.step_value_bytes) {
            throw Error(ErrorCode::limit_exceeded, fmt::format("loop '{}': what iteration {} hands on has {} bytes as JSON; the limit is {}", alias, round,
                                                               outcome.text.size(), services_.limits.step_value_bytes));
        }
        const std::uint64_t last_event = Stream::Numbering(*call_->stream).last();
        DURABLE_MCP_CRASH_POINT("loop.before_carry");
        const std::lock_guard lock(call_->mutex);
        if (call_->machine->is_leaving()) {
            put_down({});
        }
        if (outcome.is_done) {
            call_->machine->end_loop(step, here, with_events(write_value(outcome.text), last_event));
            call_->flush(store::Urgency::lazy);
            return outcome.text;
        }
        carry = std::move(outcome.text);
        const milliseconds interval = countable(request.interval);
        due = interval > milliseconds(0) ? std::optional(due_after(interval, services_.clock)) : std::nullopt;
        base::Json handed = due ? write_due(*due, interval) : base::Json::object();
        handed["round"] = round + 1;
        handed["carry"] = carry;
        handed["seen"] = seen;
        call_->machine->carry(step, here, with_events(base::dump_json(handed).value(), last_event));
        call_->flush(store::Urgency::lazy);
        DURABLE_MCP_CRASH_POINT("loop.carried");
    }
}

}  // namespace durable_mcp::runtime
