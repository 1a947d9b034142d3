// SPDX-License-Identifier: Apache-2.0
// What becomes of groups when commits fail: the disk is full and recovers, the database is busy, the outcome is unknown.

#include <atomic>
#include <future>
#include <thread>

#include "unit/store/queue_under_test.hpp"

namespace durable_mcp::store {
namespace {

using base::FailureCode;
using commit_queue_faults = CommitQueueTest;

TEST_F(commit_queue_faults, on_a_full_disk_groups_that_may_fail_do_and_kept_ones_get_through_later_in_order) {
    const auto queue = open();
    store_->fail_with(FailureCode::store_full);
    submit(*queue, "kept 1", Urgency::lazy, WhenFull::keep);
    submit(*queue, "lost 1", Urgency::lazy, WhenFull::fail);
    submit(*queue, "kept 2", Urgency::lazy, WhenFull::keep);
    submit(*queue, "lost 2", Urgency::soon, WhenFull::fail);
    log_.wait_for(2);
    EXPECT_EQ(log_.lines(), (Lines{"lost 1 full", "lost 2 full"}));
    EXPECT_EQ(queue->health(), StoreHealth::full);
    submit(*queue, "kept 3", Urgency::soon, WhenFull::keep);
    store_->recover();
    log_.wait_for(5);
    EXPECT_EQ(store_->names(), (Lines{"kept 1", "kept 2", "kept 3"}));
    EXPECT_EQ(queue->health(), StoreHealth::good);
    queue->wait(submit(*queue, "welcome", Urgency::lazy));
    EXPECT_EQ(log_.lines().back(), "welcome committed");
}

TEST_F(commit_queue_faults, while_it_is_full_a_new_group_fails_at_once_without_a_try) {
    const auto queue = open();
    store_->fail_with(FailureCode::store_full);
    submit(*queue, "kept", Urgency::soon, WhenFull::keep);
    store_->wait_until_tried(1);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 500; ++i) {
        queue->wait(submit(*queue, "new", Urgency::lazy, WhenFull::fail));  // returns although an earlier group is not settled
    }
    const auto quarters = (std::chrono::steady_clock::now() - start) / std::chrono::milliseconds(250);
    EXPECT_LE(store_->tried(), 3 + quarters);
    EXPECT_EQ(log_.lines().size(), 500u);
    store_->recover();
}

TEST_F(commit_queue_faults, a_kept_group_is_tried_again_by_itself) {
    const auto queue = open();
    store_->fail_with(FailureCode::store_full);
    const auto ticket = submit(*queue, "kept", Urgency::soon, WhenFull::keep);
    std::thread waiter([&] { queue->wait(ticket); });
    store_->wait_until_tried(3);
    EXPECT_TRUE(log_.lines().empty());
    store_->recover();
    waiter.join();
    EXPECT_EQ(log_.lines(), Lines{"kept committed"});
}

TEST_F(commit_queue_faults, kept_groups_that_do_not_fit_together_are_tried_in_smaller_batches) {
    const auto queue = open();
    store_->take_at_most(1);
    for (int i = 0; i < 4; ++i) {
        submit(*queue, std::to_string(i), Urgency::lazy, WhenFull::keep);
    }
    submit(*queue, "last", Urgency::soon, WhenFull::keep);
    store_->wait_until_tried(4);
    EXPECT_GE(store_->names().size(), 1u);
    EXPECT_EQ(store_->names()[0], "0");
    store_->take_at_most(0);
    log_.wait_for(5);
    EXPECT_EQ(store_->names(), (Lines{"0", "1", "2", "3", "last"}));
}

TEST_F(commit_queue_faults, a_busy_database_is_treated_like_a_full_disk) {
    const auto queue = open();
    store_->fail_with(FailureCode::store_unavailable);
    submit(*queue, "kept", Urgency::lazy, WhenFull::keep);
    submit(*queue, "lost", Urgency::soon, WhenFull::fail);
    log_.wait_for(1);
    EXPECT_EQ(log_.lines(), Lines{"lost unavailable"});
    EXPECT_EQ(queue->health(), StoreHealth::full);
    store_->recover();
    log_.wait_for(2);
    EXPECT_EQ(log_.lines().back(), "kept committed");
    EXPECT_EQ(queue->health(), StoreHealth::good);
}

TEST_F(commit_queue_faults, health_recovers_by_itself_when_nothing_is_queued) {
    const auto queue = open();
    store_->fail_with(FailureCode::store_full);
    queue->wait(submit(*queue, "lost", Urgency::lazy));
    EXPECT_EQ(queue->health(), StoreHealth::full);
    store_->wait_until_asked_for_room(2);
    EXPECT_EQ(queue->health(), StoreHealth::full);
    store_->recover();
    while (queue->health() != StoreHealth::good) {
        std::this_thread::yield();
    }
}

TEST_F(commit_queue_faults, the_reserve_is_for_kept_groups_alone_until_there_is_room) {
    const auto queue = open();
    store_->have_reserve();
    store_->fail_with(FailureCode::store_full);
    submit(*queue, "kept", Urgency::lazy, WhenFull::keep);
    submit(*queue, "lost", Urgency::soon, WhenFull::fail);
    log_.wait_for(2);
    EXPECT_EQ(store_->names(), Lines{"kept"});  // the store works again, on its reserve
    EXPECT_EQ(queue->health(), StoreHealth::full);
    queue->wait(submit(*queue, "lost too", Urgency::lazy, WhenFull::fail));
    queue->wait(submit(*queue, "kept too", Urgency::lazy, WhenFull::keep));
    EXPECT_EQ(store_->names(), (Lines{"kept", "kept too"}));
    EXPECT_EQ(queue->health(), StoreHealth::full);
    store_->recover();
    while (queue->health() != StoreHealth::good) {
        std::this_thread::yield();
    }
    queue->wait(submit(*queue, "welcome", Urgency::lazy));
    EXPECT_EQ(log_.lines().back(), "welcome committed");
}

TEST_F(commit_queue_faults, an_unknown_outcome_poisons_and_nothing_is_committed_any_more) {
    const auto queue = open();
    store_->hold();
    store_->fail_with(FailureCode::outcome_unknown);
    submit(*queue, "in the batch", Urgency::soon, WhenFull::keep);
    store_->wait_until_entered(1);
    submit(*queue, "behind it", Urgency::lazy, WhenFull::keep);
    store_->let_go();
    log_.wait_for(2);
    store_->recover();  // the store would work again: nobody asks it
    queue->wait(submit(*queue, "later", Urgency::lazy, WhenFull::keep));
    submit(*queue, "soon", Urgency::soon);
    log_.wait_for(4);
    EXPECT_EQ(log_.lines(), (Lines{"in the batch unknown", "behind it unavailable", "later unavailable", "soon unavailable"}));
    EXPECT_EQ(queue->health(), StoreHealth::poisoned);
    EXPECT_EQ(store_->tried(), 1);
    EXPECT_TRUE(store_->names().empty());
}

TEST_F(commit_queue_faults, any_other_failure_of_a_commit_poisons_as_well) {
    const auto queue = open();
    store_->fail_with(FailureCode::store_damaged);
    queue->wait(submit(*queue, "a", Urgency::lazy, WhenFull::keep));
    EXPECT_EQ(queue->health(), StoreHealth::poisoned);
}

TEST_F(commit_queue_faults, waiters_and_blocked_submitters_are_let_go_by_the_poison) {
    limits_.queued_bytes = 10'000;
    const auto queue = open();
    store_->hold();
    store_->fail_with(FailureCode::outcome_unknown);
    queue->submit(named("large", 20'000), Urgency::soon, WhenFull::keep);
    store_->wait_until_entered(1);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            queue->wait_for_room();
            queue->wait(submit(*queue, "x", Urgency::lazy, WhenFull::keep));
        });
    }
    store_->let_go();
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(log_.lines(), Lines(8, "x unavailable"));
}

