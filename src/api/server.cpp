// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/server.hpp"

#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "api/assembly.hpp"
#include "api/completion.hpp"
#include "api/options.hpp"
#include "api/registration.hpp"
#include "api/server_door.hpp"
#include "durable_mcp/asio.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp {

// What ends run(): a signal, stop(), or a poisoned store. Shared with the engine, which may outlive the server.
struct RunState {
    std::mutex mutex;
    boost::asio::io_context* waiting = nullptr;               ///< where run() waits
    std::string poison;                                       ///< why the store takes nothing any more; "" while it does

    void end_run() {
        const std::lock_guard lock(mutex);
        if (waiting != nullptr) {
            waiting->stop();
        }
    }
};

// Two locks, never held the other way round: `life` for start and stop, which take long; `mutex` for what is on offer and who is told.
struct DurableMCP::Impl {
    explicit Impl(Options given) : options(std::move(given)), catalog(std::make_shared<const mcp::Catalog>(options.limits.list_page)) {}

    const Options options;

    std::mutex life;
    std::unique_ptr<api::Assembly> assembly;                  ///< while it runs; guarded by `life`

    mutable std::mutex mutex;
    std::shared_ptr<const mcp::Catalog> catalog;
    std::set<std::tuple<mcp::ItemKind, std::string, std::string>> completions;  ///< what is completed: kind, its name, argument
    std::shared_ptr<runtime::Engine> engine;                  ///< while it runs
    std::uint16_t port = 0;                                   ///< of the last start
    const std::shared_ptr<RunState> run_state = std::make_shared<RunState>();
    const std::shared_ptr<runtime::OutsideState> state = std::make_shared<runtime::OutsideState>();

    void add(Presence presence, mcp::ItemKind kind, mcp::Item item) {
        const std::lock_guard lock(mutex);
        if (presence == Presence::fresh && catalog->find(kind, item.name)) {
            throw std::invalid_argument("\"" + item.name + "\" is on offer already: replace it, or remove it first");
        }
        publish({kind}, catalog->with(kind, std::move(item)));
    }

    bool remove(mcp::ItemKind kind, std::string_view name) {
        const std::lock_guard lock(mutex);
        if (!catalog->find(kind, name)) {
            return false;
        }
        publish({kind}, catalog->without(kind, name));
        if (kind == mcp::ItemKind::prompt || kind == mcp::ItemKind::resource_template) {
            remove_completions_of(kind, name);
        }
        return true;
    }

    void add_completion(Presence presence, mcp::ItemKind of, std::string_view ref, std::string_view argument, const detail::Binding& binding) {
        mcp::Item item = api::make_completion(of, ref, argument, binding);
        const std::lock_guard lock(mutex);
        if (presence == Presence::fresh && catalog->find(mcp::ItemKind::completion, item.name)) {
            throw std::invalid_argument("\"" + std::string(argument) + "\" of \"" + std::string(ref) +
                                        "\" has a completion already: replace it, or remove it first");
        }
        completions.emplace(of, ref, argument);
        publish({}, catalog->with(mcp::ItemKind::completion, std::move(item)));
    }

    bool remove_completion(mcp::ItemKind of, std::string_view ref, std::string_view argument) {
        const std::lock_guard lock(mutex);
        if (completions.erase({of, std::string(ref), std::string(argument)}) == 0) {
            return false;
        }
        publish({}, catalog->without(mcp::ItemKind::completion, mcp::completion_name(of, ref, argument)));
        return true;
    }

    /// Under `mutex`.
    void remove_completions_of(mcp::ItemKind of, std::string_view ref) {
        for (auto completed = completions.begin(); completed != completions.end();) {
            const auto& [kind, name, argument] = *completed;
            if (kind == of && name == ref) {
                publish({}, catalog->without(mcp::ItemKind::completion, mcp::completion_name(of, ref, argument)));
                completed = completions.erase(completed);
            } else {
                ++completed;
            }
        }
    }

    void check_completions() const {
        const std::lock_guard lock(mutex);
        for (const auto& [kind, name, argument] : completions) {
            api::check_completed(*catalog, kind, name, argument);
        }
    }

