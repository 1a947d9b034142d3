// SPDX-License-Identifier: Apache-2.0
// now, random, uuid: drawn once, the same in every attempt.

#include <set>

#include "unit/runtime/step_scenes.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::Door;
using test::EngineHarness;
using test::on_each_store;
using test::run_step;
using test::text_result;
using test::thrown_by;
using test::World;

TEST_P(on_each_store, what_was_drawn_is_the_same_in_every_attempt) {
    const Door door;
    test::FakeClock clock;
    std::vector<std::string> drawn;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            drawn.push_back(std::to_string(port.now_ms("at")) + " " + std::to_string(port.random("any", std::nullopt)) + " " +
                            std::to_string(port.random("dice", 6)) + " " + port.uuid("id"));
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result("done");
        });
    });
    const test::Begun begun = test::begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    clock.advance(std::chrono::hours(48));
    EXPECT_EQ(test::resume(world.boot(), begun), "done");
    ASSERT_EQ(drawn.size(), 2u);
    EXPECT_EQ(drawn[0], drawn[1]);
    EXPECT_TRUE(drawn[0].starts_with("1800000000000 ")) << drawn[0];
}

TEST(drawn_values, each_is_one_entry_and_every_uuid_is_of_version_4_and_another_one) {
    EngineHarness harness;
    std::vector<int> kinds;
    std::set<std::string> ids;
    std::set<std::uint64_t> dice;
    harness.add_tool("work", [&](CallPort& port, const Json&) {
        for (int i = 0; i < 200; ++i) {
            const std::string id = port.uuid("id" + std::to_string(i));
            EXPECT_EQ(id.size(), 36u);
            EXPECT_EQ(id[14], '4');
            EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
            ids.insert(id);
            dice.insert(port.random("dice" + std::to_string(i), 6));
        }
        run_step(port, "last", [&] { return kinds = test::kinds_of(*harness.store(), port.call_id()), "0"; });
        return text_result("done");
    });
    harness.start();
    EXPECT_EQ(harness.await_text(harness.call(harness.begin_session(), 1, "work")), "done");
    EXPECT_EQ(kinds, std::vector<int>(400, 25));
    EXPECT_EQ(ids.size(), 200u);
    EXPECT_EQ(dice, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5}));  // all six sides: it fails once in 10^15 runs
}

TEST(drawn_values, an_alias_keeps_what_it_was_drawn_as) {  // B2 B3
    const Door door;
    World world([&](EngineHarness& harness) {
        harness.add_tool("work", [&, door](CallPort& port, const Json&) {
            std::string text = port.attempt() == 1 ? std::to_string(port.random("dice", 6)) : thrown_by([&] { port.random("dice", 10); });
            text += thrown_by([&] { port.now_ms("once") > 0 ? port.now_ms("once") : 0; });
            run_step(port, "wait", [&] { return door.pass(), "0"; });
            return text_result(text);
        });
    });
    const test::Begun begun = test::begin_call(world.boot(), "work", door);
    world.crash([&] { door.open(); });
    const std::string text = test::resume(world.boot(), begun);
    EXPECT_TRUE(text.starts_with("mismatch step 'dice' is recorded as value of type 'random<6>', and the handler now asks for value of type 'random<10>'"))
        << text;
    EXPECT_NE(text.find("duplicate step 'once'"), std::string::npos) << text;
}

}  // namespace
}  // namespace durable_mcp
