// SPDX-License-Identifier: Apache-2.0
#pragma once

// Threads that run handlers, which may block. Waking a thread costs more than most handlers, so as few as will do are awake:
// a task is given to a thread that is awake and not known to be blocked, if there is one; otherwise the thread that fell asleep last is woken.
// A thread is known to be blocked while it holds a `Blocked` (step bodies, waits for the disk). One that blocks unknown to us, in the
// handler's own code, is noticed by a watch: a task that has waited for a millisecond gets another thread.
//
// Threads are started when they are first needed, up to the limit.

#include <cstddef>
#include <functional>
#include <memory>

namespace durable_mcp::runtime {

class HandlerPool {
public:
    explicit HandlerPool(std::size_t max_threads);
    ~HandlerPool();
    HandlerPool(const HandlerPool&) = delete;
    HandlerPool& operator=(const HandlerPool&) = delete;

    /// Queues `task`. Any thread; never blocks. What the task throws ends the process: handlers' exceptions are caught further in.
    void submit(std::function<void()> task);

    /// Held by a pool thread while it blocks or runs code of unknown length. Elsewhere it does nothing.
    class Blocked {
    public:
        Blocked();
        ~Blocked();
        Blocked(const Blocked&) = delete;
        Blocked& operator=(const Blocked&) = delete;
    };

    /// Runs what is queued, then joins; what is submitted afterwards is dropped. Tasks that never return make this wait for ever: see abandon().
    /// The destructor does the same, and lets its own thread go if the last owner was a task.
    void close();
    /// Lets go of threads that do not come back: close() will not wait for them. What they still touch must be kept alive by their task.
    void abandon();
    /// Threads that have nothing to do. One that has ended its last task is not among them at once. Any thread.
    [[nodiscard]] std::size_t asleep() const;

private:
    struct State;
    static void work(std::shared_ptr<State> state);
    static void watch(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
    bool abandoned_ = false;
};

}  // namespace durable_mcp::runtime
