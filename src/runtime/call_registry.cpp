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

CallRegistry::CallRegistry(std::shared_ptr<Services> services) : services_(std::move(services)), decide_timer_(std::in_place, services_->inbox->loop()) {}

std::shared_ptr<Stream> CallRegistry::make_stream(const std::shared_ptr<SessionState>& session) {
    return std::make_shared<Stream>(base::ordered_id(services_->random, services_->clock.wall_ms()),
                                    mcp::traits(session->data.revision).primes_streams, 0, services_);
}

std::shared_ptr<Call> CallRegistry::find(const SessionState& session, const jsonrpc::Id& request) const {
    const auto found = session.running.find(request.text);
    return found == session.running.end() ? nullptr : found->second;
}

std::shared_ptr<Stream> CallRegistry::find_stream(const SessionState& session, const std::string& id) const {
    const auto found = streams_.find(id);
    return found == streams_.end() || found->second.session != session.data.id ? nullptr : found->second.stream;
}

bool CallRegistry::is_full(const SessionState& session) const {
    return running_ >= services_->limits.running_calls || session.running.size() >= services_->limits.running_calls_per_session ||
           services_->queue->is_congested();
}

void CallRegistry::start(const std::shared_ptr<SessionState>& session, jsonrpc::Id request, mcp::StartCall start,
                         const std::shared_ptr<Stream>& stream) {
    auto call = std::make_shared<Call>(services_, std::shared_ptr<CallListener>(owner_.lock(), this), session, stream);
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
    if (call->is_durable()) {
        decide_later(call);
    }
    run(call);
}

void CallRegistry::run(const std::shared_ptr<Call>& call) {
    ++running_;
    services_->handlers.submit([call] { CallDriver(call).run(); });
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
        decide_timer_->expires_at(undecided_.front().first);
        decide_timer_->async_wait([owner = owner_, this](const boost::system::error_code& error) {
            if (const auto alive = owner.lock(); alive && !error) {
                decide_due();
            }
        });
    }
}

void CallRegistry::cancel(const SessionState& session, const jsonrpc::Id& request, std::function<void(base::Result<store::GroupOutcome>)> done) {
    const auto call = find(session, request);
    if (!call) {
        done(store::GroupOutcome::committed);
        return;
    }
    const std::lock_guard lock(call->mutex);
    if (call->machine->is_finished()) {
        done(store::GroupOutcome::committed);
        return;
    }
    if (call->machine->is_cancelled()) {
        // Said before, but perhaps not durable yet: this answer stands behind that commit.
        call->submit({}, store::Urgency::soon, store::WhenFull::keep, [services = services_, done = std::move(done)](const auto& outcome) {
            services->inbox->put([done, outcome] { done(outcome); });
        });
        return;
    }
    call->machine->cancel();
    if (!call->is_durable()) {
        call->stream->end_without_answer();
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
                 [call, done = std::move(done)](const base::Result<store::GroupOutcome>& outcome) {
                     call->services->inbox->put([call, done, outcome] {
                         call->mark_primed();
                         if (!outcome) {
                             call->stream->cut();
                         } else if (!call->shares_stream) {
                             call->stream->end_without_answer();
                         }
                         done(outcome);
                     });
                 });
}

void CallRegistry::cancel_all(SessionState& session) {
    for (const auto& [request, call] : session.running) {
        {
            const std::lock_guard lock(call->mutex);
            call->machine->cancel();
        }
        call->mark_primed();
        call->stream->end_without_answer();
    }
}

// ── What attempts report ───────────────────────────────────────────────────────────────────────────────────────────────────

