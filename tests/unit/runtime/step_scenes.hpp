// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of steps have in common: a call that stands at a door, and what an attempt threw, in words.

#include <string>

#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp::test {

/// A call that is under way, and where its client stands.
struct Begun {
    std::string session;
    std::string cursor;
};

/// Calls `tool` as request 1 and turns the loop until a handler stands at `door`.
inline Begun begin_call(EngineHarness& harness, const std::string& tool, const Door& door, int came = 1) {
    Begun begun{harness.begin_session(), {}};
    const auto answer = harness.call(begun.session, 1, tool);
    EXPECT_TRUE(harness.turn_until([&] { return door.came() >= came && !answer->events.empty(); }));
    begun.cursor = answer->events.empty() ? "" : answer->events[0].id;
    return begun;
}

/// What its client is told in the end.
inline std::string resume(EngineHarness& harness, const Begun& begun) { return harness.await_text(harness.get(begun.session, begun.cursor)); }

inline std::string describe(const std::exception& error) {
    if (const auto* once = dynamic_cast<const AtMostOnceFailedBeforeCompleting*>(&error)) {
        return std::string(once->cause() == AtMostOnceFailedBeforeCompleting::Cause::interrupted ? "interrupted " : "failed ") +
               once->alias() + " " + once->type_name();
    }
    if (const auto* failed = dynamic_cast<const StepFailed*>(&error)) {
        return "step failed " + failed->alias() + " " + failed->type_name();
    }
    if (dynamic_cast<const DuplicateStepError*>(&error) != nullptr) {
        return "duplicate " + std::string(error.what());
    }
    if (dynamic_cast<const StepMismatchError*>(&error) != nullptr) {
        return "mismatch " + std::string(error.what());
    }
    return std::string("other ") + error.what();
}

/// What `body` threw, in words.
template <class Body>
std::string thrown_by(Body body) {
    try {
        body();
    } catch (const std::exception& error) {
        return describe(error);
    }
    return "nothing";
}

/// The kinds of entries that a call has, in order.
inline std::vector<int> kinds_of(store::Store& store, std::string_view call) {
    std::vector<int> kinds;
    for (const journal::Entry& entry : store.entries(call).value()) {
        kinds.push_back(static_cast<int>(entry.kind));
    }
    return kinds;
}

}  // namespace durable_mcp::test