    /// Under `mutex`, so that the engine sees the catalogs in the order in which they were made. `changed`: the lists that clients are told of.
    void publish(const std::vector<mcp::ItemKind>& changed, mcp::Catalog next) {
        catalog = std::make_shared<const mcp::Catalog>(std::move(next));
        if (engine) {
            engine->replace_catalog(catalog, changed);
        }
    }

    /// `context`: the embedder's, or null for one of our own.
    void start(boost::asio::io_context* context) {
        const std::lock_guard living(life);
        if (assembly) {
            throw std::logic_error("DurableMCP::start: the server is running");
        }
        check_completions();
        {
            const std::lock_guard lock(run_state->mutex);
            run_state->poison.clear();
        }
        auto made = std::make_unique<api::Assembly>(options, context);
        made->lock_store();
        {
            const std::lock_guard lock(mutex);
            made->make_engine(catalog, state, [state = run_state](const std::string& sentence) {
                {
                    const std::lock_guard lock_state(state->mutex);
                    state->poison = sentence;
                }
                state->end_run();
            });
            engine = made->engine();
        }
        try {
            const std::uint16_t bound = made->listen();
            const std::lock_guard lock(mutex);
            port = bound;
        } catch (...) {
            forget_engine();
            made->tear_down();
            throw;
        }
        try {
            made->recover();
        } catch (...) {
            forget_engine();
            made->tear_down();
            throw;
        }
        assembly = std::move(made);
    }

    void stop(std::chrono::milliseconds deadline) {
        {
            const std::lock_guard living(life);
            if (!assembly) {
                return;
            }
            const std::unique_ptr<api::Assembly> ending = std::move(assembly);
            ending->stop(deadline);
            forget_engine();
            ending->tear_down();
        }
        run_state->end_run();
    }

    void forget_engine() {
        const std::lock_guard lock(mutex);
        engine.reset();
    }
};

DurableMCP::DurableMCP(Options options) {
    api::check_options(options);
    api::check_listener(options);
    impl_ = std::make_unique<Impl>(std::move(options));
}

DurableMCP::~DurableMCP() { stop(); }

// ── Registration ───────────────────────────────────────────────────────────────────────────────────────────────────────────

void DurableMCP::add_tool(Presence presence, std::string_view name, std::string_view description, const detail::Binding& binding,
                          const ToolOptions& options) {
    impl_->add(presence, mcp::ItemKind::tool, api::make_tool(name, description, binding, options));
}

void DurableMCP::add_raw_tool(Presence presence, std::string_view name, std::string_view description, const JsonSchema& schema,
                              const detail::Binding& binding, const ToolOptions& options) {
    impl_->add(presence, mcp::ItemKind::tool, api::make_raw_tool(name, description, schema, binding, options));
}

void DurableMCP::add_prompt(Presence presence, std::string_view name, std::string_view description, const detail::Binding& binding,
                            const PromptOptions& options) {
    impl_->add(presence, mcp::ItemKind::prompt, api::make_prompt(name, description, binding, options));
}

void DurableMCP::add_resource(Presence presence, std::string_view uri, std::string_view name, const detail::Binding& binding,
                              const ResourceOptions& options) {
    impl_->add(presence, mcp::ItemKind::resource, api::make_resource(uri, name, binding, options));
}

void DurableMCP::add_template(Presence presence, std::string_view uri_template, std::string_view name, const detail::Binding& binding,
                              const ResourceOptions& options) {
    impl_->add(presence, mcp::ItemKind::resource_template, api::make_template(uri_template, name, binding, options));
}

bool DurableMCP::remove_tool(std::string_view name) { return impl_->remove(mcp::ItemKind::tool, name); }
bool DurableMCP::remove_prompt(std::string_view name) { return impl_->remove(mcp::ItemKind::prompt, name); }
bool DurableMCP::remove_resource(std::string_view uri) { return impl_->remove(mcp::ItemKind::resource, uri); }
bool DurableMCP::remove_resource_template(std::string_view uri_template) {
    return impl_->remove(mcp::ItemKind::resource_template, uri_template);
}

