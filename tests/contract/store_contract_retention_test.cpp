// SPDX-License-Identifier: Apache-2.0
// What a store says of what may be forgotten, and how it forgets: a little at a time, and nothing but what it was told. Semantics §6, B53.

#include <algorithm>

#include "contract/store_under_test.hpp"

namespace durable_mcp::store {
namespace {

using store_contract_retention = StoreContract;
using Names = std::vector<std::string>;

Names names_of(const base::Result<std::vector<OldCall>>& calls) {
    EXPECT_TRUE(calls) << (calls ? "" : calls.error().sentence);
    Names names;
    for (const OldCall& call : calls ? *calls : std::vector<OldCall>()) {
        names.push_back(call.id);
    }
    return names;
}

/// A call that finished then, with an answer.
Group finished(const std::string& id, std::int64_t finished_ms, CallState state = CallState::completed) {
    CallRow row = call_row(id, "s", id);
    row.state = state;
    row.answer_event = state == CallState::cancelled ? 0 : 1;
    row.finished_ms = finished_ms;
    Group group{InsertCall{row}};
    if (row.answer_event != 0) {
        group.emplace_back(AppendEvent{{row.stream, 1, "answer of " + id}});
    }
    return group;
}

TEST_P(store_contract_retention, finished_calls_are_found_by_when_they_finished_the_oldest_first) {  // B53
    commit(store(), {finished("c", 30), finished("a", 10), finished("b", 20, CallState::cancelled), finished("d", 40, CallState::quarantined)});
    commit_one(store(), {InsertCall{call_row("running", "s", "9")}});
    CallRow later = call_row("later", "s", "8");
    commit_one(store(), {InsertCall{later}, UpdateCall{"later", CallState::completed, 1, 15}});
    EXPECT_EQ(names_of(store().finished_calls(0, 99, 99)), (Names{"a", "later", "b", "c", "d"}));
    EXPECT_EQ(names_of(store().finished_calls(0, 99, 2)), (Names{"a", "later"}));
    EXPECT_EQ(names_of(store().finished_calls(15, 30, 99)), (Names{"later", "b", "c"}));
    EXPECT_EQ(names_of(store().finished_calls(41, 99, 99)), Names());
    EXPECT_EQ(names_of(store().finished_calls(0, 9, 99)), Names());
    reopen();
    EXPECT_EQ(names_of(store().finished_calls(0, 99, 99)), (Names{"a", "later", "b", "c", "d"}));
    EXPECT_EQ(store().finished_calls(0, 10, 9)->front().finished_ms, 10);
    commit_one(store(), {DropCall{"b"}, UpdateCall{"later", CallState::running, 0, 0}});
    EXPECT_EQ(names_of(store().finished_calls(0, 99, 99)), (Names{"a", "c", "d"}));
}

TEST_P(store_contract_retention, a_call_with_a_handle_is_not_among_them_until_its_handle_is_dropped) {  // B53
    commit(store(), {finished("a", 10), finished("kept", 20)});
    commit_one(store(), {PutHandle{handle_row("kept", "key")}});
    EXPECT_EQ(names_of(store().finished_calls(0, 99, 99)), Names{"a"});
    EXPECT_EQ(names_of(store().calls_of_session("s", 99)), Names{"a"});
    EXPECT_EQ(commit_one(store(), {DropHandle{"kept"}, DropHandle{"absent"}}), GroupOutcome::committed);
    EXPECT_EQ(names_of(store().finished_calls(0, 99, 99)), (Names{"a", "kept"}));
    EXPECT_FALSE(store().handle("kept")->has_value());
    EXPECT_FALSE(store().handle_of_key("key")->has_value());
    EXPECT_TRUE(store().call("kept")->has_value());
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("a", "key")}}), GroupOutcome::committed) << "the key is free";
}

TEST_P(store_contract_retention, it_knows_since_when_the_newest_so_many_finished) {  // B53
    EXPECT_EQ(*store().finished_since(1), 0);
    commit(store(), {finished("a", 10), finished("b", 20), finished("c", 30)});
    EXPECT_EQ(*store().finished_since(1), 30);
    EXPECT_EQ(*store().finished_since(3), 10);
    EXPECT_EQ(*store().finished_since(4), 0);
    EXPECT_EQ(*store().finished_since(~std::size_t{0}), 0);
}

