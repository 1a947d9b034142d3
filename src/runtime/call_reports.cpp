// SPDX-License-Identifier: Apache-2.0
// What attempts report to the registry: their rows, their answers, and that they have left.

#include <algorithm>
#include <utility>
#include <vector>

#include <spdlog/logger.h>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "base/hash.hpp"
#include "runtime/call_driver.hpp"
#include "runtime/call_registry.hpp"

namespace durable_mcp::runtime {

void CallRegistry::accepted(const std::shared_ptr<Call>& call, const base::Result<store::GroupOutcome>& outcome) {
    if (outcome && *outcome == store::GroupOutcome::committed) {
        DURABLE_MCP_CRASH_POINT("dedup.after_insert");
        if (call->is_logged() && !call->stream->is_settled()) {
            // From now on somebody may know an event id of it.
            streams_.try_emplace(call->stream->id(), OpenStream{call->stream, call->session->data.id});
        }
        call->is_row_durable = true;
        if (call->is_logged()) {
            open_when_all_accepted(call);
        }
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
        if (!call->session) {
            return;
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
        legs_.answer(*call, payload);
        {
            const std::lock_guard lock(call->mutex);
            if (call->is_task()) {
                call->answer = payload;
            }
        }
        tell_task_changed(call);
        forget(call);
        return;
    }
    if (outcome) {
        call->is_conflicted = true;
    } else if (outcome.error().code == base::FailureCode::outcome_unknown) {
        call->stream->cut();
        legs_.cut(*call);
    } else {
        call->stream->refuse(response_of(mcp::unavailable(outcome.error().sentence)));
        legs_.refuse(*call, response_of(mcp::unavailable(outcome.error().sentence)));
    }
    left(call);
}

void CallRegistry::left(const std::shared_ptr<Call>& call) {
    bool is_cancelled = false;
    bool rests = false;
    bool is_reachable = false;
    {
        const std::lock_guard lock(call->mutex);
        is_cancelled = call->machine->is_cancelled();
        rests = !is_cancelled && call->rest.has_value() && call->broken() == Call::Broken::no;
        is_reachable = call->keeps_answer();
        if (is_cancelled && !is_reachable && call->machine->is_accepted() && !call->is_to_be_ended) {
            call->submit({store::DropCall{call->id}}, store::Urgency::lazy, store::WhenFull::keep);  // nobody can ask for it
        }
    }
    if (rests && !draining_) {
        rest(call);
        return;
    }
    if (call->is_conflicted && !is_cancelled && call->session && !call->session->ended.load()) {
        call->is_conflicted = false;
        answer_as_recorded(call);
        return;
    }
    if (call->broken() == Call::Broken::unavailable) {
        call->stream->refuse(response_of(mcp::unavailable("the store could not take what this call did")));
        legs_.refuse(*call, response_of(mcp::unavailable("the store could not take what this call did")));
    }
    if (is_cancelled) {
        if (!call->shares_stream) {
            call->stream->end_without_answer();
        }
        legs_.end(*call);
    } else if (call->broken() == Call::Broken::no) {
        send_away(*call);  // suspended: the next process answers
        legs_.put_down(call);
    }
    call->stream->settle_one();
    tell_task_changed(call);
    forget(call);
}

// The server began to stop while its row was on the way to disk.
void CallRegistry::left_before_it_ran(const std::shared_ptr<Call>& call) {
    send_away(*call);
    legs_.refuse(*call, response_of(mcp::unavailable("the server is stopping")));
    unlist(call);
}

void CallRegistry::answer_as_recorded(const std::shared_ptr<Call>& call) {
    services_->readers.submit([call] {
        auto found = call->services->store->call_of_request(call->session_id(), call->request.text);
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
    if (row.digest != base::hash128_hex(call->identity())) {
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
                } else if (events) {
                    const std::string forgotten = "This request was answered so long ago that its answer is no longer kept";
                    call->listener->answered(call, 0, jsonrpc::write_error(call->request, {jsonrpc::invalid_request, forgotten, {}}),
                                             store::GroupOutcome::committed);
                } else {
                    call->listener->answered(call, 0, {}, events.error());
                }
            });
        });
    }
}

void CallRegistry::answer_error(const std::shared_ptr<Call>& call, int code, const std::string& message) {
    answered(call, 0, jsonrpc::write_error(call->request, {code, message, {}}), store::GroupOutcome::committed);
}

void CallRegistry::end_attempt(const std::shared_ptr<Call>& call) {
    if (!call->is_running) {
        return;
    }
    call->is_running = false;
    DURABLE_MCP_ASSERT(running_ > 0);
    --running_;
    if (call->is_recovering) {
        call->is_recovering = false;
        --recovering_;
        run_recovered();
    }
    if (running_ == 0 && idle_listener_) {
        idle_listener_();
    }
}

void CallRegistry::unlist(const std::shared_ptr<Call>& call) {
    if (call->session) {
        const auto found = call->session->running.find(call->request.text);
        if (found != call->session->running.end() && found->second == call) {
            call->session->running.erase(found);
        }
    }
    calls_.erase(call->id);
    questions_.forget(*call);
    waits_.forget(*call);
}

void CallRegistry::forget(const std::shared_ptr<Call>& call) {
    unlist(call);
    if (call->stream->is_settled()) {
        streams_.erase(call->stream->id());
    } else if (streams_.contains(call->stream->id())) {
        open_when_all_accepted(call);  // it may have been the one that the others waited for
    }
    end_attempt(call);
}

}  // namespace durable_mcp::runtime
