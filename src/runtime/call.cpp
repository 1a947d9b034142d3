// SPDX-License-Identifier: Apache-2.0
#include "runtime/call.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/hash.hpp"

namespace durable_mcp::runtime {

std::string_view method_of(mcp::ItemKind kind) {
    switch (kind) {
        case mcp::ItemKind::tool: return "tools/call";
        case mcp::ItemKind::prompt: return "prompts/get";
        case mcp::ItemKind::resource:
        case mcp::ItemKind::resource_template: return "resources/read";
        case mcp::ItemKind::completion: return "completion/complete";
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

std::string question_key(std::string_view alias) { return "q:" + std::string(alias); }

std::string signal_key(std::string_view name) { return "g:" + std::string(name); }

std::string question_id(std::string_view call, std::string_view alias) { return fmt::format("{}.{:016x}", call, base::hash64(alias)); }

Call::Call(std::shared_ptr<Services> services_in, std::shared_ptr<CallListener> listener_in, std::shared_ptr<SessionState> session_in,
           std::shared_ptr<Stream> stream_in)
    : services(std::move(services_in)), session(std::move(session_in)), stream(std::move(stream_in)), listener(std::move(listener_in)) {}

std::string document_of(const mcp::StartCall& start, mcp::Revision revision) {
    return base::Json{{"method", method_of(start.kind)}, {"params", params_of(start)}, {"revision", mcp::traits(revision).date}}.dump();
}

jsonrpc::Id question_request(const std::string& id) { return jsonrpc::Id{base::Json(id).dump()}; }

std::string digest_of(const mcp::StartCall& start) {
    base::Json params = params_of(start);
    params.erase("_meta");
    return base::hash128_hex(std::string(method_of(start.kind)) + base::canonical_text(params));
}

std::string Call::identity() const { return is_logged() ? document_of(start, revision) : document(); }

std::string Call::document() const {
    if (is_logged() && handle.reach == 0) {
        return document_of(start, revision);  // the rest stands in its session's row, which lives as long
    }
    base::Json document{{"method", method_of(start.kind)}, {"params", params_of(start)}, {"revision", mcp::traits(revision).date}};
    document["owner"] = owner;
    document["capabilities"] = capabilities;
    if (!client_info.is_null()) {
        document["client"] = client_info;
    }
    if (!start.input_responses.is_null()) {
        document["inputResponses"] = start.input_responses;
    }
    return document.dump(-1, ' ', false, base::Json::error_handler_t::replace);
}

std::string Call::session_id() const { return session ? session->data.id : std::string(); }

bool Call::is_abandoned() const {
    return session && session->ended.load(std::memory_order_acquire) && handle.reach == 0;
}

store::Write Call::reach_by(std::uint32_t reach, std::chrono::milliseconds lifetime) {
    const std::int64_t now = services->clock.wall_ms();
    if (handle.reach == 0) {
        handle.call = id;
        handle.owner = owner;
        handle.created_ms = now;
    }
    const bool is_state_only = (handle.reach | reach) == static_cast<std::uint32_t>(store::Reach::state);
    if (is_state_only) {
        handle.created_ms = now;  // each state lives as long as the first one
    }
    handle.reach |= reach;
    handle.updated_ms = now;
    handle.ttl_ms = std::max<std::int64_t>(lifetime.count(), is_state_only ? 0 : handle.ttl_ms);
    if (handle.document.empty()) {
        handle.document = base::Json{{"digest", digest_of(start)}}.dump();
    }
    return store::PutHandle{handle};
}

store::CallRow Call::row(store::CallState state) const {
    store::CallRow row;
    row.id = id;
    row.session = session_id();
    row.request_id = request.text;
    row.document = document();
    row.digest = base::hash128_hex(identity());
    row.stream = stream->id();
    row.state = state;
    row.accepted_ms = services->clock.wall_ms();
    return row;
}

void Call::submit(store::Group group, store::Urgency urgency, store::WhenFull when_full, store::Completion completion) {
    last_ticket = services->queue->submit(std::move(group), urgency, when_full, std::move(completion));
}

void Call::take_back() {
    if (machine->is_finished() && rest) {
        machine = std::make_unique<journal::CallMachine>(journal::History{true, {}, {}, {}, {}});
    }
    machine->cancel();
    stir();
    ask_to_stop();
}

store::Completion Call::when_committed(std::function<void()> committed) {
    return [committed = std::move(committed)](const base::Result<store::GroupOutcome>& outcome) {
        if (outcome && *outcome == store::GroupOutcome::committed) {
            committed();
        }
    };
}

void Call::flush(store::Urgency urgency, store::Group extra, store::Completion settled) {
    store::Group group;
    bool accepts = false;
    for (journal::Output& output : machine->take_outputs()) {
        if (auto* entry = std::get_if<journal::Entry>(&output)) {
            group.emplace_back(store::AppendEntry{id, std::move(*entry)});
        } else if (auto* forget = std::get_if<journal::Forget>(&output)) {
            group.emplace_back(store::DropEntries{id, std::move(forget->entries)});
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
           [self = shared_from_this(), accepts, settled = std::move(settled)](const base::Result<store::GroupOutcome>& outcome) {
               if (!outcome) {
                   self->break_off(Broken::unavailable);
               } else if (*outcome != store::GroupOutcome::committed) {
                   self->break_off(Broken::gone);
               }
               if (accepts) {
                   self->services->inbox->put([self, outcome] { self->listener->accepted(self, outcome); });
               }
               if (settled) {
                   settled(outcome);
               }
           });
}

void Call::deliver(const std::string& alias, const std::string& payload) {
    deliver_arrival(question_key(alias), payload);
}

void Call::deliver_arrival(const std::string& key, const std::string& payload) {
    const std::lock_guard lock(mutex);
    machine->deliver(key, payload);
    arrived_.notify_all();
}

void Call::wait_for_arrivals(std::unique_lock<std::mutex>& lock, const std::vector<std::string>& keys, std::chrono::milliseconds time) {
    arrived_.wait_for(lock, time, [&] {
        return machine->is_leaving() ||
               std::all_of(keys.begin(), keys.end(), [&](const std::string& key) { return machine->arrival(key) != nullptr; });
    });
}

void Call::pause(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds time) {
    arrived_.wait_for(lock, time, [&] { return machine->is_leaving(); });
}

void Call::ask_to_stop() {
    if (stops.begin_asking()) {
        services->readers.submit([self = shared_from_this()] { self->stops.ask_all(); });
    }
}

void Call::ask_overdue_to_stop(BodyStops::Time now) {
    services->readers.submit([self = shared_from_this(), now] {
        if (const auto next = self->stops.ask_due(now)) {
            self->services->inbox->put([self, next] { self->ring_at(*next); });
        }
    });
}

void Call::ring_at(BodyStops::Time when) {
    if (!listener) {
        return;  // it rests by now, and no callable of it runs
    }
    listener->remind(when, [weak = weak_from_this(), when] {
        if (const auto self = weak.lock()) {
            self->ask_overdue_to_stop(when);
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