TEST_P(store_contract_retention, the_calls_of_a_session_are_found_whatever_their_state) {  // B53
    CallRow other = call_row("other", "t", "1");
    CallRow nobodys = call_row("nobodys", "", "1");
    commit(store(), {finished("a", 10), {InsertCall{call_row("b", "s", "2")}}, {InsertCall{other}}, {InsertCall{nobodys}}});
    EXPECT_EQ(names_of(store().calls_of_session("s", 9)).size(), 2u);
    EXPECT_EQ(names_of(store().calls_of_session("s", 1)).size(), 1u);
    EXPECT_EQ(names_of(store().calls_of_session("t", 9)), Names{"other"});
    EXPECT_EQ(names_of(store().calls_of_session("", 9)), Names());
}

TEST_P(store_contract_retention, a_large_call_goes_a_little_at_a_time_and_its_answer_last) {  // B53
    Group group = finished("a", 10);
    for (std::uint64_t seq = 1; seq <= 100; ++seq) {
        group.emplace_back(AppendEntry{"a", entry(seq)});
        group.emplace_back(AppendEvent{{"stream of a", seq + 1, "event"}});
    }
    commit_one(store(), std::move(group));
    commit_one(store(), {InsertCall{call_row("b", "s", "2")}, AppendEntry{"b", entry(1)}, AppendEvent{{"stream of b", 1, "e"}}});
    std::size_t rows = store().finished_calls(0, 99, 9)->front().rows;
    EXPECT_EQ(rows, 202u);
    bool had_entries = true;
    int commits = 0;
    for (; store().call("a").value(); ++commits) {
        ASSERT_LT(commits, 99) << "it never ends";
        EXPECT_EQ(commit_one(store(), {DropCall{"a", 30}}), GroupOutcome::committed);
        const std::size_t left = store().call("a").value() ? store().finished_calls(0, 99, 9)->front().rows : 0;
        EXPECT_LT(left, rows);
        EXPECT_GE(left + 31, rows);
        rows = left;
        if (had_entries) {
            EXPECT_EQ(store().events("stream of a", 0, 999)->size(), 101 - (commits < 3 ? 0u : 20u)) << "the entries go first";
        }
        had_entries = !store().entries("a")->empty();
        if (left > 0) {
            EXPECT_EQ(*store().last_event("stream of a"), 101u);
            EXPECT_EQ(*store().first_event("stream of a") + store().events("stream of a", 0, 999)->size(), 102u) << "without a gap behind";
            EXPECT_EQ(store().call_of_request("s", "a").value()->id, "a");
        }
        reopen();
    }
    EXPECT_EQ(commits, 7);
    EXPECT_TRUE(store().entries("a")->empty());
    EXPECT_TRUE(store().events("stream of a", 0, 9)->empty());
    EXPECT_EQ(store().entries("b")->size(), 1u);
    EXPECT_EQ(*store().last_event("stream of b"), 1u);
}

TEST_P(store_contract_retention, what_several_calls_share_is_not_taken_from_the_others) {  // B53
    for (const std::string id : {"a", "b"}) {
        CallRow row = call_row(id, "s", id);
        row.stream = "shared";
        commit_one(store(), {InsertCall{row}, UpdateCall{id, CallState::completed, 1, 10}, AppendEntry{id, entry(1)},
                             AppendEvent{{"shared", static_cast<std::uint64_t>(id[0]), id}}});
    }
    commit_one(store(), {DropCall{"a", 10}});
    EXPECT_FALSE(store().call("a")->has_value());
    EXPECT_EQ(store().events("shared", 0, 9)->size(), 2u);
    commit_one(store(), {DropCall{"b", 10}});
    EXPECT_TRUE(store().events("shared", 0, 9)->empty());
}

