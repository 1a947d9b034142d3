// SPDX-License-Identifier: Apache-2.0
#include "crash/checker.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace durable_mcp::crash {
namespace {

using nlohmann::json;

// What the world knows of one step of one call.
struct StepTrace {
    std::vector<std::uint64_t> effects;
    std::vector<long> boots;          ///< in which each effect happened
    std::set<std::string> keys;       ///< idempotency keys: must be one
    std::uint64_t known_durable = 0;  ///< the first moment at which somebody knew that it was recorded
};

using CallTrace = std::map<std::string, StepTrace>;

class Trial {
public:
    Trial(const std::vector<Deed>& ledger, const std::vector<Call>& calls) : calls_(calls) {
        for (const Deed& deed : ledger) {
            CallTrace& trace = traces_[deed.call];
            switch (deed.kind) {
                case Deed::Kind::effect:
                    trace[deed.step].effects.push_back(deed.order);
                    trace[deed.step].boots.push_back(deed.boot);
                    [[fallthrough]];
                case Deed::Kind::refused:
                    trace[deed.step].keys.insert(deed.idempotency_key);
                    break;
                case Deed::Kind::seen:
                    mark_durable(trace[deed.step], deed.order);
                    break;
                case Deed::Kind::answered:
                    for (auto& [step, known] : trace) {
                        mark_durable(known, deed.order);
                    }
                    break;
                case Deed::Kind::withdrawn:
                    withdrawals_.emplace(deed.call, Withdrawal{deed.order, deed.boot});
                    break;
            }
        }
    }

    std::vector<std::string> judge(const std::string& final_state) {
        for (const Call& call : calls_) {
            judge_call(call);
        }
        judge_withdrawals();
        judge_keys();
        judge_state(final_state);
        return std::move(violations_);
    }

private:
    static void mark_durable(StepTrace& step, std::uint64_t order) {
        if (step.known_durable == 0) {
            step.known_durable = order;
        }
    }

    void accuse(const std::string& call, const std::string& what) { violations_.push_back("call " + call + ": " + what); }

    void judge_call(const Call& call) {
        if (!call.answer) {
            accuse(call.key, "it has no answer");
            return;
        }
        const json result = json::parse(json::parse(*call.answer)["result"]["content"][0]["text"].get<std::string>(), nullptr, false);
        if (!result.is_object() || result.value("key", "") != call.key) {
            accuse(call.key, "its answer is another's: " + *call.answer);
            return;
        }
        judge_order(call);
        switch (call.tool) {
            case Tool::steps:
            case Tool::rounds:
            case Tool::patient:
            case Tool::task:
                for (int i = 0; i < rounds; ++i) {
                    judge_recorded(call, "step" + std::to_string(i), result["receipts"][static_cast<std::size_t>(i)]);
                }
                break;
            case Tool::once:
            case Tool::keyed:
                judge_once(call, result);
                break;
            case Tool::settle:
                judge_settled(call, result);
                break;
            case Tool::ask:
            case Tool::keyed_ask:
                judge_recorded(call, "step0", result["receipts"][0]);
                judge_recorded(call, "step1", result["receipts"][1]);
                if (result.value("reply", "") != reply_of(call.key)) {
                    accuse(call.key, "its client answered '" + reply_of(call.key) + "', and it heard " + result["reply"].dump());
                }
                break;
            case Tool::book:
                booked_ += call.amount;
                ++bookings_;
                if (!sums_.insert(result.value("sum", std::int64_t{-1})).second) {
                    accuse(call.key, "two transactions saw the same total");
                }
                break;
            case Tool::notes:
                if (result.value("rows", 0) != rounds - 1) {
                    accuse(call.key, "its map has " + result["rows"].dump() + " rows");
                }
                if (!result.value("claimed", false)) {
                    accuse(call.key, "its claim was written, and it was told that it was not");
                }
                notes_ += rounds - 1;
                break;
            case Tool::quick:
            case Tool::slow:
            case Tool::announce:
                break;
        }
    }

    // I4: no effect of a step after something that only its record could let happen: a later step's effect, an event behind it, the answer.
    void judge_order(const Call& call) {
        CallTrace& trace = traces_[call.key];
        const std::vector<std::string> steps = world_steps(call.tool);
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const StepTrace& step = trace[steps[i]];
            if (step.effects.empty()) {
                continue;
            }
            if (step.known_durable != 0 && step.effects.back() > step.known_durable) {
                accuse(call.key, steps[i] + " ran again after a client had seen that it was recorded");
            }
            for (std::size_t later = i + 1; later < steps.size(); ++later) {
                const auto& others = trace[steps[later]].effects;
                if (!others.empty() && step.effects.back() > others.front()) {
                    accuse(call.key, steps[i] + " ran again after " + steps[later] + " had run");
                }
            }
        }
    }

