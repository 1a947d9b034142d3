// SPDX-License-Identifier: Apache-2.0
// The sealed requestState of a stateless client: whom it opens for, how long, and the keys behind it (B45).

#include "durable_mcp/error.hpp"
#include "unit/runtime/client_parts.hpp"

namespace durable_mcp {
namespace {

using base::Json;
using detail::CallPort;
using test::ask_number;
using test::Door;
using test::elicitation;
using test::EngineHarness;
using test::error_of;
using test::FakeClock;
using test::FakeSink;
using test::number;
using test::on_each_store;
using test::result_of;
using test::StatelessClient;
using test::text_result;
using test::World;
using namespace std::chrono_literals;

Json one_question(CallPort& port, const Json&) {
    return text_result(ask_number(port, "a"));
}

/// What a client comes back with.
Json with_state(const Json& result, Json responses = nullptr) {
    Json more{{"requestState", result["requestState"]}};
    if (!responses.is_null()) {
        more["inputResponses"] = std::move(responses);
    }
    return more;
}
Json await_result(EngineHarness& harness, const std::shared_ptr<FakeSink>& sink) {
    const Json answer = harness.await(sink);
    EXPECT_TRUE(answer.is_object() && answer.contains("result")) << answer.dump();
    return result_of(answer);
}
std::string text_of(const Json& result) {
    return result.value("/content/0/text"_json_pointer, "");
}
std::size_t unfinished(EngineHarness& harness) {
    return harness.store()->unfinished_calls()->size();
}

TEST_P(on_each_store, a_state_that_is_tampered_with_foreign_or_expired_is_refused) {  // B45
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.add_tool("ask", one_question);
        harness.add_tool("other", one_question);
        harness.add(mcp::ItemKind::prompt, "ask", {{"name", "ask"}}, [](CallPort&, const Json&) {
            return Json{{"messages", Json::array()}};
        });
    });
    EngineHarness* harness = &world.boot();
    const StatelessClient client{.capabilities = elicitation()};
    const Json result = await_result(*harness, client.call(*harness, "ask", {{"x", 1}}));
    const Json good = with_state(result, {{"a", number(1)}});
    std::string tampered = good["requestState"];
    tampered[tampered.size() / 2] = tampered[tampered.size() / 2] == 'A' ? 'B' : 'A';
    Json bad = good;
    bad["requestState"] = tampered;
    EXPECT_EQ(error_of(harness->await(client.call(*harness, "ask", {{"x", 1}}, bad))), -32602);
    bad["requestState"] = "";
    EXPECT_EQ(error_of(harness->await(client.call(*harness, "ask", {{"x", 1}}, bad))), -32602);
    EXPECT_EQ(error_of(harness->await(client.call(*harness, "ask", {{"x", 2}}, good))), -32602);
    EXPECT_EQ(error_of(harness->await(client.call(*harness, "other", {{"x", 1}}, good))), -32602);
    Json prompt{{"name", "ask"}, {"arguments", Json::object()}};
    prompt.update(good);
    EXPECT_EQ(error_of(harness->await(client.ask(*harness, "prompts/get", prompt))), -32602);
    clock.advance(11min);
    const Json late = harness->await(client.call(*harness, "ask", {{"x", 1}}, good));
    EXPECT_EQ(error_of(late), -32602);
    EXPECT_NE(late["error"]["message"].get<std::string>().find("expired"), std::string::npos);
    EXPECT_EQ(unfinished(*harness), 1u);
    world.crash();
    harness = &world.boot();  // whose sweep finds that nobody came back in time
    EXPECT_TRUE(harness->turn_until([&] { return unfinished(*harness) == 0; }));
}

TEST_P(on_each_store, keys_rotate_and_what_they_sealed_still_opens) {  // B45
    FakeClock clock;
    World world(GetParam(), [&](EngineHarness& harness) {
        harness.options().clock = &clock;
        harness.options().limits.secret_lifetime = 5min;
        harness.add_tool("ask", one_question);
    });
    EngineHarness* harness = &world.boot();
    const StatelessClient client{.capabilities = elicitation()};
    const Json result = await_result(*harness, client.call(*harness, "ask"));
    clock.advance(6min);
    world.crash();
    harness = &world.boot();
    ASSERT_TRUE(harness->turn_until([&] { return harness->store()->secrets()->size() == 2; }));
    EXPECT_EQ(text_of(await_result(*harness, client.call(*harness, "ask", Json::object(), with_state(result, {{"a", number(1)}})))), "1");
    clock.advance(60min);
    world.crash();
    harness = &world.boot();  // the first key has outlived every state that it sealed
    EXPECT_TRUE(harness->turn_until([&] { return harness->store()->secrets()->front().id != 1; }));
    EXPECT_LE(harness->store()->secrets()->size(), 2u);
}

TEST_P(on_each_store, a_sweep_that_meets_a_new_key_on_its_way_to_disk_makes_no_second_one) {
    for (const bool has_an_old_one : {false, true}) {
        FakeClock clock;
        Door disk;
        disk.open();
        World world(GetParam(), [&](EngineHarness& harness) {
            harness.options().clock = &clock;
            harness.add_tool("ask", one_question);
            harness.mortal_store().hold_commits(disk);
        });
        if (has_an_old_one) {
            EngineHarness& first = world.boot();
            ASSERT_TRUE(first.turn_until([&] { return first.store()->secrets()->size() == 1; }));
            world.stop();
            clock.advance(25h);
        }
        disk = Door();
        EngineHarness* harness = &world.boot();  // makes a key
        const Door::Opener opener(disk);
        ASSERT_TRUE(harness->turn_until([&] { return disk.came() == 1 && harness->engine().is_ready(); }));  // and has swept meanwhile
        disk.open();
        const std::size_t keys = has_an_old_one ? 2 : 1;
        ASSERT_TRUE(harness->turn_until([&] { return harness->store()->secrets()->size() == keys; }));
        harness->turn_for(20ms);  // until the one that must not be would seal, or be refused
        const StatelessClient client{.capabilities = elicitation()};
        const Json result = await_result(*harness, client.call(*harness, "ask"));
        EXPECT_EQ(harness->store()->secrets()->size(), keys);
        world.crash();
        harness = &world.boot();  // what it sealed in memory opens with what is on disk
        EXPECT_EQ(text_of(await_result(*harness, client.call(*harness, "ask", Json::object(), with_state(result, {{"a", number(1)}})))), "1");
    }
}

}  // namespace
}  // namespace durable_mcp
