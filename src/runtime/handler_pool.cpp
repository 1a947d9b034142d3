// SPDX-License-Identifier: Apache-2.0
#include "runtime/handler_pool.hpp"

#include <chrono>
#include <utility>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace durable_mcp::runtime {
namespace {

constexpr std::chrono::milliseconds watch_interval{1};

struct Sleeper {
    std::condition_variable wake;
    bool called = false;
};

}  // namespace

struct HandlerPool::State : std::enable_shared_from_this<State> {
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        for (std::thread& thread : threads) {
            if (thread.joinable()) {
                thread.detach();  // begun by an abandoned task after close()
            }
        }
    }

    std::mutex mutex;
    std::deque<std::function<void()>> tasks;
    std::vector<std::shared_ptr<Sleeper>> sleepers;  // the one that fell asleep last is at the back
    std::vector<std::thread> threads;
    std::thread watcher;
    std::condition_variable watch_wake;
    std::size_t max_threads = 0;
    std::size_t available = 0;             // awake, and not known to be blocked
    std::size_t taken = 0;                 // tasks taken so far: what the watch compares
    bool watching = false;                 // the watch is in its timed wait
    bool stopping = false;
    bool closed = false;                   // no thread is left that would run a task

    // Gives the queue another thread. With the lock held. Whom it returns is to be notified, without the lock: a thread that wakes up under it on
    // the same core would only go to sleep again at the lock, and cost two more switches.
    [[nodiscard]] std::shared_ptr<Sleeper> add_thread() {
        std::shared_ptr<Sleeper> sleeper;
        if (!sleepers.empty()) {
            sleeper = std::move(sleepers.back());
            sleepers.pop_back();
            sleeper->called = true;
            ++available;
        } else if (threads.size() < max_threads) {
            ++available;
            threads.emplace_back(&HandlerPool::work, shared_from_this());
        }
        return sleeper;
    }

    // A task waits although somebody is awake: look again in a millisecond. With the lock held.
    void call_watch() {
        if (!watcher.joinable()) {
            watcher = std::thread(&HandlerPool::watch, shared_from_this());
        } else if (!watching) {
            watch_wake.notify_one();
        }
    }
};

namespace {

// Which pool the current thread belongs to, for Blocked.
thread_local void* current_pool = nullptr;
thread_local unsigned blocked_depth = 0;

}  // namespace

HandlerPool::HandlerPool(std::size_t max_threads) : state_(std::make_shared<State>()) { state_->max_threads = max_threads; }

HandlerPool::~HandlerPool() { close(); }

void HandlerPool::close() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
        for (const std::shared_ptr<Sleeper>& sleeper : std::exchange(state_->sleepers, {})) {
            sleeper->called = true;
            ++state_->available;
            sleeper->wake.notify_one();
        }
        state_->watch_wake.notify_one();
    }
    // A task that blocks may still start a thread for those behind it: that one is at the back, and is met in its turn.
    bool all_are_joined = true;
    for (std::size_t i = 0;; ++i) {
        std::thread thread;
        {
            const std::lock_guard lock(state_->mutex);
            if (i == state_->threads.size()) {
                break;
            }
            thread.swap(state_->threads[i]);
        }
        if (!thread.joinable()) {
            continue;
        }
        if (abandoned_ || thread.get_id() == std::this_thread::get_id()) {
            thread.detach();
            all_are_joined = false;
        } else {
            thread.join();
        }
    }
    std::thread watcher;
    {
        const std::lock_guard lock(state_->mutex);
        watcher.swap(state_->watcher);
    }
    if (watcher.joinable()) {
        watcher.join();
    }
    if (all_are_joined) {
        std::deque<std::function<void()>> dropped;  // what they own may come back here
        const std::lock_guard lock(state_->mutex);
        state_->closed = true;
        dropped.swap(state_->tasks);
    }
}

void HandlerPool::abandon() { abandoned_ = true; }

std::size_t HandlerPool::asleep() const {
    const std::lock_guard lock(state_->mutex);
    return state_->sleepers.size();
}

void HandlerPool::submit(std::function<void()> task) {
    std::shared_ptr<Sleeper> called;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->closed) {
            return;  // it may own whoever owns this pool
        }
        state_->tasks.push_back(std::move(task));
        if (state_->available == 0) {
            called = state_->add_thread();
        } else {
            state_->call_watch();
        }
    }
    if (called) {
        called->wake.notify_one();
    }
}

void HandlerPool::work(std::shared_ptr<State> state) {
    current_pool = state.get();
    const auto self = std::make_shared<Sleeper>();  // shared with whoever is about to notify it
    std::unique_lock lock(state->mutex);
    for (;;) {
        if (!state->tasks.empty()) {
            std::function<void()> task = std::move(state->tasks.front());
            state->tasks.pop_front();
            ++state->taken;
            lock.unlock();
            task();
            task = nullptr;
            lock.lock();
            continue;
        }
        --state->available;
        if (state->stopping) {
            return;
        }
        self->called = false;
        state->sleepers.push_back(self);
        self->wake.wait(lock, [&] { return self->called; });
    }
}

void HandlerPool::watch(std::shared_ptr<State> state) {
    std::unique_lock lock(state->mutex);
    while (!state->stopping) {
        if (state->tasks.empty()) {
            state->watching = false;
            state->watch_wake.wait(lock);
            continue;
        }
        state->watching = true;
        const std::size_t taken_before = state->taken;
        state->watch_wake.wait_for(lock, watch_interval);
        if (!state->tasks.empty() && state->taken == taken_before) {
            if (const auto called = state->add_thread()) {
                called->wake.notify_one();
            }
        }
    }
}

HandlerPool::Blocked::Blocked() {
    auto* state = static_cast<State*>(current_pool);
    if (state == nullptr || blocked_depth++ > 0) {
        return;
    }
    std::shared_ptr<Sleeper> called;
    {
        const std::lock_guard lock(state->mutex);
        if (--state->available == 0 && !state->tasks.empty()) {
            called = state->add_thread();
        }
    }
    if (called) {
        called->wake.notify_one();
    }
}

HandlerPool::Blocked::~Blocked() {
    auto* state = static_cast<State*>(current_pool);
    if (state == nullptr || --blocked_depth > 0) {
        return;
    }
    const std::lock_guard lock(state->mutex);
    ++state->available;
}

}  // namespace durable_mcp::runtime
