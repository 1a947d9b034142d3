// SPDX-License-Identifier: Apache-2.0
// What every store does with calls that can be reached without a session: handles, arrivals, dropping one call, and the keys of the ring.

#include "contract/store_under_test.hpp"

namespace durable_mcp::store {
namespace {

using namespace std::string_literals;

using store_contract_handles = StoreContract;

void expect_same(const HandleRow& back, const HandleRow& row) {
    EXPECT_EQ(back.call, row.call);
    EXPECT_EQ(back.owner, row.owner);
    EXPECT_EQ(back.idempotency_key, row.idempotency_key);
    EXPECT_EQ(back.reach, row.reach);
    EXPECT_EQ(back.created_ms, row.created_ms);
    EXPECT_EQ(back.updated_ms, row.updated_ms);
    EXPECT_EQ(back.ttl_ms, row.ttl_ms);
    EXPECT_EQ(back.document, row.document);
}

std::vector<std::string> calls_of(const base::Result<std::vector<HandleRow>>& rows) {
    EXPECT_TRUE(rows.has_value()) << (rows ? "" : rows.error().sentence);
    std::vector<std::string> calls;
    for (const HandleRow& row : rows ? *rows : std::vector<HandleRow>()) {
        calls.push_back(row.call);
    }
    return calls;
}

using Calls = std::vector<std::string>;

TEST_P(store_contract_handles, every_field_of_a_handle_comes_back_byte_for_byte) {
    HandleRow row;
    row.call = "c\0all"s;
    row.owner = "ow\0ner\xff"s;
    row.idempotency_key = "k\0\xc3\x28"s;
    row.reach = 0xffff'ffffu;
    row.created_ms = -7;
    row.updated_ms = 1'900'000'000'000;
    row.ttl_ms = (1ll << 62);
    row.document = "{\0}"s;
    commit_one(store(), {InsertCall{call_row(row.call)}, PutHandle{row}});
    reopen();
    const auto found = {store().handle(row.call), store().handle_of_key(row.idempotency_key)};
    for (const auto& one : found) {
        ASSERT_TRUE(one) << one.error().sentence;
        ASSERT_TRUE(one->has_value());
        expect_same(**one, row);
    }
    EXPECT_FALSE(store().handle("absent")->has_value());
    EXPECT_FALSE(store().handle_of_key("absent")->has_value());
}

TEST_P(store_contract_handles, a_handle_is_replaced_whole_and_its_old_key_is_free) {
    commit_one(store(), {InsertCall{call_row("c", "")}, InsertCall{call_row("d", "")}, PutHandle{handle_row("c", "key")}});
    HandleRow later = handle_row("c", "other key", 6, "somebody else");
    later.created_ms = 5;
    later.updated_ms = 6;
    later.ttl_ms = 7;
    later.document = "{}";
    EXPECT_EQ(commit_one(store(), {PutHandle{later}}), GroupOutcome::committed);
    expect_same(**store().handle("c"), later);
    EXPECT_FALSE(store().handle_of_key("key")->has_value());
    EXPECT_EQ((*store().handle_of_key("other key"))->call, "c");
    EXPECT_EQ(calls_of(store().handles("owner", ~0u, "", 9)), Calls{});
    EXPECT_EQ(calls_of(store().handles("somebody else", ~0u, "", 9)), Calls{"c"});
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("d", "key")}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {PutHandle{later}}), GroupOutcome::committed);  // the same once more
}

TEST_P(store_contract_handles, a_handle_needs_its_call_and_a_key_of_its_own_or_none) {
    commit_one(store(), {InsertCall{call_row("c", "")}, InsertCall{call_row("d", "")}});
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("absent", "key")}}), GroupOutcome::conflict);
    EXPECT_FALSE(store().handle_of_key("key")->has_value());
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("c", "key")}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("d", "key")}}), GroupOutcome::conflict);
    EXPECT_EQ((*store().handle_of_key("key"))->call, "c");
    EXPECT_FALSE(store().handle("d")->has_value());
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("d")}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("d", "key")}}), GroupOutcome::conflict);
    EXPECT_EQ((*store().handle("d"))->idempotency_key, "");
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("c")}}), GroupOutcome::committed);  // "" may be anybody's
    EXPECT_FALSE(store().handle_of_key("")->has_value());
}

