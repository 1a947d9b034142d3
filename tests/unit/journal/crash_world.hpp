// SPDX-License-Identifier: Apache-2.0
#pragma once

// A world in which an attempt can die at any moment, in memory. It drives the machine as the runtime does:
//
//     Disk      what was written, in order. All of it up to `durable` survives a crash; of the tail behind that, any prefix may.
//     World     the disk, and what no crash takes back: how often each body ran. It counts moments (before and after each body, each write
//               and each commit), and something can happen at any one of them.
//     Attempt   the driver: what a handler calls. One per process.
//
// The world judges by itself what must never happen, and keeps the first such thing in `violation`.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "unit/journal/wording.hpp"

namespace durable_mcp::journal::crash_world {

struct Event {
    std::string text;
    std::optional<double> progress;
};
struct Finished { std::string outcome; };

struct Item {
    std::variant<Accept, Entry, Event, Finished> content;
    std::uint64_t output = 0;  ///< position among the machine's outputs of its attempt, 0 for what is none
};

enum class Committing { each_at_once, when_awaited, one_item_per_wait };
enum class Happening { crash, suspension, cancellation };
struct Plan {
    std::size_t moment = 0;  ///< 0: never
    Happening happening = Happening::crash;
};

// What ends an attempt, or leaves a step. None is a std::exception: a handler catches what it names.
struct Crash {};
struct Unwound { Leave::Reason reason; };
struct StepFailed { Fault fault; };
struct Interrupted {};
struct Retryable {};

struct World {
    Committing committing = Committing::when_awaited;
    Plan plan;
    std::size_t moment = 0;  // in this attempt
    bool cancelled = false;
    CallMachine* machine = nullptr;

    std::vector<Item> disk;
    std::size_t durable = 0;
    std::map<std::string, int> invocations;  // bodies that were entered
    std::map<std::string, int> effects;      // … and got as far as their effect
    std::string violation;

    void violate(std::string sentence) {
        if (violation.empty()) {
            violation = std::move(sentence);
        }
    }

    void pass_moment() {
        if (++moment != plan.moment) {
            return;
        }
        switch (plan.happening) {
            case Happening::crash: throw Crash{};
            case Happening::suspension: machine->suspend(); break;
            case Happening::cancellation:
                machine->cancel();
                cancelled = machine->is_cancelled();
                break;
        }
    }

    void write(Item item) {
        disk.push_back(std::move(item));
        pass_moment();
        if (committing == Committing::each_at_once) {
            commit(1);
        }
    }

    void commit(std::size_t items) {
        for (; items > 0 && durable < disk.size(); --items) {
            const std::uint64_t output = disk[durable].output;
            ++durable;
            pass_moment();
            if (output > 0) {
                machine->confirm(output);
            }
        }
    }

    /// The process is gone: of the tail, the first `kept` items had reached the disk all the same.
    void die(std::size_t kept) {
        disk.resize(durable + kept);
        boot();
    }
    void boot() {
        durable = disk.size();
        machine = nullptr;
        moment = 0;
        plan = {};
    }

    template <class T>
    [[nodiscard]] std::vector<T> all() const {
        std::vector<T> found;
        for (const Item& item : disk) {
            if (const auto* content = std::get_if<T>(&item.content)) {
                found.push_back(*content);
            }
        }
        return found;
    }

