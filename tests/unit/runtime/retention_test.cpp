// SPDX-License-Identifier: Apache-2.0
// What is forgotten, and when (semantics §6, B53): by time, by amount, a little at a time, and nothing that anybody may still come for.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "runtime/stream.hpp"
#include "support/temporary_directory.hpp"
#include "unit/runtime/client_parts.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::error_of;
using test::FakeClock;
using test::FakeSink;
using test::on_each_store;
using test::result_of;
using test::run_step;
using test::StatelessClient;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

const Json ping{{"jsonrpc", "2.0"}, {"id", "ping"}, {"method", "ping"}};

/// Sweeps as fast as it can; sessions stay. Tools: `work` waits at the door, `big` answers with as many bytes as it is told, `count` counts its
/// runs, `keyed` does so for an order, `job` as a task; `ask` asks.
struct Keeper {
    explicit Keeper(World::Kind kind, std::function<void(runtime::EngineOptions&)> change = {})
        : world(kind, [this, change = std::move(change)](EngineHarness& harness) {
              harness.options().clock = &clock;
              harness.options().limits.session_idle = 10'000h;
              harness.options().retention.interval = 1ms;
              if (change) {
                  change(harness.options());
              }
              harness.add_tool("work", [door = door](CallPort& port, const Json&) {
                  return text_result(run_step(port, "wait", [&] { return door.pass(), "done"; }));
              });
              harness.add_tool("ask", [](CallPort& port, const Json&) { return text_result(test::ask_number(port, "a")); });
              harness.add_tool("big", [](CallPort&, const Json& arguments) {
                  return text_result(std::string(arguments.value("bytes", std::size_t{1}), 'x'));
              });
              const test::ToolFunction count = [this](CallPort& port, const Json&) {
                  for (const char* const alias : {"a", "b", "c"}) {
                      run_step(port, alias, [] { return "1"; });
                  }
                  port.log(1, "\"counted\"", "");
                  return text_result(run_step(port, "count", [&] { return std::to_string(++runs); }));
              };
              harness.add_tool("count", count);
              harness.add_tool("keyed", count, "forbidden", [](runtime::HandlerTarget& target) { target.idempotency_argument = "order"; });
              harness.add_tool("job", count, "required");
          }) {}

    FakeClock clock;
    Door door;
    std::atomic<int> runs{0};
    World world;
};

store::CallRow row_of(EngineHarness& harness, const std::string& session, const Json& request) {
    return harness.store()->call_of_request(session, request.dump()).value().value();
}
bool is_kept(EngineHarness& harness, const std::string& session, const Json& request) {
    return harness.store()->call_of_request(session, request.dump()).value().has_value();
}
/// The status of a GET that resumes; 200 as soon as it streams.
unsigned resume(EngineHarness& harness, const std::string& session, const std::string& stream, std::uint64_t seen) {
    const auto sink = harness.get(session, runtime::write_event_id(stream, seen));
    EXPECT_TRUE(harness.turn_until([&] { return sink->done() || sink->streaming; }));
    return sink->status;
}
std::size_t events_in(store::Store& store, const std::string& stream) {
    return store.events(stream, 0, 9'999).value().size();
}
std::size_t events_of(EngineHarness& harness, const std::string& stream) {
    return events_in(*harness.store(), stream);
}

TEST_P(on_each_store, a_finished_call_is_forgotten_with_all_that_is_its_when_its_time_is_over) {  // B53
    Keeper keeper(GetParam());
    EngineHarness& harness = keeper.world.boot();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "count")), "1");
    const auto call = row_of(harness, session, 1);
    keeper.clock.advance(24h * 7 - 1ms);
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "count")), "2");
    harness.turn_for(20ms);
    EXPECT_EQ(resume(harness, session, call.stream, 1), 200u) << "until then its client finds it";
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "count")), "1");
    keeper.clock.advance(1ms);
    ASSERT_TRUE(harness.turn_until([&] { return !is_kept(harness, session, 1); }));
    EXPECT_TRUE(harness.store()->entries(call.id)->empty());
    EXPECT_EQ(events_of(harness, call.stream), 0u);
    EXPECT_EQ(resume(harness, session, call.stream, 1), 400u) << "a prompt and defined answer (B41)";
    EXPECT_TRUE(is_kept(harness, session, 2));
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "count")), "3") << "a forgotten request id is a new one";
}

