// SPDX-License-Identifier: Apache-2.0
// `write_golden_store PATH`: a store with one of everything in it, as the code beside this program writes it, left by a process that died in
// the middle of its calls. Run it before a change of the format, and keep what it wrote (README.md says how).

#include <cstdio>
#include <stdexcept>

#include "golden/golden_tools.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using test::Door;
using test::EngineHarness;

void expect(bool holds, const char* what) {
    if (!holds) {
        throw std::runtime_error(std::string("this did not happen: ") + what);
    }
}

void write_store(const std::string& path) {
    const Door door;
    test::FakeClock clock;
    clock.now_ms = golden::written_ms;
    auto store = store::open_sqlite_store({.path = path, .ballast_bytes = 0});
    if (!store) {
        throw std::runtime_error(store.error().sentence);
    }
    EngineHarness harness(std::move(*store));
    harness.options().clock = &clock;
    harness.options().limits.handler_threads = 16;  // all of them stand in their handlers when the process dies
    golden::add_tools(harness, "schema " + Json::parse(harness.store()->describe())["schema"].dump(), door);
    harness.start();
    const Door::Opener opener(door);

    int at_the_gate = 0;
    std::string newest;
    for (const std::string& revision : golden::session_revisions) {
        newest = harness.begin_session(revision, test::elicitation());
        const auto unfinished = harness.call(newest, "unfinished", "work");
        expect(harness.turn_until([&] { return !unfinished->messages().empty(); }), "an event of an unfinished call");
        ++at_the_gate;
    }
    expect(harness.await_text(harness.call(newest, "finished", "count")) == "1", "a finished call");
    harness.call(newest, "interrupted", "charge");
    const auto cancelled = harness.call(newest, "cancelled", "work");
    at_the_gate += 2;
    expect(harness.turn_until([&] { return !cancelled->messages().empty(); }), "a call to cancel");
    expect(harness.turn_until([&, sink = harness.cancel(newest, "cancelled")] { return sink->done(); }), "a tombstone");

    const auto asked = harness.call(newest, "asked", "ask");
    expect(harness.turn_until([&] { return test::questions_in(*asked).size() == 2; }), "two questions");
    const auto answer = harness.post(newest, test::response(test::questions_in(*asked)[0]["id"], test::number(1)));
    expect(harness.turn_until([&] { return answer->done(); }), "an arrival");

    const auto standalone = harness.get(newest);
    expect(harness.turn_until([&] { return !standalone->events.empty(); }), "a standalone stream");
    harness.engine().replace_catalog(harness.catalog(), {mcp::ItemKind::tool});
    expect(harness.turn_until([&] { return !standalone->messages().empty(); }), "an event of a standalone stream");

    test::StatelessClient().call(harness, "order", {{"order", golden::order}});
    const Json task = test::result_of(harness.await(test::StatelessClient{.capabilities = test::tasks_and()}.call(harness, "job")));
    expect(task.contains("taskId"), "a task");
    const Json session_task = harness.await(
        harness.post(newest, {{"jsonrpc", "2.0"}, {"id", "task"}, {"method", "tools/call"}, {"params", {{"name", "job"}, {"task", Json::object()}}}}));
    expect(test::result_of(session_task).contains("task"), "a session's task");
    const Json state = test::result_of(harness.await(golden::stateless_asker().call(harness, "ask")));
    expect(state.contains("requestState"), "a state that is out with its client");
    at_the_gate += 3;
    expect(harness.turn_until([&] { return door.came() == at_the_gate; }), "every handler at the gate, or in the body that runs at most once");
    harness.crash([&] { door.open(); });

    // What that client has in its hands is kept beside what it leads to.
    const store::Group group{store::PutMapRow{golden::client_map, "requestState", state["requestState"].dump()}};
    const store::Group* const batch[] = {&group};
    expect(harness.store()->commit(batch).has_value(), "the client's state is kept");
}

}  // namespace
}  // namespace durable_mcp

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "write_golden_store PATH\n");
        return 2;
    }
    try {
        durable_mcp::write_store(arguments[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
