// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "contract/store_under_test.hpp"

namespace durable_mcp::store {
namespace {

using namespace std::string_literals;

class store_contract_maps : public StoreContract {
protected:
    std::unique_ptr<Snapshot> snapshot() { return std::move(store().snapshot().value()); }

    std::uint64_t version_of(const std::string& map, const std::string& key) {
        const auto row = snapshot()->get(map, key);
        return row && row->has_value() ? (*row)->version : 0;
    }

    std::vector<std::string> keys(const MapRange& range) {
        std::vector<std::string> found;
        for (const MapRow& row : snapshot()->range("m", range).value()) {
            found.push_back(row.key);
        }
        return found;
    }

    void put(std::initializer_list<std::string> keys_of_m) {
        Group group;
        for (const auto& key : keys_of_m) {
            group.push_back(PutMapRow{"m", key, "value of " + key});
        }
        commit_one(store(), group);
    }

    using Keys = std::vector<std::string>;
};

TEST_P(store_contract_maps, a_row_is_put_read_replaced_and_erased) {
    put({"k"});
    EXPECT_EQ(snapshot()->get("m", "k").value()->value, "value of k");
    commit_one(store(), {PutMapRow{"m", "k", "v\0\xff"s}});
    EXPECT_EQ(snapshot()->get("m", "k").value()->value, "v\0\xff"s);
    EXPECT_EQ(*snapshot()->count("m"), 1u);
    commit_one(store(), {EraseMapRow{"m", "k"}, EraseMapRow{"m", "absent"}});
    EXPECT_FALSE(snapshot()->get("m", "k")->has_value());
    EXPECT_EQ(*snapshot()->count("m"), 0u);
}

TEST_P(store_contract_maps, empty_keys_and_values_are_keys_and_values) {
    commit_one(store(), {PutMapRow{"", "", ""}});
    reopen();
    const auto row = snapshot()->get("", "");
    ASSERT_TRUE(row->has_value());
    EXPECT_EQ((*row)->key, "");
    EXPECT_EQ((*row)->value, "");
}

TEST_P(store_contract_maps, keys_are_ordered_as_unsigned_bytes) {
    const Keys sorted = {""s,     "\0"s, "\0\0"s, "\x01"s, "A"s,        "B"s,    "a"s,       "a\0"s,
                         "a\0b"s, "aa"s, "\x7f"s, "\x80"s, "\xc3\xa4"s, "\xff"s, "\xff\xff"s};
    for (auto key = sorted.rbegin(); key != sorted.rend(); ++key) {
        put({*key});
    }
    EXPECT_EQ(keys({.limit = 100}), sorted);
    EXPECT_EQ(keys({.limit = 100, .reverse = true}), Keys(sorted.rbegin(), sorted.rend()));
}

TEST_P(store_contract_maps, a_range_is_half_open_limited_and_can_be_read_backwards) {
    put({"a", "b", "c", "d"});
    commit_one(store(), {PutMapRow{"n", "b", "of another map"}});
    EXPECT_EQ(keys({.start = "b", .end = "d", .limit = 9}), (Keys{"b", "c"}));
    EXPECT_EQ(keys({.start = "b", .end = "d", .limit = 9, .reverse = true}), (Keys{"c", "b"}));
    EXPECT_EQ(keys({.start = "b", .limit = 2}), (Keys{"b", "c"}));
    EXPECT_EQ(keys({.start = "b", .limit = 2, .reverse = true}), (Keys{"d", "c"}));
    EXPECT_EQ(keys({.start = "c", .end = "c", .limit = 9}), Keys{});
    EXPECT_EQ(keys({.start = "d", .end = "b", .limit = 9}), Keys{});
    EXPECT_EQ(keys({.start = "d", .end = "b", .limit = 9, .reverse = true}), Keys{});
    EXPECT_EQ(keys({.end = "b", .limit = 9}), Keys{"a"});
    EXPECT_EQ(keys({.limit = 0}), Keys{});
}

TEST_P(store_contract_maps, a_version_is_never_used_again_not_even_after_erasing_and_reopening) {
    std::set<std::uint64_t> seen;
    const auto look = [&] {
        const auto version = version_of("m", "k");
        EXPECT_NE(version, 0u);
        EXPECT_TRUE(seen.insert(version).second) << version;
    };
    for (int round = 0; round < 3; ++round) {
        put({"k"});
        look();
        put({"k"});
        look();
        commit_one(store(), {EraseMapRow{"m", "k"}});
        reopen();
    }
    commit_one(store(), {PutMapRow{"m", "k", "x"}, AppendEvent{{"t", 1, ""}}});
    look();
    commit_one(store(), {PutMapRow{"m", "k", "y"}, AppendEvent{{"t", 1, ""}}});  // a conflict
    put({"k"});
    look();
}

TEST_P(store_contract_maps, a_snapshot_does_not_change_while_it_is_held) {
    put({"a", "b"});
    const auto held = snapshot();
    commit_one(store(), {PutMapRow{"m", "a", "new"}, EraseMapRow{"m", "b"}, PutMapRow{"m", "c", "new"}, PutMapRow{"other", "x", "y"}});
    EXPECT_EQ(held->get("m", "a").value()->value, "value of a");
    EXPECT_TRUE(held->get("m", "b")->has_value());
    EXPECT_FALSE(held->get("m", "c")->has_value());
    EXPECT_EQ(*held->count("m"), 2u);
    EXPECT_EQ(*held->count("other"), 0u);
    EXPECT_EQ(held->range("m", {.limit = 9})->size(), 2u);
    EXPECT_EQ(snapshot()->get("m", "a").value()->value, "new");
}

TEST_P(store_contract_maps, a_row_is_expected_in_the_version_that_was_read) {
    put({"k"});
    const auto version = version_of("m", "k");
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "k", version}, PutMapRow{"m", "k", "second"}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "k", version}, PutMapRow{"m", "k", "third"}}), GroupOutcome::conflict);
    EXPECT_EQ(snapshot()->get("m", "k").value()->value, "second");
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "k", 0}}), GroupOutcome::conflict);
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "absent", 0}, ExpectMapRow{"no map", "k", 0}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRow{"m", "absent", version}}), GroupOutcome::conflict);
}