TEST_P(on_each_store, what_runs_or_rests_is_not_forgotten_however_long_it_takes) {  // B53
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) { options.retention.store_bytes = 1; });
    EngineHarness& harness = keeper.world.boot();
    const Door::Opener opener(keeper.door);
    const std::string session = harness.begin_session("2025-11-25", test::elicitation());
    const auto runs = harness.call(session, "runs", "work");
    const auto rests = harness.call(session, "rests", "ask");
    ASSERT_TRUE(harness.turn_until([&] { return keeper.door.came() == 1 && test::questions_in(*rests).size() == 1; }));
    harness.await(harness.call(session, "finished", "big"));
    keeper.clock.advance(24h * 30);
    ASSERT_TRUE(harness.turn_until([&] { return !is_kept(harness, session, "finished"); }));
    keeper.door.open();
    EXPECT_EQ(harness.await_text(runs), "done");
    const auto said = harness.post(session, test::response(test::questions_in(*rests)[0]["id"], test::number(4)));
    EXPECT_EQ(harness.await_text(rests), "4");
    EXPECT_EQ(said->status, 202u);
}

TEST_P(on_each_store, that_a_call_was_cancelled_is_known_as_long_as_an_answer_would_be) {  // B53 B35
    Keeper keeper(GetParam());
    EngineHarness& harness = keeper.world.boot();
    const Door::Opener opener(keeper.door);
    const std::string session = harness.begin_session();
    harness.call(session, 1, "work");
    ASSERT_TRUE(harness.turn_until([&] { return keeper.door.came() == 1; }));
    const auto cancelled = harness.cancel(session, 1);
    ASSERT_TRUE(harness.turn_until([&] { return cancelled->done(); }));
    keeper.door.open();
    ASSERT_TRUE(harness.turn_until([&] { return row_of(harness, session, 1).state == store::CallState::cancelled; }));
    keeper.clock.advance(24h * 7 - 1ms);
    harness.turn_for(20ms);
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "work")), "This request was cancelled");
    keeper.clock.advance(1ms);
    EXPECT_TRUE(harness.turn_until([&] { return !is_kept(harness, session, 1); }));
}

TEST_P(on_each_store, of_too_many_finished_calls_the_oldest_go_but_none_that_finished_just_now) {  // B53
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) { options.retention.finished_calls = 3; });
    EngineHarness& harness = keeper.world.boot();
    const std::string session = harness.begin_session();
    harness.await(StatelessClient().call(harness, "keyed", {{"order", 1}}));
    for (int id = 1; id <= 6; ++id) {
        keeper.clock.advance(1s);
        harness.await(harness.call(session, id, "count"));
    }
    keeper.clock.advance(10min - 5s - 1ms);
    harness.turn_for(20ms);
    for (int id = 1; id <= 6; ++id) {
        EXPECT_TRUE(is_kept(harness, session, id)) << id << ": its client may be on its way back";
    }
    keeper.clock.advance(1min);
    ASSERT_TRUE(harness.turn_until([&] { return !is_kept(harness, session, 3); }));
    harness.turn_for(10ms);
    for (int id = 1; id <= 6; ++id) {
        EXPECT_EQ(is_kept(harness, session, id), id > 3) << id;
    }
    EXPECT_EQ(harness.await_text(StatelessClient().call(harness, "keyed", {{"order", 1}})), "1") << "what has a key is not counted, and stays";
}