TEST_F(commit_queue_faults, each_change_of_health_is_told_once) {
    Lines changes;
    std::mutex mutex;
    const auto queue = open();
    queue->on_health_change([&](StoreHealth health, const base::Failure&) {
        const std::lock_guard lock(mutex);
        changes.push_back(health == StoreHealth::good ? "good" : health == StoreHealth::full ? "full" : "poisoned");
    });
    queue->wait(submit(*queue, "a", Urgency::lazy));
    store_->fail_with(FailureCode::store_full);
    queue->wait(submit(*queue, "b", Urgency::lazy));
    queue->wait(submit(*queue, "c", Urgency::lazy));
    const auto kept = submit(*queue, "d", Urgency::lazy, WhenFull::keep);
    store_->recover();
    queue->wait(kept);
    while (queue->health() != StoreHealth::good) {
        std::this_thread::yield();
    }
    store_->fail_with(FailureCode::outcome_unknown);
    queue->wait(submit(*queue, "e", Urgency::lazy));
    const std::lock_guard lock(mutex);
    EXPECT_EQ(changes, (Lines{"full", "good", "poisoned"}));
}

TEST_F(commit_queue_faults, its_end_on_a_full_disk_fails_what_is_kept_rather_than_wait_for_ever) {
    store_->fail_with(FailureCode::store_full);
    {
        const auto queue = open();
        submit(*queue, "kept", Urgency::soon, WhenFull::keep);
        store_->wait_until_tried(1);
    }
    EXPECT_EQ(log_.lines(), Lines{"kept full"});
}