void CallRegistry::accepted(const std::shared_ptr<Call>& call, const base::Result<store::GroupOutcome>& outcome) {
    if (outcome && *outcome == store::GroupOutcome::committed) {
        DURABLE_MCP_CRASH_POINT("dedup.after_insert");
        if (!call->stream->is_settled()) {
            // From now on somebody may know an event id of it.
            streams_.try_emplace(call->stream->id(), OpenStream{call->stream, call->session->data.id});
        }
        call->is_row_durable = true;
        open_when_all_accepted(call);
        return;
    }
    // The attempt finds the call broken at its next wait, and leaves; left() says the rest.
    call->is_conflicted = outcome.has_value();
    call->mark_primed();
    if (!outcome) {
        if (outcome.error().code == base::FailureCode::outcome_unknown) {
            call->stream->cut();
        } else {
            call->stream->refuse(response_of(mcp::unavailable(outcome.error().sentence)));
        }
        for (const auto& [request, mate] : call->session->running) {
            if (mate->stream == call->stream) {
                mate->mark_primed();  // nobody is left to be told where to resume from
            }
        }
    }
}

// Whoever has an event id of a batch may resume all of it: every call in it must be on disk before the first id leaves.
void CallRegistry::open_when_all_accepted(const std::shared_ptr<Call>& call) {
    std::vector<std::shared_ptr<Call>> mates;
    bool all_are_durable = true;
    for (const auto& [request, mate] : call->session->running) {
        if (mate->stream != call->stream || !mate->is_durable()) {
            continue;
        }
        mates.push_back(mate);
        if (mate->is_row_durable) {
            continue;
        }
        const std::lock_guard lock(mate->mutex);
        if (!mate->machine->is_finished() && !mate->machine->is_leaving()) {
            mate->machine->accept();
            mate->flush(store::Urgency::soon);
        }
        all_are_durable = false;
    }
    if (all_are_durable) {
        call->stream->open([mates = std::move(mates)] {
            for (const auto& mate : mates) {
                mate->mark_primed();
            }
        });
    }
}

void CallRegistry::answered(const std::shared_ptr<Call>& call, std::uint64_t seq, const std::string& payload,
                            const base::Result<store::GroupOutcome>& outcome) {
    if (outcome && *outcome == store::GroupOutcome::committed) {
        call->stream->answer(seq, payload);
        forget(call);
        return;
    }
    if (outcome) {
        call->is_conflicted = true;
    } else if (outcome.error().code == base::FailureCode::outcome_unknown) {
        call->stream->cut();
    } else {
        call->stream->refuse(response_of(mcp::unavailable(outcome.error().sentence)));
    }
    left(call);
}

void CallRegistry::left(const std::shared_ptr<Call>& call) {
    bool is_cancelled = false;
    {
        const std::lock_guard lock(call->mutex);
        is_cancelled = call->machine->is_cancelled();
    }
    if (call->is_conflicted && !is_cancelled && !call->session->ended.load()) {
        call->is_conflicted = false;
        answer_as_recorded(call);
        return;
    }
    if (call->broken() == Call::Broken::unavailable) {
        call->stream->refuse(response_of(mcp::unavailable("the store could not take what this call did")));
    }
    if (is_cancelled && !call->shares_stream) {
        call->stream->end_without_answer();
    } else if (!is_cancelled && call->broken() == Call::Broken::no) {
        send_away(*call);  // suspended: the next process answers
    }
    call->stream->settle_one();
    forget(call);
}

void CallRegistry::answer_as_recorded(const std::shared_ptr<Call>& call) {
    services_->readers.submit([call] {
        auto found = call->services->store->call_of_request(call->session->data.id, call->request.text);
        call->services->inbox->put([call, found = std::move(found)] {
            if (found && *found) {
                call->listener->found_recorded(call, **found);
            } else {
                call->listener->answered(call, 0, {}, found ? base::Failure{base::FailureCode::store_unavailable, "the request was refused by the store"}
                                                           : found.error());
            }
        });
    });
}

void CallRegistry::found_recorded(const std::shared_ptr<Call>& call, const store::CallRow& row) {
    if (row.digest != base::hash128_hex(call->document())) {
        answer_error(call, jsonrpc::invalid_request, "This request id was used before in this session, for another request");
    } else if (row.answer_event == 0) {
        answer_error(call, jsonrpc::invalid_request,
                     row.state == store::CallState::cancelled ? "This request was cancelled" : "This request is being answered on another stream");
    } else {
        services_->readers.submit([call, row] {
            auto events = call->services->store->events(row.stream, row.answer_event - 1, 1);
            call->services->inbox->put([call, events = std::move(events)] {
                if (events && !events->empty()) {
                    std::string payload = events->front().payload;
                    if (DURABLE_MCP_PLANTED_BUG("reword_answer")) {
                        payload = base::Json::parse(payload).dump(1);
                    }
                    call->listener->answered(call, 0, payload, store::GroupOutcome::committed);
                } else {
                    call->listener->answered(call, 0, {}, events ? base::Failure{base::FailureCode::not_found, "the recorded answer has expired"}
                                                                : events.error());
                }
            });
        });
    }
}