TEST_P(on_each_store, a_store_that_is_too_large_forgets_its_oldest_calls_until_it_is_not) {  // B53
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) { options.retention.store_bytes = 1'000'000; });
    EngineHarness& harness = keeper.world.boot();
    const std::string session = harness.begin_session();
    for (int id = 1; id <= 20; ++id) {
        harness.await(harness.call(session, id, "big", {{"bytes", 100'000}}));
        keeper.clock.advance(1ms);
    }
    harness.turn_for(20ms);
    EXPECT_GT(harness.store()->space()->used_bytes, 2'000'000u) << "they finished just now";
    keeper.clock.advance(10min);
    ASSERT_TRUE(harness.turn_until([&] { return harness.store()->space()->used_bytes <= 1'000'000; }));
    harness.turn_for(10ms);
    EXPECT_FALSE(is_kept(harness, session, 1));
    EXPECT_TRUE(is_kept(harness, session, 20));
    EXPECT_GT(harness.store()->space()->used_bytes, 200'000u) << "no more than that";
}

TEST_P(on_each_store, what_may_not_be_forgotten_makes_it_too_large_and_that_is_said_once) {  // B53
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) { options.retention.store_bytes = 1; });
    EngineHarness& harness = keeper.world.boot();
    harness.await(StatelessClient().call(harness, "keyed", {{"order", 1}}));
    keeper.clock.advance(10min);
    ASSERT_TRUE(harness.turn_until([&] { return harness.log().has("holds nothing that may be forgotten"); }));
    harness.turn_for(20ms);
    EXPECT_EQ(harness.log().count("holds nothing that may be forgotten"), 1u);
    EXPECT_EQ(harness.await_text(StatelessClient().call(harness, "keyed", {{"order", 1}})), "1");
}

TEST_P(on_each_store, an_answer_is_kept_as_long_as_its_key_or_its_task_says) {  // B53 B44
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) {
        options.retention.calls = 1h;
        options.retention.finished_calls = 1;
    });
    EngineHarness& harness = keeper.world.boot();
    const StatelessClient client{.capabilities = test::tasks_and()};
    EXPECT_EQ(harness.await_text(client.call(harness, "keyed", {{"order", 1}})), "1");
    const std::string task = result_of(harness.await(client.call(harness, "job")))["taskId"];
    const auto get = [&] { return harness.await(client.ask(harness, "tasks/get", {{"taskId", task}})); };
    ASSERT_TRUE(harness.turn_until([&] { return get().value("/result/status"_json_pointer, "") == "completed"; }));
    keeper.clock.advance(24h - 1ms);
    harness.turn_for(20ms);
    EXPECT_EQ(harness.await_text(client.call(harness, "keyed", {{"order", 1}})), "1");
    EXPECT_EQ(get()["result"]["result"]["content"][0]["text"], "2");
    keeper.clock.advance(1ms);
    ASSERT_TRUE(harness.turn_until([&] { return harness.await_text(client.call(harness, "keyed", {{"order", 1}})) == "3"; }));
    EXPECT_EQ(get()["result"]["status"], "completed");
    keeper.clock.advance(24h * 6);
    ASSERT_TRUE(harness.turn_until([&] { return error_of(get()) == -32602; }));
    ASSERT_TRUE(harness.turn_until([&] { return harness.store()->finished_calls(0, keeper.clock.wall_ms(), 9)->empty(); }));
}

TEST_P(on_each_store, a_key_that_is_over_is_free_while_the_session_still_finds_the_answer) {  // B53 B44
    Keeper keeper(GetParam());
    EngineHarness& harness = keeper.world.boot();
    const std::string session = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(session, 1, "keyed", {{"order", 1}})), "1");
    const auto call = row_of(harness, session, 1);
    keeper.clock.advance(24h);
    ASSERT_TRUE(harness.turn_until([&] { return !harness.store()->handle(call.id)->has_value(); }));
    EXPECT_EQ(resume(harness, session, call.stream, 1), 200u);
    EXPECT_EQ(harness.await_text(harness.call(session, 2, "keyed", {{"order", 1}})), "2");
    keeper.clock.advance(24h * 6);
    EXPECT_TRUE(harness.turn_until([&] { return !is_kept(harness, session, 1); }));
}

TEST_P(on_each_store, an_idle_session_goes_with_its_calls_and_leaves_what_has_a_key) {  // B53 B48
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) {
        options.limits.session_idle = 1h;
        options.retention.rows_at_once = 8;  // two calls in one commit
    });
    EngineHarness& harness = keeper.world.boot();
    std::vector<std::string> idle;
    for (int i = 0; i < 3; ++i) {
        idle.push_back(harness.begin_session());
        for (int id = 1; id <= 7; ++id) {
            harness.await(harness.call(idle.back(), id, "count"));
        }
    }
    const std::string other = harness.begin_session();
    EXPECT_EQ(harness.await_text(harness.call(idle[0], "keyed", "keyed", {{"order", 1}})), "22");
    const std::string call = row_of(harness, idle[0], "keyed").id;
    keeper.clock.advance(59min);
    harness.await(harness.post(other, ping));
    keeper.clock.advance(2min);
    ASSERT_TRUE(harness.turn_until([&] { return harness.store()->sessions().value().size() == 1; }));
    EXPECT_EQ(harness.store()->sessions().value().front().id, other);
    for (const std::string& session : idle) {
        EXPECT_TRUE(harness.store()->calls_of_session(session, 9)->empty());
    }
    EXPECT_TRUE(harness.store()->call(call)->has_value());
    EXPECT_EQ(harness.await_text(StatelessClient().call(harness, "keyed", {{"order", 1}})), "22");
    keeper.clock.advance(24h);
    EXPECT_TRUE(harness.turn_until([&] { return !harness.store()->call(call)->has_value(); })) << "no session leads to it any more";
}

