// SPDX-License-Identifier: Apache-2.0
#include "runtime/task_desk.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/logger.h>

#include "base/hash.hpp"
#include "mcp/projection.hpp"
#include "mcp/task.hpp"
#include "runtime/call_registry.hpp"
#include "runtime/listeners.hpp"
#include "runtime/recorded_answer.hpp"

namespace durable_mcp::runtime {
namespace {

std::string text_of(const base::Json& json) { return json.dump(-1, ' ', false, base::Json::error_handler_t::replace); }

std::uint32_t kind_for(mcp::Revision revision) {
    return static_cast<std::uint32_t>(mcp::traits(revision).stateless ? store::Reach::task : store::Reach::session_task);
}

void fill(mcp::TaskView& view, const store::HandleRow& handle) {
    view.id = handle.call;
    view.created_ms = handle.created_ms;
    view.updated_ms = handle.updated_ms;
    if (handle.ttl_ms > 0) {
        view.ttl_ms = handle.ttl_ms;
    }
    const base::Json document = base::Json::parse(handle.document, nullptr, false);
    view.poll_interval_ms = document.is_object() ? document.value("poll", std::int64_t{0}) : 0;
}

bool is_cancelled(Call& call) {
    const std::lock_guard lock(call.mutex);
    return call.machine->is_cancelled();
}

}  // namespace

mcp::TaskView view_of(Call& call) {
    mcp::TaskView view;
    {
        const std::lock_guard lock(call.mutex);
        fill(view, call.handle);
        view.status = call.is_cancel_durable ? mcp::TaskStatus::cancelled : mcp::TaskStatus::working;
    }
    if (view.status == mcp::TaskStatus::working && !call.questions.empty()) {
        view.status = mcp::TaskStatus::input_required;
    }
    view.poll_interval_ms = call.services->limits.poll_interval.count();
    if (call.target && call.target->poll_interval) {
        view.poll_interval_ms = call.target->poll_interval->count();
    }
    return view;
}

// ── Answers ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void TaskDesk::answer(const Asker& asker, base::Json result) const {
    if (mcp::traits(asker.revision).stateless) {
        result = mcp::identify(*services_->facts, std::move(result));
    }
    asker.sink->respond({200, {}, jsonrpc::write_result(asker.request, text_of(result))});
}

void TaskDesk::refuse(const Asker& asker, int code, const std::string& message) {
    asker.sink->respond({200, {}, jsonrpc::write_error(asker.request, {code, message, {}})});
}

void TaskDesk::take(Asker asker, mcp::AskTask ask) {
    if (ask.verb == mcp::AskTask::Verb::list) {
        list(asker, ask.cursor);
        return;
    }
    const std::string task = ask.task;  // what is moved into the answer below must not be read beside it
    find(task, [this, asker = std::move(asker), ask = std::move(ask)](const base::Result<std::optional<Known>>& found) {
        if (!found || calls_.is_draining()) {
            asker.sink->respond(response_of(mcp::unavailable(found ? "the server is stopping" : "the task cannot be read now")));
            return;
        }
        // A task of the other form is as unknown as one of another owner.
        if (!*found || (**found).owner != asker.owner || ((**found).reach & kind_for(asker.revision)) == 0) {
            refuse(asker, jsonrpc::invalid_params, "There is no such task");
            return;
        }
        Known known = **found;
        settle_status(known, asker.revision);
        switch (ask.verb) {
            case mcp::AskTask::Verb::get: get(asker, known); break;
            case mcp::AskTask::Verb::result: result(asker, known); break;
            case mcp::AskTask::Verb::cancel: cancel(asker, known); break;
            case mcp::AskTask::Verb::update: update(asker, known, ask.input_responses); break;
            case mcp::AskTask::Verb::list: break;
        }
    });
}

void TaskDesk::get(const Asker& asker, const Known& known) const {
    answer(asker, mcp::traits(asker.revision).stateless ? mcp::task_detailed(known.view, detail_of(known)) : mcp::session_task(known.view));
}

// Whatever runs or rests is in memory before anybody can know its id: this one could not be taken up, or the store failed under it.
void TaskDesk::out_of_reach(const Asker& asker) {
    asker.sink->respond(response_of(mcp::unavailable("this task cannot be continued by this process")));
}

