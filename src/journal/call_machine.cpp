// SPDX-License-Identifier: Apache-2.0
#include "journal/call_machine.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/assert.hpp"
#include "base/crash_point.hpp"

namespace durable_mcp::journal {
namespace {

StepKind step_kind_of(EntryKind kind) {
    switch (kind) {
        case EntryKind::step_completed:
        case EntryKind::step_failed:
            return StepKind::at_least_once;
        case EntryKind::once_started:
        case EntryKind::once_completed:
        case EntryKind::once_failed:
        case EntryKind::once_interrupted:
        case EntryKind::once_reset:
            return StepKind::at_most_once;
        case EntryKind::transacted:
        case EntryKind::transaction_failed:
            return StepKind::transact;
        case EntryKind::map_written:
            return StepKind::map_write;
        case EntryKind::map_read:
            return StepKind::map_read;
        case EntryKind::event_sent:
            return StepKind::event;
        case EntryKind::question_asked:
            return StepKind::question;
        case EntryKind::sleep_begun:
        case EntryKind::sleep_over:
            return StepKind::sleep;
        case EntryKind::signal_awaited:
        case EntryKind::signal_taken:
            return StepKind::signal;
        case EntryKind::until_begun:
        case EntryKind::until_held:
            return StepKind::until;
        case EntryKind::loop_carried:
        case EntryKind::loop_done:
            return StepKind::loop;
        case EntryKind::event_inside:
            break;  // no step: fold() keeps it elsewhere
    }
    DURABLE_MCP_ASSERT(false && "a kind of entry that this release does not know");
    return StepKind::at_least_once;
}

EntryKind completed_entry(StepKind kind) {
    switch (kind) {
        case StepKind::at_least_once: return EntryKind::step_completed;
        case StepKind::at_most_once: return EntryKind::once_completed;
        case StepKind::transact: return EntryKind::transacted;
        case StepKind::map_write: return EntryKind::map_written;
        case StepKind::map_read: return EntryKind::map_read;
        case StepKind::event: return EntryKind::event_sent;
        case StepKind::question: return EntryKind::question_asked;
        case StepKind::sleep: return EntryKind::sleep_over;
        case StepKind::signal: return EntryKind::signal_taken;
        case StepKind::until: return EntryKind::until_held;
        case StepKind::loop: return EntryKind::loop_done;
    }
    return EntryKind::step_completed;
}

EntryKind begun_entry(StepKind kind) {
    switch (kind) {
        case StepKind::sleep: return EntryKind::sleep_begun;
        case StepKind::signal: return EntryKind::signal_awaited;
        case StepKind::until: return EntryKind::until_begun;
        case StepKind::loop: return EntryKind::loop_carried;
        default: break;
    }
    DURABLE_MCP_ASSERT(false && "a step that is no wait");
    return EntryKind::sleep_begun;
}

bool is_wait(StepKind kind) {
    return kind == StepKind::sleep || kind == StepKind::signal || kind == StepKind::until || kind == StepKind::loop;
}

EntryKind failed_entry(StepKind kind) {
    switch (kind) {
        case StepKind::at_most_once: return EntryKind::once_failed;
        case StepKind::transact: return EntryKind::transaction_failed;
        default: return EntryKind::step_failed;
    }
}

bool is_of_loop(EntryKind kind) { return kind == EntryKind::loop_carried || kind == EntryKind::loop_done; }

// The last event that was sent before that iteration ended.
std::uint64_t events_before(const Entry& carried) {
    constexpr std::string_view mark = "{\"events\":";
    DURABLE_MCP_ASSERT(carried.payload.starts_with(mark));
    std::uint64_t seq = 0;
    std::from_chars(carried.payload.data() + mark.size(), carried.payload.data() + carried.payload.size(), seq);
    return seq;
}

std::string hexadecimal(std::uint64_t hash) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
    return {digits.data(), end};
}

}  // namespace

