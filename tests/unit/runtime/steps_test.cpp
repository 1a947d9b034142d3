// SPDX-License-Identifier: Apache-2.0
// What a step promises, through the real driver and a real store (semantics §2): B1 to B12.

#include <limits>
#include <stdexcept>

#include "durable_mcp/error.hpp"
#include "unit/runtime/engine_harness.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::on_each_store;
using test::run_once;
using test::run_step;
using test::text_result;
using test::World;

INSTANTIATE_TEST_SUITE_P(stores, on_each_store, testing::Values(World::Kind::memory, World::Kind::sqlite), test::kind_name);

/// A call that is under way, and where its client stands.
struct Begun {
    std::string session;
    std::string cursor;
};

/// Calls `tool` as request 1 and turns the loop until a handler stands at `door`.
Begun begin_call(EngineHarness& harness, const std::string& tool, const Door& door, int came = 1) {
    Begun begun{harness.begin_session(), {}};
    const auto answer = harness.call(begun.session, 1, tool);
    EXPECT_TRUE(harness.turn_until([&] { return door.came() >= came && !answer->events.empty(); }));
    begun.cursor = answer->events.empty() ? "" : answer->events[0].id;
    return begun;
}

std::string describe(const std::exception& error) {
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

// The first attempt passes `first`, then dies at the door inside `second`; the second attempt runs through.
struct TwoSteps {
    std::atomic<int> first_runs{0};
    std::atomic<int> second_runs{0};
    Door door;

    test::ToolFunction tool(detail::StepKind kind) {
        return [this, kind](CallPort& port, const Json&) {
            const std::string first = run_step(
                port, "first", [&] { return std::to_string(++first_runs); }, kind);
            std::string second;
            try {
                second = run_step(
                    port, "second",
                    [&] {
                        if (++second_runs == 1) {
                            door.pass();
                        }
                        return std::to_string(second_runs);
                    },
                    kind);
            } catch (const AtMostOnceFailedBeforeCompleting& error) {
                second = describe(error);
            }
            return text_result(first + "," + second);
        };
    }
};

TEST_P(on_each_store, a_recorded_step_is_returned_after_a_crash_and_one_that_was_not_recorded_runs_again) {  // B1
    TwoSteps steps;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", steps.tool(detail::StepKind::at_least_once)); });
    const Begun begun = begin_call(world.boot(), "work", steps.door);
    world.crash([&] { steps.door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "1,2");
    EXPECT_EQ(steps.first_runs, 1);
    EXPECT_EQ(steps.second_runs, 2);
}

TEST_P(on_each_store, an_at_most_once_step_in_which_the_process_died_is_interrupted_and_never_runs_again) {  // B8 B9
    TwoSteps steps;
    World world(GetParam(), [&](EngineHarness& harness) { harness.add_tool("work", steps.tool(detail::StepKind::at_most_once)); });
    const Begun begun = begin_call(world.boot(), "work", steps.door);
    world.crash([&] { steps.door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "1,interrupted second ");
    EXPECT_EQ(steps.second_runs, 1);
}

TEST_P(on_each_store, values_come_back_byte_for_byte_after_a_crash) {  // B6
    const std::vector<std::string> values{"9223372036854775807",         "18446744073709551615",       "1.0", "1", "9007199254740993",
                                          R"("tab\t \u0000 é 𝄞 \" \\")", "{\"b\":1,\"a\":[1e400000]}", ""};
    const Door door;
    std::atomic<int> runs{0};
    std::vector<std::string> seen;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            seen.clear();
            for (std::size_t i = 0; i < values.size(); ++i) {
                seen.push_back(run_step(port, "v" + std::to_string(i), [&] { return ++runs, values[i]; }));
            }
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result("done");
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "done");
    EXPECT_EQ(seen, values);
    EXPECT_EQ(runs, static_cast<int>(values.size()));
}

TEST(engine_steps, started_of_at_most_once_is_durable_before_its_body_runs) {  // B7
    std::vector<journal::Entry> seen;
    EngineHarness harness;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        run_once(port, "pay", [&] {
            seen = harness.store()->entries(port.call_id()).value();
            return "1";
        });
        return text_result("paid");
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "paid");
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].kind, journal::EntryKind::once_started);
    EXPECT_EQ(seen[0].key, "s:pay");
}

