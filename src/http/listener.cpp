// SPDX-License-Identifier: Apache-2.0
#include "http/listener.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <spdlog/logger.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/connection.hpp"

namespace durable_mcp::http {

using boost::system::error_code;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int backlog = 1'024;
constexpr std::chrono::milliseconds exhausted_pause{100};  // before accepting again when file descriptors or memory ran out
constexpr std::size_t refusals_at_once = 64;  // connections over the limit that are still told so; beyond it they are just closed

asio::ip::address parse_address(const std::string& text) {
    error_code error;
    const auto address = asio::ip::make_address(text == "localhost" ? "127.0.0.1" : text, error);
    if (error) {
        throw std::invalid_argument("'" + text + "' is not an IP address to listen on");
    }
    return address;
}

bool is_loopback(const asio::ip::address& address) {
    return address.is_loopback() || (address.is_v6() && address.to_v6().is_v4_mapped() &&
                                     asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback());
}

/// Asio 1.81 opens sockets without it, and a tool that starts a program would hand our connections down to it.
void close_on_exec(int descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/// Fine enough for the shortest time-out, and coarse enough to cost nothing.
std::chrono::milliseconds sweep_interval(const base::Limits& limits) {
    const auto shortest =
        std::min({limits.header_timeout, limits.body_timeout, limits.idle_timeout, limits.write_stall, limits.keep_alive_comment});
    return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
}

}  // namespace

void ListenerState::forget(Connection& connection) {
    const auto place = connection.place();
    const auto leaving = std::move(connections[place]);
    if (place + 1 != connections.size()) {
        connections[place] = std::move(connections.back());
        connections[place]->place() = place;
    }
    connections.pop_back();
    if (leaving->is_counted()) {
        const auto peer = peers.find(*leaving->peer());
        if (--peer->second == 0) {
            peers.erase(peer);
        }
    }
}

void ListenerState::note_exception() noexcept {
    try {
        if (logger) {
            try {
                throw;
            } catch (const std::exception& exception) {
                logger->error("an exception reached an HTTP connection: {}", exception.what());
            } catch (...) {
                logger->error("something that is no std::exception reached an HTTP connection");
            }
        }
    } catch (...) {  // a logger that cannot log must not end the process
    }
}

/// Posted tasks hold the state, so that they may come after the listener.
class Listener::Acceptor : public std::enable_shared_from_this<Acceptor> {
public:
    Acceptor(asio::any_io_executor loop, ListenerOptions options, Routes routes)
        : address_(parse_address(options.address)),
          requested_port_(options.port),
          acceptor_(loop),
          pause_(loop),
          sweeper_(loop),
          interval_(sweep_interval(options.limits)),
          state_(new ListenerState{
              loop, options.limits, options.clock != nullptr ? options.clock : &base::system_clock(), std::move(options.logger),
              AccessPolicy(is_loopback(address_), options.hosts, options.origins), std::move(routes)}) {
        for (const auto& [path, service] : state_->routes) {
            if (path.empty() || path.front() != '/' || service == nullptr) {
                throw std::invalid_argument("'" + path + "' is not a path that can be served: it must begin with '/'");
            }
        }
    }

    base::Result<void> open() {
        const tcp::endpoint endpoint(address_, requested_port_);
        error_code error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) {
            close_on_exec(acceptor_.native_handle());
            acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        }
        if (!error) {
            acceptor_.bind(endpoint, error);
        }
        if (!error) {
            acceptor_.listen(backlog, error);
        }
        if (error) {
            error_code ignored;
            acceptor_.close(ignored);
            const auto where = address_.to_string() + " port " + std::to_string(requested_port_);
            if (error == asio::error::address_in_use) {
                return base::Failure{
                    base::FailureCode::address_in_use,
                    "cannot listen on " + where + ": another program listens there already; stop it or choose another port"};
            }
            return base::Failure{base::FailureCode::io, "cannot listen on " + where + ": " + error.message()};
        }
        port_ = acceptor_.local_endpoint(error).port();
        accept();
        return {};
    }

    std::uint16_t port() const { return port_; }
    std::size_t connection_count() const { return state_->connections.size(); }

    void stop() {
        error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
        state_->draining = true;
        for (auto left = state_->connections.size(); left-- > 0;) {
            std::shared_ptr<Connection>(state_->connections[left])->drain();
        }
    }

