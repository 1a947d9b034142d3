// SPDX-License-Identifier: Apache-2.0
// What a handler says to its client: events, questions, and that it is a task from here on.

#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/crash_point.hpp"
#include "base/hash.hpp"
#include "mcp/projection.hpp"
#include "mcp/question.hpp"
#include "runtime/call_driver.hpp"

namespace durable_mcp::runtime {
namespace {

using journal::StepKind;

std::string write_params(const base::Json& params) { return params.dump(-1, ' ', false, base::Json::error_handler_t::replace); }

std::string sized(std::string_view part) { return fmt::format("{}:{}", part.size(), part); }

base::Json read_json(std::string_view text, std::string_view what) {
    base::Json json = base::Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        throw std::logic_error(fmt::format("{} is not JSON", what));
    }
    return json;
}

}  // namespace

// ── Towards the client ─────────────────────────────────────────────────────────────────────────────────────────────────────

void CallDriver::report_progress(double progress, std::optional<double> total, std::string_view message) {
    if (!call_->is_logged()) {
        {
            const std::lock_guard lock(call_->mutex);
            if (!call_->machine->may_say() || !call_->machine->advance_progress(progress)) {
                return;
            }
        }
        say([progress, total, text = std::string(message)](const Leg& leg) -> std::optional<std::string> {
            if (!leg.progress_token) {
                return std::nullopt;
            }
            return jsonrpc::write_notification("notifications/progress",
                                               write_params(mcp::progress_params(leg.revision, *leg.progress_token, progress, total, text)));
        });
        return;
    }
    if (!call_->start.progress_token) {
        return;
    }
    const std::string payload = jsonrpc::write_notification(
        "notifications/progress", write_params(mcp::progress_params(call_->revision, *call_->start.progress_token, progress, total, message)));
    {
        const std::lock_guard lock(call_->mutex);
        if (!call_->machine->advance_progress(progress)) {
            return;
        }
    }
    send_event(payload);
}

void CallDriver::log(int level, std::string_view data_json, std::string_view logger) {
    if (call_->is_logged() && level < static_cast<int>(call_->session->log_level.load(std::memory_order_relaxed))) {
        return;
    }
    std::string params = fmt::format(R"({{"level":"{}",)", mcp::name_of(static_cast<mcp::LogLevel>(level)));
    if (!logger.empty()) {
        params.append(R"("logger":)").append(write_params(base::Json(logger))).push_back(',');
    }
    params.append(R"("data":)").append(data_json).push_back('}');
    const std::string payload = jsonrpc::write_notification("notifications/message", params);
    if (!call_->is_logged()) {
        {
            const std::lock_guard lock(call_->mutex);
            if (!call_->machine->may_say()) {
                return;
            }
        }
        say([level, payload](const Leg& leg) {
            return leg.log_level && level >= static_cast<int>(*leg.log_level) ? std::optional(payload) : std::nullopt;
        });
        return;
    }
    if (call_->is_durable()) {
        const std::lock_guard lock(call_->mutex);
        if (!call_->machine->emit(base::hash64(payload))) {
            return;
        }
    }
    send_event(payload);
}

// What a client without a session hears is not kept: a later leg has its own. It still waits for everything that it may depend on.
void CallDriver::say(std::function<std::optional<std::string>(const Leg&)> word) {
    const auto speak = [call = call_, word = std::move(word)] {
        for (const Leg& leg : call->legs) {
            if (const auto payload = word(leg)) {
                leg.stream->send_ephemeral(*payload);
            }
        }
    };
    bool is_settled = false;
    {
        const std::lock_guard lock(call_->mutex);
        is_settled = call_->machine->is_settled();
        if (!is_settled) {
            call_->flush(store::Urgency::soon);
            call_->submit({}, store::Urgency::soon, store::WhenFull::keep, [inbox = services_.inbox, speak](const auto& outcome) {
                if (outcome) {
                    inbox->put(speak);
                }
            });
        }
    }
    if (is_settled) {
        services_.inbox->put(speak);
    }
}

// Nothing is queued for a call before its row is durable: see CallMachine::is_acceptance_durable().
void CallDriver::wait_for_acceptance() {
    services_.queue->wait_for_room();
    {
        const std::lock_guard lock(call_->mutex);
        call_->machine->accept();
        if (call_->machine->is_acceptance_durable()) {
            return;
        }
        call_->flush(store::Urgency::lazy);
    }
    wait_for_disk();
    const HandlerPool::Blocked blocked;
    call_->wait_until_primed();
}