TEST_P(store_contract_maps, a_range_is_expected_as_it_was_read_phantoms_included) {
    put({"a", "c"});
    const MapRange range{.start = "a", .end = "d", .limit = 10};
    std::vector<std::pair<std::string, std::uint64_t>> found = {{"a", version_of("m", "a")}, {"c", version_of("m", "c")}};
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"m", range, found}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"m", {.start = "a", .end = "d", .limit = 10, .reverse = true}, {found[1], found[0]}}}),
              GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"m", {.start = "a", .limit = 1}, {found[0]}}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"m", range, {found[0]}}}), GroupOutcome::conflict);
    put({"b"});
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"m", range, found}}), GroupOutcome::conflict);
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"no map", range, {}}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectMapRange{"m", {.start = "z", .end = "a", .limit = 1}, {}}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {EraseMapRow{"m", "b"}, ExpectMapRange{"m", range, found}}), GroupOutcome::committed);
}

TEST_P(store_contract_maps, of_two_transactions_that_read_the_same_row_in_one_batch_the_first_wins) {
    put({"k"});
    const auto version = version_of("m", "k");
    const auto outcome = commit(store(), {
                                             {ExpectMapRow{"m", "k", version}, PutMapRow{"m", "k", "first"}},
                                             {ExpectMapRow{"m", "k", version}, PutMapRow{"m", "k", "second"}},
                                         });
    ASSERT_TRUE(outcome);
    EXPECT_EQ(*outcome, (std::vector{GroupOutcome::committed, GroupOutcome::conflict}));
    EXPECT_EQ(snapshot()->get("m", "k").value()->value, "first");
}

INSTANTIATE_TEST_SUITE_P(of, store_contract_maps, ::testing::Values("memory", "sqlite"), name_of_store);

}  // namespace
}  // namespace durable_mcp::store
