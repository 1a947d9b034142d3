// SPDX-License-Identifier: Apache-2.0
#include "runtime/leg_desk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/hash.hpp"
#include "mcp/projection.hpp"
#include "mcp/question.hpp"
#include "mcp/task.hpp"
#include "runtime/call_registry.hpp"
#include "runtime/recorded_answer.hpp"
#include "runtime/task_view.hpp"

namespace durable_mcp::runtime {
namespace {

constexpr std::chrono::milliseconds tick_interval{200};

constexpr std::uint32_t bit(store::Reach reach) { return static_cast<std::uint32_t>(reach); }

std::string text_of(const base::Json& json) { return json.dump(-1, ' ', false, base::Json::error_handler_t::replace); }

/// Whom and what a state is for: nobody else, and no other request, opens it.
std::string binding_of(const std::string& owner, const mcp::StartCall& start) {
    return owner + '\n' + std::string(method_of(start.kind)) + '\n' + digest_of(start);
}

const HandlerTarget* target_of(const mcp::StartCall& start) { return dynamic_cast<const HandlerTarget*>(start.item->target.get()); }

std::string state_error(const jsonrpc::Id& request, std::string_view why) {
    return jsonrpc::write_error(request, {jsonrpc::invalid_params, "params.requestState " + std::string(why), {}});
}

std::string cancelled_error(const jsonrpc::Id& request) {
    return jsonrpc::write_error(request, {jsonrpc::invalid_params, "This call was cancelled", {}});
}

}  // namespace

LegDesk::LegDesk(CallRegistry& calls, std::shared_ptr<Services> services, std::shared_ptr<Alarms> alarms)
    : calls_(calls), services_(std::move(services)), alarms_(std::move(alarms)), ticker_(std::in_place, services_->inbox->loop()) {}

void LegDesk::respond(const Asker& asker, const std::string& payload, unsigned status) { asker.sink->respond({status, {}, payload}); }

// ── Requests ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

void LegDesk::take(Asker asker, mcp::StartCall start) {
    if (start.request_state) {
        come_back(std::move(asker), std::move(start));
        return;
    }
    const auto key = key_of(start, services_->limits.idempotency_key_bytes);
    if (!key) {
        respond(asker, jsonrpc::write_error(asker.request, {jsonrpc::invalid_params, key.error().sentence, {}}));
        return;
    }
    const auto begin = [this](const Asker& who, mcp::StartCall what, const std::string& idempotency_key) {
        if (calls_.is_full(nullptr)) {
            who.sink->respond(response_of(mcp::unavailable("too many calls are running; try again in a moment")));
            return;
        }
        const bool is_task = what.must_be_task || (what.may_become_task && target_of(what)->inline_wait == std::chrono::milliseconds(0));
        if (is_task && calls_.open_tasks(who.owner) >= services_->limits.tasks_per_principal) {
            respond(who, jsonrpc::write_error(who.request, {jsonrpc::internal_error, "There are as many open tasks as there may be; try again later", {}}));
            return;
        }
        const auto call = calls_.make_unbound(nullptr, who.request, who.revision, std::move(what));
        call->owner = who.owner;
        call->capabilities = who.capabilities;
        call->client_info = who.client_info;
        attach(call, who, call->start, Leg::Kind::inline_answer);
        if (!is_task && idempotency_key.empty()) {
            calls_.begin(call);
            return;
        }
        call->handle.idempotency_key = idempotency_key;
        const std::uint32_t reach = (is_task ? bit(store::Reach::task) : 0) | (idempotency_key.empty() ? 0 : bit(store::Reach::key));
        const std::chrono::milliseconds lifetime = is_task ? call->target->task_ttl.value_or(services_->limits.task_ttl) : services_->limits.key_retention;
        calls_.begin_reachable(call, reach, lifetime, [this, call, is_task, who](const base::Result<store::GroupOutcome>& outcome) {
            if (outcome && *outcome == store::GroupOutcome::conflict) {
                // Somebody was quicker with the same key: wait for theirs.
                call->legs.clear();
                mcp::StartCall again = call->start;
                take(who, std::move(again));
            } else if (outcome && is_task) {
                hand_over_task(call);
            }
        });
    };
    if (key->empty()) {
        begin(asker, std::move(start), {});
        return;
    }
    Asker who = asker;
    mcp::StartCall what = start;
    take_keyed(std::move(asker), std::move(start), *key,
               [begin, who = std::move(who), what = std::move(what)](const std::string& idempotency_key) { begin(who, what, idempotency_key); });
}

base::Result<std::string> LegDesk::key_of(const mcp::StartCall& start, std::size_t most_bytes) {
    const HandlerTarget* const target = target_of(start);
    std::string key;
    if (!target->idempotency_argument.empty()) {
        if (const auto argument = start.arguments.find(target->idempotency_argument); argument != start.arguments.end()) {
            key = argument->is_string() ? "a:" + argument->get<std::string>() : "a:" + base::canonical_text(*argument);
        }
    }
    if (key.empty() && target->takes_idempotency_keys && start.idempotency_key) {
        key = "k:" + *start.idempotency_key;
    }
    if (key.size() > most_bytes) {
        return base::Failure{base::FailureCode::too_large, fmt::format("The idempotency key is longer than {} bytes", most_bytes)};
    }
    return key;
}

std::string LegDesk::digest_of_key(std::string_view owner, std::string_view tool, std::string_view key) {
    return base::hash128_hex(fmt::format("{}\n{}\n{}", owner, tool, key));
}

bool LegDesk::is_of(const store::HandleRow& handle, const mcp::StartCall& start) {
    const base::Json document = base::Json::parse(handle.document, nullptr, false);
    return document.is_object() && document.value("digest", "") == digest_of(start);
}

jsonrpc::Error LegDesk::key_conflict() {
    return {jsonrpc::invalid_params, "This idempotency key was used before, with other arguments", base::Json{{"type", "idempotency_key_conflict"}}};
}

void LegDesk::take_keyed(Asker asker, mcp::StartCall start, const std::string& key, Begin fresh) {
    if (calls_.is_draining()) {
        asker.sink->respond(response_of(mcp::unavailable("the server is stopping")));
        return;
    }
    const std::string digest = digest_of_key(asker.owner, start.name, key);
    services_->readers.submit([this, life = calls_.life(), asker = std::move(asker), start = std::move(start), digest, fresh = std::move(fresh)] {
        auto found = services_->store->handle_of_key(digest);
        services_->inbox->put([this, life, asker, start, digest, fresh, found = std::move(found)] {
            if (!found || calls_.is_draining()) {
                asker.sink->respond(response_of(mcp::unavailable(found ? "the server is stopping" : found.error().sentence)));
                return;
            }
            if (!*found) {
                fresh(digest);
                return;
            }
            if (!is_of(**found, start)) {
                respond(asker, jsonrpc::write_error(asker.request, key_conflict()));
                return;
            }
            if (const auto call = calls_.find((**found).call)) {
                attach(call, asker, start, Leg::Kind::inline_answer);
                bool is_task = false;
                {
                    const std::lock_guard lock(call->mutex);
                    is_task = call->has_reach(store::Reach::task);
                }
                if (is_task && call->is_task_durable) {
                    hand_over_task(call);  // otherwise when it is
                } else if (call->is_resting && !call->questions.empty()) {
                    ask(call);
                }
                return;
            }
            answer_from_store(asker, (**found).call, "The call with this idempotency key cannot be continued by this process: try again later");
        });
    });
}

void LegDesk::come_back(Asker asker, mcp::StartCall start) {
    const auto plain = ring_->open(*start.request_state, binding_of(asker.owner, start));
    const base::Json state = plain ? base::Json::parse(*plain, nullptr, false) : base::Json();
    if (!state.is_object()) {
        respond(asker, state_error(asker.request, "was not given out by this server for this request"));
        return;
    }
    if (state.value("e", std::int64_t{0}) < services_->clock.wall_ms()) {
        respond(asker, state_error(asker.request, "has expired: begin anew"));
        return;
    }
    const std::string id = state.value("c", "");
    if (const auto call = calls_.find(id)) {
        come_back_to(call, std::move(asker), std::move(start));
    } else {
        answer_from_store(asker, id, "params.requestState leads to a call that is no longer kept: begin anew");
    }
}

void LegDesk::come_back_to(const std::shared_ptr<Call>& call, Asker asker, mcp::StartCall start) {
    attach(call, asker, start, Leg::Kind::inline_answer);
    hold_again(call);
    const base::Json responses = start.input_responses.is_object() ? start.input_responses : base::Json::object();
    calls_.questions().take_inputs(call, responses, [this, call](const base::Result<store::GroupOutcome>& outcome) {
        if (!outcome) {
            refuse(*call, response_of(mcp::unavailable(outcome.error().sentence)));
        } else if (call->is_resting && !call->questions.empty() && !calls_.is_draining()) {
            ask(call);  // what was asked is still open
        }
    });
}

// With a leg open again, its loss cancels the call, also over a crash.
void LegDesk::hold_again(const std::shared_ptr<Call>& call) {
    const std::lock_guard lock(call->mutex);
    if (call->has_reach(store::Reach::state) && !call->machine->is_cancelled()) {
        call->handle.reach &= ~bit(store::Reach::state);
        call->submit({store::PutHandle{call->handle}}, store::Urgency::lazy, store::WhenFull::keep);
    }
}

void LegDesk::answer_from_store(const Asker& asker, const std::string& call, const std::string& gone) {
    services_->readers.submit([this, life = calls_.life(), asker, call, gone] {
        store::Store& store = *services_->store;
        auto row = store.call(call);
        auto handle = store.handle(call);
        base::Result<std::vector<store::EventRow>> events = std::vector<store::EventRow>();
        if (row && *row && (**row).answer_event != 0) {
            events = store.events((**row).stream, (**row).answer_event - 1, 1);
        }
        services_->inbox->put([this, life, asker, gone, row = std::move(row), handle = std::move(handle), events = std::move(events)] {
            if (!row || !handle || !events) {
                asker.sink->respond(response_of(mcp::unavailable("the recorded answer cannot be read now")));
            } else if (!*row || !*handle || (**handle).owner != asker.owner || (events->empty() && (**row).state != store::CallState::cancelled)) {
                respond(asker, jsonrpc::write_error(asker.request, {jsonrpc::invalid_params, gone, {}}));
            } else if (events->empty()) {
                respond(asker, cancelled_error(asker.request));
            } else {
                const base::Json document = base::Json::parse((**row).document, nullptr, false);
                const auto from = mcp::revision_from(document.is_object() ? document.value("revision", "") : "");
                respond(asker, retell(*services_->facts, events->front().payload, jsonrpc::Id{(**row).request_id}, asker.request,
                                                       from.value_or(asker.revision), asker.revision));
            }
        });
    });
}

// ── Legs ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void LegDesk::attach(const std::shared_ptr<Call>& call, const Asker& asker, const mcp::StartCall& start, Leg::Kind kind) {
    Leg leg;
    leg.kind = kind;
    leg.stream = std::make_shared<Stream>(services_);
    leg.request = asker.request;
    leg.revision = asker.revision;
    leg.progress_token = start.progress_token;
    leg.log_level = asker.log_level;
    leg.may_become_task = start.may_become_task;
    leg.loss_cancels = mcp::traits(asker.revision).stateless && kind == Leg::Kind::inline_answer;
    leg.stream->attach_post(asker.sink, false);
    leg.stream->expect(1);
    leg.stream->on_reader_gone([this, life = calls_.weak_life(), weak = std::weak_ptr(call), stream = leg.stream.get()] {
        const auto alive = life.lock();
        if (const auto waited_for = weak.lock(); alive && waited_for) {
            lost(waited_for, stream);
        }
    });
    call->legs.push_back(leg);
    // "At once" is meant for tasks. A client that can have none would be told to come back again and again.
    std::optional<std::chrono::milliseconds> own_wait = call->target ? call->target->inline_wait : std::nullopt;
    if (own_wait == std::chrono::milliseconds(0) && !leg.may_become_task) {
        own_wait.reset();
    }
    watch(call, leg.stream, own_wait);
}