void CallDriver::send_event(const std::string& payload) {
    ++events_sent_;
    event_bytes_sent_ += payload.size();
    if (payload.size() > services_.limits.event_bytes || events_sent_ > services_.limits.events_per_stream ||
        event_bytes_sent_ > services_.limits.event_bytes_per_stream) {
        throw Error(ErrorCode::limit_exceeded, fmt::format("call {}: an event of {} bytes is more than its stream may hold ({} events, {} bytes, {} each)",
                                                           call_->id, payload.size(), services_.limits.events_per_stream,
                                                           services_.limits.event_bytes_per_stream, services_.limits.event_bytes));
    }
    if (!call_->is_durable()) {
        services_.inbox->put([stream = call_->stream, payload] { stream->send_ephemeral(payload); });
        return;
    }
    if (buffered_events_ != nullptr) {
        buffered_events_->push_back(payload);
        return;
    }
    wait_for_acceptance();
    const bool too_early = DURABLE_MCP_PLANTED_BUG("event_before_commit");
    call_->stream->append([&](std::uint64_t seq) {
        if (too_early) {
            services_.inbox->put([call = call_, seq, payload] { call->stream->release(seq, payload); });
            std::this_thread::sleep_for(std::chrono::milliseconds(5));  // time enough for it to be seen
        }
        const std::lock_guard lock(call_->mutex);
        store::Group group;
        if (!call_->shares_stream) {
            // An ended session's streams take no more. (On a shared stream a refused number would be a gap for the others.)
            group.emplace_back(store::ExpectRunning{call_->id});
        }
        group.emplace_back(store::AppendEvent{{call_->stream->id(), seq, payload}});
        call_->machine->mark_sent(base::hash64(payload));
        call_->flush(store::Urgency::soon, std::move(group), Call::when_committed([call = call_, seq, payload, too_early] {
            if (too_early) {
                return;
            }
            call->services->inbox->put([call, seq, payload] { call->stream->release(seq, payload); });
        }));
        return true;
    });
}

void CallDriver::send_list_changed(std::string_view list) {
    tell_listeners([list = std::string(list)](CallListener& listener) { listener.list_changed(list); });
    const std::shared_ptr<Stream> stream = call_->session && !call_->session->ended ? call_->session->standalone.load() : nullptr;
    if (!stream) {
        return;  // nobody has ever listened, or ever will: there is no place from which it could be read later
    }
    const std::string payload = jsonrpc::write_notification(fmt::format("notifications/{}/list_changed", list), {});
    journal::Step step{StepKind::event, {}, {}};
    check_standing("a notification");
    {
        const std::lock_guard lock(call_->mutex);
        step.key = call_->machine->next_occurrence(scoped(fmt::format("e:{}/list_changed", list)));
    }
    const journal::Decision decision = decide(step);
    if (std::holds_alternative<journal::UseRecorded>(decision)) {
        return;
    }
    if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, readable(step.key));
    }
    stream->append([&](std::uint64_t seq) {
        const std::lock_guard lock(call_->mutex);
        call_->machine->complete(step, {});
        call_->flush(store::Urgency::soon, {store::AppendEvent{{stream->id(), seq, payload}}},
                     Call::when_committed([services = call_->services, stream, seq, payload] {
                         services->inbox->put([stream, seq, payload] { stream->release(seq, payload); });
                     }));
        return true;
    });
}

// Listeners of the stateless era hear what happens while they listen; nothing is kept for them, and a replay repeats nothing to them.
void CallDriver::tell_listeners(std::function<void(CallListener&)> tell) {
    {
        const std::lock_guard lock(call_->mutex);
        if (!call_->machine->may_say()) {
            return;
        }
    }
    if (call_->is_durable()) {
        wait_for_disk();
    }
    services_.inbox->put([call = call_, tell = std::move(tell)] { tell(*call->listener); });
}

