// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include "contract/store_under_test.hpp"

namespace durable_mcp::store {
namespace {

using namespace std::string_literals;

using store_contract = StoreContract;

TEST_P(store_contract, a_session_is_read_back_and_replaced_whole) {
    const SessionRow row{"id", "owner", R"({"a":1})", 5, 6};
    commit_one(store(), {PutSession{row}});
    commit_one(store(), {PutSession{{"id", "other", "{}", 7, 8}}});
    const auto rows = store().sessions();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->front().owner, "other");
    EXPECT_EQ(rows->front().document, "{}");
    EXPECT_EQ(rows->front().created_ms, 7);
    EXPECT_EQ(rows->front().last_seen_ms, 8);
}

TEST_P(store_contract, touching_a_session_changes_when_it_was_seen_and_nothing_where_there_is_none) {
    commit_one(store(), {PutSession{{"id", "", "{}", 1, 1}}});
    EXPECT_EQ(commit_one(store(), {TouchSession{"id", 99}, TouchSession{"absent", 99}}), GroupOutcome::committed);
    const auto rows = store().sessions();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->front().last_seen_ms, 99);
}

TEST_P(store_contract, everything_is_there_after_reopening) {
    commit_one(store(), {PutSession{{"s", "o", "{}", 1, 2}}, InsertCall{call_row("c")}, AppendEntry{"c", entry(1)},
                         AppendEvent{{"t", 1, "e"}}, PutMapRow{"m", "k", "v"}});
    reopen();
    EXPECT_EQ(store().sessions()->size(), 1u);
    EXPECT_TRUE(store().call("c")->has_value());
    EXPECT_EQ(store().entries("c")->size(), 1u);
    EXPECT_EQ(*store().last_event("t"), 1u);
    EXPECT_EQ((*store().snapshot())->get("m", "k").value()->value, "v");
}

TEST_P(store_contract, every_field_of_a_call_comes_back_byte_for_byte) {
    CallRow row;
    row.id = "i\0d"s;
    row.session = "s\0\xff"s;
    row.request_id = "\"\0\xc3\x28\""s;
    row.digest = "d\0"s;
    row.stream = "\0stream"s;
    row.document = "{\"a\":\0 9007199254740993}"s;
    row.state = CallState::suspended;
    row.attempts = 4'000'000'000u;
    row.crashed_attempts = 19;
    row.crash_mark = 1ull << 40;
    row.answer_event = (1ull << 63) - 1;
    row.accepted_ms = -5;
    row.finished_ms = 1'900'000'000'000;
    commit_one(store(), {InsertCall{row}});
    reopen();
    for (const auto& found : {store().call(row.id), store().call_of_request(row.session, row.request_id)}) {
        ASSERT_TRUE(found) << found.error().sentence;
        ASSERT_TRUE(found->has_value());
        const CallRow& back = **found;
        EXPECT_EQ(back.id, row.id);
        EXPECT_EQ(back.session, row.session);
        EXPECT_EQ(back.request_id, row.request_id);
        EXPECT_EQ(back.digest, row.digest);
        EXPECT_EQ(back.stream, row.stream);
        EXPECT_EQ(back.document, row.document);
        EXPECT_EQ(back.state, row.state);
        EXPECT_EQ(back.attempts, row.attempts);
        EXPECT_EQ(back.crashed_attempts, row.crashed_attempts);
        EXPECT_EQ(back.crash_mark, row.crash_mark);
        EXPECT_EQ(back.answer_event, row.answer_event);
        EXPECT_EQ(back.accepted_ms, row.accepted_ms);
        EXPECT_EQ(back.finished_ms, row.finished_ms);
    }
    EXPECT_EQ(store().calls_of_stream(row.stream)->size(), 1u);
}

