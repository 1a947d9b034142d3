// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "base/crash_point.hpp"
#include "base/id.hpp"

namespace durable_mcp::runtime {
namespace {

constexpr std::chrono::minutes sweep_interval{1};

std::shared_ptr<Services> make_services(const boost::asio::any_io_executor& loop, const EngineOptions& options) {
    auto log = options.log ? options.log : std::make_shared<spdlog::logger>("durable_mcp", std::make_shared<spdlog::sinks::null_sink_mt>());
    return std::shared_ptr<Services>(new Services{options.limits,
                                                  options.clock ? *options.clock : base::system_clock(),
                                                  options.random ? *options.random : base::system_random(),
                                                  std::move(log),
                                                  std::make_shared<Inbox>(loop),
                                                  nullptr,
                                                  nullptr,
                                                  HandlerPool(options.limits.handler_threads),
                                                  HandlerPool(2)});
}

WholeResponse unavailable(std::string_view sentence) { return response_of(mcp::unavailable(sentence)); }

std::string_view list_name(mcp::ItemKind kind) {
    return kind == mcp::ItemKind::tool ? "tools" : kind == mcp::ItemKind::prompt ? "prompts" : "resources";
}

// The principal a request speaks for. Without authentication there is one, and it has no name.
std::string_view owner_of(const RequestView&) { return {}; }

}  // namespace

// Answers of one POST: of a single message its response, of a batch the stream that collects them. Effects that need the disk before
// a 202 are counted, so that the response leaves with the last of them.
struct Engine::Reply {
    std::shared_ptr<ResponseSink> sink;
    std::shared_ptr<Stream> batch;      ///< null for a single message, or when nothing in the batch is answered
    std::size_t pending_effects = 1;    ///< of notifications and answers; one stands for the reading of the body itself
    bool failed = false;

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

Engine::Engine(boost::asio::any_io_executor loop, EngineOptions options, std::shared_ptr<const mcp::Catalog> catalog)
    : options_(std::move(options)),
      services_(make_services(loop, options_)),
      catalog_(std::move(catalog)),
      sessions_(services_),
      calls_(services_),
      hold_timer_(std::in_place, loop),
      sweep_timer_(std::in_place, loop) {}

Engine::~Engine() = default;

std::shared_ptr<const mcp::Catalog> Engine::catalog() const {
    const std::lock_guard lock(catalog_mutex_);
    return catalog_;
}

bool Engine::is_ready() const { return ready_.load() && health_.load() == store::StoreHealth::good; }

// ── Boot ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

base::Result<void> Engine::open(std::shared_ptr<store::Store> store) {
    auto opened = recover(std::move(store));
    if (!opened) {
        services_->queue.reset();  // the store is given back before the caller hears of it
    }
    return opened;
}

base::Result<void> Engine::recover(std::shared_ptr<store::Store> store) {
    calls_.set_owner(weak_from_this());
    services_->store = store;
    services_->queue = std::make_unique<store::CommitQueue>(store, services_->limits);
    services_->queue->on_health_change([weak = weak_from_this()](store::StoreHealth health, const base::Failure& failure) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        self->health_ = health;
        if (health == store::StoreHealth::poisoned) {
            self->services_->log->critical("the store is poisoned: {}. Nothing more is answered until it is opened anew", failure.sentence);
            self->services_->inbox->put([self] { self->sessions_.for_each([&](const auto& session) { self->calls_.cut_readers(*session); }); });
            if (self->options_.on_poisoned) {
                self->options_.on_poisoned(failure.sentence);
            }
        } else if (health == store::StoreHealth::full) {
            self->services_->log->error("the store takes nothing for now: {}. New calls are refused; what has begun is kept", failure.sentence);
        } else {
            self->services_->log->info("the store takes entries again");
        }
    });
    auto sessions = store->sessions();
    if (!sessions) {
        return sessions.error();
    }
    auto unfinished = store->unfinished_calls();
    if (!unfinished) {
        return unfinished.error();
    }
    // The loop has held everything so far, so that its tables are ours until begin_serving() is put in its inbox.
    const auto last_event = [&store](const std::string& stream) { return store->last_event(stream).value(); };
    const auto offered = catalog();
    try {
        sessions_.load(std::move(*sessions), last_event);
        for (store::CallRow& row : *unfinished) {
            const auto session = sessions_.find(row.session, {});
            const base::Json document = base::Json::parse(row.document, nullptr, false);
            if (!session || !document.is_object()) {
                services_->log->error("call {} cannot be taken up: {}", row.id, session ? "its document cannot be read" : "its session is gone");
                continue;
            }
            const base::Json& params = document.contains("params") ? document["params"] : base::Json::object();
            auto found = mcp::route_again(*offered, session->data.revision, document.value("method", ""), params);
            const std::uint64_t events = last_event(row.stream);
            calls_.recover(session, std::move(row), events, std::move(found), params.value("name", params.value("uri", "")));
        }
    } catch (const std::runtime_error& error) {
        sessions_.for_each([](const auto& session) { session->running.clear(); });
        return base::Failure{base::FailureCode::store_damaged, error.what()};
    }
    services_->log->info("store open: {}. {} session(s), {} unfinished call(s)", store->describe(), sessions_.size(), unfinished->size());
    services_->inbox->put([self = shared_from_this()] { self->begin_serving(); });
    return {};
}

void Engine::begin_serving() {
    if (phase_ != Phase::booting) {
        return;
    }
    phase_ = Phase::serving;
    ready_ = true;
    hold_timer_->cancel();
    calls_.run_recovered();
    for (Held& held : std::exchange(held_, {})) {
        serve(std::move(held.request), std::move(held.sink));
    }
    sweep();
}

// A request that meets a booting server waits for it: a 4xx would make clients give their session up, and a 5xx costs them one of few attempts.
void Engine::hold(std::shared_ptr<RequestView> request, std::shared_ptr<ResponseSink> sink) {
    held_.push_back({std::move(request), std::move(sink), services_->clock.steady() + services_->limits.boot_hold});
    if (held_.size() == 1) {
        refuse_held_too_long();
    }
}

void Engine::refuse_held_too_long() {
    while (!held_.empty() && held_.front().until <= services_->clock.steady()) {
        held_.front().sink->respond(unavailable("the server is still reading its store"));
        held_.pop_front();
    }
    if (held_.empty()) {
        return;
    }
    hold_timer_->expires_at(held_.front().until);
    hold_timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) {
            self->refuse_held_too_long();
        }
    });
}