void CallRegistry::answer_error(const std::shared_ptr<Call>& call, int code, const std::string& message) {
    answered(call, 0, jsonrpc::write_error(call->request, {code, message, {}}), store::GroupOutcome::committed);
}

void CallRegistry::forget(const std::shared_ptr<Call>& call) {
    const auto found = call->session->running.find(call->request.text);
    if (found != call->session->running.end() && found->second == call) {
        call->session->running.erase(found);
    }
    if (call->stream->is_settled()) {
        streams_.erase(call->stream->id());
    } else if (streams_.contains(call->stream->id())) {
        open_when_all_accepted(call);  // it may have been the one that the others waited for
    }
    DURABLE_MCP_ASSERT(running_ > 0);
    --running_;
    if (call->is_recovered) {
        --recovering_;
        run_recovered();
    }
    if (running_ == 0 && idle_listener_) {
        idle_listener_();
    }
}

// ── Boot and stop ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void CallRegistry::recover(const std::shared_ptr<SessionState>& session, store::CallRow row, std::uint64_t last_event,
                           std::variant<mcp::StartCall, mcp::Refuse> found, std::string name) {
    auto& open = streams_[row.stream];
    if (!open.stream) {
        open = {std::make_shared<Stream>(row.stream, mcp::traits(session->data.revision).primes_streams, last_event, services_), session->data.id};
    }
    open.stream->expect(1);
    auto call = std::make_shared<Call>(services_, std::shared_ptr<CallListener>(owner_.lock(), this), session, open.stream);
    call->id = row.id;
    call->request = jsonrpc::Id{row.request_id};
    call->revision = session->data.revision;
    call->is_recovered = true;
    call->is_row_durable = true;
    call->start.name = std::move(name);
    if (auto* start = std::get_if<mcp::StartCall>(&found)) {
        call->target = std::dynamic_pointer_cast<const HandlerTarget>(start->item->target);
        call->start = std::move(*start);
    }
    {
        // Until its history is read the machine knows only that the row is there: a cancellation must update it, not insert it.
        const std::lock_guard lock(call->mutex);
        call->machine = std::make_unique<journal::CallMachine>(journal::History{true, {}, {}, {}});
    }
    call->found = std::move(row);
    session->running.emplace(call->request.text, call);
    recovered_.push_back(std::move(call));
}

void CallRegistry::run_recovered() {
    while (recovering_ < services_->limits.recovery_concurrency && !recovered_.empty()) {
        ++recovering_;
        recovered_.front()->shares_stream = recovered_.front()->stream->expected() > 1;
        run(recovered_.front());
        recovered_.pop_front();
    }
}

void CallRegistry::suspend_all(SessionState& session) {
    for (const auto& [request, call] : session.running) {
        const std::lock_guard lock(call->mutex);
        if (call->is_durable() && !call->machine->is_finished()) {
            call->machine->accept();
            call->flush(store::Urgency::soon);
        }
        call->machine->suspend();
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
    decide_timer_.reset();
    undecided_.clear();
    idle_listener_ = {};
}

void CallRegistry::cut_readers(SessionState& session) {
    for (const auto& [request, call] : session.running) {
        call->stream->cut();
    }
    if (const auto standalone = session.standalone.load()) {
        standalone->cut();
    }
}

void CallRegistry::send_readers_away(SessionState& session) {
    for (const auto& [request, call] : session.running) {
        send_away(*call);
        call->mark_primed();
    }
    if (const auto standalone = session.standalone.load()) {
        standalone->send_away();
    }
}

}  // namespace durable_mcp::runtime
