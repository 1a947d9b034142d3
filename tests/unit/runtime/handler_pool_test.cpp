// SPDX-License-Identifier: Apache-2.0
// The threads of the handlers, and the one door to the loop.

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "runtime/handler_pool.hpp"
#include "runtime/inbox.hpp"
#include "unit/runtime/harness_parts.hpp"

namespace durable_mcp::runtime {
namespace {

using test::Door;

/// Waits for what another thread does; ten seconds at most.
template <class Condition>
bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
}

TEST(handler_pool, a_task_behind_one_that_blocks_unknown_to_the_pool_gets_another_thread) {
    const Door door;
    std::atomic<bool> ran{false};
    HandlerPool pool(2);
    pool.submit([door] { door.pass(); });
    ASSERT_TRUE(eventually([&] { return door.came() == 1; }));
    pool.submit([&] { ran = true; });
    EXPECT_TRUE(eventually([&] { return ran.load(); }));
    door.open();
}

TEST(handler_pool, a_task_behind_one_that_says_it_blocks_gets_another_thread_whether_it_came_before_or_after) {
    for (const bool before : {true, false}) {
        const Door start;
        const Door door;
        std::atomic<bool> ran{false};
        HandlerPool pool(2);
        pool.submit([start, door] {
            start.pass();
            const HandlerPool::Blocked blocked;
            const HandlerPool::Blocked nested;
            door.pass();
        });
        ASSERT_TRUE(eventually([&] { return start.came() == 1; }));
        if (before) {
            pool.submit([&] { ran = true; });
        }
        start.open();
        ASSERT_TRUE(eventually([&] { return door.came() == 1; }));
        if (!before) {
            pool.submit([&] { ran = true; });
        }
        EXPECT_TRUE(eventually([&] { return ran.load(); }));
        door.open();
    }
}

TEST(handler_pool, no_more_threads_than_the_limit_ever_run_tasks) {  // limits.handler_threads
    const Door door;
    std::atomic<int> ran{0};
    std::atomic<int> at_once{0};
    std::atomic<int> most{0};
    {
        HandlerPool pool(3);
        for (int i = 0; i < 10; ++i) {
            pool.submit([&, door] {
                const int now = ++at_once;
                int seen = most;
                while (now > seen && !most.compare_exchange_weak(seen, now)) {}
                {
                    const HandlerPool::Blocked blocked;
                    door.pass();
                }
                --at_once;
                ++ran;
            });
        }
        EXPECT_TRUE(eventually([&] { return door.came() == 3; }));
        door.open();
    }
    EXPECT_EQ(ran, 10);
    EXPECT_EQ(most, 3);
}

TEST(handler_pool, the_thread_that_fell_asleep_last_is_woken_first) {
    HandlerPool pool(3);
    // Three threads, put to sleep one after the other.
    std::vector<Door> doors(3);
    std::vector<std::thread::id> ids(3);
    for (std::size_t i = 0; i < 3; ++i) {
        pool.submit([&, i, door = doors[i]] {
            ids[i] = std::this_thread::get_id();
            const HandlerPool::Blocked blocked;
            door.pass();
        });
        ASSERT_TRUE(eventually([&] { return doors[i].came() == 1; }));
    }
    EXPECT_EQ(std::set<std::thread::id>(ids.begin(), ids.end()).size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        doors[i].open();
        ASSERT_TRUE(eventually([&] { return pool.asleep() == i + 1; }));
    }
    for (int again = 0; again < 5; ++again) {
        std::atomic<bool> ran{false};
        std::thread::id id;
        pool.submit([&] {
            id = std::this_thread::get_id();
            ran = true;
        });
        ASSERT_TRUE(eventually([&] { return ran.load(); }));
        EXPECT_EQ(id, ids[2]);
        ASSERT_TRUE(eventually([&] { return pool.asleep() == 3; }));
    }
}

TEST(handler_pool, the_destructor_runs_what_is_queued_also_while_tasks_block) {
    const Door door;
    std::atomic<int> ran{0};
    std::thread opener;
    {
        HandlerPool pool(2);
        pool.submit([&, door] {
            door.pass();
            const HandlerPool::Blocked blocked;  // with tasks waiting, this asks for another thread
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            ++ran;
        });
        ASSERT_TRUE(eventually([&] { return door.came() == 1; }));
        for (int i = 0; i < 20; ++i) {
            pool.submit([&] {
                const HandlerPool::Blocked blocked;
                ++ran;
            });
        }
        opener = std::thread([door] {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            door.open();
        });
    }
    opener.join();
    EXPECT_EQ(ran, 21);
}

TEST(handler_pool, what_is_submitted_after_its_end_is_dropped) {
    HandlerPool pool(1);
    std::atomic<bool> ran{false};
    pool.submit([&] { ran = true; });
    pool.close();
    EXPECT_TRUE(ran);
    auto owned = std::make_shared<int>(0);
    const std::weak_ptr<int> seen = owned;
    pool.submit([owned = std::move(owned)] { ADD_FAILURE() << "it ran"; });
    EXPECT_TRUE(seen.expired());  // nobody would ever let go of it, and it may own the pool
}

TEST(handler_pool, an_abandoned_thread_is_not_waited_for) {
    const Door door;
    std::atomic<bool> ended{false};
    {
        HandlerPool pool(1);
        pool.submit([&, door] {
            door.pass();
            ended = true;
        });
        ASSERT_TRUE(eventually([&] { return door.came() == 1; }));
        pool.abandon();
    }
    EXPECT_FALSE(ended);
    door.open();
    EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST(handler_pool, may_be_destroyed_by_its_own_last_task) {
    const Door door;
    std::atomic<bool> ended{false};
    auto pool = std::make_shared<HandlerPool>(2);
    pool->submit([&ended, door, held = pool]() mutable {
        door.pass();
        held.reset();
        ended = true;
    });
    ASSERT_TRUE(eventually([&] { return door.came() == 1; }));
    pool.reset();
    door.open();
    EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST(handler_pool, outside_of_a_pool_blocked_does_nothing) {
    const HandlerPool::Blocked blocked;
    const HandlerPool::Blocked nested;
    SUCCEED();
}

TEST(inbox, messages_run_on_the_loop_in_order_also_those_put_in_by_messages) {
    boost::asio::io_context loop;
    const auto inbox = std::make_shared<Inbox>(loop.get_executor());
    std::vector<int> order;
    inbox->put([&] {
        order.push_back(1);
        inbox->put([&] { order.push_back(4); });
        EXPECT_EQ(order.size(), 1u);
    });
    inbox->put([&] { order.push_back(2); });
    inbox->put([&] { order.push_back(3); });
    EXPECT_TRUE(order.empty());
    EXPECT_EQ(loop.poll_one(), 1u);  // one wake-up for all three
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    loop.restart();
    loop.poll();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(inbox, what_stands_behind_the_message_that_closes_it_is_dropped) {
    boost::asio::io_context loop;
    const auto inbox = std::make_shared<Inbox>(loop.get_executor());
    std::vector<int> order;
    auto owned = std::make_shared<int>(0);
    const std::weak_ptr<int> seen = owned;
    inbox->put([&] {
        order.push_back(1);
        inbox->close();
    });
    inbox->put([&, owned = std::move(owned)] { order.push_back(2); });
    loop.poll();
    inbox->put([&] { order.push_back(3); });
    loop.restart();
    loop.poll();
    EXPECT_EQ(order, std::vector<int>{1});
    EXPECT_TRUE(seen.expired());
}

TEST(inbox, takes_messages_from_many_threads_and_keeps_the_order_of_each) {
    boost::asio::io_context loop;
    const auto inbox = std::make_shared<Inbox>(loop.get_executor());
    std::vector<std::vector<int>> seen(4);
    std::atomic<int> left{4};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                inbox->put([&, t, i] { seen[t].push_back(i); });
            }
            --left;
        });
    }
    while (left > 0) {
        loop.restart();
        loop.poll();
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    loop.restart();
    loop.poll();
    for (const auto& numbers : seen) {
        ASSERT_EQ(numbers.size(), 500u);
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    }
}

}  // namespace
}  // namespace durable_mcp::runtime
