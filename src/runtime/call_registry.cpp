// SPDX-License-Identifier: Apache-2.0
#include "runtime/call_registry.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <spdlog/logger.h>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "base/hash.hpp"
#include "base/id.hpp"
#include "runtime/call_driver.hpp"

namespace durable_mcp::runtime {
namespace {

// The request id as a number, or -1 where it is none (or a negative one: looked up like every other odd id).
std::int64_t number_of(const jsonrpc::Id& id) {
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(id.text.data(), id.text.data() + id.text.size(), number);
    return error == std::errc() && end == id.text.data() + id.text.size() ? number : -1;
}

}  // namespace

WholeResponse response_of(mcp::HttpRefusal refusal) { return {refusal.status, std::move(refusal.headers), std::move(refusal.body)}; }

CallRegistry::CallRegistry(std::shared_ptr<Services> services)
    : services_(std::move(services)),
      alarms_(std::make_shared<Alarms>(services_->inbox->loop(), services_->clock)),
      legs_(*this, services_, alarms_),
      questions_(*this, services_, alarms_),
      waits_(*this, services_, alarms_),
      decide_timer_(std::in_place, services_->inbox->loop()) {}

void CallRegistry::set_owner(std::weak_ptr<void> owner, CallNews news) {
    owner_ = std::move(owner);
    news_ = std::move(news);
}

std::shared_ptr<Stream> CallRegistry::make_stream(const std::shared_ptr<SessionState>& session) {
    return std::make_shared<Stream>(base::ordered_id(services_->random, services_->clock.wall_ms()),
                                    mcp::traits(session->data.revision).primes_streams, 0, services_);
}

std::shared_ptr<Call> CallRegistry::find(const std::string& id) const {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : found->second;
}

std::shared_ptr<Call> CallRegistry::find(const SessionState& session, const jsonrpc::Id& request) const {
    const auto found = session.running.find(request.text);
    return found == session.running.end() ? nullptr : found->second;
}

std::shared_ptr<Stream> CallRegistry::find_stream(const SessionState& session, const std::string& id) const {
    const auto found = streams_.find(id);
    return found == streams_.end() || found->second.session != session.data.id ? nullptr : found->second.stream;
}

bool CallRegistry::is_full(const SessionState* session) const {
    return running_ >= services_->limits.running_calls || (session != nullptr && session->running.size() >= services_->limits.running_calls_per_session) ||
           services_->queue->is_congested();
}

std::size_t CallRegistry::open_tasks(std::string_view owner) const {
    return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(), [&](const auto& entry) {
        const Call& call = *entry.second;
        const std::lock_guard lock(entry.second->mutex);
        return call.owner == owner && call.is_task();
    }));
}

// ── Beginning ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::shared_ptr<Call> CallRegistry::make_call(const std::shared_ptr<SessionState>& session, std::shared_ptr<Stream> stream) {
    auto call = std::make_shared<Call>(services_, std::shared_ptr<CallListener>(owner_.lock(), this), session, std::move(stream));
    if (session) {
        call->owner = session->data.owner;
        call->capabilities = session->data.capabilities;
        call->client_info = session->data.client_info;
    }
    return call;
}

std::shared_ptr<Call> CallRegistry::make_bound(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::StartCall start,
                                               const std::shared_ptr<Stream>& stream) {
    auto call = make_call(session, stream);
    // A call alone on its stream shares its id; the calls of a batch have ids of their own.
    call->id = stream->expected() == 1 ? stream->id() : base::ordered_id(services_->random, services_->clock.wall_ms());
    call->request = std::move(request);
    call->revision = session->data.revision;
    call->target = std::dynamic_pointer_cast<const HandlerTarget>(start.item->target);
    DURABLE_MCP_ASSERT(call->target);
    call->start = std::move(start);
    const std::int64_t number = number_of(call->request);
    call->look_up_first = call->is_durable() && (!session->born_here || number <= session->highest_request);
    session->highest_request = std::max(session->highest_request, number);
    session->running.emplace(call->request.text, call);
    call->shares_stream = stream->expected() > 1;
    return call;
}

std::shared_ptr<Call> CallRegistry::make_unbound(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::Revision revision,
                                                 mcp::StartCall start) {
    std::string id = base::ordered_id(services_->random, services_->clock.wall_ms());
    auto stream = std::make_shared<Stream>(id, false, 0, services_);
    stream->expect(1);
    auto call = make_call(session, std::move(stream));
    call->id = std::move(id);
    call->request = std::move(request);
    call->revision = revision;
    call->target = std::dynamic_pointer_cast<const HandlerTarget>(start.item->target);
    DURABLE_MCP_ASSERT(call->target);
    call->start = std::move(start);
    call->mark_primed();  // nobody resumes its stream
    return call;
}

