// SPDX-License-Identifier: Apache-2.0
// Requests: what a peer said becomes sessions, calls, listeners and answers.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "base/id.hpp"
#include "mcp/projection.hpp"
#include "runtime/engine.hpp"

namespace durable_mcp::runtime {
namespace {

WholeResponse unavailable(std::string_view sentence) { return response_of(mcp::unavailable(sentence)); }

// The principal a request speaks for. Without authentication there is one, and it has no name.
std::string_view owner_of(const RequestView&) { return {}; }

/// Borrows the request.
mcp::HttpFacts facts_of(const RequestView& request) {
    return {request.method(),
            request.header("Accept"),
            request.header("Content-Type"),
            request.header("Mcp-Session-Id"),
            request.header("MCP-Protocol-Version"),
            request.header("Last-Event-ID"),
            [&request](std::string_view name) { return request.header(name); }};
}

Asker asker_of(const jsonrpc::Id& id, const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink) {
    Asker asker;
    asker.request = id;
    asker.owner = session->data.owner;
    asker.revision = session->data.revision;
    asker.session = session;
    asker.capabilities = session->data.capabilities;
    asker.client_info = session->data.client_info;
    asker.sink = std::move(sink);
    return asker;
}

}  // namespace

// Answers of one POST: of a single message its response, of a batch the stream that collects them. Effects that need the disk before
// a 202 are counted, so that the response leaves with the last of them.
struct Engine::Reply {
    std::shared_ptr<ResponseSink> sink;
    std::shared_ptr<Stream> batch;      ///< null for a single message, or when nothing in the batch is answered
    std::size_t pending_effects = 1;    ///< of notifications and answers; one stands for the reading of the body itself
    bool failed = false;
    std::optional<std::string> idempotency_key;  ///< of the header