void LegDesk::lost(const std::shared_ptr<Call>& call, const Stream* stream) {
    const auto leg = std::find_if(call->legs.begin(), call->legs.end(), [&](const Leg& one) { return one.stream.get() == stream; });
    if (leg == call->legs.end()) {
        return;
    }
    const bool cancels = leg->loss_cancels;
    call->legs.erase(leg);
    if (cancels) {
        abandon(call);
    }
}

// Its client has gone, and cannot come back: it is cancelled, unless somebody else waits or a key or a task leads to it.
void LegDesk::abandon(const std::shared_ptr<Call>& call) {
    if (!call->legs.empty() || calls_.is_draining()) {
        return;
    }
    {
        const std::lock_guard lock(call->mutex);
        if (call->is_logged() || call->has_reach(store::Reach::key) || call->is_task()) {
            return;
        }
    }
    calls_.cancel(call, [](const auto&) {});
}

void LegDesk::deliver(const Leg& leg, const Call& call, const std::string& payload) const {
    std::string text = retell(*services_->facts, payload, call.request, leg.request, call.revision, leg.revision);
    if (leg.kind == Leg::Kind::task_result) {
        text = with_related_task(text, call.id);
    }
    const unsigned status = mcp::traits(leg.revision).stateless ? status_of(text) : 200;
    if (status != 200 && leg.stream->is_undecided()) {
        leg.stream->refuse({status, {}, text});
    } else {
        leg.stream->answer(0, text);
    }
}