TEST_F(commit_queue_faults, its_end_while_it_lives_on_the_reserve_fails_what_may_fail_rather_than_wait_for_room) {
    auto queue = open();
    store_->have_reserve();
    store_->fail_with(FailureCode::store_full);
    // The last owner lets go on the queue's own thread, with a group in the queue that is not for the reserve: nobody could take it earlier.
    queue->submit(named("kept"), Urgency::soon, WhenFull::keep, [&](base::Result<GroupOutcome> outcome) {
        EXPECT_TRUE(outcome.has_value());
        submit(*queue, "lost", Urgency::soon, WhenFull::fail);
        queue.reset();
    });
    ASSERT_TRUE(log_.wait_for(1, std::chrono::seconds(10)));
    EXPECT_EQ(log_.lines(), Lines{"lost full"});
    EXPECT_EQ(store_->names(), Lines{"kept"});
}

TEST_F(commit_queue_faults, a_tidying_that_leaves_the_store_in_doubt_poisons_at_once) {
    const auto queue = open();
    std::promise<std::string> told;
    auto sentence = told.get_future();
    queue->on_health_change([&](StoreHealth health, const base::Failure& why) {
        EXPECT_EQ(health, StoreHealth::poisoned);
        told.set_value(why.sentence);
    });
    store_->fail_to_tidy();
    queue->wait(submit(*queue, "a", Urgency::lazy));  // and nothing more: nobody has to try a commit to hear of it
    ASSERT_EQ(sentence.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    EXPECT_EQ(sentence.get(), "scripted checkpoint");
    EXPECT_EQ(queue->health(), StoreHealth::poisoned);
    queue->wait(submit(*queue, "later", Urgency::lazy, WhenFull::keep));
    EXPECT_EQ(log_.lines(), (Lines{"a committed", "later unavailable"}));
    EXPECT_EQ(store_->tried(), 1);
}

TEST_F(commit_queue_faults, many_threads_on_a_disk_that_fills_and_empties_all_get_an_answer) {
    limits_.lazy_grace = std::chrono::microseconds(200);
    std::atomic<int> answers{0};
    std::atomic<bool> stop{false};
    {
        const auto queue = open();
        std::thread disk([&] {
            while (!stop) {
                store_->fail_with(FailureCode::store_full);
                std::this_thread::yield();
                store_->recover();
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            store_->recover();
        });
        std::vector<std::thread> workers;
        for (int t = 0; t < 16; ++t) {
            workers.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i) {
                    queue->wait(queue->submit(named("x"), Urgency::lazy, (t + i) % 4 == 0 ? WhenFull::keep : WhenFull::fail,
                                              [&](base::Result<GroupOutcome>) { ++answers; }));
                }
            });
        }
        for (auto& worker : workers) {
            worker.join();
        }
        stop = true;
        disk.join();
    }
    EXPECT_EQ(answers, 16 * 20);
}

}  // namespace
}  // namespace durable_mcp::store