std::string_view name_of(StepKind kind) {
    switch (kind) {
        case StepKind::at_least_once: return "at_least_once";
        case StepKind::at_most_once: return "at_most_once";
        case StepKind::transact: return "transact";
        case StepKind::map_write: return "map write";
        case StepKind::map_read: return "map read";
        case StepKind::event: return "event";
        case StepKind::question: return "question";
        case StepKind::sleep: return "sleep";
        case StepKind::signal: return "wait for a signal";
        case StepKind::until: return "until";
        case StepKind::loop: return "loop";
    }
    return "";
}

CallMachine::CallMachine(History history) : last_progress_(history.last_progress), arrivals_(std::move(history.arrivals)), accepted_(history.accepted) {
    // What was emitted before an iteration ended lies on old ground for ever: only what came later can be repeated. And only before that may
    // entries have been forgotten.
    const auto carried = std::find_if(history.entries.rbegin(), history.entries.rend(), [](const Entry& entry) { return is_of_loop(entry.kind); });
    const std::uint64_t passed_events = carried == history.entries.rend() ? 0 : events_before(*carried);
    const std::uint64_t passed_entries = carried == history.entries.rend() ? 0 : carried->seq;
    for (const SentEvent& event : history.events) {
        if (event.seq > passed_events || event.seq == 0) {
            ++sent_before_[event.hash];
        }
    }
    for (const Entry& entry : history.entries) {
        DURABLE_MCP_ASSERT(entry.seq == last_seq_ + 1 || (entry.seq > last_seq_ && entry.seq <= passed_entries));
        last_seq_ = entry.seq;
        count(entry);
        if (entry.kind != EntryKind::event_inside || entry.seq > passed_entries) {
            fold(entry);
        }
    }
    unpassed_ = records_.size();
}

void CallMachine::fold(const Entry& entry) {
    if (entry.kind == EntryKind::once_reset) {
        records_.erase(entry.key);
        return;
    }
    if (entry.kind == EntryKind::event_inside) {
        const std::uint64_t hash = std::stoull(entry.payload, nullptr, 16);
        if (const auto sent = sent_before_.find(hash); sent != sent_before_.end() && sent->second > 0) {
            --sent->second;
            ++sent_inside_[entry.key][hash];
        }
        return;
    }
    Status status = Status::completed;
    switch (entry.kind) {
        case EntryKind::once_started: status = Status::started; break;
        case EntryKind::once_interrupted: status = Status::interrupted; break;
        case EntryKind::sleep_begun:
        case EntryKind::signal_awaited:
        case EntryKind::until_begun:
        case EntryKind::loop_carried: status = Status::waiting; break;
        case EntryKind::once_failed:
        case EntryKind::step_failed:
        case EntryKind::transaction_failed: status = Status::failed; break;
        default: break;
    }
    records_.insert_or_assign(entry.key, Record{step_kind_of(entry.kind), status, entry.type, entry.payload});
}

Decision CallMachine::begin(const Step& step) {
    DURABLE_MCP_ASSERT(!finished_);
    if (leaving_) {
        if (open_ && step.kind == StepKind::at_most_once) {
            // once_started was handed out and nothing ran: a graceful stop must not leave the step looking interrupted.
            DURABLE_MCP_ASSERT(open_ == step.key);
            append(EntryKind::once_reset, step, {});
        }
        open_.reset();
        has_left_ = true;
        return Leave{*leaving_};
    }
    const bool asked_again = open_ == step.key;
    DURABLE_MCP_ASSERT(!open_ || asked_again);
    if (!asked_again) {
        if (used_.contains(step.key)) {
            return RaiseDuplicate{};
        }
        if (const auto found = records_.find(step.key); found != records_.end() && !DURABLE_MCP_PLANTED_BUG("rerun_recorded_step")) {
            return replay(step, found->second);
        }
        used_.insert(step.key);
        left_old_ground_ = true;
        accept();
        if (step.kind == StepKind::at_most_once && !DURABLE_MCP_PLANTED_BUG("start_without_record")) {
            append(EntryKind::once_started, step, {});
        }
        open_ = step.key;
    }
    // A map write is applied by its own commit, behind everything that it depends on, and so is an event: they wait for the call's row only. A wait
    // has no effect at all.
    const bool is_queued_effect =
        step.kind == StepKind::map_write || step.kind == StepKind::event || step.kind == StepKind::question || is_wait(step.kind);
    if (is_queued_effect ? !is_acceptance_durable() : !all_entries_are_durable()) {
        return AwaitDurable{};
    }
    open_.reset();
    if (step.kind == StepKind::at_least_once || step.kind == StepKind::at_most_once || step.kind == StepKind::transact) {
        body_ = step.key;
    }
    return Execute{};
}