TEST(engine_steps, a_step_starts_only_when_the_record_of_the_one_before_is_durable) {  // B1
    std::vector<journal::Entry> seen;
    EngineHarness harness;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        run_step(port, "first", [] { return "1"; });
        run_step(port, "second", [&] {
            seen = harness.store()->entries(port.call_id()).value();
            return "2";
        });
        return text_result("done");
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "done");
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].payload, "1");
}

TEST(engine_steps, the_same_alias_twice_in_one_attempt_is_a_duplicate_and_names_it) {  // B2
    EngineHarness harness;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        run_step(port, "charge", [] { return "1"; });
        return text_result(thrown_by([&] { run_step(port, "charge", [] { return "2"; }); }));
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    EXPECT_TRUE(text.starts_with("duplicate step 'charge'")) << text;
    EXPECT_NE(text.find("context.key(\"charge\", i)"), std::string::npos) << text;
}

TEST(engine_steps, the_same_alias_twice_is_a_duplicate_on_replay_too) {  // B2
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            run_step(port, "charge", [] { return "1"; });
            const std::string text = thrown_by([&] { run_step(port, "charge", [] { return "2"; }); });
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_TRUE(harness.await_text(harness.get(begun.session, begun.cursor)).starts_with("duplicate"));
}

TEST(engine_steps, a_step_recorded_as_something_else_is_a_mismatch_that_names_both_and_leaves_the_entry) {  // B3
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            run_once(port, "pay", [] { return "\"r1\""; });
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result("old");
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    std::string by_kind;
    std::string by_type;
    std::string as_recorded;
    world.set_up_as([&](EngineHarness& harness) {
        harness.add_tool("work", [&](CallPort& port, const Json&) {
            by_kind = thrown_by([&] { run_step(port, "pay", [] { return "0"; }); });
            const std::function<std::string()> body = [] { return "0"; };
            by_type = thrown_by([&] { port.step({detail::StepKind::at_most_once, "pay", "int64", &body, nullptr}); });
            as_recorded = run_once(port, "pay", [] { return "0"; });
            return text_result("new");
        });
    });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "new");
    EXPECT_EQ(
        by_kind,
        "mismatch step 'pay' is recorded as at_most_once of type 'string', and the handler now asks for at_least_once of type 'string'. "
        "The record is untouched. Give the changed step another alias, or deploy a handler that fits");
    EXPECT_NE(by_type.find("now asks for at_most_once of type 'int64'"), std::string::npos) << by_type;
    EXPECT_EQ(as_recorded, "\"r1\"");
}

TEST(engine_steps, a_handler_that_passes_a_recorded_step_no_more_is_allowed_and_logged_once) {  // B4
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [door](CallPort& port, const Json&) {
            run_step(port, "gone", [] { return "1"; });
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result("old");
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    world.set_up_as([&](EngineHarness& harness) {
        harness.add_tool("work", [](CallPort& port, const Json&) { return text_result(run_step(port, "other", [] { return "new"; })); });
    });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "new");
    EXPECT_EQ(harness.log().count("is divergent"), 1u);
    EXPECT_TRUE(harness.log().has("'gone' among them"));
}

TEST(engine_steps, an_alias_that_looks_like_one_of_ours_is_only_an_alias) {  // B5
    EngineHarness harness;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        port.map_put("m", "k", "1");
        static_cast<void>(port.map_count("m", true));  // waits until the write is in the journal
        std::string text;
        for (const journal::Entry& entry : harness.store()->entries(port.call_id()).value()) {
            text += run_step(port, entry.key, [] { return "a"; }) + run_step(port, "s:" + entry.key, [] { return "b"; });
        }
        port.map_put("m", "k", "1");
        return text_result(text);
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "ab");
}

TEST_P(on_each_store, what_a_step_threw_is_cut_off_where_it_is_no_message_any_more_now_and_on_every_replay) {
    const Door door;
    std::vector<std::string> caught;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            try {
                run_step(port, "a", []() -> std::string { throw std::runtime_error(std::string(3'000'000, 'x')); });
            } catch (const StepFailed& error) {
                caught.emplace_back(error.what());
            }
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result("done");
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "done");
    ASSERT_EQ(caught.size(), 2u);
    EXPECT_LT(caught[0].size(), 100'000u);
    EXPECT_EQ(caught[0], caught[1]);
}