void TaskDesk::result(const Asker& asker, const Known& known) {
    if (mcp::is_terminal(known.view.status)) {
        if (known.answer.empty()) {
            refuse(asker, jsonrpc::invalid_params, "This task was cancelled");
            return;
        }
        const std::string text = retell(*services_->facts, known.answer, known.request, asker.request, known.revision, asker.revision);
        asker.sink->respond({200, {}, with_related_task(text, known.view.id)});
        return;
    }
    const auto call = calls_.find(known.view.id);
    if (!call) {
        out_of_reach(asker);
        return;
    }
    calls_.legs().attach(call, asker, call->start, Leg::Kind::task_result);
    for (const auto& [alias, question] : call->questions) {
        calls_.legs().show_question(*call, question);
    }
}

void TaskDesk::cancel(const Asker& asker, const Known& known) {
    const bool is_stateless = mcp::traits(asker.revision).stateless;
    if (mcp::is_terminal(known.view.status)) {
        if (is_stateless) {
            answer(asker, mcp::task_acknowledged());
        } else {
            refuse(asker, jsonrpc::invalid_params, "This task has ended already");
        }
        return;
    }
    const auto call = calls_.find(known.view.id);
    if (!call) {
        out_of_reach(asker);
        return;
    }
    calls_.cancel(call, [this, asker, call, is_stateless, view = known.view](const base::Result<store::GroupOutcome>& outcome) mutable {
        if (!outcome) {
            asker.sink->respond(response_of(mcp::unavailable(outcome.error().sentence)));
        } else if (is_stateless) {
            answer(asker, mcp::task_acknowledged());
        } else if (!is_cancelled(*call)) {
            refuse(asker, jsonrpc::invalid_params, "This task has ended already");  // its answer was on the way to disk
        } else {
            view.status = mcp::TaskStatus::cancelled;
            view.updated_ms = services_->clock.wall_ms();
            answer(asker, mcp::session_task(view));
        }
        calls_.tell_task_changed(call);
    });
}

void TaskDesk::update(const Asker& asker, const Known& known, const base::Json& responses) {
    const auto call = calls_.find(known.view.id);
    if (!call || mcp::is_terminal(known.view.status)) {
        answer(asker, mcp::task_acknowledged());
        return;
    }
    calls_.questions().take_inputs(call, responses, [this, asker, call](const base::Result<store::GroupOutcome>& outcome) {
        if (!outcome) {
            asker.sink->respond(response_of(mcp::unavailable(outcome.error().sentence)));
            return;
        }
        answer(asker, mcp::task_acknowledged());
        calls_.tell_task_changed(call);
    });
}

void TaskDesk::list(const Asker& asker, const std::string& cursor) {
    services_->readers.submit([this, life = calls_.life(), asker, cursor] {
        const std::size_t page = services_->limits.tasks_page;
        auto handles = services_->store->handles(asker.owner, kind_for(asker.revision), cursor, page + 1);
        std::vector<Known> tasks;
        std::string next;
        if (handles) {
            for (const store::HandleRow& handle : *handles) {
                if (tasks.size() == page) {
                    next = tasks.back().view.id;
                    break;
                }
                if (auto known = read(*services_->store, handle.call); known && *known) {
                    tasks.push_back(std::move(**known));
                }
            }
        }
        services_->inbox->put([this, life, asker, tasks = std::move(tasks), next, failed = !handles.has_value()] {
            if (failed) {
                asker.sink->respond(response_of(mcp::unavailable("the tasks cannot be read now")));
                return;
            }
            std::vector<mcp::TaskView> views;
            for (Known known : tasks) {
                if (const auto call = calls_.find(known.view.id)) {
                    known = know(*call);
                }
                settle_status(known, asker.revision);
                views.push_back(known.view);
            }
            answer(asker, mcp::session_task_page(views, next));
        });
    });
}

// ── Beginning (2025-11-25) ─────────────────────────────────────────────────────────────────────────────────────────────────