void CallRegistry::start(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::StartCall start,
                         const std::shared_ptr<Stream>& stream) {
    begin(make_bound(session, std::move(request), std::move(start), stream));
}

void CallRegistry::begin(const std::shared_ptr<Call>& call) {
    if (call->is_durable() && call->is_logged()) {
        decide_later(call);
    }
    run(call);
}

void CallRegistry::begin_reachable(const std::shared_ptr<Call>& call, std::uint32_t reach, std::chrono::milliseconds lifetime,
                                   std::function<void(const base::Result<store::GroupOutcome>&)> then) {
    call->look_up_first = false;  // the row itself says whether the request, or its key, was used before
    calls_.try_emplace(call->id, call);   // whoever reads its row finds it here
    const std::lock_guard lock(call->mutex);
    call->machine->accept();
    store::Group group{call->reach_by(reach, lifetime)};
    const bool is_task = call->is_task();
    const auto settled = [this, life = life(), call, is_task, then = std::move(then)](const base::Result<store::GroupOutcome>& outcome) {
        call->services->inbox->put([this, life, call, is_task, then, outcome] {
            if (!outcome) {
                legs_.refuse(*call, response_of(mcp::unavailable(outcome.error().sentence)));
                call->stream->refuse(response_of(mcp::unavailable(outcome.error().sentence)));
            }
            if (!outcome || *outcome == store::GroupOutcome::conflict) {
                unlist(call);
                then(outcome);
                return;
            }
            {
                const std::lock_guard again(call->mutex);
                call->machine->confirm(1);
            }
            call->is_task_durable = is_task;
            then(outcome);
            if (draining_) {
                left_before_it_ran(call);
            } else {
                run(call);
            }
        });
    };
    call->flush(store::Urgency::soon, std::move(group), settled);
}

void CallRegistry::run(const std::shared_ptr<Call>& call) {
    ++running_;
    call->is_running = true;
    call->listener = std::shared_ptr<CallListener>(life(), this);
    calls_.try_emplace(call->id, call);
    services_->handlers.submit([call] { CallDriver(call).run(); });
}

// ── Resting ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void CallRegistry::rest(const std::shared_ptr<Call>& call) {
    bool has_arrived = false;
    bool asks = false;
    {
        const std::lock_guard lock(call->mutex);
        for (const std::string& key : call->rest->arrivals) {
            has_arrived = has_arrived || call->machine->arrival(key) != nullptr;
        }
        asks = call->rest->asks;
    }
    call->is_resting = true;
    end_attempt(call);
    if (has_arrived) {
        wake(call);
        return;
    }
    if (asks) {
        legs_.ask(call);
    }
    waits_.rest(call);
    tell_task_changed(call);
    call->listener = nullptr;
}

void CallRegistry::wake(const std::shared_ptr<Call>& call) {
    if (!call->is_resting || draining_) {
        return;
    }
    {
        const std::lock_guard lock(call->mutex);
        if (call->machine->is_cancelled()) {
            return;  // the answer was on its way when the call was taken back
        }
        call->rest.reset();
        journal::History known{true, {}, {}, {}, call->machine->arrivals()};
        call->machine = std::make_unique<journal::CallMachine>(std::move(known));
    }
    call->is_resting = false;
    waits_.forget(*call);
    call->has_history = true;
    tell_task_changed(call);
    run(call);
}

void CallRegistry::tell_task_changed(const std::shared_ptr<Call>& call) {
    bool is_task = false;
    {
        const std::lock_guard lock(call->mutex);
        is_task = call->is_task();
        if (is_task) {
            call->handle.updated_ms = services_->clock.wall_ms();
        }
    }
    if (is_task && news_.task_changed) {
        news_.task_changed(call);
    }
}

void CallRegistry::asked(const std::shared_ptr<Call>& call, const PendingQuestion& question) { questions_.asked(call, question); }

void CallRegistry::history_loaded(const std::shared_ptr<Call>& call) { questions_.history_loaded(call); }

void CallRegistry::became_task(const std::shared_ptr<Call>& call) {
    call->is_task_durable = true;
    legs_.hand_over_task(call);
    tell_task_changed(call);
}

void CallRegistry::decide_later(const std::shared_ptr<Call>& call) {
    undecided_.emplace_back(services_->clock.steady() + services_->limits.decide_after, call);
    if (!decide_timer_runs_) {
        decide_due();
    }
}