void CallDriver::send_resource_updated(std::string_view uri) {
    check_standing("a notification");
    journal::Step step{StepKind::event, {}, {}};
    {
        const std::lock_guard lock(call_->mutex);
        step.key = call_->machine->next_occurrence(scoped(fmt::format("e:resources/updated:{}", sized(uri))));
    }
    const journal::Decision decision = decide(step);
    if (std::holds_alternative<journal::UseRecorded>(decision)) {
        return;
    }
    if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, uri);
    }
    wait_for_disk();  // listeners hear it at once
    // Every subscriber's stream has it before it is recorded here that they do: a crash in between repeats it, which asks a client to read once
    // more, and never loses it.
    auto told = std::make_shared<std::promise<bool>>();
    auto is_told = told->get_future();
    // The promise is the message's alone: it breaks when the loop has ended, and drops the message.
    services_.inbox->put([call = call_, uri = std::string(uri), told = std::move(told)] {
        call->listener->resource_updated(uri, [told](bool all) { told->set_value(all); });
    });
    const HandlerPool::Blocked blocked;
    try {
        if (!is_told.get()) {
            throw Unwind(Unwind::Reason::unavailable);
        }
    } catch (const std::future_error&) {
        throw Unwind(Unwind::Reason::unavailable);  // the loop has ended
    }
    const std::lock_guard lock(call_->mutex);
    call_->machine->complete(step, {});
    call_->flush(store::Urgency::lazy);
}

std::string CallDriver::idempotency_key(std::string_view alias) {
    // The call's id is unguessable and stable over all attempts; whoever receives the key learns nothing that opens a stream.
    return fmt::format("{}.{:016x}", call_->id, base::hash64(path() + std::string(alias)));
}

// ── Questions ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::vector<std::string> CallDriver::ask(const std::vector<detail::QuestionRequest>& asked) {
    check_standing("a question");
    std::vector<detail::QuestionRequest> questions = asked;
    const base::Json capabilities = mcp::known_capabilities(call_->revision, call_->capabilities);
    for (detail::QuestionRequest& question : questions) {
        check_alias(question.alias);
        if (question.params.size() > services_.limits.event_bytes) {
            throw Error(ErrorCode::limit_exceeded, fmt::format("question '{}' has {} bytes, more than an event may have ({})", question.alias,
                                                               question.params.size(), services_.limits.event_bytes));
        }
        question.alias = path() + question.alias;
        if (!mcp::has_capability(capabilities, read_json(question.needs, "what a question needs"))) {
            throw MissingCapability(question.needs,
                                    fmt::format("question '{}' ({}) cannot be put: the client has not declared {}, or its revision, {}, has no such question",
                                                question.alias, question.method, question.needs, mcp::traits(call_->revision).date));
        }
        if (const auto what = mcp::find_unsayable(call_->revision, question.method, read_json(question.params, "the params of a question"))) {
            throw MissingCapability(question.needs, fmt::format("question '{}' ({}) cannot be put: the client's revision, {}, has no word for {}",
                                                                question.alias, question.method, mcp::traits(call_->revision).date, *what));
        }
    }
    std::vector<std::string> open;
    for (const detail::QuestionRequest& question : questions) {
        if (!put_question(question)) {
            open.push_back(question.alias);
        }
    }
    if (!open.empty()) {
        wait_for_answers(open);
    }
    std::vector<std::string> answers;
    for (const detail::QuestionRequest& question : questions) {
        std::string payload;
        {
            const std::lock_guard lock(call_->mutex);
            const std::string* const arrived = call_->machine->arrival(question_key(question.alias));
            DURABLE_MCP_ASSERT(arrived != nullptr);
            payload = *arrived;
        }
        answers.push_back(read_answer(question.alias, payload));
    }
    return answers;
}