void LegDesk::answer(Call& call, const std::string& payload) {
    for (const Leg& leg : std::exchange(call.legs, {})) {
        deliver(leg, call, payload);
    }
}

// Whoever still waits is not who took it back: that one has no leg any more, or asked otherwise.
void LegDesk::end(Call& call) {
    for (const Leg& leg : std::exchange(call.legs, {})) {
        leg.stream->answer(0, cancelled_error(leg.request));
    }
}

void LegDesk::refuse(Call& call, const WholeResponse& response) {
    for (const Leg& leg : std::exchange(call.legs, {})) {
        leg.stream->refuse(response);
    }
}

void LegDesk::cut(Call& call) {
    for (const Leg& leg : std::exchange(call.legs, {})) {
        leg.stream->cut();
    }
}

std::vector<Leg> LegDesk::take_inline_legs(Call& call) {
    std::vector<Leg> taken;
    std::vector<Leg> rest;
    for (Leg& leg : std::exchange(call.legs, {})) {
        (leg.kind == Leg::Kind::inline_answer && mcp::traits(leg.revision).stateless ? taken : rest).push_back(std::move(leg));
    }
    call.legs = std::move(rest);
    return taken;
}

// ── What a client can come back with ───────────────────────────────────────────────────────────────────────────────────────