    // I3: it happened, and what the handler got is what the last run of its callable returned.
    void judge_recorded(const Call& call, const std::string& name, const json& value) {
        const StepTrace& step = traces_[call.key][name];
        if (step.effects.empty()) {
            accuse(call.key, name + " never ran, and the call is answered");
        } else if (value != step.effects.back()) {
            accuse(call.key, name + " is recorded with " + value.dump() + ", but it ran again as " + std::to_string(step.effects.back()));
        }
        if (step.keys.size() != 1) {
            accuse(call.key, name + " has " + std::to_string(step.keys.size()) + " idempotency keys");
        }
    }

    // I2, and what the handler says of it.
    void judge_once(const Call& call, const json& result) {
        const StepTrace& charge = traces_[call.key]["charge"];
        const std::string outcome = result.value("outcome", "");
        if (charge.effects.size() > 1) {
            accuse(call.key, "charged " + std::to_string(charge.effects.size()) + " times");
        }
        if (outcome == "charged" ? charge.effects.size() != 1 || result["charge"] != charge.effects.front() : outcome != "unknown") {
            accuse(call.key, "it says '" + outcome + "', and was charged " + std::to_string(charge.effects.size()) + " times");
        }
        judge_recorded(call, "receipt", result["receipt"]);
    }

    // I2, where the receiver could be asked: it happened once, and is never unknown.
    void judge_settled(const Call& call, const json& result) {
        const StepTrace& pay = traces_[call.key]["pay"];
        if (pay.effects.size() != 1 || result["pay"] != pay.effects.front()) {
            accuse(call.key, "it says that it was paid as " + result["pay"].dump() + ", and was paid " + std::to_string(pay.effects.size()) + " times");
        }
        judge_recorded(call, "tell", result["tell"]);
        for (int i = 0; i < rounds; ++i) {
            const std::string branch = "fan" + std::to_string(i);
            judge_recorded(call, branch, result["fan"][static_cast<std::size_t>(i)]);
            const StepTrace& tell = traces_[call.key]["tell"];
            if (!tell.effects.empty() && traces_[call.key][branch].effects.front() < tell.effects.back()) {
                accuse(call.key, "tell ran again after " + branch + " had run");
            }
        }
    }

    // I9: a call that the server has confirmed to be withdrawn does nothing more. The step that it was inside of may come to its end, in the same
    // process; and a call that had ended before keeps its answer.
    void judge_withdrawals() {
        std::set<std::string> answered;
        for (const Call& call : calls_) {
            answered.insert(call.key);
        }
        for (const auto& [call, withdrawal] : withdrawals_) {
            std::size_t late = 0;
            for (const auto& [step, known] : traces_[call]) {
                for (std::size_t i = 0; i < known.effects.size(); ++i) {
                    const bool is_late = known.effects[i] > withdrawal.order;
                    late += is_late ? 1u : 0u;
                    if (is_late && known.boots[i] > withdrawal.boot) {
                        accuse(call, step + " ran in boot " + std::to_string(known.boots[i]) + "; it was withdrawn in boot " +
                                         std::to_string(withdrawal.boot));
                    }
                }
                if ((step == "charge" || step == "pay") && known.effects.size() > 1) {
                    accuse(call, "withdrawn, and charged " + std::to_string(known.effects.size()) + " times");
                }
            }
            if (late > (answered.contains(call) ? 0u : 1u)) {
                accuse(call, std::to_string(late) + " effect(s) after it was withdrawn" + (answered.contains(call) ? ", and an answer" : ""));
            }
        }
    }

    void judge_keys() {
        std::map<std::string, std::string> owners;
        for (const auto& [call, trace] : traces_) {
            for (const auto& [step, known] : trace) {
                for (const std::string& key : known.keys) {
                    const auto [owner, is_new] = owners.emplace(key, call + ' ' + step);
                    if (!is_new) {
                        accuse(call, "the idempotency key of " + step + " is also that of " + owner->second);
                    }
                }
            }
        }
    }

    void judge_state(const std::string& final_state) {
        const json state = json::parse(final_state, nullptr, false);
        if (!state.is_object()) {
            violations_.push_back("the final state cannot be read: " + final_state);
            return;
        }
        if (state["notes"] != notes_) {
            violations_.push_back("answered calls have noted " + std::to_string(notes_) + " rows; in the store: " + state["notes"].dump());
        }
        if (state["left"] != booked_ || state["right"] != -booked_ || state["booked"] != bookings_ || !state["twice"].empty()) {
            violations_.push_back("booked by " + std::to_string(bookings_) + " answered calls: " + std::to_string(booked_) +
                                  "; in the store: " + state.dump());
        }
    }

    struct Withdrawal {
        std::uint64_t order = 0;
        long boot = 0;
    };

    const std::vector<Call>& calls_;
    std::map<std::string, Withdrawal> withdrawals_;
    std::map<std::string, CallTrace> traces_;
    std::vector<std::string> violations_;
    std::set<std::int64_t> sums_;
    std::int64_t booked_ = 0;
    std::int64_t bookings_ = 0;
    std::int64_t notes_ = 0;
};

}  // namespace

std::vector<std::string> find_violations(const std::vector<Deed>& ledger, const std::vector<Call>& calls, const std::string& final_state) {
    return Trial(ledger, calls).judge(final_state);
}

}  // namespace durable_mcp::crash
