// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace durable_mcp::runtime {

/// The one door through which other threads reach the loop. What is put in while the loop has not come yet costs no second wake-up.
class Inbox : public std::enable_shared_from_this<Inbox> {
public:
    explicit Inbox(boost::asio::any_io_executor loop) : loop_(std::move(loop)) {}

    /// Any thread, never blocks. Messages are run on the loop in the order in which they were put in.
    void put(std::function<void()> message);

    /// Nothing reaches the loop any more; what is in it is dropped, also what stands behind the message that says so. After this the loop may
    /// be destroyed.
    void close();

    [[nodiscard]] const boost::asio::any_io_executor& loop() const { return loop_; }

private:
    void empty();

    boost::asio::any_io_executor loop_;
    std::mutex mutex_;
    std::atomic<bool> is_closed_{false};  // written under the mutex
    std::vector<std::function<void()>> messages_;
    std::vector<std::function<void()>> running_;  // loop only: kept for its capacity
};

}  // namespace durable_mcp::runtime
