// SPDX-License-Identifier: Apache-2.0
// Whose maps they are: with whom they go, what they may take, and how long their rows are seen (B25, B26).

#include "contract/store_under_test.hpp"
#include "store/map_scope.hpp"

namespace durable_mcp::store {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t no_limit = 0;

class store_contract_scopes : public StoreContract {
protected:
    std::unique_ptr<Snapshot> snapshot(std::int64_t now_ms = 0) { return std::move(store().snapshot(now_ms).value()); }

    std::string value_of(const std::string& map, const std::string& key, std::int64_t now_ms = 0) {
        const auto row = snapshot(now_ms)->get(map, key).value();
        return row ? row->value : "nothing";
    }
    std::uint64_t version_of(const std::string& map, const std::string& key) { return snapshot()->get(map, key).value()->version; }

    /// "rows/bytes"
    std::string usage(const std::string& scope) {
        const ScopeUsage taken = snapshot()->usage(scope).value();
        return std::to_string(taken.rows) + "/" + std::to_string(taken.bytes);
    }
    std::string keys(const std::string& map, std::int64_t now_ms, bool reverse = false, std::size_t limit = 10) {
        std::string text;
        for (const MapRow& row : snapshot(now_ms)->range(map, {.limit = limit, .reverse = reverse}).value()) {
            text += row.key + " ";
        }
        return text;
    }
    /// A session, and a call of it that can have a handle.
    void begin(const std::string& session, const std::string& call, bool has_handle = false) {
        Group group{PutSession{{session, "owner", "{}", 1, 1}}, InsertCall{call_row(call, session, call)}};
        if (has_handle) {
            group.emplace_back(PutHandle{handle_row(call, "key of " + call)});
        }
        ASSERT_EQ(commit_one(store(), group), GroupOutcome::committed);
    }

