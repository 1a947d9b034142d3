// SPDX-License-Identifier: Apache-2.0
#include "runtime/question_desk.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "mcp/question.hpp"
#include "runtime/call_registry.hpp"

namespace durable_mcp::runtime {
namespace {

constexpr std::string_view again = ".2";  // behind the id of a question that is put once more

std::string text_of(const base::Json& json) { return json.dump(-1, ' ', false, base::Json::error_handler_t::replace); }

}  // namespace

void QuestionDesk::asked(const std::shared_ptr<Call>& call, const PendingQuestion& question) {
    {
        const std::lock_guard lock(call->mutex);
        if (call->machine->arrival(question_key(question.question.key)) != nullptr) {
            return;  // answered meanwhile
        }
    }
    if (!call->questions.try_emplace(question.question.key, question).second) {
        return;
    }
    if (question.deadline_ms) {
        ring_at_deadline(call, question);
    }
    calls_.legs().show_question(*call, question);
}

void QuestionDesk::history_loaded(const std::shared_ptr<Call>& call) { history_over(*call); }

void QuestionDesk::history_over(Call& call) {
    call.is_history_known = true;
    if (const auto waiting = early_.extract(call.id)) {
        for (const Early& early : waiting.mapped()) {
            early.take();
        }
    }
}

void QuestionDesk::refuse_early() {
    for (const auto& [call, waiting] : std::exchange(early_, {})) {
        for (const Early& early : waiting) {
            early.refuse(base::Failure{base::FailureCode::store_unavailable, "the server is stopping"});
        }
    }
}

void QuestionDesk::take_response(const std::string& session, const std::string& owner, jsonrpc::Response response, Done done) {
    const base::Json id = base::Json::parse(response.id.text, nullptr, false);
    const std::string text = id.is_string() ? id.get<std::string>() : std::string();
    const auto call = calls_.find(text.substr(0, text.find('.')));
    // A question of a session's call is answered in that session; one of a task, by whoever may see the task.
    const bool is_theirs = call && (call->is_logged() ? call->session_id() == session : call->owner == owner);
    if (!is_theirs) {
        done(store::GroupOutcome::committed);
        return;
    }
    if (!call->is_history_known) {
        early_[call->id].push_back({[this, session, owner, response = std::move(response), done] { take_response(session, owner, response, done); }, done});
        return;
    }
    const auto found = std::find_if(call->questions.begin(), call->questions.end(), [&](const auto& entry) {
        const std::string& asked_as = entry.second.id;
        return text == asked_as || (text.size() == asked_as.size() + again.size() && text.starts_with(asked_as) && text.ends_with(again));
    });
    if (found == call->questions.end()) {
        done(store::GroupOutcome::committed);
        return;
    }
    const mcp::Question& question = found->second.question;
    base::Json answer;
    if (auto* result = std::get_if<base::Json>(&response.outcome)) {
        if (const auto complaint = mcp::check_answer(question.method, question.params, *result)) {
            answer = {{"error", {{"code", jsonrpc::invalid_params}, {"message", "the answer does not fit the question: " + *complaint}}}};
        } else {
            answer = {{"result", std::move(*result)}};
        }
    } else {
        const jsonrpc::Error& error = std::get<jsonrpc::Error>(response.outcome);
        answer = {{"error", {{"code", error.code}, {"message", error.message}}}};
    }
    record(call, question.key, answer, std::move(done));
}

void QuestionDesk::take_inputs(const std::shared_ptr<Call>& call, const base::Json& responses, Done done) {
    if (!call->is_history_known) {
        early_[call->id].push_back({[this, call, responses, done] { take_inputs(call, responses, done); }, done});
        return;
    }
    std::vector<std::pair<std::string, base::Json>> answers;
    for (const auto& [alias, pending] : call->questions) {
        const auto given = responses.find(alias);
        if (given != responses.end() && !mcp::check_answer(pending.question.method, pending.question.params, *given)) {
            answers.emplace_back(alias, base::Json{{"result", *given}});
        }
    }
    if (answers.empty()) {
        done(store::GroupOutcome::committed);
        return;
    }
    // Commits are in order: when the last one is on disk, all are.
    for (std::size_t i = 0; i + 1 < answers.size(); ++i) {
        record(call, answers[i].first, answers[i].second, [](const auto&) {});
    }
    record(call, answers.back().first, answers.back().second, std::move(done));
}

void QuestionDesk::record(const std::shared_ptr<Call>& call, const std::string& alias, const base::Json& answer, Done done) {
    const std::string payload = text_of(answer);
    const std::lock_guard lock(call->mutex);
    call->submit({store::InsertArrival{call->id, {question_key(alias), payload}}}, store::Urgency::soon, store::WhenFull::keep,
                 [this, life = calls_.life(), call, alias, payload, done = std::move(done)](const base::Result<store::GroupOutcome>& outcome) {
                     call->services->inbox->put([this, life, call, alias, payload, done, outcome] {
                         DURABLE_MCP_CRASH_POINT("question.answer_recorded");
                         if (outcome && *outcome == store::GroupOutcome::committed) {
                             call->questions.erase(alias);
                             call->deliver(alias, payload);
                             calls_.wake(call);
                         }
                         // A conflict: somebody else's answer was first, or the call is over. Either way there is nothing to be done about this one.
                         done(outcome);
                     });
                 });
}

// ── Deadlines ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

void QuestionDesk::ring_at_deadline(const std::shared_ptr<Call>& call, const PendingQuestion& question) {
    // A span from here on: in the process that asked, nobody's setting of the wall clock makes it longer or shorter.
    const std::chrono::milliseconds left(std::max<std::int64_t>(*question.deadline_ms - services_->clock.wall_ms(), 0));
    const auto when = services_->clock.steady() + left;
    alarms_->set(when, [this, life = calls_.weak_life(), weak = std::weak_ptr(call), alias = question.question.key] {
        const auto alive = life.lock();
        if (const auto waiting = weak.lock(); alive && waiting) {
            expire(waiting, alias);
        }
    });
}

void QuestionDesk::expire(const std::shared_ptr<Call>& call, const std::string& alias) {
    if (!call->questions.contains(alias)) {
        return;
    }
    record(call, alias, {{"expired", true}}, [](const auto&) {});
}

// ── Putting a question again (B31) ─────────────────────────────────────────────────────────────────────────────────────────

void QuestionDesk::resumed(const std::shared_ptr<Call>& call, std::uint64_t after) {
    if (!call->is_history_known) {
        early_[call->id].push_back({[this, weak = std::weak_ptr(call), after] {
                                        if (const auto waiting = weak.lock()) {
                                            resumed(waiting, after);
                                        }
                                    },
                                    [](const auto&) {}});
        return;
    }
    for (const auto& [alias, pending] : call->questions) {
        if (pending.event == 0 || pending.event > after || pending.was_put_again) {
            continue;  // the resume itself delivers it
        }
        const auto when = services_->clock.steady() + services_->limits.reask_after;
        alarms_->set(when, [this, life = calls_.weak_life(), weak = std::weak_ptr(call), alias = alias] {
            const auto alive = life.lock();
            if (const auto waiting = weak.lock(); alive && waiting) {
                put_again(waiting, alias);
            }
        });
    }
}

void QuestionDesk::put_again(const std::shared_ptr<Call>& call, const std::string& alias) {
    const auto found = call->questions.find(alias);
    if (found == call->questions.end() || found->second.was_put_again || !call->is_logged()) {
        return;
    }
    PendingQuestion& pending = found->second;
    pending.was_put_again = true;
    const std::string question = mcp::write_question(question_request(pending.id + std::string(again)), call->revision, pending.question);
    const std::string withdrawal = jsonrpc::write_notification(
        "notifications/cancelled", text_of({{"requestId", pending.id}, {"reason", "The connection was lost; the question is put again"}}));
    // In one group: whoever finds the question put again finds the old one withdrawn.
    Stream::Numbering numbering(*call->stream);
    const std::lock_guard lock(call->mutex);
    const std::uint64_t first = numbering.next();
    const std::uint64_t second = numbering.next();
    call->submit({store::ExpectRunning{call->id}, store::AppendEvent{{call->stream->id(), first, question}},
                  store::AppendEvent{{call->stream->id(), second, withdrawal}}},
                 store::Urgency::soon, store::WhenFull::keep, [call, first, second, question, withdrawal](const base::Result<store::GroupOutcome>& outcome) {
                     if (outcome && *outcome == store::GroupOutcome::committed) {
                         call->services->inbox->put([call, first, second, question, withdrawal] {
                             call->stream->release(first, question);
                             call->stream->release(second, withdrawal);
                         });
                     }
                 });
}

}  // namespace durable_mcp::runtime