TEST_P(store_contract_handles, two_calls_with_one_key_in_one_batch_are_one_call_and_one_conflict) {
    const auto outcome = commit(store(), {
                                             {InsertCall{call_row("c", "")}, PutHandle{handle_row("c", "key")}},
                                             {InsertCall{call_row("d", "")}, PutHandle{handle_row("d", "key")}},
                                             {AppendEvent{{"t", 1, "kept"}}},
                                         });
    ASSERT_TRUE(outcome) << outcome.error().sentence;
    EXPECT_EQ(*outcome, (std::vector{GroupOutcome::committed, GroupOutcome::conflict, GroupOutcome::committed}));
    EXPECT_FALSE(store().call("d")->has_value());
    EXPECT_EQ((*store().handle_of_key("key"))->call, "c");
    EXPECT_EQ(*store().last_event("t"), 1u);
}

TEST_P(store_contract_handles, the_handles_of_an_owner_are_listed_newest_first_by_reach_and_page_by_page) {
    for (const std::string call : {"3", "1", "5", "2", "4"}) {
        const bool task = call != "2";
        commit_one(store(), {InsertCall{call_row(call, "")}, PutHandle{handle_row(call, "", task ? 4u | 1u : 2u)}});
    }
    commit_one(store(), {InsertCall{call_row("9", "")}, PutHandle{handle_row("9", "", 4, "other")}, InsertCall{call_row("8", "")}});
    EXPECT_EQ(calls_of(store().handles("owner", 4, "", 9)), (Calls{"5", "4", "3", "1"}));
    EXPECT_EQ(calls_of(store().handles("owner", 2 | 1, "", 9)), (Calls{"5", "4", "3", "2", "1"}));
    EXPECT_EQ(calls_of(store().handles("owner", 8, "", 9)), Calls{});
    EXPECT_EQ(calls_of(store().handles("owner", 0, "", 9)), Calls{});
    EXPECT_EQ(calls_of(store().handles("", 4, "", 9)), Calls{});
    EXPECT_EQ(calls_of(store().handles("owner", 4, "", 2)), (Calls{"5", "4"}));
    EXPECT_EQ(calls_of(store().handles("owner", 4, "4", 2)), (Calls{"3", "1"}));
    EXPECT_EQ(calls_of(store().handles("owner", 4, "35", 9)), (Calls{"3", "1"}));  // `before` need not exist
    EXPECT_EQ(calls_of(store().handles("owner", 4, "1", 9)), Calls{});
    EXPECT_EQ(calls_of(store().handles("owner", 4, "", 0)), Calls{});
    EXPECT_EQ(calls_of(store().handles("owner", 4, "", ~std::size_t{0})), (Calls{"5", "4", "3", "1"}));
}

