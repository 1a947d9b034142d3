// SPDX-License-Identifier: Apache-2.0
// Calls over the end of a process: found again at boot, put down at a stop.

#include <algorithm>
#include <utility>
#include <vector>

#include <spdlog/logger.h>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "base/hash.hpp"
#include "mcp/extension.hpp"
#include "runtime/call_driver.hpp"
#include "runtime/call_registry.hpp"

namespace durable_mcp::runtime {

void CallRegistry::recover(const std::shared_ptr<SessionState>& session, store::CallRow row, std::optional<store::HandleRow> handle,
                           std::uint64_t last_event, mcp::Revision revision, const base::Json& document,
                           std::variant<mcp::StartCall, mcp::Refuse> found) {
    const bool is_session_task = handle && (handle->reach & static_cast<std::uint32_t>(store::Reach::session_task)) != 0;
    const bool is_logged = session && !is_session_task;
    std::shared_ptr<Stream> stream;
    if (is_logged) {
        auto& open = streams_[row.stream];
        if (!open.stream) {
            open = {std::make_shared<Stream>(row.stream, mcp::traits(session->data.revision).primes_streams, last_event, services_), session->data.id};
        }
        stream = open.stream;
    } else {
        stream = std::make_shared<Stream>(row.stream, false, last_event, services_);
    }
    stream->expect(1);
    auto call = make_call(session, stream);
    call->id = row.id;
    call->request = jsonrpc::Id{row.request_id};
    call->revision = revision;
    call->is_session_task = is_session_task;
    call->has_history = true;
    call->is_history_known = false;
    call->is_row_durable = true;
    call->listener = nullptr;  // until it is its turn
    call->count = {row.attempts, row.crashed_attempts, row.crash_mark};
    call->was_put_down = row.state == store::CallState::suspended;
    if (!is_logged) {
        call->owner = handle ? handle->owner : document.value("owner", "");
        call->capabilities = document.value("capabilities", base::Json::object());
        call->client_info = document.value("client", base::Json());
        // Whoever has a key or a task can come back; a state leads back only to a call that was between two legs (B45).
        const std::uint32_t reach = handle ? handle->reach : 0;
        call->is_to_be_ended = reach == 0;
        call->mark_primed();
    }
    if (handle) {
        call->handle = std::move(*handle);
        call->is_task_durable = call->is_task();
    }
    const base::Json& params = document.contains("params") ? document["params"] : base::Json::object();
    call->start.name = params.value("name", params.value("uri", ""));
    if (auto* start = std::get_if<mcp::StartCall>(&found)) {
        call->target = std::dynamic_pointer_cast<const HandlerTarget>(start->item->target);
        call->start = std::move(*start);
        call->start.input_responses = document.value("inputResponses", base::Json());
        call->start.may_become_task = mcp::traits(revision).stateless && call->start.item->task_support != mcp::TaskSupport::forbidden &&
                                      mcp::declares(call->capabilities, mcp::tasks_extension());
    }
    {
        // Until its history is read the machine knows only that the row is there: a cancellation must update it, not insert it.
        const std::lock_guard lock(call->mutex);
        call->machine = std::make_unique<journal::CallMachine>(journal::History{true, {}, {}, {}, {}});
    }
    if (is_logged) {
        session->running.emplace(call->request.text, call);
    }
    calls_.emplace(call->id, call);
    recovered_.push_back(std::move(call));
}

void CallRegistry::run_recovered() {
    while (recovering_ < services_->limits.recovery_concurrency && !recovered_.empty()) {
        ++recovering_;
        const auto call = std::move(recovered_.front());
        recovered_.pop_front();
        call->is_recovering = true;
        call->shares_stream = call->is_logged() && call->stream->expected() > 1;
        run(call);
    }
}

void CallRegistry::suspend_all() {
    draining_ = true;
    // Nothing is decided for calls that are put down: what becomes due, and what came too early, is the next process's.
    alarms_->close();
    legs_.close();
    questions_.refuse_early();
    for (const auto& call : recovered_) {
        legs_.put_down(call);  // on disk, and begun by the next process
    }
    recovered_.clear();
    for (const auto& [id, call] : calls_) {
        {
            const std::lock_guard lock(call->mutex);
            if (call->is_durable() && !call->machine->is_finished()) {
                const bool was_accepted = call->machine->is_accepted();
                call->machine->accept();
                const bool needs_state = !call->is_logged() && !call->legs.empty() && !call->is_to_be_ended;
                if (needs_state || !was_accepted) {
                    store::Group extra;
                    store::Completion settled;
                    if (needs_state) {
                        extra.emplace_back(call->reach_by(static_cast<std::uint32_t>(store::Reach::state), services_->limits.state_lifetime));
                        settled = Call::when_committed(
                            [call = call] { call->services->inbox->put([call] { call->is_state_durable = true; }); });
                    }
                    call->flush(store::Urgency::soon, std::move(extra), std::move(settled));
                }
            }
            call->machine->suspend();
            call->stir();
        }
        if (call->is_resting) {
            legs_.put_down(call);  // nobody runs it who would
        }
        call->mark_primed();  // it leaves instead of doing anything that its client would have to know of
    }
}

// Only a stream whose call is on disk can be come back to.
void CallRegistry::send_away(Call& call) {
    if (streams_.contains(call.stream->id())) {
        call.stream->send_away();
    } else {
        call.stream->refuse(response_of(mcp::unavailable("the server is stopping")));
    }
}

void CallRegistry::close() {
    if (!owner_.expired()) {
        alarms_->close();  // in the destructor they go by themselves: the loop may be ringing, for nobody
    }
    legs_.close();
    decide_timer_.reset();
    undecided_.clear();
    idle_listener_ = {};
    news_ = {};
    recovered_.clear();
    for (const auto& [id, call] : std::exchange(calls_, {})) {
        if (call->session) {
            call->session->running.clear();  // a call holds its session, also one that was deleted
        }
    }
}

void CallRegistry::cut_readers() {
    for (const auto& [id, call] : calls_) {
        call->stream->cut();
        legs_.cut(*call);
    }
}

void CallRegistry::send_readers_away() {
    for (const auto& [id, call] : calls_) {
        send_away(*call);
        legs_.send_away(*call);
        call->mark_primed();
    }
}

}  // namespace durable_mcp::runtime
