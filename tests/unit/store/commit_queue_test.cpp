// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "store/memory/memory_store.hpp"
#include "unit/store/queue_under_test.hpp"

namespace durable_mcp::store {
namespace {

using commit_queue = CommitQueueTest;

TEST_F(commit_queue, the_thread_that_waits_leads) {
    const auto queue = open();
    queue->wait(submit(*queue, "a", Urgency::lazy));
    ASSERT_EQ(store_->batches().size(), 1u);
    EXPECT_EQ(store_->batches()[0].thread, std::this_thread::get_id());
    EXPECT_EQ(log_.lines(), Lines{"a committed"});
}

TEST_F(commit_queue, ticket_zero_and_a_settled_ticket_are_not_waited_for) {
    const auto queue = open();
    queue->wait(0);
    const auto ticket = submit(*queue, "a", Urgency::lazy);
    queue->wait(ticket);
    queue->wait(ticket);
    EXPECT_EQ(store_->batches().size(), 1u);
}

TEST_F(commit_queue, waiting_for_a_later_group_commits_the_earlier_ones_with_it_in_order) {
    const auto queue = open();
    submit(*queue, "a", Urgency::lazy);
    submit(*queue, "b", Urgency::lazy);
    queue->wait(submit(*queue, "c", Urgency::lazy));
    ASSERT_EQ(store_->batches().size(), 1u);
    EXPECT_EQ(store_->names(), (Lines{"a", "b", "c"}));
    EXPECT_EQ(log_.lines(), (Lines{"a committed", "b committed", "c committed"}));
}

TEST_F(commit_queue, a_group_that_is_wanted_soon_is_committed_though_nobody_waits) {
    const auto queue = open();
    submit(*queue, "a", Urgency::soon);
    log_.wait_for(1);
    EXPECT_NE(store_->batches()[0].thread, std::this_thread::get_id());
}

TEST_F(commit_queue, a_group_that_is_wanted_soon_takes_the_lazy_ones_before_it_along) {
    const auto queue = open();
    submit(*queue, "a", Urgency::lazy);
    submit(*queue, "b", Urgency::soon);
    log_.wait_for(2);
    EXPECT_EQ(store_->names(), (Lines{"a", "b"}));
}

TEST_F(commit_queue, a_lazy_group_is_committed_after_its_grace_though_nobody_waits) {
    limits_.lazy_grace = std::chrono::milliseconds(30);
    const auto queue = open();
    const auto start = std::chrono::steady_clock::now();
    submit(*queue, "a", Urgency::lazy);
    log_.wait_for(1);
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(30));
}

TEST_F(commit_queue, what_queues_up_during_a_commit_is_the_next_batch_and_a_follower_leads_it) {
    const auto queue = open();
    store_->hold();
    std::thread first([&] { queue->wait(submit(*queue, "first", Urgency::lazy)); });
    store_->wait_until_entered(1);
    std::vector<std::thread> followers;
    std::vector<std::thread::id> ids;
    for (int i = 0; i < 8; ++i) {
        const auto ticket = submit(*queue, std::to_string(i), Urgency::lazy);
        followers.emplace_back([&queue, ticket] { queue->wait(ticket); });
        ids.push_back(followers.back().get_id());
    }
    store_->let_go();
    first.join();
    for (auto& follower : followers) {
        follower.join();
    }
    const auto batches = store_->batches();
    ASSERT_EQ(batches.size(), 2u);
    EXPECT_EQ(batches[1].names.size(), 8u);
    EXPECT_NE(std::find(ids.begin(), ids.end(), batches[1].thread), ids.end());
}

TEST_F(commit_queue, a_follower_is_woken_by_the_leader_that_committed_its_group) {
    limits_.batch_groups = 2;
    const auto queue = open();
    store_->hold();
    std::thread leader([&] { queue->wait(submit(*queue, "a", Urgency::lazy)); });
    store_->wait_until_entered(1);
    const auto b = submit(*queue, "b", Urgency::lazy);
    const auto c = submit(*queue, "c", Urgency::lazy);
    std::thread follower([&] { queue->wait(b); });
    store_->let_go();
    leader.join();
    queue->wait(c);
    follower.join();
    EXPECT_EQ(store_->names(), (Lines{"a", "b", "c"}));
}

TEST_F(commit_queue, a_batch_has_no_more_groups_than_its_cap) {
    limits_.batch_groups = 3;
    const auto queue = open();
    Ticket last = 0;
    for (int i = 0; i < 8; ++i) {
        last = submit(*queue, std::to_string(i), Urgency::lazy);
    }
    queue->wait(last);
    std::vector<std::size_t> sizes;
    for (const auto& batch : store_->batches()) {
        sizes.push_back(batch.names.size());
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 2}));
}

