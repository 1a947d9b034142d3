// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the crash server's tools do, in one place: the server does it, and the checker knows from here what a client must see of it.
// A call is known to all parties by its `key`, which the client chooses; every text that leaves names it, so that a stray one is
// recognised.

#include <string>
#include <string_view>
#include <vector>

namespace durable_mcp::crash {

enum class Tool : unsigned char { steps, once, book, notes, quick, slow, rounds, patient, announce, ask, keyed, keyed_ask, task };
inline constexpr int everyday_tools = 7;  ///< those before `patient`

constexpr std::string_view name_of(Tool tool) {
    constexpr std::string_view names[] = {"steps", "once", "book", "notes", "quick", "slow", "rounds",
                                          "patient", "announce", "ask", "keyed", "keyed_ask", "task"};
    return names[static_cast<int>(tool)];
}

inline constexpr int rounds = 3;

/// One event as a client must see it.
struct Expected {
    bool is_progress = false;
    std::string text;  ///< of a log message
    int progress = 0;
    std::string needs;  ///< the last step that must have been durable before it left; "" for none
    bool is_question = false;
};

/// What the client of a call answers when it is asked.
inline std::string reply_of(const std::string& key) { return "it is " + key; }

/// The events of a call before its answer: all of them, once, in this order, whatever happened. (Calls without a session have none that are kept.)
inline std::vector<Expected> expected_events(Tool tool, const std::string& key) {
    const auto log = [&key](const char* words, std::string needs) {
        return Expected{false, std::string(words) + " " + key, 0, std::move(needs)};
    };
    const auto progress = [](int value, std::string needs) { return Expected{true, {}, value, std::move(needs)}; };
    std::vector<Expected> events;
    switch (tool) {
        case Tool::steps:
            for (int i = 0; i < rounds; ++i) {
                for (int times = 0; times < 2; ++times) {  // outside the step, and inside its callable
                    events.push_back(log("tick", i == 0 ? std::string() : "step" + std::to_string(i - 1)));
                }
                events.push_back(progress(i + 1, "step" + std::to_string(i)));
            }
            events.push_back(log("tick", "step" + std::to_string(rounds - 1)));
            break;
        case Tool::once:
            events = {log("charging", {}), log("charging", "receipt"), progress(1, "receipt")};
            break;
        case Tool::book:
            events = {log("booked", {}), log("booked", {}), progress(1, {})};
            break;
        case Tool::notes:
            for (int i = 0; i < rounds; ++i) {
                events.push_back(progress(i + 1, {}));
            }
            events.push_back(log("noted", {}));
            break;
        case Tool::rounds:
            for (int i = 0; i < rounds; ++i) {  // the same words in each iteration, and once behind the loop
                events.push_back(log("round", "step" + std::to_string(i)));
                events.push_back(progress(i + 1, "step" + std::to_string(i)));
            }
            events.push_back(log("round", "step" + std::to_string(rounds - 1)));
            break;
        case Tool::patient:
            for (int i = 0; i < rounds; ++i) {
                events.push_back(progress(i + 1, "step" + std::to_string(i)));
            }
            break;
        case Tool::ask:
            events.push_back({false, {}, 0, "step0", true});
            break;
        case Tool::quick:
        case Tool::slow:
        case Tool::announce:
        case Tool::keyed:
        case Tool::keyed_ask:
        case Tool::task:
            break;
    }
    return events;
}

/// What one call of `announce` says on its session's standalone stream, in this order.
inline constexpr std::string_view announcements[] = {"notifications/tools/list_changed", "notifications/prompts/list_changed",
                                                     "notifications/resources/list_changed"};

/// The steps that act on the world, in order.
inline std::vector<std::string> world_steps(Tool tool) {
    switch (tool) {
        case Tool::steps:
        case Tool::rounds:
        case Tool::patient:
        case Tool::task:
            return {"step0", "step1", "step2"};
        case Tool::ask:
        case Tool::keyed_ask:
            return {"step0", "step1"};
        case Tool::once:
        case Tool::keyed:
            return {"charge", "receipt"};
        default:
            return {};
    }
}

}  // namespace durable_mcp::crash
