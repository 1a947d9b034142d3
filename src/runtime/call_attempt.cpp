// SPDX-License-Identifier: Apache-2.0
// The frame around a handler: what happens before its first line and after its last one. What happens in between is call_driver.cpp.

#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "base/hash.hpp"
#include "journal/recovery.hpp"
#include "mcp/projection.hpp"
#include "runtime/call_driver.hpp"
#include "runtime/failure_report.hpp"
#include "runtime/state_names.hpp"

namespace durable_mcp::runtime {
namespace {

constexpr std::string_view progress_method = "notifications/progress";

base::Json tool_error_result(const std::string& text) {
    return {{"content", base::Json::array({{{"type", "text"}, {"text", text}}})}, {"isError", true}};
}

// The progress value of an event of ours, if it is one about that token.
std::optional<double> progress_in(const std::string& payload, const std::optional<base::Json>& token) {
    if (!token || payload.find(progress_method) == std::string::npos) {
        return std::nullopt;
    }
    const base::Json message = base::Json::parse(payload, nullptr, false);
    if (!message.is_object() || message.value("method", "") != progress_method || message["params"]["progressToken"] != *token) {
        return std::nullopt;
    }
    return message["params"]["progress"].get<double>();
}

}  // namespace

CallDriver::CallDriver(std::shared_ptr<Call> call) : call_(std::move(call)), services_(*call_->services), owners_(map_owners_of(*call_)) {}

void CallDriver::run() {
    try {
        if (!prepare()) {
            return;
        }
        std::string payload = within_limit(produce_answer());
        bool has_left = false;
        bool is_cancelled = false;
        {
            const std::lock_guard lock(call_->mutex);
            has_left = call_->machine->has_left();
            is_cancelled = call_->machine->is_cancelled();
        }
        if (call_->broken() != Call::Broken::no) {
            leave(call_->broken() == Call::Broken::gone ? Unwind::Reason::cancelled : Unwind::Reason::unavailable);
            return;
        }
        if (has_left && !is_cancelled) {
            services_.log->error("call {} of {} '{}': the handler swallowed durable_mcp::Unwind (a catch (...) that does not rethrow?); its call ends in an error",
                                 call_->id, method_of(call_->start.kind), call_->start.name);
            payload = produce_error(jsonrpc::internal_error, fmt::format("The handler caught what suspends it (call {})", call_->id));
        }
        report_divergence();
        finish(payload, store::CallState::completed);
    } catch (const Unwind& unwind) {
        leave(unwind.reason());
    }
}

bool CallDriver::prepare() {
    if (call_->look_up_first) {
        DURABLE_MCP_CRASH_POINT("dedup.before_lookup");
        auto found = services_.store->call_of_request(call_->session_id(), call_->request.text);
        if (found && *found && (*found)->id == call_->id) {
            found->reset();  // our own row: the call waited here for so long that it was accepted meanwhile
        }
        if (!found || *found) {
            const std::lock_guard lock(call_->mutex);
            call_->machine->finish();
        }
        if (!found) {
            services_.inbox->put([call = call_, failure = found.error()] { call->listener->answered(call, 0, {}, failure); });
            return false;
        }
        if (*found) {
            services_.inbox->put([call = call_, row = std::move(**found)] { call->listener->found_recorded(call, row); });
            return false;
        }
    }
    if (call_->has_history && !load_history()) {
        return false;
    }
    if (call_->is_to_be_ended) {
        end_orphan();
        return false;
    }
    bool is_leaving = false;
    bool is_cancelled = false;
    {
        const std::lock_guard lock(call_->mutex);
        is_leaving = call_->machine->is_leaving();
        is_cancelled = call_->machine->is_cancelled();
    }
    if (is_leaving) {
        leave(is_cancelled ? Unwind::Reason::cancelled : Unwind::Reason::suspended);
        return false;
    }
    sit_out();
    if (!call_->target) {
        services_.log->error("call {}: '{}' is no longer on offer; the call ends in an error", call_->id, call_->start.name);
        finish(produce_error(jsonrpc::invalid_params, fmt::format("'{}' is no longer offered by this server (call {})", call_->start.name, call_->id)),
               store::CallState::completed);
        return false;
    }
    return true;
}

bool CallDriver::load_history() {
    DURABLE_MCP_CRASH_POINT("recover.each_call");
    auto entries = services_.store->entries(call_->id);
    auto events = services_.store->events(call_->stream->id(), 0, services_.limits.events_per_stream + 1);
    auto arrivals = services_.store->arrivals(call_->id);
    if (entries && !journal::is_whole(*entries)) {
        entries = base::Failure{base::FailureCode::store_damaged,
                                fmt::format("its journal is not whole: entries are missing beside the {}, or unknown", entries->size())};
    }
    if (!entries || !events || !arrivals) {
        const base::Failure failure = !entries ? entries.error() : !events ? events.error() : arrivals.error();
        services_.log->critical("call {} cannot be run again: {}", call_->id, failure.sentence);
        if (failure.code == base::FailureCode::store_damaged) {
            finish(produce_error(jsonrpc::internal_error, fmt::format("What is recorded of this call is damaged; it is not run again (call {})", call_->id)),
                   store::CallState::quarantined);
        } else {
            services_.inbox->put([call = call_] { call->listener->left(call); });
        }
        return false;
    }
    journal::History history{true, std::move(*entries), {}, {}, {}};
    for (store::ArrivalRow& arrival : *arrivals) {
        history.arrivals.emplace(std::move(arrival.key), std::move(arrival.payload));
    }
    tell_of_open_questions(history, *events);
    for (const store::EventRow& event : *events) {
        history.events.emplace_back(base::hash64(event.payload), event.seq);
        if (const auto progress = progress_in(event.payload, call_->start.progress_token)) {
            history.last_progress = progress;
        }
    }
    const journal::AttemptCount count = journal::begin_attempt(call_->count, call_->was_put_down, history.entries.empty() ? 0 : history.entries.back().seq);
    call_->count = count;
    call_->was_put_down = false;
    call_->attempt = count.attempts;
    {
        const std::lock_guard lock(call_->mutex);
        const bool was_cancelled = call_->machine->is_cancelled();
        const bool was_leaving = call_->machine->is_leaving();
        // What arrived while the history was read.
        for (const auto& [key, payload] : call_->machine->arrivals()) {
            history.arrivals.try_emplace(key, payload);
        }
        call_->machine = std::make_unique<journal::CallMachine>(std::move(history));
        if (was_cancelled) {
            call_->machine->cancel();
        } else if (was_leaving) {
            call_->machine->suspend();
        }
        store::Group group{store::CountAttempt{call_->id, count.attempts, count.crashed_attempts, count.crash_mark}};
        if (!was_cancelled) {
            group.emplace_back(store::UpdateCall{call_->id, store::CallState::running, 0, 0});
        }
        call_->submit(std::move(group), store::Urgency::lazy, store::WhenFull::keep);
    }
    call_->mark_primed();
    wait_for_disk();
    if (journal::is_to_be_quarantined(count, services_.limits.crashed_attempts)) {
        services_.log->critical("call {} of '{}' ended its process {} times in a row without a new entry: it is quarantined and not run again", call_->id,
                                call_->start.name, count.crashed_attempts);
        finish(produce_error(jsonrpc::internal_error, fmt::format("This call ended its server {} times and is not run again (call {})",
                                                                  count.crashed_attempts, call_->id)),
               store::CallState::quarantined);
        return false;
    }
    return true;
}

// The loop has to know what is asked: for answers, deadlines, and clients that come back.
void CallDriver::tell_of_open_questions(const journal::History& history, const std::vector<store::EventRow>& events) {
    for (const journal::Entry& entry : history.entries) {
        if (entry.kind != journal::EntryKind::question_asked || history.arrivals.contains(entry.key)) {
            continue;
        }
        const base::Json recorded = base::Json::parse(entry.payload);
        PendingQuestion pending;
        pending.question = {entry.key.substr(2), recorded.value("method", ""), recorded.value("params", base::Json::object())};
        pending.id = question_id(call_->id, pending.question.key);
        if (const auto deadline = recorded.find("deadline"); deadline != recorded.end()) {
            pending.deadline_ms = deadline->get<std::int64_t>();
        }
        const std::string mark = "\"id\":\"" + pending.id;
        for (const store::EventRow& event : events) {
            if (event.payload.find(mark) != std::string::npos) {
                pending.was_put_again = pending.event != 0;
                pending.event = event.seq;
            }
        }
        services_.inbox->put([call = call_, pending] { call->listener->asked(call, pending); });
    }
    services_.inbox->put([call = call_] { call->listener->history_loaded(call); });
}

// Found after a boot, and nobody can come back for it: what was interrupted is marked, and nothing new is started (B45).
void CallDriver::end_orphan() {
    {
        const std::lock_guard lock(call_->mutex);
        call_->machine->mark_interrupted();
        // For a day it says what became of it to whoever looks into the store; then the sweep takes it, as it takes an answer under a key.
        call_->flush(store::Urgency::lazy, {store::UpdateCall{call_->id, store::CallState::cancelled, 0, services_.clock.wall_ms()},
                                            call_->reach_by(0, services_.limits.key_retention)});
        call_->machine->cancel();
        call_->machine->finish();
    }
    wait_for_disk();
    services_.log->info("call {} of '{}' ended with its process: its client cannot come back for it", call_->id, call_->start.name);
    services_.inbox->put([call = call_] { call->listener->left(call); });
}

std::string CallDriver::produce_error(int code, const std::string& message, std::optional<base::Json> data) const {
    return jsonrpc::write_error(call_->request, mcp::project_error(call_->revision, {code, message, std::move(data)}));
}

std::string CallDriver::produce_tool_error(const std::string& text) const {
    const base::Json result = mcp::project_result(mcp::ItemKind::tool, call_->revision, tool_error_result(text), *services_.facts);
    return jsonrpc::write_result(call_->request, result.dump(-1, ' ', false, base::Json::error_handler_t::replace));
}

// Whatever the handler ended in, an error too: what no row of the store can hold would be tried again for ever.
std::string CallDriver::within_limit(std::string payload) const {
    const std::size_t frame = jsonrpc::write_result(call_->request, {}).size();
    if (payload.size() <= services_.limits.result_bytes + frame) {
        return payload;
    }
    services_.log->error("call {} of '{}': the result has {} bytes; the limit is {}", call_->id, call_->start.name, payload.size() - frame,
                         services_.limits.result_bytes);
    return produce_error(jsonrpc::internal_error, fmt::format("The result is larger than this server sends (call {})", call_->id));
}

std::string CallDriver::produce_answer() {
    const bool is_tool = call_->start.kind == mcp::ItemKind::tool;
    try {
        base::Json result = call_->target->run(*this, *call_->start.item, call_->start.name, call_->start.arguments);
        const auto text = base::dump_json(mcp::project_result(call_->start.kind, call_->revision, std::move(result), *services_.facts));
        if (!text) {
            services_.log->error("call {} of '{}': the result cannot be sent: {}", call_->id, call_->start.name, text.error().sentence);
            return produce_error(jsonrpc::internal_error, fmt::format("The result cannot be encoded as JSON (call {})", call_->id));
        }
        return jsonrpc::write_result(call_->request, *text);
    } catch (const Unwind&) {
        throw;
    } catch (const InvalidArguments& error) {
        return is_tool && mcp::traits(call_->revision).argument_errors_in_band ? produce_tool_error(error.what())
                                                                               : produce_error(jsonrpc::invalid_params, error.what());
    } catch (const ToolError& error) {
        return is_tool ? produce_tool_error(error.what()) : produce_error(jsonrpc::internal_error, error.what());
    } catch (const ResourceNotFound& error) {
        return produce_error(jsonrpc::resource_not_found, error.what(), base::Json{{"uri", call_->start.name}});
    } catch (const ProtocolError& error) {
        std::optional<base::Json> data;
        if (!error.data().empty()) {
            data = base::Json::parse(error.data(), nullptr, false);
        }
        return produce_error(error.code(), error.what(), std::move(data));
    } catch (const MissingCapability& error) {
        if (is_tool && !mcp::traits(call_->revision).stateless) {
            return produce_tool_error(error.what());
        }
        return produce_error(jsonrpc::missing_capability, error.what(),
                             base::Json{{"requiredCapabilities", base::Json::parse(error.required(), nullptr, false)}});
    } catch (...) {
        // What an author did not mean for the client stays here; the call's id brings the two together.
        services_.log->error("call {} of {} '{}' (attempt {}) failed: {}", call_->id, method_of(call_->start.kind), call_->start.name, call_->attempt,
                             describe_chain());
        const std::string text = fmt::format("Internal error in '{}'. The server's log has the details under call {}", call_->start.name, call_->id);
        return is_tool ? produce_tool_error(text) : produce_error(jsonrpc::internal_error, text);
    }
}

void CallDriver::report_divergence() {
    std::vector<std::string> keys;
    {
        const std::lock_guard lock(call_->mutex);
        keys = call_->machine->divergent_keys();
    }
    if (!keys.empty()) {
        services_.log->warn("call {} of '{}' is divergent: it finished without passing {} recorded step(s), '{}' among them. Was the handler changed?",
                            call_->id, call_->start.name, keys.size(), readable(keys.front()));
    }
}

void CallDriver::finish(const std::string& payload, store::CallState state) {
    if (!call_->is_durable()) {
        services_.inbox->put([call = call_, payload] { call->listener->answered(call, 0, payload, store::GroupOutcome::committed); });
        return;
    }
    bool is_cancelled = false;
    store::Ticket ticket = 0;
    bool needs_its_row = false;
    {
        const std::lock_guard lock(call_->mutex);
        needs_its_row = call_->machine->is_accepted() && !call_->machine->is_acceptance_durable();
    }
    if (needs_its_row) {
        wait_for_disk();
    }
    call_->stream->append([&](std::uint64_t seq) {
        const std::lock_guard lock(call_->mutex);
        if (call_->machine->is_cancelled()) {
            is_cancelled = true;
            return false;
        }
        const bool was_accepted = call_->machine->is_accepted();
        call_->machine->finish();
        call_->rest.reset();  // a handler that swallowed its unwinding does not rest: it has an answer
        if (!call_->keeps_answer()) {
            // Nobody can ask for it again. What was recorded goes with the answer; the answer still waits for all of it.
            call_->flush(store::Urgency::lazy);
            const auto answered = [call = call_, payload](const base::Result<store::GroupOutcome>& outcome) {
                call->services->inbox->put([call, payload, outcome] { call->listener->answered(call, 0, payload, outcome); });
            };
            if (was_accepted) {
                call_->submit({store::ExpectRunning{call_->id}, store::DropCall{call_->id}}, store::Urgency::lazy, store::WhenFull::keep, answered);
                ticket = call_->last_ticket;
            } else {
                answered(store::GroupOutcome::committed);
            }
            return false;
        }
        store::Group group;
        if (was_accepted) {
            call_->flush(store::Urgency::lazy);
            group.emplace_back(store::ExpectRunning{call_->id});
            group.emplace_back(store::UpdateCall{call_->id, state, seq, services_.clock.wall_ms()});
        } else {
            store::CallRow row = call_->row(state);
            row.answer_event = seq;
            row.finished_ms = row.accepted_ms;
            group.emplace_back(store::InsertCall{std::move(row)});
        }
        group.emplace_back(store::AppendEvent{{call_->stream->id(), seq, payload}});
        // Nothing is owed for a call that was never accepted: a full disk may refuse it whole. (Not on a shared stream: its number would be missing.)
        call_->submit(std::move(group), store::Urgency::lazy, was_accepted || call_->shares_stream ? store::WhenFull::keep : store::WhenFull::fail,
                      [call = call_, seq, payload](const base::Result<store::GroupOutcome>& outcome) {
                          call->services->inbox->put([call, seq, payload, outcome] { call->listener->answered(call, seq, payload, outcome); });
                      });
        ticket = call_->last_ticket;
        return true;
    });
    if (is_cancelled) {
        leave(Unwind::Reason::cancelled);
        return;
    }
    DURABLE_MCP_CRASH_POINT("call.before_commit");
    const HandlerPool::Blocked blocked;
    services_.queue->wait(ticket);
    DURABLE_MCP_CRASH_POINT("call.after_commit_before_reply");
}

void CallDriver::leave(Unwind::Reason reason) {
    store::Ticket ticket = 0;
    {
        const std::lock_guard lock(call_->mutex);
        call_->flush(store::Urgency::lazy);
        if (reason == Unwind::Reason::suspended && call_->machine->is_accepted() && !call_->machine->is_cancelled()) {
            call_->submit({store::UpdateCall{call_->id, store::CallState::suspended, 0, 0}}, store::Urgency::lazy, store::WhenFull::keep);
            call_->was_put_down = true;
        }
        call_->machine->finish();
        ticket = call_->last_ticket;
    }
    if (reason != Unwind::Reason::unavailable) {
        const HandlerPool::Blocked blocked;
        services_.queue->wait(ticket);
    }
    services_.inbox->put([call = call_] {
        const std::shared_ptr<CallListener> listener = call->listener;  // a call that comes to rest lets go of it
        listener->left(call);
    });
}

}  // namespace durable_mcp::runtime