TEST_F(commit_queue, a_batch_has_no_more_bytes_than_its_cap_and_a_larger_group_goes_alone) {
    limits_.batch_bytes = 10'000;
    const auto queue = open();
    queue->submit(named("small", 10), Urgency::lazy, WhenFull::fail);
    queue->submit(named("large", 50'000), Urgency::lazy, WhenFull::fail);
    queue->wait(queue->submit(named("small too", 10), Urgency::lazy, WhenFull::fail));
    ASSERT_EQ(store_->batches().size(), 3u);
    EXPECT_EQ(store_->names(), (Lines{"small", "large", "small too"}));
}

TEST_F(commit_queue, a_completion_has_been_called_when_wait_returns_and_not_before_the_commit) {
    const auto queue = open();
    for (int i = 0; i < 200; ++i) {
        std::atomic<std::size_t> committed_before{0};
        queue->wait(queue->submit(named("x"), Urgency::soon, WhenFull::fail,
                                  [&](base::Result<GroupOutcome>) { committed_before = store_->names().size(); }));
        EXPECT_EQ(committed_before, static_cast<std::size_t>(i + 1));
    }
}

TEST_F(commit_queue, a_completion_may_submit) {
    const auto queue = open();
    queue->wait(
        queue->submit(named("a"), Urgency::lazy, WhenFull::fail, [&](base::Result<GroupOutcome>) { submit(*queue, "b", Urgency::soon); }));
    log_.wait_for(1);
    EXPECT_EQ(store_->names(), (Lines{"a", "b"}));
}

TEST_F(commit_queue, many_threads_commit_in_the_order_of_their_tickets) {
    limits_.lazy_grace = std::chrono::microseconds(200);
    limits_.batch_groups = 7;
    constexpr int threads = 32;
    constexpr int rounds = 150;
    std::vector<Ticket> completed;  // written by leaders only, one after the other
    {
        const auto queue = open();
        std::vector<std::thread> workers;
        for (int t = 0; t < threads; ++t) {
            workers.emplace_back([&, t] {
                for (int i = 0; i < rounds; ++i) {
                    auto ticket = std::make_shared<std::atomic<Ticket>>(0);
                    std::atomic<bool> called{false};
                    auto* flag = &called;
                    const auto mine = queue->submit(named("x"), (t + i) % 3 == 0 ? Urgency::soon : Urgency::lazy, WhenFull::keep,
                                                    [&completed, ticket, flag](base::Result<GroupOutcome> outcome) {
                                                        EXPECT_TRUE(outcome.has_value());
                                                        while (ticket->load() == 0) {
                                                            std::this_thread::yield();
                                                        }
                                                        completed.push_back(*ticket);
                                                        flag->store(true);
                                                    });
                    *ticket = mine;
                    queue->wait(mine);
                    EXPECT_TRUE(called);
                }
            });
        }
        for (auto& worker : workers) {
            worker.join();
        }
    }
    ASSERT_EQ(completed.size(), static_cast<std::size_t>(threads * rounds));
    EXPECT_TRUE(std::is_sorted(completed.begin(), completed.end()));
    EXPECT_EQ(std::adjacent_find(completed.begin(), completed.end()), completed.end());
}

TEST_F(commit_queue, whoever_waits_for_room_waits_while_too_much_is_queued_and_the_engine_can_ask) {
    limits_.queued_bytes = 10'000;
    const auto queue = open();
    EXPECT_FALSE(queue->is_congested());
    store_->hold();
    queue->submit(named("large", 20'000), Urgency::soon, WhenFull::fail);
    store_->wait_until_entered(1);
    EXPECT_TRUE(queue->is_congested());
    std::atomic<bool> submitted{false};
    std::thread blocked([&] {
        queue->wait_for_room();
        const auto ticket = submit(*queue, "b", Urgency::lazy);
        submitted = true;
        queue->wait(ticket);
    });
    EXPECT_FALSE(submitted);
    store_->let_go();
    blocked.join();
    EXPECT_TRUE(submitted);
    EXPECT_FALSE(queue->is_congested());
    EXPECT_EQ(store_->names(), (Lines{"large", "b"}));
}

TEST_F(commit_queue, who_waits_for_room_makes_our_own_thread_commit_what_is_lazy) {
    limits_.queued_bytes = 10'000;
    const auto queue = open();
    queue->submit(named("large", 20'000), Urgency::lazy, WhenFull::fail);
    queue->wait_for_room();
    submit(*queue, "b", Urgency::soon);
    log_.wait_for(1);
    EXPECT_EQ(store_->names(), (Lines{"large", "b"}));
}

TEST_F(commit_queue, a_completion_may_submit_into_a_full_queue) {
    limits_.queued_bytes = 1;
    const auto queue = open();
    queue->wait(
        queue->submit(named("a"), Urgency::lazy, WhenFull::fail, [&](base::Result<GroupOutcome>) { submit(*queue, "b", Urgency::soon); }));
    log_.wait_for(1);
    EXPECT_EQ(store_->names(), (Lines{"a", "b"}));
}

TEST_F(commit_queue, its_end_commits_what_is_queued) {
    {
        const auto queue = open();
        submit(*queue, "a", Urgency::lazy);
        submit(*queue, "b", Urgency::lazy, WhenFull::keep);
    }
    EXPECT_EQ(log_.lines(), (Lines{"a committed", "b committed"}));
}

TEST_F(commit_queue, may_be_destroyed_with_a_completion_that_owned_it) {
    auto queue = std::make_shared<CommitQueue>(open_memory_store(), limits_);
    std::promise<void> promise;
    auto is_gone = promise.get_future();
    std::shared_ptr<void> tell(nullptr, [&promise](void*) { promise.set_value(); });
    struct Owner {
        std::shared_ptr<void> tell;  // let go last
        std::shared_ptr<CommitQueue> queue;
    };
    queue->submit({AppendEvent{{"t", 1, ""}}}, Urgency::soon, WhenFull::fail, [owner = Owner{tell, queue}](const base::Result<GroupOutcome>&) {});
    queue.reset();
    tell.reset();
    EXPECT_EQ(is_gone.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(commit_queue, the_store_is_tidied_when_nothing_was_submitted_for_a_while_and_only_once) {
    const auto queue = open();
    queue->wait(submit(*queue, "a", Urgency::lazy));
    store_->wait_until_tidied(1);
    queue->wait(submit(*queue, "b", Urgency::lazy));
    store_->wait_until_tidied(2);
    EXPECT_EQ(store_->tidied(), 2);
}

TEST_F(commit_queue, nothing_wakes_our_own_thread_while_there_is_nothing_to_do) {
    limits_.lazy_grace = std::chrono::milliseconds(1);
    const auto threads = [] {
        std::set<std::filesystem::path> tasks;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
            tasks.insert(entry.path());
        }
        return tasks;
    };
    const auto others = threads();  // a sanitizer's among them, which does wake up
    const auto queue = open();
    queue->wait(submit(*queue, "a", Urgency::lazy));
    store_->wait_until_tidied(1);
    const auto switches = [&] {
        long count = 0;
        for (const auto& task : threads()) {
            std::ifstream status(task / "status");
            for (std::string line; !others.contains(task) && std::getline(status, line);) {
                if (line.rfind("voluntary_ctxt_switches:", 0) == 0) {
                    count += std::stol(line.substr(line.find(':') + 1));
                }
            }
        }
        return count;
    };
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // most likely it has gone to sleep after the tidying
    const long before = switches();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the interval that is measured
    EXPECT_LE(switches() - before, 20);                           // it would be 200 of a poll
}

TEST_F(commit_queue, a_conflict_is_told_to_its_own_group_only) {
    const auto memory = open_memory_store();
    CommitQueue queue(memory, limits_);
    std::vector<GroupOutcome> outcomes;
    const auto keep = [&](base::Result<GroupOutcome> outcome) { outcomes.push_back(outcome.value()); };
    queue.submit({AppendEvent{{"t", 1, ""}}}, Urgency::lazy, WhenFull::fail, keep);
    queue.submit({AppendEvent{{"t", 1, ""}}}, Urgency::lazy, WhenFull::fail, keep);
    queue.wait(queue.submit({AppendEvent{{"t", 2, ""}}}, Urgency::lazy, WhenFull::fail, keep));
    EXPECT_EQ(outcomes, (std::vector{GroupOutcome::committed, GroupOutcome::conflict, GroupOutcome::committed}));
}

}  // namespace
}  // namespace durable_mcp::store