    const std::string s1 = scope_name(ScopeKind::session, "s1");
    const std::string c1 = scope_name(ScopeKind::call, "c1");
    const std::string c2 = scope_name(ScopeKind::call, "c2");
    const std::string anna = scope_name(ScopeKind::user, "anna");
};

TEST(map_scope, a_name_tells_whose_map_it_is_whatever_the_owner_is_called) {  // B25
    for (const auto& owner : {""s, "a"s, "a:b"s, "3:x"s, "$user:1:a:"s, std::string(200, ':')}) {
        for (const ScopeKind kind : {ScopeKind::user, ScopeKind::session, ScopeKind::call, ScopeKind::house}) {
            const std::string name = scope_name(kind, owner);
            for (const char* rest : {"", "m", ":", "5:x"}) {
                const std::string map = name + rest;
                const Scope scope = scope_of(map);
                EXPECT_EQ(scope.kind, kind) << map;
                EXPECT_EQ(scope.name, name) << map;
                EXPECT_EQ(scope.owner, owner) << map;
                EXPECT_LT(map, scope_end(name));
            }
        }
    }
    EXPECT_NE(scope_name(ScopeKind::user, "a") + ":b", scope_name(ScopeKind::user, "a:b"));
    for (const char* plain : {"", "adds", "user:1:a:m", "$", "$user", "$user:", "$user:1", "$user:1:", "$user:1:a", "$user:x:a:m", "$user:9:a:m",
                              "$user:-1:a:m", "$user:99999999999999999999999:a:m", "$nobody:1:a:m"}) {
        EXPECT_EQ(scope_of(plain).kind, ScopeKind::server) << plain;
        EXPECT_EQ(scope_of(plain).name, "") << plain;
    }
}

TEST_P(store_contract_scopes, a_sessions_maps_go_with_it_and_its_calls_maps_with_them) {  // B25
    begin("s1", "c1");
    begin("s2", "c2");
    ASSERT_EQ(commit_one(store(), {PutMapRow{s1 + "m", "k", "1"}, PutMapRow{s1 + "n", "k", "1"}, PutMapRow{c1 + "m", "k", "1"},
                                   PutMapRow{c2 + "m", "k", "kept"}, PutMapRow{anna + "m", "k", "kept"}, PutMapRow{"m", "k", "kept"}}),
              GroupOutcome::committed);
    EXPECT_EQ(usage(s1), "2/4");
    EXPECT_EQ(commit_one(store(), {DropSession{"s1"}}), GroupOutcome::committed);
    EXPECT_EQ(value_of(s1 + "m", "k"), "nothing");
    EXPECT_EQ(value_of(s1 + "n", "k"), "nothing");
    EXPECT_EQ(value_of(c1 + "m", "k"), "nothing");
    EXPECT_EQ(usage(s1) + " " + usage(c1), "0/0 0/0");
    for (const std::string& map : {c2 + "m", anna + "m", "m"s}) {
        EXPECT_EQ(value_of(map, "k"), "kept") << map;
    }
    reopen();
    EXPECT_EQ(usage(c2), "1/5");
}

TEST_P(store_contract_scopes, a_calls_maps_go_with_it_and_stay_with_one_that_outlives_its_session) {  // B25
    begin("s1", "c1", true);
    begin("s1", "c2");
    ASSERT_EQ(commit_one(store(), {PutMapRow{c1 + "m", "k", "1"}, PutMapRow{c2 + "m", "k", "1"}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {DropSession{"s1"}}), GroupOutcome::committed);
    EXPECT_EQ(value_of(c1 + "m", "k"), "1");
    EXPECT_EQ(value_of(c2 + "m", "k"), "nothing");
    EXPECT_EQ(commit_one(store(), {DropCall{"c1"}}), GroupOutcome::committed);
    EXPECT_EQ(value_of(c1 + "m", "k"), "nothing");
    EXPECT_EQ(usage(c1), "0/0");
}

TEST_P(store_contract_scopes, nothing_is_written_for_a_session_or_a_call_that_is_not_there) {  // B25
    EXPECT_EQ(commit_one(store(), {PutMapRow{"m", "k", "1"}, PutMapRow{s1 + "m", "k", "1"}}), GroupOutcome::orphaned);
    EXPECT_EQ(commit_one(store(), {PutMapRow{c1 + "m", "k", "1"}}), GroupOutcome::orphaned);
    EXPECT_EQ(value_of("m", "k"), "nothing");
    begin("s1", "c1");
    EXPECT_EQ(commit_one(store(), {PutMapRow{s1 + "m", "k", "1"}, PutMapRow{c1 + "m", "k", "1"}}), GroupOutcome::committed);
    const auto outcomes = commit(store(), {{DropSession{"s1"}}, {PutMapRow{s1 + "m", "k", "2"}}, {PutMapRow{"m", "k", "2"}}});
    ASSERT_TRUE(outcomes);
    EXPECT_EQ(*outcomes, (std::vector{GroupOutcome::committed, GroupOutcome::orphaned, GroupOutcome::committed}));
    EXPECT_EQ(usage(s1), "0/0");
}

TEST_P(store_contract_scopes, what_a_scope_takes_is_counted_through_every_write_and_every_refusal) {  // B25
    EXPECT_EQ(usage(""), "0/0");
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "k", "four"}, PutMapRow{"n", "key", ""}}), GroupOutcome::committed);
    EXPECT_EQ(usage(""), "2/8");
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "k", "1"}, PutMapRow{"m", "k", "22"}}), GroupOutcome::committed);
    EXPECT_EQ(usage(""), "2/6");
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "x", "lost"}, EraseMapRow{"m", "k"}, AppendEntry{"no call", entry(1)}}), GroupOutcome::conflict);
    EXPECT_EQ(usage(""), "2/6");
    ASSERT_EQ(commit_one(store(), {PutMapRow{anna + "m", "k", "1"}, EraseMapRow{"n", "key"}, EraseMapRow{"n", "key"}}), GroupOutcome::committed);
    EXPECT_EQ(usage(""), "1/3");
    EXPECT_EQ(usage(anna), "1/2");
    reopen();
    EXPECT_EQ(usage(""), "1/3");
    ASSERT_EQ(commit_one(store(), {EraseMapRow{"m", "k"}}), GroupOutcome::committed);
    EXPECT_EQ(usage(""), "0/0");
}

TEST_P(store_contract_scopes, a_group_that_exceeds_a_scope_is_refused_whole_and_the_rest_of_the_batch_is_not) {  // B25
    const auto outcomes = commit(store(), {
                                              {PutMapRow{anna + "m", "a", "1"}, LimitScope{anna, 2, no_limit}},
                                              {PutMapRow{anna + "m", "b", "1"}, PutMapRow{anna + "n", "c", "1"}, LimitScope{anna, 2, no_limit}},
                                              {PutMapRow{anna + "m", "b", "1"}, LimitScope{anna, 2, 4}},
                                              {PutMapRow{anna + "m", "b", "12"}, LimitScope{anna, no_limit, 4}},
                                              {EraseMapRow{anna + "m", "a"}, PutMapRow{anna + "m", "b", "12"}, LimitScope{anna, 1, 3}},
                                              {PutMapRow{"m", "b", "12"}, LimitScope{"", no_limit, no_limit}, LimitScope{"nobody's", 1, 1}},
                                          });
    ASSERT_TRUE(outcomes);
    EXPECT_EQ(*outcomes, (std::vector{GroupOutcome::committed, GroupOutcome::exceeded, GroupOutcome::committed, GroupOutcome::exceeded,
                                      GroupOutcome::committed, GroupOutcome::committed}));
    EXPECT_EQ(usage(anna), "1/3");
    EXPECT_EQ(value_of(anna + "n", "c"), "nothing");
}