void TaskDesk::begin(Asker asker, mcp::StartCall start) {
    if (calls_.open_tasks(asker.owner) >= services_->limits.tasks_per_principal) {
        refuse(asker, jsonrpc::internal_error, "There are as many open tasks as there may be; try again later");
        return;
    }
    const auto key = LegDesk::key_of(start, services_->limits.idempotency_key_bytes);
    if (!key) {
        refuse(asker, jsonrpc::invalid_params, key.error().sentence);
        return;
    }
    std::chrono::milliseconds ttl = services_->limits.task_ttl;
    const auto asked_ttl = start.augmentation->ttl_ms;
    const auto call = calls_.make_unbound(asker.session, asker.request, asker.revision, std::move(start));
    call->is_session_task = true;
    call->owner = asker.owner;
    ttl = call->target->task_ttl.value_or(ttl);
    if (asked_ttl && *asked_ttl > 0) {
        ttl = std::min(ttl, std::chrono::milliseconds(*asked_ttl));
    }
    std::uint32_t reach = static_cast<std::uint32_t>(store::Reach::session_task);
    if (!key->empty()) {
        reach |= static_cast<std::uint32_t>(store::Reach::key);
        call->handle.idempotency_key = LegDesk::digest_of_key(asker.owner, call->start.name, *key);
    }
    calls_.begin_reachable(call, reach, ttl, [this, call, asker](const base::Result<store::GroupOutcome>& outcome) {
        if (!outcome) {
            asker.sink->respond(response_of(mcp::unavailable(outcome.error().sentence)));
        } else if (*outcome == store::GroupOutcome::committed) {
            answer(asker, mcp::session_task_created(view_of(*call)));
        } else {
            show_begun(asker, call);
        }
    });
}

// Its row was refused: another call has its key, or the request was sent before. The same request is answered with the same task.
void TaskDesk::show_begun(const Asker& asker, const std::shared_ptr<Call>& refused) {
    if (calls_.is_draining()) {
        asker.sink->respond(response_of(mcp::unavailable("the server is stopping")));
        return;
    }
    services_->readers.submit([this, life = calls_.life(), asker, refused] {
        store::Store& store = *services_->store;
        auto handle = store.handle_of_key(refused->handle.idempotency_key);
        if (handle && !*handle) {
            const auto row = store.call_of_request(refused->session_id(), refused->request.text);
            if (!row) {
                handle = row.error();
            } else if (*row && (**row).digest == base::hash128_hex(refused->identity())) {
                handle = store.handle((**row).id);
            }
        }
        services_->inbox->put([this, life, asker, refused, handle = std::move(handle)] {
            if (!handle || calls_.is_draining()) {
                asker.sink->respond(response_of(mcp::unavailable("the task cannot be read now")));
            } else if (!*handle) {
                refuse(asker, jsonrpc::invalid_request, "This request id was used before in this session");
            } else if (!LegDesk::is_of(**handle, refused->start)) {
                asker.sink->respond({200, {}, jsonrpc::write_error(asker.request, LegDesk::key_conflict())});
            } else {
                find((**handle).call, [this, asker](const base::Result<std::optional<Known>>& found) {
                    if (!found || !*found || ((**found).reach & kind_for(asker.revision)) == 0) {
                        refuse(asker, jsonrpc::invalid_params, "This idempotency key belongs to a call that is no task");
                        return;
                    }
                    Known known = **found;
                    settle_status(known, asker.revision);
                    answer(asker, mcp::session_task_created(known.view));
                });
            }
        });
    });
}

// ── What is known ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TaskDesk::Known TaskDesk::know(Call& call) const {
    Known known;
    known.view = view_of(call);
    known.owner = call.owner;
    {
        const std::lock_guard lock(call.mutex);
        known.reach = call.handle.reach;
    }
    for (const auto& [alias, pending] : call.questions) {
        known.questions.push_back(pending.question);
    }
    known.request = call.request;
    known.revision = call.revision;
    known.answer = call.answer;
    return known;
}

base::Result<std::optional<TaskDesk::Known>> TaskDesk::read(store::Store& store, const std::string& task) {
    auto handle = store.handle(task);
    auto row = store.call(task);
    if (!handle || !row) {
        return !handle ? handle.error() : row.error();
    }
    if (!*handle || !*row) {
        return std::optional<Known>();
    }
    Known known;
    fill(known.view, **handle);
    known.owner = (**handle).owner;
    known.reach = (**handle).reach;
    known.request = jsonrpc::Id{(**row).request_id};
    const base::Json document = base::Json::parse((**row).document, nullptr, false);
    known.revision = mcp::revision_from(document.is_object() ? document.value("revision", "") : "").value_or(mcp::stateless_revision);
    known.view.updated_ms = std::max(known.view.updated_ms, (**row).finished_ms);
    if ((**row).state == store::CallState::cancelled) {
        known.view.status = mcp::TaskStatus::cancelled;
    } else if ((**row).answer_event != 0) {
        auto events = store.events((**row).stream, (**row).answer_event - 1, 1);
        if (!events) {
            return events.error();
        }
        if (!events->empty()) {
            known.answer = std::move(events->front().payload);
        }
    }
    return std::optional(std::move(known));
}