TEST_P(on_each_store, announcements_are_kept_up_to_a_number_and_a_time_and_their_ids_go_on) {  // B53 B41
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) {
        options.retention.announcements_per_session = 3;
        options.retention.announcements = 1h;
    });
    EngineHarness* harness = &keeper.world.boot();
    const std::string session = harness->begin_session();
    auto reader = harness->get(session);
    ASSERT_TRUE(harness->turn_until([&] { return reader->events.size() == 1; }));
    const std::string stream = runtime::read_event_id(reader->events[0].id)->stream;
    for (std::size_t said = 1; said <= 6; ++said) {
        harness->engine().replace_catalog(harness->catalog(), {mcp::ItemKind::tool});
        ASSERT_TRUE(harness->turn_until([&] { return reader->messages().size() == said; }));
    }
    reader->leave();
    EXPECT_EQ(harness->store()->first_event(stream).value(), 4u);
    EXPECT_EQ(resume(*harness, session, stream, 0), 400u) << "never a stream with a gap";
    EXPECT_EQ(resume(*harness, session, stream, 2), 400u);
    reader = harness->get(session, runtime::write_event_id(stream, 3));
    ASSERT_TRUE(harness->turn_until([&] { return reader->messages().size() == 3; }));
    reader->leave();
    keeper.clock.advance(1h);
    ASSERT_TRUE(harness->turn_until([&] { return harness->store()->first_event(stream).value() == 6; }));
    EXPECT_EQ(resume(*harness, session, stream, 4), 400u);
    EXPECT_EQ(resume(*harness, session, stream, 6), 200u);
    keeper.world.crash();
    harness = &keeper.world.boot();
    reader = harness->get(session, runtime::write_event_id(stream, 6));
    ASSERT_TRUE(harness->turn_until([&] { return reader->streaming; }));
    harness->engine().replace_catalog(harness->catalog(), {mcp::ItemKind::tool});
    ASSERT_TRUE(harness->turn_until([&] { return reader->messages().size() == 1; }));
    EXPECT_EQ(reader->events.back().id, runtime::write_event_id(stream, 7)) << "no id is used twice";
}

TEST_P(on_each_store, of_a_call_that_is_half_forgotten_there_is_the_answer_or_nothing) {  // B53 B41
    Keeper keeper(GetParam());
    EngineHarness* harness = &keeper.world.boot();
    const std::string session = harness->begin_session();
    harness->await(harness->call(session, 1, "count"));
    const auto call = row_of(*harness, session, 1);
    ASSERT_EQ(events_of(*harness, call.stream), 2u);
    keeper.world.crash();
    std::size_t rows = 0;
    for (bool is_left = true; is_left; ++rows) {
        {
            const auto kept = keeper.world.open_store();
            const store::Group group{store::DropCall{call.id, 1}};
            const store::Group* const batch[] = {&group};
            ASSERT_TRUE(kept->commit(batch));
            is_left = kept->call(call.id)->has_value();
        }
        harness = &keeper.world.boot();
        const std::size_t events = events_of(*harness, call.stream);
        EXPECT_EQ(resume(*harness, session, call.stream, 0), events == 2 ? 200u : 400u);
        EXPECT_EQ(resume(*harness, session, call.stream, 1), events >= 1 ? 200u : 400u);
        if (is_left && events > 0) {
            EXPECT_EQ(harness->await_text(harness->call(session, 1, "count")), "1");
        }
        keeper.world.crash();
    }
    EXPECT_GE(rows, 6u);
    EXPECT_EQ(keeper.runs, 1);
}

