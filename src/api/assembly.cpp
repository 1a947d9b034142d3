// SPDX-License-Identifier: Apache-2.0
#include "api/assembly.hpp"

#include <cerrno>
#include <future>
#include <stdexcept>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "api/options.hpp"
#include "api/store_factory.hpp"
#include "durable_mcp/error.hpp"
#include "http/access_policy.hpp"

namespace durable_mcp::api {

namespace {

/// How long connections may take to send what they still hold, after the engine has nothing more for them.
constexpr std::chrono::milliseconds farewell{1000};

spdlog::level::level_enum level_from(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
        case LogLevel::notice:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::critical:
        case LogLevel::alert:
        case LogLevel::emergency:
            break;
    }
    return spdlog::level::critical;
}

std::shared_ptr<spdlog::logger> logger_for(const Options& options) {
    if (options.logger) {
        return options.logger;
    }
    auto logger = std::make_shared<spdlog::logger>("durable_mcp", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(level_from(options.log_level));
    return logger;
}

Error store_error(const base::Failure& failure) {
    switch (failure.code) {
        case base::FailureCode::store_locked:
            return {ErrorCode::store_locked, failure.sentence};
        case base::FailureCode::store_incompatible:
            return {ErrorCode::store_incompatible, failure.sentence};
        case base::FailureCode::store_damaged:
        case base::FailureCode::malformed:
            return {ErrorCode::store_damaged, failure.sentence};
        case base::FailureCode::store_full:
            return {ErrorCode::store_full, failure.sentence};
        default:
            return {ErrorCode::store_unavailable, failure.sentence};
    }
}

/// As it stands in a URL and in `Host`.
std::string authority_of(const std::string& address) { return address.find(':') != std::string::npos ? "[" + address + "]" : address; }

/// The names by which clients may know the server: those that are listed, and its own address, unless it stands for all of them. (A web page that
/// was led here by DNS rebinding says a name of its own.) A public address without a list stays without: it is refused.
std::vector<std::string> known_hosts(const Options& options) {
    std::vector<std::string> hosts = options.allowed_hosts;
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(options.host, error);
    const bool has_scope = options.host.find('%') != std::string::npos;
    if (!error && !has_scope && !address.is_unspecified() && (address.is_loopback() || !hosts.empty())) {
        hosts.push_back(authority_of(options.host) + ":*");
    }
    return hosts;
}

http::ListenerOptions listener_options(const Options& options, const base::Limits& limits, std::shared_ptr<spdlog::logger> log) {
    http::ListenerOptions made;
    made.address = options.host;
    made.port = options.port;
    made.hosts = known_hosts(options);
    made.origins = options.allowed_origins;
    made.limits = limits;
    made.logger = std::move(log);
    return made;
}

/// Stands where the engine will, while a listener is made only to have its options checked.
class Nobody final : public runtime::Service {
public:
    void serve(std::shared_ptr<runtime::RequestView>, std::shared_ptr<runtime::ResponseSink>) override {}
};

/// Runs `check`; what it refuses is said of that member.
template <class Check>
void check_member(const char* member, const Check& check) {
    try {
        check();
    } catch (const std::invalid_argument& problem) {
        throw std::invalid_argument(std::string("Options::") + member + ": " + problem.what());
    }
}

}  // namespace

std::string make_url(const Options& options, std::uint16_t port) {
    return "http://" + authority_of(options.host) + ":" + std::to_string(port) + options.path;
}

void check_listener(const Options& options) {
    check_member("allowed_hosts", [&] { const http::AccessPolicy judged(true, options.allowed_hosts, {}); });
    check_member("allowed_origins", [&] { const http::AccessPolicy judged(true, {}, options.allowed_origins); });
    check_member(options.allowed_hosts.empty() ? "host, allowed_hosts" : "host", [&] {
        boost::asio::io_context nowhere;
        Nobody nobody;
        const http::ListenerOptions wanted = listener_options(options, house_limits(options), nullptr);
        const http::Listener never_opened(nowhere.get_executor(), wanted, {{options.path, &nobody}});
    });
}

Assembly::Assembly(const Options& options, boost::asio::io_context* context)
    : options_(options), limits_(house_limits(options)), log_(logger_for(options)) {
    if (context != nullptr) {
        loop_ = boost::asio::make_strand(*context);
    } else {
        own_ = std::make_unique<boost::asio::io_context>(1);
        loop_ = own_->get_executor();
        work_.emplace(own_->get_executor());
    }
}

Assembly::~Assembly() { tear_down(); }

void Assembly::lock_store() {
    base::Result<std::unique_ptr<store::StoreLock>> locked = options_.store.factory()->lock();
    if (!locked) {
        throw store_error(locked.error());
    }
    lock_ = std::move(*locked);
}

void Assembly::make_engine(std::shared_ptr<const mcp::Catalog> catalog, std::shared_ptr<runtime::OutsideState> state,
                           std::function<void(const std::string&)> on_poisoned) {
    runtime::EngineOptions made;
    made.facts = {describe_implementation(options_), options_.instructions, options_.list_cache.count()};
    made.limits = limits_;
    made.retention = house_retention(options_);
    made.log = log_;
    made.on_poisoned = std::move(on_poisoned);
    made.outside_state = std::move(state);
    made.initialize = initializations(options_);
    engine_ = std::make_shared<runtime::Engine>(loop_, std::move(made), std::move(catalog));
}

std::uint16_t Assembly::listen() {
    if (own_) {
        thread_ = std::thread([context = own_.get()] { context->run(); });
    }
    base::Result<void> opened;
    std::uint16_t port = 0;
    on_loop([&] {
        listener_ = std::make_unique<http::Listener>(loop_, listener_options(options_, limits_, log_), http::Routes{{options_.path, engine_.get()}});
        opened = listener_->open();
        port = listener_->port();
    });
    if (!opened) {
        const bool in_use = opened.error().code == base::FailureCode::address_in_use;
        throw Error(in_use ? ErrorCode::address_in_use : ErrorCode::network, opened.error().sentence);
    }
    return port;
}

void Assembly::recover() {
    base::Result<std::shared_ptr<store::Store>> store = lock_->open();
    if (!store) {
        throw store_error(store.error());
    }
    store_ = std::move(*store);
    lock_.reset();
    const base::Result<void> opened = engine_->open(store_);
    if (!opened) {
        throw store_error(opened.error());
    }
    log_->info("serving {} {} at {}", options_.name, options_.version, make_url(options_, listener_->port()));
}

void Assembly::stop(std::chrono::milliseconds deadline) {
    engine_->stop(deadline);
    // What the engine has said goes out before the connections are closed.
    on_loop([this] { listener_->stop_accepting(); });
    const auto until = std::chrono::steady_clock::now() + farewell;
    std::size_t open = 1;
    while (open != 0 && std::chrono::steady_clock::now() < until) {
        on_loop([&] { open = listener_->connection_count(); });
        if (open != 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }
}

void Assembly::tear_down() {
    const bool runs = thread_.joinable() || (!own_ && listener_);
    if (runs && listener_) {
        on_loop([this] {
            listener_->close_all();
            listener_.reset();
        });
    }
    work_.reset();
    if (thread_.joinable()) {
        own_->stop();
        thread_.join();
    }
    listener_.reset();
    if (!own_ && engine_) {
        // Messages that are on their way to the embedder's loop keep the engine alive, and with it the store.
        for (int rounds = 0; rounds < 100 && engine_.use_count() > 1; ++rounds) {
            on_loop([] {});
        }
    }
    engine_.reset();
    loop_ = {};
    own_.reset();
    store_.reset();
    lock_.reset();
}

void Assembly::on_loop(const std::function<void()>& task) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
        try {
            task();
            done.set_value();
        } catch (...) {
            done.set_exception(std::current_exception());
        }
    });
    done.get_future().get();
}

}  // namespace durable_mcp::api