TEST_P(store_contract, entries_and_events_come_back_byte_for_byte_and_in_order) {
    const std::string payload = "\0\x01\xff payload \0"s + std::string(100'000, 'x') + "\0"s;
    commit_one(store(), {InsertCall{call_row("c")}});
    commit_one(store(), {AppendEntry{"c", {2, journal::EntryKind::once_failed, "k\0ey"s, "t\0"s, payload}}, AppendEntry{"c", entry(1)}});
    commit_one(store(), {AppendEvent{{"t", 2, payload}}, AppendEvent{{"t", 1, ""}}});
    reopen();
    const auto entries = store().entries("c");
    ASSERT_TRUE(entries);
    ASSERT_EQ(entries->size(), 2u);
    EXPECT_EQ((*entries)[0].seq, 1u);
    EXPECT_EQ((*entries)[1].kind, journal::EntryKind::once_failed);
    EXPECT_EQ((*entries)[1].key, "k\0ey"s);
    EXPECT_EQ((*entries)[1].type, "t\0"s);
    EXPECT_EQ((*entries)[1].payload, payload);
    const auto events = store().events("t", 0, 10);
    ASSERT_TRUE(events);
    ASSERT_EQ(events->size(), 2u);
    EXPECT_EQ((*events)[0].payload, "");
    EXPECT_EQ((*events)[1].payload, payload);
    EXPECT_EQ((*events)[1].stream, "t");
}

TEST_P(store_contract, events_are_read_after_a_number_and_up_to_a_limit) {
    Group group;
    for (std::uint64_t seq = 1; seq <= 5; ++seq) {
        group.push_back(AppendEvent{{"t", seq, std::to_string(seq)}});
    }
    group.push_back(AppendEvent{{"u", 9, "other"}});
    commit_one(store(), group);
    const auto events = store().events("t", 2, 2);
    ASSERT_TRUE(events);
    ASSERT_EQ(events->size(), 2u);
    EXPECT_EQ((*events)[0].seq, 3u);
    EXPECT_EQ((*events)[1].seq, 4u);
    EXPECT_TRUE(store().events("t", 5, 10)->empty());
    EXPECT_TRUE(store().events("t", ~0ull, 10)->empty());
    EXPECT_TRUE(store().events("t", 0, 0)->empty());
    EXPECT_EQ(*store().last_event("t"), 5u);
    EXPECT_EQ(*store().last_event("absent"), 0u);
}

TEST_P(store_contract, a_call_id_is_used_once_and_a_request_id_once_per_session) {
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("a", "s", "1")}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("a", "s", "2")}}), GroupOutcome::conflict);
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("b", "s", "1")}}), GroupOutcome::conflict);
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("c", "s", "\"1\"")}}), GroupOutcome::committed);  // B42
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("d", "t", "1")}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("e", "", "1")}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("f", "", "1")}}), GroupOutcome::committed);
    EXPECT_EQ((*store().call_of_request("s", "1"))->id, "a");
    EXPECT_EQ((*store().call_of_request("s", "\"1\""))->id, "c");
    EXPECT_FALSE(store().call_of_request("", "1")->has_value());
}