// False while it has no answer.
bool CallDriver::put_question(const detail::QuestionRequest& request) {
    const journal::Step step{StepKind::question, question_key(request.alias), request.method};
    const journal::Decision decision = decide(step);
    if (std::holds_alternative<journal::UseRecorded>(decision)) {
        return true;
    }
    if (std::holds_alternative<journal::AwaitArrival>(decision)) {
        return false;  // the loop knows of it, from the journal
    }
    if (!std::holds_alternative<journal::Execute>(decision)) {
        raise(decision, step, request.alias);
    }
    PendingQuestion pending;
    pending.question = {request.alias, request.method, read_json(request.params, "the params of a question")};
    pending.id = question_id(call_->id, request.alias);
    if (request.deadline) {
        pending.deadline_ms = services_.clock.wall_ms() + request.deadline->count();
    }
    base::Json recorded{{"method", request.method}, {"params", pending.question.params}};
    if (pending.deadline_ms) {
        recorded["deadline"] = *pending.deadline_ms;
    }
    if (call_->is_logged()) {
        const std::string payload = mcp::write_question(question_request(pending.id), call_->revision, pending.question);
        call_->stream->append([&](std::uint64_t seq) {
            const std::lock_guard lock(call_->mutex);
            call_->machine->complete(step, write_params(recorded));
            pending.event = seq;
            store::Group group;
            if (!call_->shares_stream) {
                group.emplace_back(store::ExpectRunning{call_->id});
            }
            group.emplace_back(store::AppendEvent{{call_->stream->id(), seq, payload}});
            call_->flush(store::Urgency::soon, std::move(group), Call::when_committed([call = call_, seq, payload, pending] {
                call->services->inbox->put([call, seq, payload, pending] {
                    call->listener->asked(call, pending);
                    call->stream->release(seq, payload);
                });
            }));
            return true;
        });
        return false;
    }
    // A client that knew what would be asked has sent the answer along.
    std::optional<std::string> known;
    if (const auto found = call_->start.input_responses.find(request.alias); found != call_->start.input_responses.end() &&
        !mcp::check_answer(request.method, pending.question.params, *found)) {
        known = write_params(base::Json{{"result", *found}});
    }
    {
        const std::lock_guard lock(call_->mutex);
        call_->machine->complete(step, write_params(recorded));
        store::Group group;
        if (known) {
            group.emplace_back(store::InsertArrival{call_->id, {question_key(request.alias), *known}});
        }
        call_->flush(store::Urgency::lazy, std::move(group), Call::when_committed([call = call_, pending, is_answered = known.has_value()] {
            if (!is_answered) {
                call->services->inbox->put([call, pending] { call->listener->asked(call, pending); });
            }
        }));
    }
    if (!known) {
        return false;
    }
    wait_for_disk();
    call_->deliver(request.alias, *known);
    return true;
}

// In place for a moment where an answer can come at once; then the handler's thread is given back, and the answer runs it again.
void CallDriver::wait_for_answers(const std::vector<std::string>& aliases) {
    wait_for_disk();
    std::vector<std::string> keys;
    for (const std::string& alias : aliases) {
        keys.push_back(question_key(alias));
    }
    std::unique_lock lock(call_->mutex);
    {
        const HandlerPool::Blocked blocked;
        call_->wait_for_arrivals(lock, keys, call_->is_logged() ? services_.limits.short_wait : std::chrono::milliseconds(0));
    }
    Rest rest;
    rest.asks = true;
    for (const std::string& key : keys) {
        if (call_->machine->arrival(key) == nullptr) {
            rest.arrivals.push_back(key);
        }
    }
    if (!rest.arrivals.empty()) {
        put_down(std::move(rest));
    }
}

std::string CallDriver::read_answer(const std::string& alias, const std::string& payload) {
    const base::Json answer = read_json(payload, "an answer");
    if (const auto result = answer.find("result"); result != answer.end()) {
        return write_params(*result);
    }
    if (const auto error = answer.find("error"); error != answer.end()) {
        const std::string message = error->value("message", "");
        throw QuestionRefused(alias, error->value("code", 0), fmt::format("question '{}' was refused by the client: {}", alias, message));
    }
    throw QuestionExpired(alias, fmt::format("question '{}' was not answered before its deadline", alias));
}

bool CallDriver::become_task() {
    check_standing("becoming a task");
    {
        const std::lock_guard lock(call_->mutex);
        if (call_->is_task()) {
            return true;
        }
        if (!call_->start.may_become_task) {
            return false;
        }
    }
    wait_for_acceptance();
    {
        const std::lock_guard lock(call_->mutex);
        const std::chrono::milliseconds ttl = call_->target->task_ttl.value_or(services_.limits.task_ttl);
        call_->flush(store::Urgency::lazy, {call_->reach_by(static_cast<std::uint32_t>(store::Reach::task), ttl)},
                     Call::when_committed([call = call_] { call->services->inbox->put([call] { call->listener->became_task(call); }); }));
    }
    wait_for_disk();
    return true;
}

std::string CallDriver::client_json() const {
    base::Json client = call_->client_info.is_object() ? call_->client_info : base::Json::object();
    return write_params({{"name", client.value("name", "")},
                         {"version", client.value("version", "")},
                         {"revision", mcp::traits(call_->revision).date},
                         {"capabilities", mcp::known_capabilities(call_->revision, call_->capabilities)}});
}

}  // namespace durable_mcp::runtime