    void answer(const std::string& payload) {
        if (batch) {
            batch->answer(0, payload);
        } else {
            sink->respond({200, {}, payload});
        }
    }
    // One request cannot be served now: 503 where it is alone, an error among the answers of a batch.
    void refuse_one(const jsonrpc::Id& id, std::string_view sentence) {
        if (batch) {
            answer(jsonrpc::write_error(id, {jsonrpc::internal_error, std::string(sentence), {}}));
        } else {
            sink->respond(unavailable(sentence));
        }
    }
    void begin_effect() { ++pending_effects; }
    void end_effect(const base::Result<store::GroupOutcome>& outcome) {
        if (!outcome && is_silent && !failed) {
            failed = true;
            sink->respond(unavailable(outcome.error().sentence));
        }
        settle();
    }
    // With no answer to wait for, the last effect sends the 202.
    void settle() {
        if (--pending_effects == 0 && is_silent && !failed) {
            sink->respond({202, {}, {}});
        }
    }
    bool is_silent = false;             ///< no request among the messages
};

void Engine::serve(std::shared_ptr<RequestView> request, std::shared_ptr<ResponseSink> sink) {
    if (phase_ == Phase::booting) {
        if (answer_while_booting(*request, *sink)) {
            return;
        }
        hold(std::move(request), std::move(sink));
        return;
    }
    if (phase_ != Phase::serving) {
        sink->respond(unavailable("the server is stopping"));
        return;
    }
    if (health_.load() == store::StoreHealth::poisoned) {
        sink->respond(unavailable("the store failed in a way that leaves the last commit unknown; the server has to be started anew"));
        return;
    }
    const mcp::HttpFacts facts = facts_of(*request);
    mcp::Asked asked = mcp::read_request(facts, std::exchange(request->body(), {}));  // an answer may take hours, and needs none of it
    if (auto* refusal = std::get_if<mcp::HttpRefusal>(&asked)) {
        sink->respond(response_of(std::move(*refusal)));
        return;
    }
    if (auto* stateless = std::get_if<mcp::StatelessRequest>(&asked)) {
        serve_stateless(std::move(*stateless), std::move(sink));
        return;
    }
    if (std::holds_alternative<mcp::StatelessNotification>(asked)) {
        sink->respond({202, {}, {}});
        return;
    }
    auto* posted = std::get_if<mcp::Posted>(&asked);
    if (posted && posted->is_initialize) {
        take_posted(std::move(*posted), nullptr, std::move(sink));
        return;
    }
    const auto session = sessions_.find(facts.session_id, owner_of(*request));
    if (!session) {
        sink->respond(response_of(mcp::unknown_session()));
        return;
    }
    if (posted) {
        if (auto refusal = mcp::check_against(session->data, *posted, services_->limits.batch_messages)) {
            sink->respond(response_of(std::move(*refusal)));
            return;
        }
        take_posted(std::move(*posted), session, std::move(sink));
    } else if (std::holds_alternative<mcp::OpenStandalone>(asked)) {
        open_standalone(session, std::move(sink));
    } else if (const auto* resumed = std::get_if<mcp::Resume>(&asked)) {
        resume(session, resumed->last_event_id, std::move(sink));
    } else {
        end_session(session, std::move(sink));
    }
}

// What a client asks to learn of which era we are is said at once: from anything but an answer it would conclude that we are an old one.
bool Engine::answer_while_booting(RequestView& request, ResponseSink& sink) {
    if (request.method() != "POST" || request.header("Mcp-Method") != "server/discover") {
        return false;
    }
    const mcp::HttpFacts facts = facts_of(request);
    mcp::Asked asked = mcp::read_request(facts, request.body());
    auto* const stateless = std::get_if<mcp::StatelessRequest>(&asked);
    if (stateless == nullptr) {
        return false;
    }
    const jsonrpc::Id id = stateless->request.id;
    const mcp::Verdict verdict = mcp::route_stateless(options_.facts, *catalog(), std::move(*stateless));
    const auto* const answer = std::get_if<mcp::Answer>(&verdict);
    if (answer != nullptr) {
        sink.respond({200, {}, jsonrpc::write_result(id, answer->result)});
    }
    return answer != nullptr;
}

void Engine::serve_stateless(mcp::StatelessRequest request, std::shared_ptr<ResponseSink> sink) {
    Asker asker;
    asker.request = request.request.id;
    asker.revision = request.revision;
    asker.capabilities = request.capabilities;
    asker.client_info = request.client_info;
    asker.log_level = request.log_level;
    asker.sink = std::move(sink);
    mcp::Verdict verdict = mcp::route_stateless(options_.facts, *catalog(), std::move(request));
    if (const auto* answer = std::get_if<mcp::Answer>(&verdict)) {
        asker.sink->respond({200, {}, jsonrpc::write_result(asker.request, answer->result)});
    } else if (const auto* refusal = std::get_if<mcp::Refuse>(&verdict)) {
        asker.sink->respond({refusal->status, {}, jsonrpc::write_error(asker.request, refusal->error)});
    } else if (auto* start = std::get_if<mcp::StartCall>(&verdict)) {
        calls_.legs().take(std::move(asker), std::move(*start));
    } else if (auto* listen = std::get_if<mcp::Listen>(&verdict)) {
        this->listen(asker, std::move(listen->filter));
    } else if (auto* ask = std::get_if<mcp::AskTask>(&verdict)) {
        tasks_.take(std::move(asker), std::move(*ask));
    }
}

void Engine::listen(const Asker& asker, mcp::ListenFilter filter) {
    const auto add = [this, asker](mcp::ListenFilter honoured) {
        if (listeners_->is_full()) {
            asker.sink->respond({200, {}, jsonrpc::write_error(asker.request, {jsonrpc::internal_error, "There are as many listeners as there may be", {}})});
            return;
        }
        const std::vector<std::string> tasks = honoured.task_ids;
        listeners_->add(asker.request, asker.owner, std::move(honoured), asker.sink);
        tasks_.show(asker.owner, tasks);
    };
    if (filter.task_ids.empty()) {
        add(std::move(filter));
        return;
    }
    // The acknowledgement names what is honoured: whose tasks these are is asked first.
    const std::vector<std::string> tasks = filter.task_ids;
    tasks_.pick(asker.owner, tasks, [this, asker, add, filter = std::move(filter)](const base::Result<std::vector<std::string>>& theirs) {
        if (!theirs || phase_ != Phase::serving) {
            asker.sink->respond(unavailable(theirs ? "the server is stopping" : theirs.error().sentence));
            return;
        }
        mcp::ListenFilter honoured = filter;
        honoured.task_ids = *theirs;
        add(std::move(honoured));
    });
}

void Engine::take_posted(mcp::Posted posted, const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink) {
    DURABLE_MCP_CRASH_POINT("req.parsed");
    auto reply = std::make_shared<Reply>();
    reply->sink = std::move(sink);
    const auto requests = static_cast<std::size_t>(std::count_if(posted.messages.begin(), posted.messages.end(), [](const jsonrpc::Message& message) {
        return std::holds_alternative<jsonrpc::Request>(message) || std::holds_alternative<jsonrpc::Malformed>(message);
    }));
    reply->is_silent = requests == 0;
    if (posted.is_batch && requests > 0) {
        reply->batch = calls_.make_stream(session);
        reply->batch->attach_post(reply->sink, true);
        reply->batch->expect(requests);
    }
    reply->idempotency_key = std::move(posted.idempotency_key);
    for (jsonrpc::Message& message : posted.messages) {
        take_message(std::move(message), session, reply);
    }
    reply->settle();
}

void Engine::take_message(jsonrpc::Message message, const std::shared_ptr<SessionState>& session, const std::shared_ptr<Reply>& reply) {
    std::optional<jsonrpc::Id> id;
    if (const auto* request = std::get_if<jsonrpc::Request>(&message)) {
        id = request->id;
    } else if (const auto* malformed = std::get_if<jsonrpc::Malformed>(&message)) {
        id = malformed->id;
    }
    mcp::Verdict verdict = mcp::route(options_.facts, *catalog(), session ? &session->data : nullptr, std::move(message));
    if (const auto* answer = std::get_if<mcp::Answer>(&verdict)) {
        reply->answer(jsonrpc::write_result(*id, answer->result));
    } else if (const auto* refusal = std::get_if<mcp::Refuse>(&verdict)) {
        if (id || !reply->is_silent) {
            reply->answer(jsonrpc::write_error(id, refusal->error));
        }
    } else if (auto* start = std::get_if<mcp::StartCall>(&verdict)) {
        if (!start->idempotency_key && start->kind == mcp::ItemKind::tool) {
            start->idempotency_key = reply->idempotency_key;
        }
        start_call(std::move(*id), std::move(*start), session, reply);
    } else if (auto* begin = std::get_if<mcp::BeginSession>(&verdict)) {
        begin_session(std::move(*id), std::move(*begin), reply->sink);
    } else if (std::holds_alternative<mcp::MarkInitialized>(verdict)) {
        if (!session->data.initialized) {
            session->data.initialized = true;
            reply->begin_effect();
            sessions_.save(*session, [reply, session](const auto& outcome) {
                session->data.initialized = outcome.has_value();
                reply->end_effect(outcome);
            });
        }
    } else if (const auto* level = std::get_if<mcp::SetLogLevel>(&verdict)) {
        const mcp::LogLevel before = std::exchange(session->data.log_level, level->level);
        session->log_level = level->level;
        sessions_.save(*session, [reply, id, session, before](const auto& outcome) {
            if (outcome) {
                reply->answer(jsonrpc::write_result(*id, "{}"));
                return;
            }
            session->data.log_level = before;
            session->log_level = before;
            reply->refuse_one(*id, outcome.error().sentence);
        });
    } else if (const auto* cancel = std::get_if<mcp::CancelCall>(&verdict)) {
        reply->begin_effect();
        calls_.cancel(*session, cancel->request, [reply](const auto& outcome) { reply->end_effect(outcome); });
    } else if (auto* taken = std::get_if<mcp::TakeAnswer>(&verdict)) {
        reply->begin_effect();
        calls_.questions().take_response(session->data.id, session->data.owner, std::move(taken->response),
                                         [reply](const auto& outcome) { reply->end_effect(outcome); });
    } else if (const auto* subscribe = std::get_if<mcp::Subscribe>(&verdict)) {
        change_subscription(*id, subscribe->uri, true, session, reply);
    } else if (const auto* unsubscribe = std::get_if<mcp::Unsubscribe>(&verdict)) {
        change_subscription(*id, unsubscribe->uri, false, session, reply);
    } else if (auto* ask = std::get_if<mcp::AskTask>(&verdict)) {
        if (reply->batch) {
            reply->answer(jsonrpc::write_error(*id, {jsonrpc::invalid_request, "Tasks are not asked for in a batch", {}}));
            return;
        }
        tasks_.take(asker_of(*id, session, reply->sink), std::move(*ask));
    }
    // Nothing: there is nothing to do but to say 202.
}

void Engine::change_subscription(const jsonrpc::Id& id, const std::string& uri, bool subscribes, const std::shared_ptr<SessionState>& session,
                                 const std::shared_ptr<Reply>& reply) {
    auto& subscriptions = session->data.subscriptions;
    if (subscribes && !subscriptions.contains(uri) && subscriptions.size() >= services_->limits.subscriptions_per_session) {
        reply->answer(jsonrpc::write_error(id, {jsonrpc::internal_error, "This session has as many subscriptions as it may have", {}}));
        return;
    }
    const bool changes = subscribes ? subscriptions.insert(uri).second : subscriptions.erase(uri) > 0;
    sessions_.save(*session, [reply, id, uri, subscribes, changes, session](const auto& outcome) {
        if (outcome) {
            reply->answer(jsonrpc::write_result(id, "{}"));
            return;
        }
        if (changes && subscribes) {
            session->data.subscriptions.erase(uri);
        } else if (changes) {
            session->data.subscriptions.insert(uri);
        }
        reply->refuse_one(id, outcome.error().sentence);
    });
}

void Engine::start_call(jsonrpc::Id id, mcp::StartCall start, const std::shared_ptr<SessionState>& session, const std::shared_ptr<Reply>& reply) {
    if (const auto running = calls_.find(*session, id)) {
        // The same POST again attaches to the running call; anything else under its id is refused (B42).
        if (reply->batch || running->shares_stream || running->identity() != document_of(start, session->data.revision)) {
            reply->answer(jsonrpc::write_error(id, {jsonrpc::invalid_request, "This request id is in use in this session", {}}));
        } else if (calls_.find_stream(*session, running->stream->id())) {
            running->stream->attach_reader(reply->sink, 0, true);
        } else {
            running->stream->attach_post(reply->sink, false);  // not on disk yet: no event id of it may leave
        }
        return;
    }
    if (calls_.is_full(session.get())) {
        reply->refuse_one(id, "too many calls are running; try again in a moment");
        return;
    }
    if (start.augmentation && !reply->batch) {
        tasks_.begin(asker_of(id, session, reply->sink), std::move(start));
        return;
    }
    const auto key = LegDesk::key_of(start, services_->limits.idempotency_key_bytes);
    if (!key) {
        reply->answer(jsonrpc::write_error(id, {jsonrpc::invalid_params, key.error().sentence, {}}));
        return;
    }
    if (!key->empty() && reply->batch) {
        reply->answer(jsonrpc::write_error(id, {jsonrpc::invalid_request, "An idempotency key is not taken in a batch: send the call alone", {}}));
        return;
    }
    if (!key->empty()) {
        start_keyed(std::move(id), std::move(start), *key, session, reply);
        return;
    }
    std::shared_ptr<Stream> stream = reply->batch;
    if (!stream) {
        stream = calls_.make_stream(session);
        stream->attach_post(reply->sink, false);
        stream->expect(1);
    }
    calls_.start(session, std::move(id), std::move(start), stream);
}

// The first request with a key is a call like any other, on disk before it is dispatched; those behind it wait for it.
void Engine::start_keyed(jsonrpc::Id id, mcp::StartCall start, const std::string& key, const std::shared_ptr<SessionState>& session,
                         const std::shared_ptr<Reply>& reply) {
    const auto fresh = [this, id, start, session, reply, key](const std::string& idempotency_key) {
        if (session->ended.load()) {
            reply->sink->respond(response_of(mcp::unknown_session()));
            return;
        }
        if (calls_.find(*session, id)) {
            start_call(id, start, session, reply);  // it was sent twice at once: this one attaches, if it is the same
            return;
        }
        const auto stream = calls_.make_stream(session);
        stream->attach_post(reply->sink, false);
        stream->expect(1);
        const auto call = calls_.make_bound(session, id, start, stream);
        call->handle.idempotency_key = idempotency_key;
        calls_.begin_reachable(call, static_cast<std::uint32_t>(store::Reach::key), services_->limits.key_retention,
                               [this, id, start, session, reply, key, tries = 0](const base::Result<store::GroupOutcome>& outcome) {
                                   if (outcome && *outcome == store::GroupOutcome::conflict) {
                                       // Another call got the key first, or this request was sent before: either way its answer is under the key.
                                       calls_.legs().take_keyed(asker_of(id, session, reply->sink), start, key, [reply, id](const std::string&) {
                                           reply->answer(jsonrpc::write_error(
                                               id, {jsonrpc::invalid_request, "This request id was used before in this session, for another request", {}}));
                                       });
                                   }
                               });
    };
    calls_.legs().take_keyed(asker_of(id, session, reply->sink), start, key, fresh);
}

void Engine::begin_session(jsonrpc::Id id, mcp::BeginSession verdict, std::shared_ptr<ResponseSink> sink) {
    if (sessions_.is_full(verdict.draft.owner)) {
        services_->log->warn("a session was refused: there are {} of them", sessions_.size());
        sink->respond(unavailable("this server has as many sessions as it may have"));
        return;
    }
    sessions_.begin(std::move(verdict.draft), [id = std::move(id), result = std::move(verdict.result), sink = std::move(sink)](
                                                  const std::shared_ptr<SessionState>& session, const base::Result<store::GroupOutcome>& outcome) {
        if (!outcome) {
            sink->respond(unavailable(outcome.error().sentence));
            return;
        }
        DURABLE_MCP_CRASH_POINT("session.after_create_before_reply");
        sink->respond({200, {{"Mcp-Session-Id", session->data.id}}, jsonrpc::write_result(id, result)});
    });
}

void Engine::end_session(const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink) {
    calls_.cancel_all(*session);
    if (const auto standalone = session->standalone.load()) {
        standalone->end_without_answer();
    }
    sessions_.end(session, [sink = std::move(sink)](const base::Result<store::GroupOutcome>& outcome) {
        sink->respond(outcome ? WholeResponse{200, {}, {}} : unavailable(outcome.error().sentence));
    });
}

}  // namespace durable_mcp::runtime