    /// The newest entry of a key.
    [[nodiscard]] std::optional<Entry> entry(const std::string& key) const {
        for (auto item = disk.rbegin(); item != disk.rend(); ++item) {
            if (const auto* entry = std::get_if<Entry>(&item->content); entry != nullptr && entry->key == key) {
                return *entry;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] History history() const {
        History history;
        history.accepted = !all<Accept>().empty();
        history.entries = all<Entry>();
        for (const Event& event : all<Event>()) {
            history.events.push_back(std::hash<std::string>{}(event.text));
            if (event.progress) {
                history.last_progress = event.progress;
            }
        }
        return history;
    }
};

class Attempt {
public:
    explicit Attempt(World& world) : world_(world), machine_(world.history()) { world.machine = &machine_; }

    /// Runs a step of any kind but a transaction. `body` sees how often it was entered in this world.
    std::string step(const Step& step, const std::function<std::string(int)>& body) {
        if (const auto recorded = ask(step)) {
            return *recorded;
        }
        std::string value;
        try {
            value = execute(step, body);
        } catch (const Fault& fault) {
            machine_.fail(step, fault);
            write_outputs();
            throw StepFailed{fault};
        } catch (const Retryable&) {
            machine_.reset(step);
            write_outputs();
            throw;
        }
        machine_.complete(step, value);
        write_outputs();
        return value;
    }

    /// The store refuses a transaction's very first commit.
    std::string transaction(const Step& step, const std::string& value) {
        for (;;) {
            if (const auto recorded = ask(step)) {
                return *recorded;
            }
            bool is_refused = false;
            execute(step, [&](int invocation) {
                is_refused = invocation == 1;
                return value;
            });
            if (is_refused) {
                machine_.abandon(step);
                continue;
            }
            world_.write({machine_.draft(step, value)});
            world_.commit(world_.disk.size());
            machine_.adopt(step);
            return value;
        }
    }

    void log(const std::string& text) { send({text, std::nullopt}); }
    void report_progress(double progress) {
        if (machine_.advance_progress(progress)) {
            send({"progress " + std::to_string(progress), progress});
        }
    }
    [[nodiscard]] std::string next_occurrence(const std::string& base) { return machine_.next_occurrence(base); }

    void finish(const std::string& outcome) {
        if (machine_.has_left()) {
            world_.violate("a handler that left has finished");
        }
        if (const auto divergent = machine_.divergent_keys(); !divergent.empty()) {
            world_.violate("the same handler has not passed " + divergent.front());
        }
        machine_.accept();
        write_outputs();
        machine_.finish();
        world_.write({Finished{outcome}});
        world_.commit(world_.disk.size());
    }
    void flush() {
        write_outputs();
        world_.commit(world_.disk.size());
    }

private:
    /// The recorded value, or nothing when the step is to be executed.
    std::optional<std::string> ask(const Step& step) {
        for (;;) {
            Decision decision = machine_.begin(step);
            write_outputs();
            if (std::holds_alternative<Execute>(decision)) {
                return std::nullopt;
            }
            if (const auto* use = std::get_if<UseRecorded>(&decision)) {
                return use->value;
            }
            if (const auto* raise = std::get_if<RaiseFailed>(&decision)) {
                throw StepFailed{raise->fault};
            }
            if (const auto* leave = std::get_if<Leave>(&decision)) {
                throw Unwound{leave->reason};
            }
            if (std::holds_alternative<RaiseInterrupted>(decision)) {
                throw Interrupted{};
            }
            if (!std::holds_alternative<AwaitDurable>(decision)) {
                world_.violate("the same handler is told of " + words(decision) + " at " + step.key);
                throw Crash{};
            }
            if (step.kind == StepKind::map_write) {
                world_.violate("a map write waits");
            }
            await();
        }
    }

    void await() {
        if (machine_.handed_out() > 0 && world_.durable == world_.disk.size() && world_.committing == Committing::one_item_per_wait) {
            world_.violate("the machine waits for nothing");
            throw Crash{};
        }
        world_.commit(world_.committing == Committing::one_item_per_wait ? 1 : world_.disk.size());
    }

    std::string execute(const Step& step, const std::function<std::string(int)>& body) {
        check_the_law(step);
        world_.pass_moment();
        const int invocation = ++world_.invocations[step.key];
        std::string value = body(invocation);
        ++world_.effects[step.key];
        world_.pass_moment();
        return value;
    }

    void check_the_law(const Step& step) {
        if (world_.cancelled) {
            world_.violate(step.key + " executes after the cancellation");
        }
        if (const auto recorded = world_.entry(step.key);
            recorded && recorded->kind != EntryKind::once_started && recorded->kind != EntryKind::once_reset) {
            world_.violate(step.key + " is recorded and executes again");
        }
        bool is_accepted = false;
        for (std::size_t i = 0; i < world_.disk.size(); ++i) {
            const Item& item = world_.disk[i];
            is_accepted = is_accepted || std::holds_alternative<Accept>(item.content);
            if (step.kind != StepKind::map_write && i >= world_.durable && item.output > 0) {
                world_.violate(step.key + " executes while an entry is in flight");
            }
        }
        if (!is_accepted) {
            world_.violate(step.key + " executes before the acceptance");
        }
        if (step.kind == StepKind::at_most_once && world_.entry(step.key).value_or(Entry{}).kind != EntryKind::once_started) {
            world_.violate(step.key + " executes without once_started");
        }
    }

    void send(Event event) {
        if (machine_.emit(std::hash<std::string>{}(event.text))) {
            write_outputs();
            world_.write({std::move(event)});
        }
    }

    void write_outputs() {
        for (Output& output : machine_.take_outputs()) {
            ++outputs_;
            if (auto* entry = std::get_if<Entry>(&output)) {
                world_.write({std::move(*entry), outputs_});
            } else {
                world_.write({Accept{}, outputs_});
            }
        }
    }

    World& world_;
    CallMachine machine_;
    std::uint64_t outputs_ = 0;
};

}  // namespace durable_mcp::journal::crash_world