Decision CallMachine::replay(const Step& step, Record& record) {
    const bool has_type = record.status == Status::completed;
    // Several kinds fail with the same entry, which then does not tell them apart.
    const bool is_same_kind =
        record.status == Status::failed ? failed_entry(record.kind) == failed_entry(step.kind) : record.kind == step.kind;
    if (!is_same_kind || (has_type && record.type != step.type)) {
        return RaiseMismatch{record.kind, record.type};
    }
    used_.insert(step.key);
    if (!record.passed) {
        record.passed = true;
        --unpassed_;
    }
    switch (record.status) {
        case Status::completed:
            if (record.kind == StepKind::question) {
                const std::string* const answer = arrival(step.key);
                return answer == nullptr ? Decision(AwaitArrival{}) : Decision(UseRecorded{*answer});
            }
            return UseRecorded{record.payload};
        case Status::failed:
            return RaiseFailed{read_fault(record.payload)};
        case Status::started:
            if (DURABLE_MCP_PLANTED_BUG("rerun_interrupted_step")) {
                return Execute{};
            }
            record.status = Status::interrupted;
            append(EntryKind::once_interrupted, step, {});
            return RaiseInterrupted{};
        case Status::interrupted:
            return RaiseInterrupted{};
        case Status::waiting:
            // The wait goes on: what comes out of it is new. (In a loop, what the unfinished iteration had recorded still lies ahead.)
            left_old_ground_ = left_old_ground_ || step.kind != StepKind::loop;
            return GoOnWaiting{record.payload};
    }
    return RaiseInterrupted{};
}

void CallMachine::await(const Step& step, std::string begun) { append(begun_entry(step.kind), step, std::move(begun)); }

void CallMachine::carry(const Step& loop, const std::string& path, std::string carried) {
    append(EntryKind::loop_carried, loop, std::move(carried));
    forget_iteration(loop, path, last_seq_);
}

void CallMachine::end_loop(const Step& loop, const std::string& path, std::string value) {
    append(EntryKind::loop_done, loop, std::move(value));
    forget_iteration(loop, path, last_seq_);
}

// Entries of the iteration, and what the loop itself had written before `kept`.
void CallMachine::forget_iteration(const Step& loop, const std::string& path, std::uint64_t kept) {
    Forget forget;
    std::erase_if(scoped_, [&](const auto& entry) {
        const auto& [key, seq] = entry;
        const std::size_t name = key.find(':') + 1;
        if ((key != loop.key || seq == kept) && key.compare(name, path.size(), path) != 0) {
            return false;
        }
        if (key != loop.key) {
            if (const auto record = records_.find(key); record != records_.end()) {
                unpassed_ -= record->second.passed ? 0u : 1u;
                records_.erase(record);
            }
            used_.erase(key);
        }
        forget.entries.push_back(seq);
        return true;
    });
    std::erase_if(occurrences_, [&](const auto& counted) { return counted.first.compare(counted.first.find(':') + 1, path.size(), path) == 0; });
    std::erase_if(used_, [&](const std::string& key) { return key.compare(key.find(':') + 1, path.size(), path) == 0; });
    std::erase_if(sent_inside_, [&](const auto& sent) { return sent.first.compare(sent.first.find(':') + 1, path.size(), path) == 0; });
    if (!forget.entries.empty()) {
        entries_ -= forget.entries.size();
        outputs_.emplace_back(std::move(forget));
        ++handed_out_;
    }
}

void CallMachine::count(const Entry& entry) {
    ++entries_;
    if (entry.key.find(path_end) != std::string::npos || is_of_loop(entry.kind)) {
        scoped_.emplace(entry.key, entry.seq);
    }
}

std::optional<std::string> CallMachine::emitter() const {
    if (body_) {
        return body_;
    }
    return path_.empty() ? std::nullopt : std::optional("i:" + path_);
}