std::string LegDesk::seal_state(Call& call) {
    const std::int64_t expires = services_->clock.wall_ms() + services_->limits.state_lifetime.count();
    return ring_->seal(text_of({{"c", call.id}, {"e", expires}, {"r", ++call.round}}), binding_of(call.owner, call.start), services_->random);
}

void LegDesk::ask(const std::shared_ptr<Call>& call) {
    {
        const std::lock_guard lock(call->mutex);
        if (call->has_reach(store::Reach::task)) {
            return;  // its client asks for the task
        }
    }
    if (auto legs = take_inline_legs(*call); !legs.empty()) {
        give_state(call, std::move(legs), Why::it_asks);
    }
}

void LegDesk::show_question(Call& call, const PendingQuestion& question) {
    for (const Leg& leg : call.legs) {
        if (leg.kind == Leg::Kind::task_result) {
            leg.stream->send_ephemeral(mcp::write_question(question_request(question.id), leg.revision, question.question, call.id));
        }
    }
}

void LegDesk::hand_off(const std::shared_ptr<Call>& call, std::vector<Leg> legs) {
    if (legs.empty()) {
        return;
    }
    const bool can_be_task = call->start.may_become_task &&
                             std::all_of(legs.begin(), legs.end(), [](const Leg& leg) { return leg.may_become_task; });
    if (!can_be_task || calls_.open_tasks(call->owner) >= services_->limits.tasks_per_principal) {
        give_state(call, std::move(legs), Why::it_takes_long);
        return;
    }
    std::move(legs.begin(), legs.end(), std::back_inserter(call->legs));
    promote(call);
}

// The legs are the call's no longer: an answer that comes now is kept for the state that is on its way.
void LegDesk::give_state(const std::shared_ptr<Call>& call, std::vector<Leg> legs, Why why) {
    const std::lock_guard lock(call->mutex);
    if ((call->machine->is_finished() && !call->is_resting && why != Why::it_is_put_down) || call->machine->is_cancelled()) {
        std::move(legs.begin(), legs.end(), std::back_inserter(call->legs));  // its end is on its way
        return;
    }
    call->machine->accept();
    // In one group with the row, if that is not there yet: a store that refuses the one refuses the other.
    call->flush(store::Urgency::soon, {call->reach_by(bit(store::Reach::state), services_->limits.state_lifetime)},
                [this, life = calls_.life(), call, why, legs = std::move(legs)](const base::Result<store::GroupOutcome>& outcome) {
                    call->services->inbox->put([this, life, call, why, legs, outcome] {
                        if (!outcome || *outcome == store::GroupOutcome::conflict || ring_->empty()) {
                            for (const Leg& leg : legs) {
                                leg.stream->refuse(response_of(mcp::unavailable("the store could not take what this call did")));
                            }
                            return;
                        }
                        if (std::none_of(legs.begin(), legs.end(), [](const Leg& leg) { return leg.stream->has_reader(); })) {
                            abandon(call);  // everybody hung up meanwhile: nobody has the state
                            return;
                        }
                        if (why == Why::it_asks && call->questions.empty() && calls_.find(call->id) == call && !calls_.is_draining()) {
                            std::copy(legs.begin(), legs.end(), std::back_inserter(call->legs));  // answered meanwhile: it goes on
                            hold_again(call);
                            return;
                        }
                        hand_out_state(*call, legs);
                    });
                });
}

