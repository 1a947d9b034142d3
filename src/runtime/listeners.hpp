// SPDX-License-Identifier: Apache-2.0
#pragma once

// The streams of subscriptions/listen (2026-07-28): who wants to hear of what. Nothing is kept for them: a listener that was away asks for lists,
// resources and tasks anew. Loop only.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcp/router.hpp"
#include "runtime/services.hpp"
#include "runtime/stream.hpp"

namespace durable_mcp::runtime {

class Listeners : public std::enable_shared_from_this<Listeners> {
public:
    explicit Listeners(std::shared_ptr<Services> services) : services_(std::move(services)) {}

    [[nodiscard]] bool is_full() const { return listeners_.size() >= services_->limits.listeners; }
    /// Opens the stream and acknowledges what is honoured.
    void add(const jsonrpc::Id& request, std::string owner, mcp::ListenFilter filter, std::shared_ptr<ResponseSink> sink);

    /// "tools", "prompts", "resources"
    void list_changed(std::string_view list);
    void resource_updated(std::string_view uri);
    /// `params` of notifications/tasks.
    void task_changed(const std::string& owner, const std::string& task, const base::Json& params);
    [[nodiscard]] bool hears_of_task(const std::string& task) const;

    /// Each stream ends with its result: the server stops.
    void end_all();
    void cut_all();
    [[nodiscard]] std::size_t size() const { return listeners_.size(); }

private:
    struct Listener {
        jsonrpc::Id request;
        std::string owner;
        mcp::ListenFilter filter;
        std::shared_ptr<Stream> stream;
    };
    template <class Wants>
    void tell(Wants wants, std::string_view method, const base::Json& params);

    const std::shared_ptr<Services> services_;
    std::unordered_map<const Stream*, Listener> listeners_;
};

}  // namespace durable_mcp::runtime