TEST_P(store_contract_handles, expired_handles_are_those_whose_ttl_is_over_the_longest_over_first) {
    const auto insert = [&](const std::string& call, std::int64_t created_ms, std::int64_t ttl_ms) {
        HandleRow row = handle_row(call);
        row.created_ms = created_ms;
        row.ttl_ms = ttl_ms;
        commit_one(store(), {InsertCall{call_row(call, "")}, PutHandle{row}});
    };
    insert("a", 100, 50);
    insert("b", 10, 20);
    insert("c", 0, 0);  // for ever
    insert("d", 5, 25);
    insert("e", 2'000, std::numeric_limits<std::int64_t>::max());  // beyond all time, and of integers
    EXPECT_EQ(calls_of(store().expired_handles(29, nullptr, 9)), Calls{});
    EXPECT_EQ(calls_of(store().expired_handles(30, nullptr, 9)), (Calls{"b", "d"}));
    EXPECT_EQ(calls_of(store().expired_handles(150, nullptr, 9)), (Calls{"b", "d", "a"}));
    EXPECT_EQ(calls_of(store().expired_handles(150, nullptr, 1)), Calls{"b"});
    EXPECT_EQ(calls_of(store().expired_handles(150, nullptr, 0)), Calls{});
    EXPECT_EQ(calls_of(store().expired_handles(std::numeric_limits<std::int64_t>::max(), nullptr, 9)), (Calls{"b", "d", "a"}));
}

TEST_P(store_contract_handles, expired_handles_are_read_page_by_page_behind_one_that_may_be_gone) {
    const auto insert = [&](const std::string& call, std::int64_t created_ms, std::int64_t ttl_ms) {
        HandleRow row = handle_row(call);
        row.created_ms = created_ms;
        row.ttl_ms = ttl_ms;
        commit_one(store(), {InsertCall{call_row(call, "")}, PutHandle{row}});
    };
    insert("late", 0, 50);
    for (const std::string call : {"m", "k", "l", "n"}) {  // over at the same moment
        insert(call, 10, 20);
    }
    insert("early", 1, 1);
    insert("not yet", 0, 101);
    Calls all;
    std::optional<HandleRow> last;
    for (;;) {
        const auto page = store().expired_handles(100, last ? &*last : nullptr, 2);
        const Calls calls = calls_of(page);
        if (calls.empty()) {
            break;
        }
        all.insert(all.end(), calls.begin(), calls.end());
        last = page->back();
        commit_one(store(), {DropCall{last->call}});
        ASSERT_LE(all.size(), 6u);
    }
    EXPECT_EQ(all, (Calls{"early", "k", "l", "m", "n", "late"}));
    EXPECT_EQ(calls_of(store().expired_handles(100, nullptr, 9)), (Calls{"early", "l", "n"}));  // "k", "m" and "late" ended their pages
}

TEST_P(store_contract_handles, the_first_arrival_stays_and_all_come_back_in_the_order_of_their_keys) {
    const std::string payload = "\0{\xff}"s + std::string(100'000, 'x');
    commit_one(store(), {InsertCall{call_row("c", "")}, InsertCall{call_row("d", "")}});
    EXPECT_EQ(commit_one(store(), {InsertArrival{"c", {"b", payload}}, InsertArrival{"c", {"a\0"s, ""}}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {InsertArrival{"d", {"b", "of d"}}}), GroupOutcome::committed);
    EXPECT_EQ(commit_one(store(), {InsertArrival{"c", {"b", "second"}}}), GroupOutcome::conflict);
    reopen();
    const auto rows = store().arrivals("c");
    ASSERT_TRUE(rows) << rows.error().sentence;
    ASSERT_EQ(rows->size(), 2u);
    EXPECT_EQ((*rows)[0].key, "a\0"s);
    EXPECT_EQ((*rows)[0].payload, "");
    EXPECT_EQ((*rows)[1].key, "b");
    EXPECT_EQ((*rows)[1].payload, payload);
    EXPECT_EQ(store().arrivals("d")->size(), 1u);
    EXPECT_TRUE(store().arrivals("absent")->empty());
}

TEST_P(store_contract_handles, nothing_arrives_at_a_call_that_is_absent_or_has_finished) {
    commit_one(store(), {InsertCall{call_row("c", "")}});
    EXPECT_EQ(commit_one(store(), {InsertArrival{"absent", {"k", "1"}}}), GroupOutcome::conflict);
    EXPECT_EQ(commit_one(store(), {UpdateCall{"c", CallState::suspended, 0, 0}, InsertArrival{"c", {"k", "1"}}}), GroupOutcome::committed);
    for (const CallState ended : {CallState::completed, CallState::cancelled, CallState::quarantined}) {
        EXPECT_EQ(commit_one(store(), {UpdateCall{"c", ended, 0, 5}}), GroupOutcome::committed);
        EXPECT_EQ(commit_one(store(), {InsertArrival{"c", {"l", "1"}}}), GroupOutcome::conflict);
    }
    EXPECT_EQ(store().arrivals("c")->size(), 1u);
    EXPECT_TRUE(store().arrivals("absent")->empty());
}

TEST_P(store_contract_handles, a_dropped_call_goes_with_all_that_is_its_and_its_key_is_free) {
    commit_one(store(), {InsertCall{call_row("c", "s")}, InsertCall{call_row("d", "s", "2")}, AppendEntry{"c", entry(1)},
                         InsertArrival{"c", {"k", "1"}}, PutHandle{handle_row("c", "key")}, AppendEvent{{"stream of c", 1, "c"}},
                         AppendEvent{{"stream of d", 1, "d"}}});
    EXPECT_EQ(commit_one(store(), {DropCall{"c"}, DropCall{"absent"}}), GroupOutcome::committed);
    reopen();
    EXPECT_FALSE(store().call("c")->has_value());
    EXPECT_FALSE(store().call_of_request("s", "1")->has_value());
    EXPECT_TRUE(store().entries("c")->empty());
    EXPECT_TRUE(store().arrivals("c")->empty());
    EXPECT_FALSE(store().handle("c")->has_value());
    EXPECT_FALSE(store().handle_of_key("key")->has_value());
    EXPECT_EQ(calls_of(store().handles("owner", ~0u, "", 9)), Calls{});
    EXPECT_EQ(*store().last_event("stream of c"), 0u);
    EXPECT_EQ(*store().last_event("stream of d"), 1u);
    EXPECT_EQ(store().unfinished_calls()->size(), 1u);
    EXPECT_EQ(commit_one(store(), {PutHandle{handle_row("d", "key")}}), GroupOutcome::committed);
}

TEST_P(store_contract_handles, the_events_of_a_stream_stay_until_its_last_call_is_dropped) {
    for (const std::string id : {"b", "c", "d"}) {  // so that the one that is dropped first lies between the others
        CallRow row = call_row(id, "");
        row.stream = "shared";
        commit_one(store(), {InsertCall{row}, AppendEvent{{"shared", static_cast<std::uint64_t>(id[0]), id}}});
    }
    commit_one(store(), {DropCall{"c"}, DropCall{"b"}});
    EXPECT_EQ(store().events("shared", 0, 9)->size(), 3u);
    commit_one(store(), {DropCall{"d"}});
    EXPECT_EQ(store().events("shared", 0, 9)->size(), 0u);
}

TEST_P(store_contract_handles, a_call_with_a_handle_outlives_its_session) {
    CallRow beside = call_row("beside", "s", "3");
    beside.stream = "stream of kept";
    commit_one(store(), {PutSession{{"s", "", "{}", 1, 1}}, InsertCall{call_row("kept", "s", "1")}, InsertCall{call_row("lost", "s", "2")},
                         InsertCall{beside}, PutHandle{handle_row("kept", "key")}});
    for (const std::string call : {"kept", "lost", "beside"}) {
        commit_one(store(), {AppendEntry{call, entry(1)}, InsertArrival{call, {"k", "1"}}, AppendEvent{{"stream of " + call, 1, "e"}}});
    }
    commit_one(store(), {DropSession{"s"}});
    EXPECT_TRUE(store().sessions()->empty());
    EXPECT_TRUE(store().call("kept")->has_value());
    EXPECT_EQ((*store().handle_of_key("key"))->call, "kept");
    EXPECT_EQ((*store().call_of_request("s", "1"))->id, "kept");
    EXPECT_EQ(store().entries("kept")->size(), 1u);
    EXPECT_EQ(store().arrivals("kept")->size(), 1u);
    EXPECT_EQ(*store().last_event("stream of kept"), 1u);
    for (const std::string call : {"lost", "beside"}) {
        EXPECT_FALSE(store().call(call)->has_value()) << call;
        EXPECT_TRUE(store().entries(call)->empty()) << call;
        EXPECT_TRUE(store().arrivals(call)->empty()) << call;
    }
    EXPECT_EQ(*store().last_event("stream of lost"), 0u);
    commit_one(store(), {DropCall{"kept"}});
    EXPECT_FALSE(store().handle("kept")->has_value());
    EXPECT_EQ(*store().last_event("stream of kept"), 0u);
}

TEST_P(store_contract_handles, the_keys_of_the_ring_come_back_in_the_order_of_their_ids) {
    EXPECT_TRUE(store().secrets()->empty());
    commit_one(store(),
               {PutSecret{{2, 20, "two"}}, PutSecret{{~0ull, -1, ""}}, PutSecret{{1, 10, "\0\xff\x80 one"s}}, PutSecret{{3, 0, "x"}}});
    commit_one(store(), {PutSecret{{2, 21, "two again"}}, DropSecret{3}, DropSecret{99}});
    reopen();
    const auto rows = store().secrets();
    ASSERT_TRUE(rows) << rows.error().sentence;
    ASSERT_EQ(rows->size(), 3u);
    EXPECT_EQ((*rows)[0].id, 1u);
    EXPECT_EQ((*rows)[0].created_ms, 10);
    EXPECT_EQ((*rows)[0].value, "\0\xff\x80 one"s);
    EXPECT_EQ((*rows)[1].id, 2u);
    EXPECT_EQ((*rows)[1].created_ms, 21);
    EXPECT_EQ((*rows)[1].value, "two again");
    EXPECT_EQ((*rows)[2].id, ~0ull);
    EXPECT_EQ((*rows)[2].created_ms, -1);
    EXPECT_EQ((*rows)[2].value, "");
}

TEST_P(store_contract_handles, a_group_in_conflict_leaves_no_trace_of_any_of_them) {
    commit_one(store(), {PutSession{{"s", "", "{}", 1, 1}}, InsertCall{call_row("c")}, InsertCall{call_row("d", "s", "2")},
                         AppendEntry{"c", entry(1)}, AppendEvent{{"stream of c", 1, "e"}}, PutHandle{handle_row("c", "key")},
                         InsertArrival{"c", {"k", "1"}}, PutSecret{{1, 1, "one"}}});
    const std::vector<Group> torn = {
        {PutHandle{handle_row("c", "new key", 8)}, PutHandle{handle_row("d", "key")}, InsertArrival{"c", {"l", "2"}},
         InsertArrival{"d", {"k", "2"}}, PutSecret{{1, 2, "other"}}, PutSecret{{2, 2, "two"}}, DropSession{"s"}, ExpectRunning{"absent"}},
        {DropCall{"c"}, DropCall{"d"}, DropSecret{1}, PutSecret{{2, 2, "two"}}, ExpectRunning{"absent"}},
        {DropCall{"c"}, InsertCall{call_row("c")}, PutHandle{handle_row("c")}, InsertArrival{"c", {"k", "3"}}, ExpectRunning{"absent"}},
    };
    for (const Group& group : torn) {
        EXPECT_EQ(commit_one(store(), group), GroupOutcome::conflict);
        EXPECT_EQ(store().sessions()->size(), 1u);
        EXPECT_EQ(store().unfinished_calls()->size(), 2u);
        EXPECT_EQ((*store().call_of_request("s", "1"))->id, "c");
        EXPECT_EQ(store().entries("c")->size(), 1u);
        EXPECT_EQ(*store().last_event("stream of c"), 1u);
        expect_same(**store().handle("c"), handle_row("c", "key"));
        EXPECT_EQ((*store().handle_of_key("key"))->call, "c");
        EXPECT_FALSE(store().handle_of_key("new key")->has_value());
        EXPECT_FALSE(store().handle("d")->has_value());
        ASSERT_EQ(store().arrivals("c")->size(), 1u);
        EXPECT_EQ(store().arrivals("c")->front().payload, "1");
        EXPECT_TRUE(store().arrivals("d")->empty());
        ASSERT_EQ(store().secrets()->size(), 1u);
        EXPECT_EQ(store().secrets()->front().value, "one");
    }
}

INSTANTIATE_TEST_SUITE_P(of, store_contract_handles, ::testing::Values("memory", "sqlite"), name_of_store);

}  // namespace
}  // namespace durable_mcp::store
