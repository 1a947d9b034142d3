// SPDX-License-Identifier: Apache-2.0
#pragma once

// Decisions and outputs in words, so that a test reads as the conversation between a driver and the machine.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.hpp"
#include "journal/call_machine.hpp"

namespace durable_mcp::journal {

using Words = std::vector<std::string>;

inline Step least(std::string key, std::string type = "int") { return {StepKind::at_least_once, std::move(key), std::move(type)}; }
inline Step once(std::string key, std::string type = "int") { return {StepKind::at_most_once, std::move(key), std::move(type)}; }
inline Step transact(std::string key, std::string type = "int") { return {StepKind::transact, std::move(key), std::move(type)}; }
inline Step map_write(std::string key) { return {StepKind::map_write, std::move(key), ""}; }
inline Step map_read(std::string key, std::string type = "int") { return {StepKind::map_read, std::move(key), std::move(type)}; }
inline Step event(std::string key) { return {StepKind::event, std::move(key), ""}; }

inline std::string words(EntryKind kind) {
    switch (kind) {
        case EntryKind::step_completed: return "step_completed";
        case EntryKind::once_started: return "once_started";
        case EntryKind::once_completed: return "once_completed";
        case EntryKind::once_failed: return "once_failed";
        case EntryKind::once_interrupted: return "once_interrupted";
        case EntryKind::once_reset: return "once_reset";
        case EntryKind::transacted: return "transacted";
        case EntryKind::map_written: return "map_written";
        case EntryKind::map_read: return "map_read";
        case EntryKind::step_failed: return "step_failed";
        case EntryKind::transaction_failed: return "transaction_failed";
        case EntryKind::event_sent: return "event_sent";
        case EntryKind::event_inside: return "event_inside";
        case EntryKind::question_asked: return "question_asked";
        case EntryKind::sleep_begun: return "sleep_begun";
        case EntryKind::sleep_over: return "sleep_over";
        case EntryKind::signal_awaited: return "signal_awaited";
        case EntryKind::signal_taken: return "signal_taken";
        case EntryKind::until_begun: return "until_begun";
        case EntryKind::until_held: return "until_held";
        case EntryKind::loop_carried: return "loop_carried";
        case EntryKind::loop_done: return "loop_done";
    }
    return "unknown";
}

struct DecisionWords {
    std::string operator()(const Execute&) const { return "execute"; }
    std::string operator()(const AwaitDurable&) const { return "await durable"; }
    std::string operator()(const AwaitArrival&) const { return "await arrival"; }
    std::string operator()(const GoOnWaiting& waiting) const { return "go on " + waiting.begun; }
    std::string operator()(const UseRecorded& use) const { return "recorded " + use.value; }
    std::string operator()(const RaiseFailed& raise) const { return "failed " + raise.fault.type + ": " + raise.fault.message; }
    std::string operator()(const RaiseInterrupted&) const { return "interrupted"; }
    std::string operator()(const RaiseDuplicate&) const { return "duplicate"; }
    std::string operator()(const RaiseMismatch& raise) const {
        return "mismatch " + std::string(name_of(raise.recorded_kind)) + " " + raise.recorded_type;
    }
    std::string operator()(const Leave& leave) const { return leave.reason == Leave::cancelled ? "leave cancelled" : "leave suspended"; }
};

inline std::string words(const Decision& decision) { return std::visit(DecisionWords{}, decision); }

inline std::string words(const Output& output) {
    if (const auto* entry = std::get_if<Entry>(&output)) {
        return std::to_string(entry->seq) + " " + words(entry->kind) + " " + entry->key;
    }
    if (const auto* forget = std::get_if<Forget>(&output)) {
        std::string text = "forget";
        for (const std::uint64_t seq : forget->entries) {
            text += " " + std::to_string(seq);
        }
        return text;
    }
    return "accept";
}

inline Words words(const std::vector<Output>& outputs) {
    Words all;
    for (const Output& output : outputs) {
        all.push_back(words(output));
    }
    return all;
}

/// A call over its attempts: the machine of this attempt, and the history that its process would leave behind.
struct Call {
    History history;
    std::unique_ptr<CallMachine> machine = std::make_unique<CallMachine>();

    /// Makes everything durable that the machine has handed out, and says what that was.
    Words commit() {
        const std::vector<Output> outputs = machine->take_outputs();
        for (const Output& output : outputs) {
            if (const auto* entry = std::get_if<Entry>(&output)) {
                history.entries.push_back(*entry);
            } else if (const auto* forget = std::get_if<Forget>(&output)) {
                std::erase_if(history.entries, [&](const Entry& one) {
                    return std::find(forget->entries.begin(), forget->entries.end(), one.seq) != forget->entries.end();
                });
            } else {
                history.accepted = true;
            }
        }
        machine->confirm(machine->handed_out());
        return words(outputs);
    }

    /// Asks until there is nothing left to wait for.
    std::string begin(const Step& step) {
        Decision decision = machine->begin(step);
        while (std::holds_alternative<AwaitDurable>(decision)) {
            if (commit().empty()) {
                return "waits for nothing";
            }
            decision = machine->begin(step);
        }
        return words(decision);
    }

    /// A whole step that succeeds; its entry is handed out, and not durable yet.
    void run(const Step& step, std::string value) {
        DURABLE_MCP_ASSERT(begin(step) == "execute");
        machine->complete(step, std::move(value));
    }

    /// The process dies; what was not committed is lost.
    void crash() { machine = std::make_unique<CallMachine>(history); }
    /// The attempt ends with everything durable, and another begins.
    void replay() {
        commit();
        crash();
    }
};

}  // namespace durable_mcp::journal
