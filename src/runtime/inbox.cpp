// SPDX-License-Identifier: Apache-2.0
#include "runtime/inbox.hpp"

#include <boost/asio/post.hpp>

namespace durable_mcp::runtime {

void Inbox::put(std::function<void()> message) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        is_first = messages_.empty();
        messages_.push_back(std::move(message));
    }
    if (is_first) {
        boost::asio::post(loop_, [self = shared_from_this()] { self->empty(); });
    }
}

void Inbox::empty() {
    {
        const std::lock_guard lock(mutex_);
        running_.swap(messages_);
    }
    for (const std::function<void()>& message : running_) {
        message();
    }
    running_.clear();
}

}  // namespace durable_mcp::runtime