TEST_P(store_contract, an_entry_needs_its_call_and_a_number_of_its_own) {
    commit_one(store(), {InsertCall{call_row("c")}});
    EXPECT_EQ(commit_one(store(), {AppendEntry{"absent", entry(1)}}), GroupOutcome::conflict);
    EXPECT_EQ(commit_one(store(), {AppendEntry{"c", entry(1, "first")}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {AppendEntry{"c", entry(1, "second")}}), GroupOutcome::conflict);
    EXPECT_EQ(store().entries("c")->front().payload, "first");
}

TEST_P(store_contract, an_event_needs_a_number_of_its_own) {
    EXPECT_EQ(commit_one(store(), {AppendEvent{{"t", 1, "first"}}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {AppendEvent{{"t", 1, "second"}}}), GroupOutcome::conflict);
    EXPECT_EQ(store().events("t", 0, 9)->front().payload, "first");
}

TEST_P(store_contract, a_group_in_conflict_leaves_nothing_behind_and_its_neighbours_stay) {
    commit_one(store(),
               {InsertCall{call_row("c")}, AppendEntry{"c", entry(1)}, PutMapRow{"m", "k", "before"}, PutSession{{"s", "", "{}", 1, 1}}});
    const auto outcome =
        commit(store(), {
                            {AppendEvent{{"t", 1, "kept"}}},
                            {PutSession{{"s", "changed", "{}", 2, 2}}, PutSession{{"new", "", "{}", 1, 1}}, InsertCall{call_row("d", "x")},
                             AppendEntry{"c", entry(2)}, AppendEvent{{"t", 2, "lost"}}, PutMapRow{"m", "k", "after"},
                             PutMapRow{"m", "l", "new"}, UpdateCall{"c", CallState::completed, 1, 1}, CountAttempt{"c", 9, 9, 9},
                             TouchSession{"s", 77}, DropStream{"t"}, EraseMapRow{"m", "k"}, AppendEntry{"c", entry(1, "again")}},
                            {AppendEvent{{"t", 2, "kept too"}}},
                        });
    ASSERT_TRUE(outcome) << outcome.error().sentence;
    EXPECT_EQ(*outcome, (std::vector{GroupOutcome::committed, GroupOutcome::conflict, GroupOutcome::committed}));
    EXPECT_EQ(store().events("t", 0, 9)->size(), 2u);
    EXPECT_EQ(store().events("t", 0, 9)->back().payload, "kept too");
    EXPECT_EQ(store().entries("c")->size(), 1u);
    EXPECT_FALSE(store().call("d")->has_value());
    EXPECT_FALSE(store().call_of_request("x", "1")->has_value());
    EXPECT_EQ((*store().call("c"))->state, CallState::running);
    EXPECT_EQ((*store().call("c"))->attempts, 1u);
    ASSERT_EQ(store().sessions()->size(), 1u);
    EXPECT_EQ(store().sessions()->front().owner, "");
    EXPECT_EQ(store().sessions()->front().last_seen_ms, 1);
    const auto snapshot = store().snapshot();
    ASSERT_TRUE(snapshot);
    EXPECT_EQ((*snapshot)->get("m", "k").value()->value, "before");
    EXPECT_EQ(*(*snapshot)->count("m"), 1u);
}

TEST_P(store_contract, a_dropped_session_in_a_group_in_conflict_stays_with_all_that_is_its) {
    commit_one(store(), {PutSession{{"s", "", "{}", 1, 1}}, InsertCall{call_row("c")}, AppendEntry{"c", entry(1)},
                         AppendEvent{{"stream of c", 1, "e"}}});
    EXPECT_EQ(commit_one(store(), {DropSession{"s"}, ExpectRunning{"c"}}), GroupOutcome::conflict);
    EXPECT_EQ(store().sessions()->size(), 1u);
    EXPECT_TRUE(store().call_of_request("s", "1")->has_value());
    EXPECT_EQ(store().unfinished_calls()->size(), 1u);
    EXPECT_EQ(store().calls_of_stream("stream of c")->size(), 1u);
    EXPECT_EQ(store().entries("c")->size(), 1u);
    EXPECT_EQ(*store().last_event("stream of c"), 1u);
}

TEST_P(store_contract, dropping_a_session_takes_its_calls_entries_and_events_and_no_others) {
    commit_one(store(),
               {PutSession{{"s", "", "{}", 1, 1}}, PutSession{{"t", "", "{}", 1, 1}}, InsertCall{call_row("c", "s")},
                InsertCall{call_row("d", "t")}, InsertCall{call_row("e", "")}, AppendEntry{"c", entry(1)}, AppendEntry{"d", entry(1)},
                AppendEvent{{"stream of c", 1, "c"}}, AppendEvent{{"stream of d", 1, "d"}}, AppendEvent{{"stream of e", 1, "e"}}});
    commit_one(store(), {DropSession{"s"}, DropSession{""}});
    EXPECT_EQ(store().sessions()->size(), 1u);
    EXPECT_FALSE(store().call("c")->has_value());
    EXPECT_TRUE(store().entries("c")->empty());
    EXPECT_EQ(*store().last_event("stream of c"), 0u);
    EXPECT_TRUE(store().call("d")->has_value());
    EXPECT_EQ(store().entries("d")->size(), 1u);
    EXPECT_EQ(*store().last_event("stream of d"), 1u);
    EXPECT_EQ(*store().last_event("stream of e"), 1u);
    EXPECT_EQ(commit_one(store(), {InsertCall{call_row("new", "s", "1")}}), GroupOutcome::committed);
}

TEST_P(store_contract, dropping_a_stream_takes_its_events_only) {
    commit_one(store(), {AppendEvent{{"t", 1, "a"}}, AppendEvent{{"u", 1, "b"}}});
    commit_one(store(), {DropStream{"t"}});
    EXPECT_EQ(*store().last_event("t"), 0u);
    EXPECT_EQ(*store().last_event("u"), 1u);
}

TEST_P(store_contract, unfinished_calls_are_the_running_and_the_suspended_oldest_first) {
    const auto insert = [&](const std::string& id, std::int64_t accepted, CallState state) {
        CallRow row = call_row(id, "s", id);
        row.accepted_ms = accepted;
        row.state = state;
        commit_one(store(), {InsertCall{row}});
    };
    insert("late", 30, CallState::running);
    insert("early", 10, CallState::suspended);
    insert("ended", 20, CallState::running);
    insert("tombstone", 5, CallState::cancelled);
    commit_one(store(), {UpdateCall{"ended", CallState::completed, 3, 44}, UpdateCall{"absent", CallState::completed, 3, 44}});
    const auto rows = store().unfinished_calls();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2u);
    EXPECT_EQ((*rows)[0].id, "early");
    EXPECT_EQ((*rows)[1].id, "late");
    EXPECT_EQ((*store().call("ended"))->answer_event, 3u);
    EXPECT_EQ((*store().call("ended"))->finished_ms, 44);
}

TEST_P(store_contract, attempts_are_counted_and_a_call_that_is_gone_does_not_mind) {
    commit_one(store(), {InsertCall{call_row("c")}});
    EXPECT_EQ(commit_one(store(), {CountAttempt{"c", 3, 2, 7}, CountAttempt{"absent", 3, 2, 7}}), GroupOutcome::committed);
    const auto row = store().call("c");
    EXPECT_EQ((*row)->attempts, 3u);
    EXPECT_EQ((*row)->crashed_attempts, 2u);
    EXPECT_EQ((*row)->crash_mark, 7u);
    EXPECT_EQ((*row)->state, CallState::running);
}

TEST_P(store_contract, a_call_is_expected_to_run_until_it_has_ended) {
    commit_one(store(), {InsertCall{call_row("c")}});
    EXPECT_EQ(commit_one(store(), {ExpectRunning{"c"}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {UpdateCall{"c", CallState::suspended, 0, 0}, ExpectRunning{"c"}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {ExpectRunning{"absent"}}), GroupOutcome::conflict);
    commit_one(store(), {UpdateCall{"c", CallState::cancelled, 0, 0}});
    EXPECT_EQ(commit_one(store(), {ExpectRunning{"c"}, AppendEntry{"c", entry(1)}}), GroupOutcome::conflict);
    EXPECT_TRUE(store().entries("c")->empty());
}

TEST_P(store_contract, a_condition_sees_what_its_own_group_and_those_before_it_wrote) {
    const auto outcome = commit(store(), {
                                             {InsertCall{call_row("c")}, ExpectRunning{"c"}, UpdateCall{"c", CallState::completed, 1, 1}},
                                             {ExpectRunning{"c"}},
                                             {AppendEvent{{"t", 1, "x"}}},
                                         });
    ASSERT_TRUE(outcome);
    EXPECT_EQ(*outcome, (std::vector{GroupOutcome::committed, GroupOutcome::conflict, GroupOutcome::committed}));
}

TEST_P(store_contract, readers_see_whole_batches_while_batches_are_written) {
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!stop) {
                const auto snapshot = store().snapshot();
                if (!snapshot) {
                    ++torn;
                    continue;
                }
                const auto a = (*snapshot)->get("m", "a");
                const auto b = (*snapshot)->get("m", "b");
                if (!a || !b || a->has_value() != b->has_value() || (a->has_value() && (*a)->value != (*b)->value)) {
                    ++torn;
                }
            }
        });
    }
    for (int i = 0; i < 300; ++i) {
        commit(store(), {{PutMapRow{"m", "a", std::to_string(i)}}, {PutMapRow{"m", "b", std::to_string(i)}}});
    }
    stop = true;
    for (auto& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(torn, 0);
}

TEST_P(store_contract, an_empty_batch_and_an_empty_group_are_fine) {
    EXPECT_TRUE(commit(store(), {}).has_value());
    EXPECT_EQ(commit_one(store(), {}), GroupOutcome::committed);
}

TEST_P(store_contract, it_describes_itself_as_json) {
    EXPECT_EQ(store().describe().front(), '{');
    EXPECT_NE(store().describe().find("\"engine\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(of, store_contract, ::testing::Values("memory", "sqlite"), name_of_store);

}  // namespace
}  // namespace durable_mcp::store