void Engine::sweep() {
    if (phase_ != Phase::serving) {
        return;
    }
    for (const auto& session : sessions_.expired()) {
        services_->log->info("session {} has been idle for too long and ends", session->data.id);
        sessions_.end(session, [](const auto&) {});
    }
    sweep_timer_->expires_after(sweep_interval);
    sweep_timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) {
            self->sweep();
        }
    });
}

// ── Requests ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Engine::serve(std::shared_ptr<RequestView> request, std::shared_ptr<ResponseSink> sink) {
    if (phase_ == Phase::booting) {
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
    const mcp::HttpFacts facts{request->method(),
                               request->header("Accept"),
                               request->header("Content-Type"),
                               request->header("Mcp-Session-Id"),
                               request->header("MCP-Protocol-Version"),
                               request->header("Last-Event-ID")};
    mcp::Asked asked = mcp::read_request(facts, request->body());
    if (auto* refusal = std::get_if<mcp::HttpRefusal>(&asked)) {
        sink->respond(response_of(std::move(*refusal)));
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
    }
    // Nothing, and an answer to a question that was never asked: there is nothing to do but to say 202.
}

void Engine::start_call(jsonrpc::Id id, mcp::StartCall start, const std::shared_ptr<SessionState>& session, const std::shared_ptr<Reply>& reply) {
    if (const auto running = calls_.find(*session, id)) {
        // The same POST again attaches to the running call; anything else under its id is refused (B42).
        if (reply->batch || running->shares_stream || running->document() != document_of(start, session->data.revision)) {
            reply->answer(jsonrpc::write_error(id, {jsonrpc::invalid_request, "This request id is in use in this session", {}}));
        } else if (calls_.find_stream(*session, running->stream->id())) {
            running->stream->attach_reader(reply->sink, 0, true);
        } else {
            running->stream->attach_post(reply->sink, false);  // not on disk yet: no event id of it may leave
        }
        return;
    }
    if (calls_.is_full(*session)) {
        reply->refuse_one(id, "too many calls are running; try again in a moment");
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

// ── Streams ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Engine::open_standalone(const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink) {
    session->waiting_announcements.clear();
    if (const auto standalone = session->standalone.load()) {
        standalone->attach_reader(std::move(sink), standalone->released(), true);
        return;
    }
    // The first time. That the stream exists must be on disk before an id of it leaves, and before anything is appended to it.
    session->data.standalone_opened = true;
    sessions_.save(*session, [services = services_, session, sink = std::move(sink)](const base::Result<store::GroupOutcome>& outcome) {
        auto stream = session->standalone.load();
        if (!outcome) {
            session->data.standalone_opened = stream != nullptr;
            sink->respond(unavailable(outcome.error().sentence));
        } else if (session->ended) {
            sink->respond(response_of(mcp::unknown_session()));
        } else {
            if (!stream) {
                stream = std::make_shared<Stream>(session->data.standalone_stream, mcp::traits(session->data.revision).primes_streams, 0, services);
                stream->expect(1);
                session->standalone = stream;
            }
            stream->attach_reader(sink, stream->released(), true);
        }
    });
}

void Engine::resume(const std::shared_ptr<SessionState>& session, const std::string& last_event_id, std::shared_ptr<ResponseSink> sink) {
    const auto id = read_event_id(last_event_id);
    if (!id) {
        sink->respond(response_of(mcp::unknown_event()));
        return;
    }
    std::shared_ptr<Stream> stream = calls_.find_stream(*session, id->stream);
    if (const auto standalone = session->standalone.load(); !stream && standalone && standalone->id() == id->stream) {
        stream = standalone;
        session->waiting_announcements.clear();
    }
    if (!stream) {
        resume_finished(session, *id, std::move(sink));
    } else if (id->seq > stream->released()) {
        sink->respond(response_of(mcp::unknown_event()));
    } else {
        stream->attach_reader(std::move(sink), id->seq, false);
    }
}

void Engine::resume_finished(const std::shared_ptr<SessionState>& session, EventId id, std::shared_ptr<ResponseSink> sink) {
    services_->readers.submit([self = shared_from_this(), session, id = std::move(id), sink = std::move(sink)] {
        auto calls = self->services_->store->calls_of_stream(id.stream);
        auto last = self->services_->store->last_event(id.stream);
        self->services_->inbox->put([self, session, id, sink, calls = std::move(calls), last = std::move(last)] {
            const bool may_read = DURABLE_MCP_PLANTED_BUG("read_foreign_stream");
            if (!calls || !last) {
                sink->respond(unavailable("the events cannot be read now"));
            } else if (calls->empty() || (calls->front().session != session->data.id && !may_read) || id.seq > *last) {
                sink->respond(response_of(mcp::unknown_event()));
            } else {
                std::make_shared<Stream>(id.stream, true, *last, self->services_)->attach_reader(sink, id.seq, false);
            }
        });
    });
}

void Engine::replace_catalog(std::shared_ptr<const mcp::Catalog> catalog, const std::vector<mcp::ItemKind>& changed) {
    {
        const std::lock_guard lock(catalog_mutex_);
        catalog_ = std::move(catalog);
    }
    services_->inbox->put([self = shared_from_this(), changed] {
        if (self->phase_ == Phase::serving) {
            self->announce(changed);
        }
    });
}

void Engine::announce(const std::vector<mcp::ItemKind>& changed) {
    for (const mcp::ItemKind kind : changed) {
        const std::string payload = jsonrpc::write_notification(fmt::format("notifications/{}/list_changed", list_name(kind)), {});
        sessions_.for_each([&](const std::shared_ptr<SessionState>& session) {
            const auto stream = session->standalone.load();
            // Nobody has listened yet, or nobody listens and the same already waits for whoever will.
            if (!stream || (!stream->has_reader() && !session->waiting_announcements.insert(payload).second)) {
                return;
            }
            stream->append([&](std::uint64_t seq) {
                services_->queue->submit({store::AppendEvent{{stream->id(), seq, payload}}}, store::Urgency::soon, store::WhenFull::keep,
                                         [inbox = services_->inbox, stream, seq, payload](const base::Result<store::GroupOutcome>& outcome) {
                                             if (outcome && *outcome == store::GroupOutcome::committed) {
                                                 inbox->put([stream, seq, payload] { stream->release(seq, payload); });
                                             }
                                         });
                return true;
            });
        });
    }
}

// ── Stop ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

bool Engine::stop(std::chrono::milliseconds deadline) {
    const auto until = std::chrono::steady_clock::now() + deadline;
    services_->inbox->put([self = shared_from_this()] {
        const bool was_serving = self->phase_ == Phase::serving;
        self->phase_ = Phase::draining;
        self->ready_ = false;
        self->hold_timer_->cancel();
        self->sweep_timer_->cancel();
        for (Held& held : std::exchange(self->held_, {})) {
            held.sink->respond(unavailable("the server is stopping"));
        }
        const auto tell_idle = [self] {
            const std::lock_guard lock(self->phase_mutex_);
            self->is_idle_ = true;
            self->phase_changed_.notify_all();
        };
        DURABLE_MCP_CRASH_POINT("shutdown.draining");
        if (was_serving) {
            self->calls_.hold_recovered();
            self->sessions_.for_each([&](const auto& session) { self->calls_.suspend_all(*session); });
        }
        if (self->calls_.running() == 0) {
            tell_idle();
        } else {
            self->calls_.on_idle(tell_idle);
        }
    });
    bool is_idle = false;
    {
        std::unique_lock lock(phase_mutex_);
        is_idle = phase_changed_.wait_until(lock, until, [this] { return is_idle_; });
    }
    if (!is_idle) {
        services_->log->error("stop: some handlers did not come back within {} ms. What they are inside of counts as interrupted", deadline.count());
        services_->handlers.abandon();
    } else if (services_->queue) {
        services_->handlers.close();
        services_->readers.close();
        services_->queue.reset();  // commits what is queued; its completions are in the inbox before the last message below
    }
    // Readers are sent away last, so that an answer that was ready in time has reached them.
    std::mutex mutex;
    std::condition_variable condition;
    bool is_done = false;
    services_->inbox->put([&, self = shared_from_this()] {
        self->sessions_.for_each([&](const auto& session) { self->calls_.send_readers_away(*session); });
        self->phase_ = Phase::stopped;
        // The loop may end before we do: nothing of ours may hang on it from here on.
        self->hold_timer_.reset();
        self->sweep_timer_.reset();
        self->calls_.close();
        // Recovered calls that were not begun, and those whose handlers stay behind: they hold us, and we would hold them.
        self->sessions_.for_each([](const auto& session) { session->running.clear(); });
        self->services_->inbox->close();
        const std::lock_guard lock(mutex);
        is_done = true;
        condition.notify_all();
    });
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return is_done; });
    return is_idle;
}

}  // namespace durable_mcp::runtime