TEST_P(store_contract_retention, old_events_are_those_with_a_time_of_their_own) {  // B53
    commit(store(), {finished("a", 10)});
    commit_one(store(), {AppendEvent{{"t", 1, "one", 100}}, AppendEvent{{"t", 2, "two", 200}}, AppendEvent{{"t", 3, "three", 300}},
                         AppendEvent{{"u", 1, "one", 150}}});
    EXPECT_EQ((*store().events("t", 1, 1))[0].created_ms, 200);
    const auto old = [&](std::int64_t to_ms, std::size_t limit = 99) {
        auto rows = store().old_events(to_ms, limit);
        EXPECT_TRUE(rows) << rows.error().sentence;
        std::vector<std::string> texts;
        for (const OldEvents& row : *rows) {
            texts.push_back(row.stream + std::to_string(row.through));
        }
        std::sort(texts.begin(), texts.end());
        return texts;
    };
    EXPECT_EQ(old(99), Names());
    EXPECT_EQ(old(100), Names{"t1"});
    EXPECT_EQ(old(250), (Names{"t2", "u1"}));
    EXPECT_EQ(old(999, 1).size(), 1u);
    EXPECT_EQ(commit_one(store(), {DropEvents{"t", 2}, DropEvents{"u", 9}, DropEvents{"absent", 9}}), GroupOutcome::committed);
    EXPECT_EQ(old(999), Names{"t3"}) << "the newest of u is kept as its number only";
    EXPECT_EQ(*store().first_event("t"), 3u);
    EXPECT_EQ(*store().last_event("u"), 1u);
    commit_one(store(), {DropEvents{"t", 3}});
    reopen();
    EXPECT_EQ(old(999), Names());
    EXPECT_EQ(*store().last_event("t"), 3u) << "where the stream goes on";
    EXPECT_EQ((*store().events("t", 0, 9))[0].payload, "three");
    EXPECT_EQ(*store().first_event("stream of a"), 1u);
    EXPECT_EQ(*store().first_event("absent"), 0u);
    commit_one(store(), {AppendEvent{{"u", 2, "two", 400}}});
    EXPECT_EQ(old(999), Names{"u2"});
}

TEST_P(store_contract_retention, no_more_events_go_at_once_than_may_go) {  // B53
    Group group;
    for (std::uint64_t seq = 1; seq <= 50; ++seq) {
        group.emplace_back(AppendEvent{{"t", seq, "e", 100}});
    }
    commit_one(store(), std::move(group));
    commit_one(store(), {DropEvents{"t", 50, 20}});
    EXPECT_EQ(*store().first_event("t"), 21u);
    EXPECT_FALSE(store().old_events(100, 9)->empty());
    commit_one(store(), {DropEvents{"t", 50, 20}});
    commit_one(store(), {DropEvents{"t", 50, 20}});
    EXPECT_EQ(*store().first_event("t"), 50u);
    EXPECT_TRUE(store().old_events(100, 9)->empty());
}

TEST_P(store_contract_retention, a_group_in_conflict_has_forgotten_nothing) {  // B53
    commit(store(), {finished("a", 10), finished("kept", 20)});
    commit_one(store(), {AppendEntry{"a", entry(1)}, AppendEntry{"a", entry(2)}, PutHandle{handle_row("kept", "key")},
                         AppendEvent{{"t", 1, "one", 100}}, AppendEvent{{"t", 2, "two", 200}}});
    const auto used = store().space()->used_bytes;
    const std::vector<Group> torn = {
        {DropCall{"a", 1}, DropHandle{"kept"}, DropEvents{"t", 9}, ReleaseSpace{}, ExpectRunning{"absent"}},
        {DropCall{"a", 99}, DropCall{"kept", 99}, ExpectRunning{"absent"}},
    };
    for (const Group& group : torn) {
        EXPECT_EQ(commit_one(store(), group), GroupOutcome::conflict);
        EXPECT_EQ(names_of(store().finished_calls(0, 99, 99)), Names{"a"});
        EXPECT_EQ(store().entries("a")->size(), 2u);
        EXPECT_EQ(store().handle_of_key("key").value()->call, "kept");
        EXPECT_EQ(*store().first_event("t"), 1u);
        EXPECT_EQ(store().old_events(999, 9)->front().through, 2u);
        EXPECT_EQ(store().space()->used_bytes, used);
    }
}

TEST_P(store_contract_retention, what_is_kept_takes_space_and_what_is_dropped_gives_it_back) {  // B53
    const auto empty = store().space();
    ASSERT_TRUE(empty) << empty.error().sentence;
    commit(store(), {finished("a", 10)});
    commit_one(store(), {AppendEntry{"a", entry(1, std::string(1 << 20, 'x'))}, AppendEvent{{"stream of a", 2, std::string(1 << 20, 'y')}}});
    EXPECT_GE(store().space()->used_bytes, empty->used_bytes + (2u << 20));
    commit_one(store(), {DropCall{"a"}});
    EXPECT_LT(store().space()->used_bytes, empty->used_bytes + (1u << 20));
    for (int i = 0; i < 99 && store().space()->free_bytes > 0; ++i) {
        commit_one(store(), {ReleaseSpace{}});
    }
    EXPECT_EQ(store().space()->free_bytes, 0u);
}

INSTANTIATE_TEST_SUITE_P(of, store_contract_retention, ::testing::Values("memory", "sqlite"), name_of_store);

}  // namespace
}  // namespace durable_mcp::store