void CallRegistry::decide_due() {
    const auto now = services_->clock.steady();
    while (!undecided_.empty() && (undecided_.front().first <= now || undecided_.front().second.expired())) {
        if (const auto call = undecided_.front().second.lock()) {
            const std::lock_guard lock(call->mutex);
            if (!call->machine->is_finished() && !call->machine->is_leaving()) {
                call->machine->accept();
                call->flush(store::Urgency::soon);
            }
        }
        undecided_.pop_front();
    }
    decide_timer_runs_ = !undecided_.empty();
    if (decide_timer_runs_) {
        decide_timer_->expires_after(undecided_.front().first - now);
        decide_timer_->async_wait([owner = owner_, this](const boost::system::error_code& error) {
            if (const auto alive = owner.lock(); alive && !error) {
                decide_due();
            }
        });
    }
}

// ── Taking back ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void CallRegistry::cancel(const SessionState& session, const jsonrpc::Id& request, Done done) {
    const auto call = find(session, request);
    if (!call) {
        done(store::GroupOutcome::committed);
        return;
    }
    cancel(call, std::move(done));
}

void CallRegistry::cancel(const std::shared_ptr<Call>& call, Done done) {
    std::unique_lock lock(call->mutex);
    const bool has_ended = call->machine->is_finished() && !call->rest;
    if (has_ended && !call->is_durable()) {
        lock.unlock();  // whoever is told may look at the call
        done(store::GroupOutcome::committed);
        return;
    }
    if (has_ended || call->machine->is_cancelled()) {
        // It has come to its end, or this was said before, but perhaps neither is durable yet: this answer stands behind that commit. (A process
        // that died in between would let the next one run on what its client was told is over.)
        call->submit({}, store::Urgency::soon, store::WhenFull::keep, [services = services_, done = std::move(done)](const auto& outcome) {
            services->inbox->put([done, outcome] { done(outcome); });
        });
        return;
    }
    call->take_back();
    if (DURABLE_MCP_PLANTED_BUG("cancel_without_record")) {
        lock.unlock();
        done(store::GroupOutcome::committed);
        return;
    }
    const bool keeps_row = call->is_durable() && (call->machine->is_accepted() || call->is_logged());
    if (!keeps_row) {
        call->stream->end_without_answer();
        call->services->inbox->put([this, life = life(), call] { legs_.end(*call); });
        lock.unlock();
        done(store::GroupOutcome::committed);
        return;
    }
    const std::int64_t now = services_->clock.wall_ms();
    store::Group group;
    if (call->machine->is_accepted()) {
        group.emplace_back(store::UpdateCall{call->id, store::CallState::cancelled, 0, now});
    } else {
        // Not journaled yet: a tombstone, so that the same request sent again does not run.
        store::CallRow row = call->row(store::CallState::cancelled);
        row.finished_ms = now;
        group.emplace_back(store::InsertCall{std::move(row)});
    }
    call->submit(std::move(group), store::Urgency::soon, store::WhenFull::keep,
                 [this, life = life(), call, done = std::move(done)](const base::Result<store::GroupOutcome>& outcome) {
                     call->services->inbox->put([this, life, call, done, outcome] {
                         call->mark_primed();
                         call->is_cancel_durable = outcome.has_value();
                         if (!outcome) {
                             call->stream->cut();
                             legs_.cut(*call);
                         } else {
                             if (!call->shares_stream) {
                                 call->stream->end_without_answer();
                             }
                             legs_.end(*call);
                         }
                         if (call->is_resting) {
                             call->is_resting = false;
                             conclude_cancelled(call);
                         }
                         done(outcome);
                     });
                 });
}

void CallRegistry::cancel_all(SessionState& session) {
    std::vector<std::shared_ptr<Call>> calls;
    for (const auto& [request, call] : session.running) {
        calls.push_back(call);
    }
    for (const auto& call : calls) {
        bool goes_on = false;
        {
            const std::lock_guard lock(call->mutex);
            goes_on = call->handle.reach != 0;
            if (!goes_on) {
                call->take_back();
            }
        }
        call->mark_primed();
        call->stream->end_without_answer();
        if (!goes_on && call->is_resting) {
            call->is_resting = false;
            conclude_cancelled(call);
        }
    }
}

void CallRegistry::conclude_cancelled(const std::shared_ptr<Call>& call) {
    call->stream->settle_one();
    tell_task_changed(call);
    forget(call);
}

}  // namespace durable_mcp::runtime
