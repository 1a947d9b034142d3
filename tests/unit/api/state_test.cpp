// SPDX-License-Identifier: Apache-2.0
// State as a program sees it: scopes, typed maps, a session's value, compare_and_set, prefixes, and the way in from outside (B25, B26).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "durable_mcp/server.hpp"
#include "durable_mcp/typed.hpp"
#include "unit/api/fake_port.hpp"

namespace durable_mcp {
namespace {

using namespace std::string_literals;
using Strings = std::vector<std::string>;

struct Basket {
    std::vector<std::string> items;
    int cents = 0;
};

struct state : testing::Test {
    api::FakePort port;
    DurableContext durable{port};

    [[nodiscard]] std::string kept(detail::MapScope scope, std::string_view name) const { return detail::kept_map_name(scope, "me", name); }
};

template <class Rows>
Strings keys_of(const Rows& rows) {
    Strings keys;
    for (const auto& [key, value] : rows) {
        keys.push_back(key);
    }
    return keys;
}

TEST_F(state, each_scope_is_a_map_of_its_own) {  // B25
    durable.map("m").insert("k", 1);
    durable.user_map("m").insert("k", 2);
    durable.session_map("m").insert("k", 3);
    durable.call_map("m").insert("k", 4);
    durable.transact("t", [](Transaction& inside) {
        inside.user_map("anna", "m").insert("k", 5);
        inside.session_map("s-1", "m").insert("k", 6);
        inside.call_map("c-1", "m").insert("k", inside.map("m").get<int>("k").value() + inside.user_map("m").get<int>("k").value() +
                                                    inside.session_map("m").get<int>("k").value() + inside.call_map("m").get<int>("k").value());
    });
    EXPECT_EQ(port.maps["m"]["k"], "1");
    EXPECT_EQ(port.maps[kept(detail::MapScope::user, "m")]["k"], "2");
    EXPECT_EQ(port.maps[kept(detail::MapScope::session, "m")]["k"], "3");
    EXPECT_EQ(port.maps[kept(detail::MapScope::call, "m")]["k"], "4");
    EXPECT_EQ(port.maps[detail::kept_map_name(detail::MapScope::user, "anna", "m")]["k"], "5");
    EXPECT_EQ(port.maps[detail::kept_map_name(detail::MapScope::session, "s-1", "m")]["k"], "6");
    EXPECT_EQ(port.maps[detail::kept_map_name(detail::MapScope::call, "c-1", "m")]["k"], "10");
}

TEST_F(state, a_name_that_begins_with_a_dollar_sign_is_refused) {  // B25
    EXPECT_THROW(static_cast<void>(durable.map("$m")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(durable.session_map<int>("$state")), std::invalid_argument);
    durable.transact("t", [](Transaction& inside) {
        EXPECT_THROW(static_cast<void>(inside.map("$m")), std::invalid_argument);
        EXPECT_THROW(static_cast<void>(inside.user_map("anna", "$m")), std::invalid_argument);
    });
    durable.map("m$").insert("$", 1);
    EXPECT_EQ(port.maps["m$"]["$"], "1");
}

TEST_F(state, compare_and_set_takes_values_and_their_absence) {  // B25
    SortedMap map = durable.map("m");
    EXPECT_TRUE(map.compare_and_set("k", std::nullopt, 1));
    EXPECT_FALSE(map.compare_and_set("k", std::nullopt, 2));
    EXPECT_FALSE(map.compare_and_set("k", 1.0, 2));  // as stored, byte for byte
    EXPECT_FALSE(map.compare_and_set("k", "1", 2));
    EXPECT_TRUE(map.compare_and_set("k", map.get<int>("k"), 2));
    EXPECT_TRUE(map.compare_and_set("k", 2, std::nullopt));
    EXPECT_TRUE(map.compare_and_set("k", std::optional<int>(), std::optional<std::string>("text")));
    EXPECT_EQ(port.maps["m"]["k"], "\"text\"");
    durable.transact("t", [](Transaction& inside) {
        EXPECT_TRUE(inside.map("m").compare_and_set("k", "text", 3));
        EXPECT_FALSE(inside.map("m").compare_and_set("k", "text", 4));
    });
    EXPECT_EQ(port.maps["m"]["k"], "3");
}

TEST_F(state, a_typed_map_says_its_type_once) {  // B25
    TypedMap<Basket> baskets = durable.user_map<Basket>("baskets");
    baskets.insert("a", {{"apple"}, 120});
    baskets.insert(std::map<std::string, Basket>{{"b", {{}, 1}}, {"c", {{}, 2}}});
    EXPECT_EQ(baskets.get("a")->items, (Strings{"apple"}));
    EXPECT_EQ(baskets.get("none"), std::nullopt);
    EXPECT_EQ(keys_of(baskets.range({.start = "b"})), (Strings{"b", "c"}));
    EXPECT_EQ(keys_of(baskets.reverse_range({.limit = 2})), (Strings{"c", "b"}));
    baskets.remove("b");
    EXPECT_EQ(baskets.count(), 2U);
    EXPECT_EQ(baskets.live().get("c")->cents, 2);
    EXPECT_FALSE(baskets.compare_and_set("c", std::nullopt, Basket{{}, 3}));
    EXPECT_TRUE(baskets.compare_and_set("c", baskets.get("c"), Basket{{}, 3}));
    EXPECT_TRUE(baskets.compare_and_set("c", Basket{{}, 3}, std::nullopt));
    durable.map("m").insert("k", "text");
    EXPECT_THROW(static_cast<void>(durable.map<int>("m").get("k")), ValueMismatchError);
    // Nothing stored and a stored nothing are two things.
    TypedMap<std::optional<int>> maybe = durable.map<std::optional<int>>("maybe");
    maybe.insert("k", std::nullopt);
    EXPECT_TRUE(maybe.get("k").has_value());
    EXPECT_FALSE(maybe.compare_and_set("k", std::nullopt, std::optional<int>(1)));
    EXPECT_TRUE(maybe.compare_and_set("k", std::make_optional(std::optional<int>()), std::make_optional(std::optional<int>(1))));
    EXPECT_EQ(port.maps["maybe"]["k"], "1");
    EXPECT_EQ(durable.transact("t", [](Transaction& inside) { return inside.call_map<int>("n").get("k").value_or(7) + inside.map<int>("maybe").get("k").value(); }),
              8);
}

TEST_F(state, a_session_has_one_typed_value) {  // B26
    SessionValue<Basket> basket = durable.session_state<Basket>();
    EXPECT_EQ(basket.get().cents, 0);
    basket.set({{"apple"}, 120});
    EXPECT_EQ(durable.session_state<Basket>().get().cents, 120);
    EXPECT_EQ(basket.live().get().items, (Strings{"apple"}));
    durable.transact("t", [](Transaction& inside) {
        auto value = inside.session_state<Basket>();
        Basket now = value.get();
        now.cents += 5;
        value.set(now);
    });
    EXPECT_EQ(basket.get().cents, 125);
    EXPECT_THROW(static_cast<void>(durable.session_state<std::string>().get()), ValueMismatchError);
    basket.reset();
    EXPECT_EQ(basket.get().cents, 0);
    // It lies beside the session's maps, whatever they are called.
    for (const auto& [name, rows] : port.maps) {
        EXPECT_TRUE(name.starts_with("$session:2:me:$")) << name;
    }
}

// ── From outside ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Options options_of(const Store& store) { return {.name = "test", .port = 0, .store = store, .log_level = LogLevel::emergency}; }

TEST(mcp_state, is_reached_while_the_server_runs_and_its_map_objects_live_as_long_as_the_server_object) {  // B26
    DurableMCP mcp(options_of(memory()));
    State outside = mcp.state();
    SortedMap map = outside.map("m");
    const auto stopped = [&] {
        try {
            static_cast<void>(map.get("k"));
        } catch (const Error& error) {
            return error.code() == ErrorCode::stopped;
        }
        return false;
    };
    EXPECT_TRUE(stopped());
    mcp.start();
    map.insert("k", 1);
    EXPECT_EQ(outside.map<int>("m").get("k"), 1);
    EXPECT_EQ(map.live().get<int>("k"), 1);
    outside.user_map<int>("anna", "m").insert("k", 2);
    EXPECT_EQ(outside.user_map("anna", "m").get<int>("k"), 2);
    EXPECT_EQ(outside.user_map("bert", "m").get<int>("k"), std::nullopt);
    const int sum = outside.transact([](Transaction& inside) {
        const int both = inside.map<int>("m").get("k").value() + inside.user_map("anna", "m").get<int>("k").value();
        inside.map("m").insert("sum", both);
        return both;
    });
    EXPECT_EQ(sum, 3);
    outside.transact([](Transaction& inside) { inside.map("m").remove("k"); });
    EXPECT_EQ(keys_of(map.range<int>()), (Strings{"sum"}));
    EXPECT_TRUE(map.compare_and_set("sum", 3, 4));
    EXPECT_THROW(outside.transact([](Transaction& inside) { inside.session_map("m").insert("k", 1); }), Error);
    EXPECT_THROW(outside.transact([](Transaction&) { throw std::out_of_range("mine"); }), std::out_of_range);
    EXPECT_THROW(outside.session_map("no session", "m").insert("k", 1), Error);
    EXPECT_THROW(static_cast<void>(outside.map("$m")), std::invalid_argument);
    mcp.stop();
    EXPECT_TRUE(stopped());
    mcp.start();
    EXPECT_EQ(map.get<int>("sum"), 4);
}

TEST(mcp_state, initialize_runs_once_for_a_store_and_a_throw_stops_the_start) {  // B26
    const Store store = memory();
    int runs = 0;
    bool fails = true;
    const auto start = [&] {
        Options options = options_of(store);
        options.initialize = {{"prices",
                               [&](Transaction& inside) {
                                   ++runs;
                                   inside.map("prices").insert("apple", 120);
                                   if (fails) {
                                       throw std::runtime_error("no list");
                                   }
                               }},
                              {"total", [](Transaction& inside) { inside.map("prices").insert("total", inside.map<int>("prices").get("apple").value_or(0)); }}};
        DurableMCP mcp(std::move(options));
        mcp.start();
        return mcp.state().map("prices").range<int>();
    };
    EXPECT_THROW(start(), StepFailed);
    fails = false;
    EXPECT_EQ(keys_of(start()), (Strings{"apple", "total"}));
    EXPECT_EQ(start().size(), 2U);
    EXPECT_EQ(runs, 2);
}

TEST(mcp_state, prefixes_meet_exactly_what_begins_with_them_in_every_scope) {  // B25
    DurableMCP mcp(options_of(memory()));
    mcp.start();
    // Every key of up to three bytes of these: the least, one in the middle, the two greatest.
    Strings all{""};
    for (std::size_t from = 0, length = 1; length <= 3; ++length) {
        const std::size_t to = all.size();
        for (; from < to; ++from) {
            for (const char byte : {'\0', 'a', '\xFE', '\xFF'}) {
                all.push_back(all[from] + byte);
            }
        }
    }
    std::sort(all.begin(), all.end());
    State outside = mcp.state();
    outside.transact([&](Transaction& inside) {
        for (SortedMap map : {inside.map("m"), inside.user_map("anna", "m"), inside.user_map("", "m")}) {
            for (const std::string& key : all) {
                map.insert(key, 1);
            }
        }
    });
    const auto expect_exact = [&](const SortedMap& map) {
        for (const std::string& prefix : all) {
            for (const auto& start : {""s, "a"s, "\xFF"s}) {
                for (const std::optional<std::string>& end : {std::optional<std::string>(), std::optional("a\xFF"s), std::optional("\xFF\xFF"s)}) {
                    Strings expected;
                    std::copy_if(all.begin(), all.end(), std::back_inserter(expected), [&](const std::string& key) {
                        return key.starts_with(prefix) && key >= start && (!end || key < *end);
                    });
                    const MapRange range{.start = start, .end = end, .prefix = prefix};
                    ASSERT_EQ(keys_of(map.range<int>(range)), expected) << nlohmann::json::binary({prefix.begin(), prefix.end()}).dump();
                    std::reverse(expected.begin(), expected.end());
                    ASSERT_EQ(keys_of(map.reverse_range<int>(range)), expected);
                }
            }
        }
    };
    expect_exact(outside.map("m"));
    expect_exact(outside.user_map("anna", "m"));
    outside.transact([&](Transaction& inside) { expect_exact(inside.user_map("", "m")); });
}

}  // namespace
}  // namespace durable_mcp
