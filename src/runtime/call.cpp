// SPDX-License-Identifier: Apache-2.0
#include "runtime/call.hpp"

#include <iterator>
#include <utility>

#include "base/hash.hpp"

namespace durable_mcp::runtime {

std::string_view method_of(mcp::ItemKind kind) {
    switch (kind) {
        case mcp::ItemKind::tool: return "tools/call";
        case mcp::ItemKind::prompt: return "prompts/get";
        case mcp::ItemKind::resource:
        case mcp::ItemKind::resource_template: return "resources/read";
    }
    return "";
}

base::Json params_of(const mcp::StartCall& start) {
    base::Json params = base::Json::object();
    if (start.kind == mcp::ItemKind::tool || start.kind == mcp::ItemKind::prompt) {
        params["name"] = start.name;
        params["arguments"] = start.arguments;
    } else {
        params["uri"] = start.name;
    }
    if (!start.meta.is_null()) {
        params["_meta"] = start.meta;
    }
    return params;
}

Call::Call(std::shared_ptr<Services> services_in, std::shared_ptr<CallListener> listener_in, std::shared_ptr<SessionState> session_in,
           std::shared_ptr<Stream> stream_in)
    : services(std::move(services_in)), listener(std::move(listener_in)), session(std::move(session_in)), stream(std::move(stream_in)) {}

std::string document_of(const mcp::StartCall& start, mcp::Revision revision) {
    return base::Json{{"method", method_of(start.kind)}, {"params", params_of(start)}, {"revision", mcp::traits(revision).date}}.dump();
}

store::CallRow Call::row(store::CallState state) const {
    store::CallRow row;
    row.id = id;
    row.session = session->data.id;
    row.request_id = request.text;
    row.document = document();
    row.digest = base::hash128_hex(row.document);
    row.stream = stream->id();
    row.state = state;
    row.accepted_ms = services->clock.wall_ms();
    return row;
}

void Call::submit(store::Group group, store::Urgency urgency, store::WhenFull when_full, store::Completion completion) {
    last_ticket = services->queue->submit(std::move(group), urgency, when_full, std::move(completion));
}

void Call::flush(store::Urgency urgency, store::Group extra, std::function<void()> committed) {
    store::Group group;
    bool accepts = false;
    for (journal::Output& output : machine->take_outputs()) {
        if (auto* entry = std::get_if<journal::Entry>(&output)) {
            group.emplace_back(store::AppendEntry{id, std::move(*entry)});
        } else {
            accepts = true;
            group.emplace_back(store::InsertCall{row(store::CallState::running)});
        }
    }
    std::move(extra.begin(), extra.end(), std::back_inserter(group));
    if (group.empty()) {
        return;
    }
    // Before its row is on disk nothing is owed for a call: a full disk may refuse it. Afterwards everything records what has happened.
    submit(std::move(group), urgency, accepts ? store::WhenFull::fail : store::WhenFull::keep,
           [self = shared_from_this(), accepts, committed = std::move(committed)](const base::Result<store::GroupOutcome>& outcome) {
               if (!outcome) {
                   self->break_off(Broken::unavailable);
               } else if (*outcome == store::GroupOutcome::conflict) {
                   self->break_off(Broken::gone);
               } else if (committed) {
                   committed();
               }
               if (accepts) {
                   self->services->inbox->put([self, outcome] { self->listener->accepted(self, outcome); });
               }
           });
}

void Call::wait_until_primed() {
    std::unique_lock lock(primed_mutex_);
    primed_condition_.wait_for(lock, services->limits.write_stall, [this] { return primed_; });
}

void Call::mark_primed() {
    const std::lock_guard lock(primed_mutex_);
    primed_ = true;
    primed_condition_.notify_all();
}

}  // namespace durable_mcp::runtime
