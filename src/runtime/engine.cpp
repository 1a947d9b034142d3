// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "base/crash_point.hpp"

namespace durable_mcp::runtime {
namespace {

std::shared_ptr<Services> make_services(const boost::asio::any_io_executor& loop, const EngineOptions& options) {
    auto log = options.log ? options.log : std::make_shared<spdlog::logger>("durable_mcp", std::make_shared<spdlog::sinks::null_sink_mt>());
    return std::shared_ptr<Services>(new Services{options.limits,
                                                  options.clock ? *options.clock : base::system_clock(),
                                                  options.random ? *options.random : base::system_random(),
                                                  std::move(log),
                                                  std::make_shared<Inbox>(loop),
                                                  nullptr,
                                                  nullptr,
                                                  std::make_shared<const mcp::ServerFacts>(options.facts),
                                                  HandlerPool(options.limits.handler_threads),
                                                  HandlerPool(2),
                                                  options.retention});
}

WholeResponse unavailable(std::string_view sentence) { return response_of(mcp::unavailable(sentence)); }

}  // namespace

Engine::Engine(boost::asio::any_io_executor loop, EngineOptions options, std::shared_ptr<const mcp::Catalog> catalog)
    : options_(std::move(options)),
      services_(make_services(loop, options_)),
      catalog_(std::move(catalog)),
      sessions_(services_),
      calls_(services_),
      listeners_(std::make_shared<Listeners>(services_)),
      tasks_(calls_, *listeners_, services_),
      map_sweeper_(std::make_shared<MapSweeper>(services_)),
      outside_state_(options_.outside_state ? options_.outside_state : std::make_shared<OutsideState>()),
      sweeper_(sessions_, calls_, tasks_, services_),
      hold_timer_(std::in_place, loop),
      sweep_timer_(std::in_place, loop) {}

// Whoever destroys it without a stop() does so on the loop, or when the loop turns no more. What is on its way to the loop is not for anybody then.
Engine::~Engine() {
    services_->inbox->close();
    calls_.close();
}

std::shared_ptr<const mcp::Catalog> Engine::catalog() const {
    const std::lock_guard lock(catalog_mutex_);
    return catalog_;
}

bool Engine::is_ready() const { return ready_.load() && health_.load() == store::StoreHealth::good; }

// ── Boot ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

base::Result<void> Engine::open(std::shared_ptr<store::Store> store) {
    try {
        auto opened = recover(std::move(store));
        if (opened) {
            outside_state_->open(services_);
        } else {
            services_->queue.reset();  // the store is given back before the caller hears of it
        }
        return opened;
    } catch (...) {  // what is to be done once could not be done
        services_->queue.reset();
        throw;
    }
}

base::Result<void> Engine::recover(std::shared_ptr<store::Store> store) {
    calls_.set_owner(weak_from_this(), {[this](const auto& call) { tasks_.changed(call); },
                                        [this](const std::string& list) { listeners_->list_changed(list); },
                                        [this](const std::string& uri, std::function<void(bool)> done) { resource_updated(uri, std::move(done)); }});
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
            self->services_->inbox->put([self] { self->cut_all(); });
            if (self->options_.on_poisoned) {
                self->options_.on_poisoned(failure.sentence);
            }
        } else if (health == store::StoreHealth::full) {
            self->services_->log->error("the store takes nothing for now: {}. New calls are refused; what has begun is kept", failure.sentence);
        } else {
            self->services_->log->info("the store takes entries again");
        }
    });
    services_->queue->on_map_change([services = services_.get()](const store::Group& group) {
        StateChanges::Maps maps;
        for (const store::Write& write : group) {
            const auto* const put = std::get_if<store::PutMapRow>(&write);
            const auto* const erased = std::get_if<store::EraseMapRow>(&write);
            if (put != nullptr || erased != nullptr) {
                maps.push_back(put != nullptr ? put->map : erased->map);
            }
        }
        services->changes.changed(maps);
    });
    initialize_once(*services_, options_.initialize);
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
    if (auto failure = load_keys(*store)) {
        return *failure;
    }
    const auto offered = catalog();
    try {
        sessions_.load(std::move(*sessions), last_event);
        for (store::CallRow& row : *unfinished) {
            recover_call(*offered, std::move(row), *store, last_event);
        }
    } catch (const std::runtime_error& error) {
        return base::Failure{base::FailureCode::store_damaged, error.what()};
    }
    services_->log->info("store open: {}. {} session(s), {} unfinished call(s)", store->describe(), sessions_.size(), unfinished->size());
    services_->inbox->put([self = shared_from_this()] { self->begin_serving(); });
    return {};
}

void Engine::recover_call(const mcp::Catalog& offered, store::CallRow row, store::Store& store,
                          const std::function<std::uint64_t(const std::string& stream)>& last_event) {
    const auto session = row.session.empty() ? nullptr : sessions_.find_whoever(row.session);
    auto handle = store.handle(row.id).value();
    const base::Json document = base::Json::parse(row.document, nullptr, false);
    const auto revision = session ? std::optional(session->data.revision)
                                  : mcp::revision_from(document.is_object() ? document.value("revision", "") : "");
    if (!document.is_object() || !revision || (!session && !row.session.empty() && !handle)) {
        services_->log->error("call {} cannot be taken up: {}", row.id, document.is_object() && revision ? "its session is gone" : "its document cannot be read");
        return;
    }
    const base::Json& params = document.contains("params") ? document["params"] : base::Json::object();
    auto found = mcp::route_again(offered, *revision, document.value("method", ""), params);
    const std::uint64_t events = last_event(row.stream);
    calls_.recover(session, std::move(row), std::move(handle), events, *revision, document, std::move(found));
}