void CallMachine::complete(const Step& step, std::string value) {
    body_.reset();
    append(completed_entry(step.kind), step, std::move(value));
}

void CallMachine::fail(const Step& step, const Fault& fault) {
    body_.reset();
    append(failed_entry(step.kind), step, write_fault(fault));
}

void CallMachine::reset(const Step& step) {
    DURABLE_MCP_ASSERT(step.kind == StepKind::at_most_once);
    body_.reset();
    append(EntryKind::once_reset, step, {});
    used_.erase(step.key);
}

void CallMachine::abandon(const Step& step) {
    body_.reset();
    used_.erase(step.key);
}

Entry CallMachine::draft(const Step& step, std::string value) const {
    return {last_seq_ + 1, completed_entry(step.kind), step.key, step.type, std::move(value)};
}

Entry CallMachine::draft_event(const Step& step, std::uint64_t nth, std::uint64_t content_hash) const {
    return {last_seq_ + 1 + nth, EntryKind::event_inside, step.key, {}, hexadecimal(content_hash)};
}

void CallMachine::adopt(const Step& step, std::uint64_t events) {
    body_.reset();
    for (std::uint64_t adopted = 0; adopted <= events; ++adopted) {
        count({++last_seq_, completed_entry(step.kind), step.key, {}, {}});
    }
}

std::string CallMachine::next_occurrence(const std::string& base) { return base + '#' + std::to_string(++occurrences_[base]); }

void CallMachine::mark_interrupted() {
    for (auto& [key, record] : records_) {
        if (record.status == Status::started) {
            record.status = Status::interrupted;
            append(EntryKind::once_interrupted, {StepKind::at_most_once, key, record.type}, {});
        }
    }
}

bool CallMachine::emit(std::uint64_t content_hash) {
    if (has_left_ || finished_ || is_cancelled()) {
        return false;
    }
    if (DURABLE_MCP_PLANTED_BUG("repeat_event")) {
        accept();
        return true;
    }
    const auto from = emitter();
    auto& sent = from ? sent_inside_[*from] : sent_before_;
    const auto before = sent.find(content_hash);
    if (before != sent.end() && before->second > 0) {
        --before->second;
        return false;
    }
    if (is_replaying()) {
        return false;
    }
    accept();
    return true;
}

void CallMachine::mark_sent(std::uint64_t content_hash) {
    if (const auto from = emitter()) {
        append(EntryKind::event_inside, {StepKind::event, *from, {}}, hexadecimal(content_hash));
    }
}

bool CallMachine::advance_progress(double progress) {
    if (has_left_ || finished_ || is_cancelled()) {
        return false;
    }
    if (!std::isfinite(progress)) {
        return false;  // JSON has no word for it, and no number would compare with it afterwards
    }
    if (last_progress_ && progress <= *last_progress_) {
        return false;
    }
    if (is_replaying()) {
        return false;
    }
    last_progress_ = progress;
    return true;
}

void CallMachine::accept() {
    if (accepted_) {
        return;
    }
    accepted_ = true;
    outputs_.emplace_back(Accept{});
    acceptance_output_ = last_entry_output_ = ++handed_out_;
}

void CallMachine::leave(Leave::Reason reason) {
    // A cancellation outranks a suspension: it is the last word on the call.
    if (!finished_ && (!leaving_ || reason == Leave::cancelled)) {
        leaving_ = reason;
    }
}

void CallMachine::append(EntryKind kind, const Step& step, std::string payload) {
    Entry entry{++last_seq_, kind, step.key, step.type, std::move(payload)};
    count(entry);
    outputs_.emplace_back(std::move(entry));
    last_entry_output_ = ++handed_out_;
}

std::vector<Output> CallMachine::take_outputs() { return std::exchange(outputs_, {}); }

void CallMachine::confirm(std::uint64_t count) {
    DURABLE_MCP_ASSERT(count <= handed_out_);
    durable_ = std::max(durable_, count);
}

std::vector<std::string> CallMachine::divergent_keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, record] : records_) {
        if (!record.passed) {
            keys.push_back(key);
        }
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

}  // namespace durable_mcp::journal