void LegDesk::hand_out_state(Call& call, const std::vector<Leg>& legs) {
    std::vector<mcp::Question> questions;
    for (const auto& [alias, pending] : call.questions) {
        questions.push_back(pending.question);
    }
    const std::string state = seal_state(call);
    for (const Leg& leg : legs) {
        const base::Json result = mcp::identify(*services_->facts, mcp::input_required(questions, state));
        leg.stream->answer(0, jsonrpc::write_result(leg.request, text_of(result)));
    }
}

void LegDesk::promote(const std::shared_ptr<Call>& call) {
    const std::lock_guard lock(call->mutex);
    if (!call->is_resting && (call->machine->is_finished() || call->machine->is_leaving())) {
        return;
    }
    call->machine->accept();
    call->flush(store::Urgency::soon, {call->reach_by(bit(store::Reach::task), call->target->task_ttl.value_or(services_->limits.task_ttl))},
                Call::when_committed([this, life = calls_.life(), call] {
                    call->services->inbox->put([this, life, call] { calls_.became_task(call); });
                }));
}

void LegDesk::hand_over_task(const std::shared_ptr<Call>& call) {
    std::vector<Leg> others;
    for (const Leg& leg : take_inline_legs(*call)) {
        if (leg.may_become_task) {
            leg.stream->answer(0, jsonrpc::write_result(leg.request, text_of(mcp::identify(*services_->facts, mcp::task_created(view_of(*call))))));
        } else {
            others.push_back(leg);
        }
    }
    std::move(others.begin(), others.end(), std::back_inserter(call->legs));
}

void LegDesk::put_down(const std::shared_ptr<Call>& call) {
    if (auto legs = take_inline_legs(*call); !legs.empty() && call->is_durable()) {
        give_state(call, std::move(legs), Why::it_is_put_down);
    } else {
        std::move(legs.begin(), legs.end(), std::back_inserter(call->legs));
    }
    refuse(*call, response_of(mcp::unavailable("the server is stopping")));
}

// Its handler has not come back in time: the next process goes on, and who waits here must be able to find it there.
void LegDesk::send_away(Call& call) {
    if (call.is_state_durable && !ring_->empty()) {
        if (const auto legs = take_inline_legs(call); !legs.empty()) {
            hand_out_state(call, legs);
        }
    }
    refuse(call, response_of(mcp::unavailable("the server is stopping")));
}

// ── Time ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void LegDesk::watch(const std::shared_ptr<Call>& call, const std::shared_ptr<Stream>& stream, std::optional<std::chrono::milliseconds> own_wait) {
    const auto now = services_->clock.steady();
    if (call->is_durable() && own_wait) {
        alarms_->set(now + *own_wait, [this, life = calls_.weak_life(), weak = std::weak_ptr(call), weak_stream = std::weak_ptr(stream)] {
            const auto alive = life.lock();
            const auto waited_for = weak.lock();
            const auto waiting = weak_stream.lock();
            if (alive && waited_for && waiting && waiting->has_reader()) {
                hand_off(waited_for, take_inline_legs(*waited_for));
            }
        });
    }
    watched_.push_back({call, stream, now, own_wait.has_value()});
    if (!ticks_) {
        tick();
    }
}

void LegDesk::tick() {
    const auto now = services_->clock.steady();
    std::vector<std::shared_ptr<Call>> due;
    std::erase_if(watched_, [&](const Watched& one) {
        const auto call = one.call.lock();
        const auto stream = one.stream.lock();
        if (!call || !stream || !stream->has_reader()) {
            return true;
        }
        if (stream->is_undecided() && now - one.since >= services_->limits.keep_alive_comment) {
            stream->open({});  // from here on comments tell whatever lies between that somebody is there
        }
        if (call->is_durable() && !one.has_own_wait && now - one.since >= services_->limits.inline_wait) {
            due.push_back(call);
            return true;
        }
        return false;
    });
    for (const auto& call : due) {
        hand_off(call, take_inline_legs(*call));
    }
    ticks_ = !watched_.empty() && ticker_;
    if (ticks_) {
        ticker_->expires_after(tick_interval);
        ticker_->async_wait([this, life = calls_.weak_life()](const boost::system::error_code& error) {
            if (const auto alive = life.lock(); alive && !error && ticker_) {
                tick();
            }
        });
    }
}

}  // namespace durable_mcp::runtime