TEST_P(on_each_store, no_commit_waits_for_more_than_one_small_group_of_the_sweep) {  // B53
    Keeper keeper(GetParam(), [](runtime::EngineOptions& options) { options.retention.rows_at_once = 20; });
    EngineHarness& harness = keeper.world.boot();
    const std::string session = harness.begin_session();
    for (int id = 1; id <= 40; ++id) {
        harness.await(harness.call(session, id, "count"));
    }
    keeper.clock.advance(24h * 7);
    int id = 100;
    while (!harness.store()->finished_calls(0, keeper.clock.wall_ms() - 1'000, 1)->empty()) {
        EXPECT_NE(harness.await_text(harness.call(session, ++id, "count")), "") << "calls go on meanwhile";
    }
    EXPECT_EQ(harness.mortal_store().most_forgetting_groups, 1) << "in one batch";
    EXPECT_LE(harness.mortal_store().most_forgotten_calls, 4) << "of more than six rows each";
    EXPECT_GE(harness.mortal_store().forgetting_commits, 10);
}

TEST(retention, the_file_of_a_server_that_goes_on_gets_smaller) {  // B53
    Keeper keeper(World::Kind::sqlite);
    EngineHarness& harness = keeper.world.boot();
    const std::string session = harness.begin_session();
    const std::string path = Json::parse(harness.store()->describe())["path"];
    for (int id = 1; id <= 40; ++id) {
        harness.await(harness.call(session, id, "big", {{"bytes", 500'000}}));
    }
    ASSERT_TRUE(harness.turn_until([&] { return std::filesystem::file_size(path) > 15'000'000; }));
    const auto full = std::filesystem::file_size(path);
    keeper.clock.advance(24h * 7);
    int answered = 0;
    const auto space = [&] { return harness.store()->space().value(); };
    while (space().used_bytes + space().free_bytes > full / 2) {
        ++answered;
        EXPECT_EQ(harness.await_text(harness.call(session, 1'000 + answered, "count")), std::to_string(answered));
    }
    EXPECT_GT(answered, 0) << "calls went on meanwhile";
    EXPECT_TRUE(harness.turn_until([&] { return std::filesystem::file_size(path) < full / 2; }));
    EXPECT_EQ(harness.await_text(harness.call(session, 2'000, "count")), std::to_string(answered + 1));
}

TEST(retention, a_process_that_dies_in_the_middle_of_it_leaves_whole_answers_and_the_next_one_goes_on) {  // B53
#if defined(DURABLE_MCP_CRASH_POINTS)
    constexpr const char* variable = "DURABLE_MCP_TEST_SWEEP";
    const auto open = [](const std::string& path) {
        auto opened = store::open_sqlite_store({.path = path, .durability = store::SqliteDurability::relaxed, .ballast_bytes = 0});
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().sentence);
        return *opened;
    };
    FakeClock clock;
    const Door door;
    const auto set_up = [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().retention.rows_at_once = 6;
        harness.options().limits.session_idle = 10'000h;
        harness.options().limits.crashed_attempts = 10'000;  // "work" is in every process that dies
        harness.add_tool("count", [](CallPort& port, const Json& arguments) {
            for (int i = 0; i < arguments.value("steps", 0); ++i) {
                run_step(port, std::to_string(i), [] { return "1"; });
            }
            port.log(1, "\"counted\"", "");
            return text_result("counted");
        });
        harness.add_tool("work", [&](CallPort& port, const Json&) { return text_result(run_step(port, "w", [&] { return door.pass(), "done"; })); });
    };
    if (const char* const path = std::getenv(variable)) {  // this is the child below
        clock.advance(24h * 8);
        EngineHarness harness(open(path));
        set_up(harness);
        harness.start();
        const Door::Opener opener(door);
        ASSERT_TRUE(harness.turn_until([&] { return harness.store()->finished_calls(0, clock.wall_ms(), 1)->empty(); }));
        return;
    }
    const testing_support::TemporaryDirectory directory;
    const std::string path = directory / "store.db";
    {
        EngineHarness harness(open(path));
        set_up(harness);
        harness.start();
        const std::string session = harness.begin_session();
        harness.call(session, "runs", "work");
        for (int id = 1; id <= 4; ++id) {
            harness.await(harness.call(session, id, "count", {{"steps", 5 * id}}));
        }
        ASSERT_TRUE(harness.turn_until([&] { return door.came() == 1; }));
        harness.crash([&] { door.open(); });
    }
    bool ended = false;
    int deaths = 0;
    for (; !ended; ++deaths) {
        ASSERT_LT(deaths, 99) << "it never ends";
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("DURABLE_MCP_CRASH_AT", "retention.mid:1", 1);
            ::setenv(variable, path.c_str(), 1);
            ::execl("/proc/self/exe", "unit_runtime", "--gtest_brief=1",
                    "--gtest_filter=retention.a_process_that_dies_in_the_middle_of_it_leaves_whole_answers_and_the_next_one_goes_on", nullptr);
            ::_exit(127);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ended = WIFEXITED(status);
        EXPECT_EQ(ended ? WEXITSTATUS(status) : WTERMSIG(status), ended ? 0 : SIGKILL);
        const auto store = open(path);
        for (const store::OldCall& old : store->finished_calls(0, clock.wall_ms(), 99).value()) {
            const auto call = store->call(old.id).value();
            EXPECT_EQ(store->last_event(call->stream).value(), call->answer_event) << "its answer goes with it, not before";
            EXPECT_TRUE(store->entries(old.id)->empty() || events_in(*store, call->stream) == 2) << "its entries go first";
        }
    }
    EXPECT_GT(deaths, 8) << "the crash point was not passed";
    const auto store = open(path);
    EXPECT_TRUE(store->finished_calls(0, clock.wall_ms(), 1)->empty());
    EXPECT_EQ(store->sessions()->size(), 1u);
#else
    GTEST_SKIP() << "crash points are not compiled in";
#endif
}

}  // namespace
}  // namespace durable_mcp