// The ring of keys that seal states: what is in the store, and a new one when the newest has served its time.
std::optional<base::Failure> Engine::load_keys(store::Store& store) {
    auto secrets = store.secrets();
    if (!secrets) {
        return secrets.error();
    }
    std::vector<auth::Key> keys;
    for (store::SecretRow& row : *secrets) {
        keys.push_back({row.id, row.created_ms, std::move(row.value)});
    }
    secrets_ = keys;
    auto ring = auth::KeyRing::from(std::move(keys));
    if (!ring) {
        return ring.error();
    }
    calls_.legs().set_keys(std::make_shared<const auth::KeyRing>(std::move(*ring)));
    rotate_keys();
    return std::nullopt;
}

// A new key seals when it is on disk: what it sealed before would be unreadable after a crash.
void Engine::rotate_keys() {
    const auto& ring = calls_.legs().keys();
    const std::int64_t now = services_->clock.wall_ms();
    if (is_rotating_ || !ring->rotation_due(now, services_->limits.secret_lifetime)) {
        return;  // a second one of the same number would take the first one's place on disk, and leave it in memory
    }
    is_rotating_ = true;
    auth::Key key = auth::fresh_key(ring->next_id(), now, services_->random);
    const std::vector<std::uint64_t> outlived = ring->outlived(now, services_->limits.state_lifetime);
    store::Group group{store::PutSecret{{key.id, key.created_ms, key.bytes}}};
    for (const std::uint64_t id : outlived) {
        group.emplace_back(store::DropSecret{id});
    }
    services_->queue->submit(std::move(group), store::Urgency::soon, store::WhenFull::keep,
                             [self = shared_from_this(), key = std::move(key), outlived](const base::Result<store::GroupOutcome>& outcome) {
                                 self->services_->inbox->put([self, key, outlived, is_kept = static_cast<bool>(outcome)] {
                                     self->is_rotating_ = false;
                                     if (!is_kept) {
                                         return;
                                     }
                                     self->secrets_.push_back(key);
                                     std::erase_if(self->secrets_, [&](const auth::Key& one) {
                                         return std::find(outlived.begin(), outlived.end(), one.id) != outlived.end();
                                     });
                                     if (auto next = auth::KeyRing::from(self->secrets_)) {
                                         self->calls_.legs().set_keys(std::make_shared<const auth::KeyRing>(std::move(*next)));
                                     }
                                 });
                             });
}

void Engine::cut_all() {
    calls_.cut_readers();
    listeners_->cut_all();
    sessions_.for_each([](const auto& session) {
        if (const auto standalone = session->standalone.load()) {
            standalone->cut();
        }
    });
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
    hold_timer_->expires_after(held_.front().until - services_->clock.steady());
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
    map_sweeper_->sweep();
    sweeper_.begin();
    rotate_keys();
    sweep_timer_->expires_after(services_->retention.interval);
    sweep_timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) {
            self->sweep();
        }
    });
}

base::Result<SignalOutcome> Engine::signal(const std::string& call, const std::string& name, const std::string& payload) {
    if (!ready_.load()) {
        return base::Failure{base::FailureCode::store_unavailable, "the server is not running"};
    }
    const auto told = std::make_shared<std::promise<base::Result<SignalOutcome>>>();
    auto outcome = told->get_future();
    services_->inbox->put([self = shared_from_this(), call, name, payload, told] {
        self->calls_.waits().signal(call, name, payload, [told](base::Result<SignalOutcome> what) { told->set_value(std::move(what)); });
    });
    const HandlerPool::Blocked blocked;
    try {
        return outcome.get();
    } catch (const std::future_error&) {
        return base::Failure{base::FailureCode::store_unavailable, "the server has stopped; whether the signal was recorded is not known"};
    }
}

// ── Stop ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

bool Engine::stop(std::chrono::milliseconds deadline) {
    if (is_stopped_.load()) {
        return true;
    }
    const auto until = std::chrono::steady_clock::now() + deadline;
    services_->inbox->put([self = shared_from_this()] {
        const bool was_serving = self->phase_ == Phase::serving;
        self->phase_ = Phase::draining;
        self->ready_ = false;
        self->hold_timer_->cancel();
        self->sweep_timer_->cancel();
        self->map_sweeper_->close();
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
            self->calls_.suspend_all();
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
        const auto has_come_to_rest = [this] { return is_idle_; };
        is_idle = phase_changed_.wait_until(lock, until - deadline / 10, has_come_to_rest);
        if (!is_idle) {
            // Who listens may still end in time, so that nothing is interrupted.
            services_->inbox->put([self = shared_from_this()] { self->calls_.ask_to_stop(); });
            is_idle = phase_changed_.wait_until(lock, until, has_come_to_rest);
        }
    }
    is_idle = outside_state_->close(until) && is_idle;
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
        self->calls_.send_readers_away();
        self->listeners_->end_all();
        self->sessions_.for_each([](const auto& session) {
            if (const auto standalone = session->standalone.load()) {
                standalone->send_away();
            }
        });
        self->phase_ = Phase::stopped;
        // The loop may end before we do: nothing of ours may hang on it from here on.
        self->hold_timer_.reset();
        self->sweep_timer_.reset();
        self->calls_.close();
        self->services_->inbox->close();
        const std::lock_guard lock(mutex);
        is_done = true;
        condition.notify_all();
    });
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return is_done; });
    is_stopped_ = true;
    return is_idle;
}

}  // namespace durable_mcp::runtime