void TaskDesk::find(const std::string& task, Found found) {
    if (const auto call = calls_.find(task)) {
        found(std::optional(know(*call)));
        return;
    }
    services_->readers.submit([this, life = calls_.life(), task, found = std::move(found)] {
        auto known = read(*services_->store, task);
        services_->inbox->put([life, found, known = std::move(known)] { found(known); });
    });
}

void TaskDesk::settle_status(Known& known, mcp::Revision revision) {
    if (known.answer.empty()) {
        return;
    }
    known.view.status = mcp::status_of(revision, outcome_of(known.answer));
}

mcp::TaskDetail TaskDesk::detail_of(const Known& known) {
    mcp::TaskDetail detail;
    detail.questions = known.questions;
    if (!known.answer.empty()) {
        std::visit([&](auto&& outcome) { detail.outcome = std::move(outcome); }, outcome_of(known.answer));
    }
    return detail;
}

// ── Telling ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void TaskDesk::changed(const std::shared_ptr<Call>& call) {
    if (!listeners_.hears_of_task(call->id)) {
        return;
    }
    Known known = know(*call);
    if ((known.reach & kind_for(mcp::stateless_revision)) == 0) {
        return;
    }
    settle_status(known, mcp::stateless_revision);
    listeners_.task_changed(known.owner, call->id, mcp::task_notification_params(known.view, detail_of(known)));
}

// Whoever knows the id of a task has it from us, and its handle was on disk before.
void TaskDesk::pick(const std::string& owner, const std::vector<std::string>& tasks,
                    std::function<void(const base::Result<std::vector<std::string>>&)> then) {
    services_->readers.submit([services = services_, life = calls_.life(), owner, tasks, then = std::move(then)] {
        base::Result<std::vector<std::string>> picked = std::vector<std::string>();
        for (const std::string& task : tasks) {
            const auto handle = services->store->handle(task);
            if (!handle) {
                picked = handle.error();
                break;
            }
            if (*handle && (**handle).owner == owner && ((**handle).reach & kind_for(mcp::stateless_revision)) != 0) {
                picked->push_back(task);
            }
        }
        services->inbox->put([life, then, picked = std::move(picked)] { then(picked); });
    });
}

void TaskDesk::show(const std::string& owner, const std::vector<std::string>& tasks) {
    for (const std::string& task : tasks) {
        find(task, [this, owner](const base::Result<std::optional<Known>>& found) {
            if (!found || !*found || (**found).owner != owner || ((**found).reach & kind_for(mcp::stateless_revision)) == 0) {
                return;
            }
            Known known = **found;
            settle_status(known, mcp::stateless_revision);
            listeners_.task_changed(owner, known.view.id, mcp::task_notification_params(known.view, detail_of(known)));
        });
    }
}

void TaskDesk::give_up(const std::shared_ptr<Call>& call, std::int64_t now) {
    bool is_over = false;
    {
        // Its time may have been made longer since it was read.
        const std::lock_guard lock(call->mutex);
        is_over = call->handle.ttl_ms > 0 && call->handle.created_ms + call->handle.ttl_ms <= now && call->handle.reach != 0;
        // What a key is kept for is the answer. A call that works on it, or whose session can still ask for it, is not given up.
        const bool is_kept_by_key = call->has_reach(store::Reach::key) && !call->is_task() && call->is_running;
        is_over = is_over && !is_kept_by_key && !(call->is_logged() && !call->session->ended);
    }
    if (is_over && call->legs.empty()) {
        services_->log->info("call {} is given up: nobody came back for it in time", call->id);
        calls_.cancel(call, [](const auto&) {});  // and forgotten by a later sweep
    }
}

}  // namespace durable_mcp::runtime
