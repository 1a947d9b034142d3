// SPDX-License-Identifier: Apache-2.0
#include "runtime/listeners.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mcp/subscription.hpp"

namespace durable_mcp::runtime {
namespace {

bool has(const std::vector<std::string>& list, std::string_view one) { return std::find(list.begin(), list.end(), one) != list.end(); }

}  // namespace

void Listeners::add(const jsonrpc::Id& request, std::string owner, mcp::ListenFilter filter, std::shared_ptr<ResponseSink> sink) {
    const auto stream = std::make_shared<Stream>(services_);
    stream->attach_post(std::move(sink), false);
    stream->expect(1);
    stream->on_reader_gone([weak = weak_from_this(), gone = stream.get()] {
        if (const auto self = weak.lock()) {
            self->listeners_.erase(gone);
        }
    });
    stream->send_ephemeral(mcp::acknowledge(request, filter));
    listeners_.emplace(stream.get(), Listener{request, std::move(owner), std::move(filter), stream});
}

template <class Wants>
void Listeners::tell(Wants wants, std::string_view method, const base::Json& params) {
    for (const auto& [stream, listener] : listeners_) {
        if (wants(listener)) {
            listener.stream->send_ephemeral(mcp::tagged_notification(listener.request, method, params));
        }
    }
}

void Listeners::list_changed(std::string_view list) {
    tell([&](const Listener& one) { return list == "tools" ? one.filter.tools : list == "prompts" ? one.filter.prompts : one.filter.resources; },
         fmt::format("notifications/{}/list_changed", list), nullptr);
}

void Listeners::resource_updated(std::string_view uri) {
    tell([&](const Listener& one) { return has(one.filter.resource_uris, uri); }, "notifications/resources/updated", {{"uri", uri}});
}

void Listeners::task_changed(const std::string& owner, const std::string& task, const base::Json& params) {
    tell([&](const Listener& one) { return one.owner == owner && has(one.filter.task_ids, task); }, "notifications/tasks", params);
}

bool Listeners::hears_of_task(const std::string& task) const {
    return std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& entry) { return has(entry.second.filter.task_ids, task); });
}

void Listeners::end_all() {
    for (const auto& [stream, listener] : std::exchange(listeners_, {})) {
        listener.stream->answer(0, mcp::end_of_subscription(listener.request, *services_->facts));
    }
}

void Listeners::cut_all() {
    for (const auto& [stream, listener] : std::exchange(listeners_, {})) {
        listener.stream->cut();
    }
}

}  // namespace durable_mcp::runtime