TEST_P(on_each_store, a_step_that_throws_fails_now_and_on_every_replay_in_the_same_way) {  // B10
    const Door door;
    std::atomic<int> runs{0};
    std::vector<std::string> nested;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            std::string text;
            for (const auto kind : {detail::StepKind::at_least_once, detail::StepKind::at_most_once}) {
                try {
                    run_step(
                        port, kind == detail::StepKind::at_least_once ? "a" : "b",
                        [&]() -> std::string {
                            ++runs;
                            throw std::out_of_range("too far");
                        },
                        kind);
                } catch (const std::exception& error) {
                    text += describe(error) + ";";
                    try {
                        std::rethrow_if_nested(error);
                    } catch (const std::out_of_range& cause) {
                        nested.emplace_back(cause.what());
                    }
                    EXPECT_NE(std::string(error.what()).find("too far"), std::string::npos) << error.what();
                }
            }
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    EXPECT_EQ(nested, (std::vector<std::string>{"too far", "too far"}));
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "step failed a std::out_of_range;failed b std::out_of_range;");
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(nested.size(), 2u);  // what the callable threw is at hand only in the attempt in which it happened
}

TEST(engine_steps, what_is_not_a_std_exception_is_recorded_too) {  // B10
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        std::string text = thrown_by([&] { run_step(port, "int", []() -> std::string { throw 7; }); });
        text += thrown_by([&] { run_once(port, "text", []() -> std::string { throw std::string("no"); }); });
        return text_result(text);
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    EXPECT_TRUE(text.starts_with("step failed int int")) << text;
    EXPECT_NE(text.find("failed text std::"), std::string::npos) << text;
}

TEST_P(on_each_store, a_retryable_exception_resets_an_at_most_once_step_durably_and_leaves_as_it_is) {  // B11
    const Door door;
    std::atomic<int> runs{0};
    const std::function<bool(const std::exception_ptr&)> is_retryable = [](const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::range_error&) {
            return true;
        } catch (...) {
            return false;
        }
    };
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            const std::function<std::string()> body = [&]() -> std::string {
                if (++runs <= 2) {
                    throw std::range_error("busy");
                }
                return "paid";
            };
            const auto pay = [&] { return port.step({detail::StepKind::at_most_once, "pay", "string", &body, &is_retryable}); };
            if (port.attempt() == 1) {
                EXPECT_EQ(thrown_by(pay), "other busy");
                EXPECT_EQ(thrown_by(pay), "other busy");  // the alias is free again in the same attempt
                run_step(port, "wait", [&] { return door.pass(), "0"; });
            }
            return text_result(pay());
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, begun.cursor)), "paid");
    EXPECT_EQ(runs, 3);
}

TEST(engine_steps, a_value_that_cannot_be_encoded_is_recorded_as_a_failure_of_the_step) {  // B12
    EngineHarness harness;
    std::atomic<int> runs{0};
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        return text_result(thrown_by([&] {
            run_once(port, "pay", [&]() -> std::string {
                ++runs;
                throw detail::NotEncodable("NaN");
            });
        }));
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "failed pay not encodable");
    EXPECT_EQ(runs, 1);
}

TEST(engine_steps, a_value_above_the_limit_fails_the_step_and_one_at_the_limit_does_not) {  // B6, limits.step_value_bytes
    EngineHarness harness;
    harness.options().limits.step_value_bytes = 10;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        const std::string fits = run_step(port, "fits", [] { return std::string(10, '1'); });
        std::string text = fits + ";" + thrown_by([&] { run_once(port, "big", [] { return std::string(11, '1'); }); });
        const std::function<std::string(detail::TransactionPort&)> body = [](detail::TransactionPort&) { return std::string(11, '1'); };
        text += ";" + thrown_by([&] { port.transact("wide", "string", body); });
        text += ";" + thrown_by([&] { port.map_put("m", "k", std::string(11, '1')); });
        return text_result(text);
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    EXPECT_TRUE(text.starts_with("1111111111;failed big value too large;step failed wide value too large;other a map row")) << text;
}

TEST(engine_steps, an_alias_needs_a_length_between_one_and_the_limit) {  // limits.alias_bytes
    EngineHarness harness;
    harness.options().limits.alias_bytes = 4;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        std::string text = run_step(port, "four", [] { return "ok"; });
        text += thrown_by([&] { run_step(port, "five!", [] { return "1"; }); });
        text += thrown_by([&] { run_step(port, "", [] { return "1"; }); });
        return text_result(text);
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")),
              "okother a step's alias has 5 bytes; it needs 1 to 4other a step's alias has 0 bytes; it needs 1 to 4");
}

