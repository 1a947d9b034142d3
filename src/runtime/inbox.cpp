// SPDX-License-Identifier: Apache-2.0
#include "runtime/inbox.hpp"

#include <boost/asio/post.hpp>

namespace durable_mcp::runtime {

void Inbox::put(std::function<void()> message) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) {
        return;
    }
    messages_.push_back(std::move(message));
    if (messages_.size() == 1) {
        boost::asio::post(loop_, [self = shared_from_this()] { self->empty(); });
    }
}

void Inbox::close() {
    std::vector<std::function<void()>> dropped;  // what they own may come back here
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    dropped.swap(messages_);
}

void Inbox::empty() {
    {
        const std::lock_guard lock(mutex_);
        running_.swap(messages_);
    }
    for (const std::function<void()>& message : running_) {
        if (is_closed_) {
            break;
        }
        message();
    }
    running_.clear();
}

}  // namespace durable_mcp::runtime