TEST_P(store_contract_scopes, a_row_that_has_expired_is_seen_by_no_read) {  // B25
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "a", "1", 100}, PutMapRow{"m", "b", "1"}, PutMapRow{"m", "c", "1", 200}, PutMapRow{"m", "d", "1", 100}}),
              GroupOutcome::committed);
    reopen();
    EXPECT_EQ(value_of("m", "a", 99), "1");
    EXPECT_EQ(value_of("m", "a", 100), "nothing");
    EXPECT_EQ(keys("m", 99), "a b c d ");
    EXPECT_EQ(keys("m", 100), "b c ");
    EXPECT_EQ(keys("m", 199, true), "c b ");
    EXPECT_EQ(keys("m", 200, true), "b ");
    EXPECT_EQ(keys("m", 100, false, 1), "b ");  // what is hidden takes no place in a limit
    EXPECT_EQ(keys("m", 100, true, 1), "c ");
    EXPECT_EQ(*snapshot(100)->count("m"), 2u);
    EXPECT_EQ(*snapshot(99)->count("m"), 4u);
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "a", "2"}}), GroupOutcome::committed);
    EXPECT_EQ(value_of("m", "a", 1'000'000), "2");  // written anew it lives anew
}

TEST_P(store_contract_scopes, the_conditions_of_a_transaction_see_what_its_snapshot_saw) {  // B13 B25
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "a", "1", 100}, PutMapRow{"m", "b", "1"}}), GroupOutcome::committed);
    const auto a = version_of("m", "a");
    const auto b = version_of("m", "b");
    const MapRange all{.limit = 9};
    // Read as absent, and still there for the sweep to find.
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "a", 0, 100}, ExpectMapRange{"m", all, {{"b", b}}, 100}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"m", {.limit = 1}, {{"b", b}}, 100}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "a", a, 100}}), GroupOutcome::conflict);
    // Read as present, just before it expired.
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "a", a, 99}, ExpectMapRange{"m", all, {{"a", a}, {"b", b}}, 99}}), GroupOutcome::committed);
    ASSERT_EQ(commit_one(store(), {DropExpiredRows{100, 10}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "a", 0, 100}, ExpectMapRange{"m", all, {{"b", b}}, 100}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "a", a, 99}}), GroupOutcome::conflict);  // it reads again, and sees what is true now
}

TEST_P(store_contract_scopes, expired_rows_are_swept_the_oldest_first_so_many_at_a_time) {  // B25
    EXPECT_TRUE(store().expired_maps(1'000, 9)->empty());
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "a", "1", 300}, PutMapRow{anna + "m", "b", "1", 100}, PutMapRow{"m", "c", "1", 200},
                                   PutMapRow{"m", "d", "1"}}),
              GroupOutcome::committed);
    EXPECT_TRUE(store().expired_maps(99, 9)->empty());
    EXPECT_EQ(*store().expired_maps(100, 9), (std::vector<std::string>{anna + "m"}));
    EXPECT_EQ(*store().expired_maps(300, 9), (std::vector<std::string>{anna + "m", "m"}));
    EXPECT_EQ(*store().expired_maps(300, 1), (std::vector<std::string>{anna + "m"}));
    ASSERT_EQ(commit_one(store(), {DropExpiredRows{300, 2}}), GroupOutcome::committed);
    EXPECT_EQ(keys("m", 0), "a d ");
    EXPECT_EQ(usage(anna) + " " + usage(""), "0/0 2/4");
    EXPECT_EQ(*store().expired_maps(300, 9), (std::vector<std::string>{"m"}));
    ASSERT_EQ(commit_one(store(), {DropExpiredRows{299, 10}}), GroupOutcome::committed);
    EXPECT_EQ(keys("m", 0), "a d ");
    ASSERT_EQ(commit_one(store(), {DropExpiredRows{300, 10}}), GroupOutcome::committed);
    EXPECT_EQ(keys("m", 0), "d ");
    EXPECT_TRUE(store().expired_maps(1'000, 9)->empty());
    // A row that was written anew before the sweep came is none of its business.
    ASSERT_EQ(commit_one(store(), {PutMapRow{"m", "e", "1", 400}, PutMapRow{"m", "e", "2", 500}, DropExpiredRows{400, 10}}), GroupOutcome::committed);
    EXPECT_EQ(value_of("m", "e"), "2");
}

INSTANTIATE_TEST_SUITE_P(of, store_contract_scopes, ::testing::Values("memory", "sqlite"), name_of_store);

}  // namespace
}  // namespace durable_mcp::store