TEST(engine_steps, an_alias_that_is_not_utf8_is_refused_with_the_byte_and_its_place) {
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        std::string text = run_step(port, "pay \xE2\x82\xAC", [] { return "ok"; });
        text += "; " + thrown_by([&] { run_step(port, "pay\xE2\x82", [] { return "1"; }); });
        text += "; " + thrown_by([&] { port.transact("\xFF", "string", [](detail::TransactionPort&) { return std::string("1"); }); });
        return text_result(text);
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")),
              "ok; other a step's alias is not UTF-8: what begins with byte 0xE2 at offset 3, after 'pay', is no character; "
              "other a step's alias is not UTF-8: what begins with byte 0xFF at offset 0, after '', is no character");
}

TEST(engine_steps, a_step_or_a_map_inside_a_callable_is_refused_and_so_is_one_from_another_thread) {
    EngineHarness harness;
    harness.add_tool("work", [](CallPort& port, const Json&) {
        std::string text = run_step(port, "outer", [&] {
            return thrown_by([&] { run_step(port, "inner", [] { return "1"; }); }) + "|" +
                   thrown_by([&] { port.map_get("m", "k", false); });
        });
        std::thread([&] { text += "|" + thrown_by([&] { run_step(port, "elsewhere", [] { return "1"; }); }); }).join();
        return text_result(text);
    });
    harness.start();
    const std::string text = harness.await_text(harness.call(harness.begin_session(), 1, "work"));
    EXPECT_EQ(text,
              "other a step inside the callable of step 'outer': steps do not nest; return from it first|"
              "other reading or writing a map inside the callable of step 'outer': steps do not nest; return from it first|"
              "other a step from a thread that is not the handler's: a context belongs to the thread that its handler runs on");
}

TEST(engine_steps, a_tool_without_durability_keeps_nothing_and_has_no_steps) {
    EngineHarness harness;
    harness.add_tool(
        "quick", [](CallPort& port, const Json&) { return text_result(thrown_by([&] { run_step(port, "a", [] { return "1"; }); })); },
        runtime::Durability::none);
    harness.start();
    const std::string session = harness.begin_session();
    EXPECT_TRUE(
        harness.await_text(harness.call(session, 1, "quick")).starts_with("other a step in a tool registered with durability::none"));
    EXPECT_FALSE(harness.store()->call_of_request(session, "1").value().has_value());
}

TEST(engine_steps, the_idempotency_key_is_the_same_in_every_attempt_and_differs_by_alias_and_call) {
    const Door door;
    std::vector<std::string> keys;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            keys.push_back(port.idempotency_key("pay"));
            keys.push_back(port.idempotency_key("ship"));
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result("done");
        });
    });
    const Begun begun = begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    harness.await(harness.get(begun.session, begun.cursor));
    harness.await(harness.call(begun.session, 2, "work"));
    ASSERT_EQ(keys.size(), 6u);
    EXPECT_EQ(keys[0], keys[2]);
    EXPECT_EQ(keys[1], keys[3]);
    EXPECT_NE(keys[0], keys[1]);
    EXPECT_NE(keys[0], keys[4]);
}

TEST(engine_steps, a_call_with_too_many_entries_is_told_so_and_replays_what_it_has) {  // limits.entries_per_call
    const Door door;
    std::string last;
    World world([&](EngineHarness& harness) {
        harness.options().limits.entries_per_call = 3;
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            run_step(port, "1", [] { return "1"; });
            run_step(port, "2", [] { return "2"; });
            run_step(port, "3", [] { return "3"; });
            last = thrown_by([&] { run_once(port, "4", [] { return "4"; }); });
            if (port.attempt() == 1) {
                door.pass();
            }
            return text_result("done");
        });
    });
    EngineHarness& first = world.boot();
    Begun begun{first.begin_session(), {}};
    const auto answer = first.call(begun.session, 1, "work");
    ASSERT_TRUE(first.turn_until([&] { return door.came() == 1 && !answer->events.empty(); }));
    EXPECT_NE(last.find("has 3 entries, which is the limit"), std::string::npos) << last;
    last.clear();
    world.crash([&] { door.open(); });
    EngineHarness& harness = world.boot();
    EXPECT_EQ(harness.await_text(harness.get(begun.session, answer->events[0].id)), "done");
    EXPECT_NE(last.find("has 3 entries, which is the limit"), std::string::npos) << last;
}

}  // namespace
}  // namespace durable_mcp