void DurableMCP::add_completion(Presence presence, Completed of, std::string_view ref, std::string_view argument, const detail::Binding& binding) {
    impl_->add_completion(presence, of == Completed::prompt ? mcp::ItemKind::prompt : mcp::ItemKind::resource_template, ref, argument, binding);
}

bool DurableMCP::remove_completion(std::string_view prompt, std::string_view argument) {
    return impl_->remove_completion(mcp::ItemKind::prompt, prompt, argument);
}

bool DurableMCP::remove_template_completion(std::string_view uri_template, std::string_view variable) {
    return impl_->remove_completion(mcp::ItemKind::resource_template, uri_template, variable);
}

// ── Life ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void DurableMCP::start() { impl_->start(nullptr); }
void DurableMCP::stop(std::chrono::milliseconds deadline) { impl_->stop(deadline); }

void DurableMCP::run() {
    boost::asio::io_context waiting;
    boost::asio::signal_set signals(waiting, SIGINT, SIGTERM);
    signals.async_wait([&signals, &waiting](const boost::system::error_code& error, int) {
        if (!error) {
            signals.async_wait([](const boost::system::error_code& cancelled, int number) {
                if (!cancelled) {
                    std::_Exit(128 + number);  // asked twice: whoever asks does not want to wait for the deadline
                }
            });
            waiting.stop();
        }
    });
    // Known before start(), so that a stop() that follows at once is not missed.
    struct Waiting {
        RunState& state;
        Waiting(RunState& owner, boost::asio::io_context& context) : state(owner) { set(&context); }
        ~Waiting() { set(nullptr); }
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;
        void set(boost::asio::io_context* context) const {
            const std::lock_guard lock(state.mutex);
            state.waiting = context;
        }
    };
    {
        const Waiting known(*impl_->run_state, waiting);
        start();
        waiting.run();
    }
    // A second signal must find somebody who listens while stop() waits here.
    waiting.restart();
    std::thread listener([&waiting] { waiting.run(); });
    stop();
    waiting.stop();
    listener.join();
    const std::lock_guard lock(impl_->run_state->mutex);
    if (!impl_->run_state->poison.empty()) {
        throw Error(ErrorCode::store_unavailable, "the store failed in a way that leaves its last commit unknown, and the server has stopped: " +
                                                      impl_->run_state->poison + ". Start it again: it then reads what is true from the disk");
    }
}

State DurableMCP::state() { return State(*impl_->state); }

Signalled DurableMCP::send_signal(std::string_view call_id, std::string_view name, const std::string& value) {
    std::shared_ptr<runtime::Engine> engine;
    {
        const std::lock_guard lock(impl_->mutex);
        engine = impl_->engine;
    }
    if (!engine) {
        throw Error(ErrorCode::stopped, "signal '" + std::string(name) + "': the server does not run, and nothing was recorded");
    }
    const auto outcome = engine->signal(std::string(call_id), std::string(name), value);
    if (!outcome) {
        const bool is_full = outcome.error().code == base::FailureCode::store_full;
        throw Error(is_full ? ErrorCode::store_full : ErrorCode::store_unavailable,
                    "signal '" + std::string(name) + "' for call " + std::string(call_id) + " was not recorded: " + outcome.error().sentence);
    }
    switch (*outcome) {
        case runtime::SignalOutcome::taken: return Signalled::taken;
        case runtime::SignalOutcome::repeated: return Signalled::repeated;
        case runtime::SignalOutcome::no_call: break;
    }
    return Signalled::no_call;
}

bool DurableMCP::is_ready() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->engine && impl_->engine->is_ready();
}

std::uint16_t DurableMCP::port() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->port != 0 ? impl_->port : impl_->options.port;
}

std::string DurableMCP::url() const { return api::make_url(impl_->options, port()); }

void start_on(DurableMCP& server, boost::asio::io_context& context) { detail::ServerDoor::start_on(server, context); }

std::shared_ptr<const mcp::Catalog> detail::ServerDoor::catalog(const DurableMCP& server) {
    const std::lock_guard lock(server.impl_->mutex);
    return server.impl_->catalog;
}

void detail::ServerDoor::start_on(DurableMCP& server, boost::asio::io_context& context) { server.impl_->start(&context); }

}  // namespace durable_mcp