    void close_connections() {
        while (!state_->connections.empty()) {
            std::shared_ptr<Connection>(state_->connections.back())->close();
        }
        sweeper_.cancel();
    }

private:
    void accept() {
        acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
            if (!self->acceptor_.is_open()) {
                return;
            }
            if (!error) {
                try {
                    self->admit(std::move(socket));
                } catch (...) {
                    self->state_->note_exception();
                }
                self->accept();
            } else if (error == asio::error::connection_aborted || error == asio::error::interrupted) {
                self->accept();
            } else {
                self->accept_later(error);
            }
        });
    }

    /// No descriptors or no memory: the client waits in the backlog, and we do not spin on an accept that cannot succeed.
    void accept_later(const error_code& error) {
        if (!exhausted_ && state_->logger) {
            state_->logger->error("cannot accept a connection: {}; trying again until it works", error.message());
        }
        exhausted_ = true;
        pause_.expires_after(exhausted_pause);
        pause_.async_wait([self = shared_from_this()](const error_code& cancelled) {
            if (!cancelled && self->acceptor_.is_open()) {
                self->accept();
            }
        });
    }

    void admit(tcp::socket socket) {
        exhausted_ = false;
        error_code error;
        const auto peer = socket.remote_endpoint(error).address();
        if (error) {
            return;  // gone already
        }
        close_on_exec(socket.native_handle());
        socket.set_option(tcp::no_delay(true), error);
        socket.non_blocking(true, error);
        if (error) {
            return;
        }
        auto& all = state_->connections;
        auto name = peer.to_string();
        const bool counted = !is_loopback(peer);
        const auto& limits = state_->limits;
        const auto siblings = counted ? state_->peers.find(name) : state_->peers.end();
        const bool over =
            all.size() >= limits.connections || (siblings != state_->peers.end() && siblings->second >= limits.connections_per_peer);
        if (over && all.size() >= limits.connections + refusals_at_once) {
            return;
        }
        auto connection = std::make_shared<Connection>(state_, std::move(socket), name, counted);
        connection->place() = all.size();
        all.push_back(connection);
        if (counted) {
            ++state_->peers[std::move(name)];
        }
        sweep_later();
        if (over) {
            connection->start_refusing();
        } else {
            connection->start();
        }
    }

    /// Runs only while there is a connection to look at: an idle server wakes up for nothing.
    void sweep_later() {
        if (sweeping_) {
            return;
        }
        sweeping_ = true;
        sweeper_.expires_after(interval_);
        sweeper_.async_wait([self = shared_from_this()](const error_code&) {
            self->sweeping_ = false;
            const auto now = self->state_->clock->steady();
            for (auto left = self->state_->connections.size(); left-- > 0;) {
                std::shared_ptr<Connection>(self->state_->connections[left])->sweep(now);
            }
            if (!self->state_->connections.empty()) {
                self->sweep_later();
            }
        });
    }

    asio::ip::address address_;
    std::uint16_t requested_port_;
    std::uint16_t port_ = 0;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    asio::steady_timer sweeper_;
    std::chrono::milliseconds interval_;
    bool exhausted_ = false;
    bool sweeping_ = false;
    std::shared_ptr<ListenerState> state_;
};

Listener::Listener(asio::any_io_executor loop, ListenerOptions options, Routes routes)
    : acceptor_(std::make_shared<Acceptor>(std::move(loop), std::move(options), std::move(routes))) {}

Listener::~Listener() {
    close_all();
}

base::Result<void> Listener::open() {
    return acceptor_->open();
}

std::uint16_t Listener::port() const {
    return acceptor_->port();
}

void Listener::stop_accepting() {
    acceptor_->stop();
}

void Listener::close_all() {
    acceptor_->stop();
    acceptor_->close_connections();
}

std::size_t Listener::connection_count() const {
    return acceptor_->connection_count();
}

void ListenerState::post(std::function<void()> task) {
    asio::post(loop, [logger_holder = logger, task = std::move(task)]() mutable {
        try {
            task();
        } catch (const std::exception& exception) {
            if (logger_holder) {
                logger_holder->error("an exception left a callback of an HTTP connection: {}", exception.what());
            }
        } catch (...) {
            if (logger_holder) {
                logger_holder->error("something that is no std::exception left a callback of an HTTP connection");
            }
        }
    });
}

}  // namespace durable_mcp::http
