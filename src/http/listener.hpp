// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "http/listener_state.hpp"

namespace spdlog {
class logger;
}

namespace durable_mcp::http {

struct ListenerOptions {
    std::string address = "127.0.0.1";            ///< an IP address, or `localhost`
    std::uint16_t port = 0;                       ///< 0: the kernel chooses
    std::vector<std::string> hosts = {};          ///< see AccessPolicy; needed when `address` is not a loopback address
    std::vector<std::string> origins = {};        ///< see AccessPolicy
    base::Limits limits = {};
    std::shared_ptr<spdlog::logger> logger = {};  ///< may be null
    const base::Clock* clock = nullptr;           ///< null: the machine's; outlives the listener
};

/// A listening TCP port, and the HTTP connections that came in through it.
/// Threads: every member is called on `loop`, or while nothing runs there. Destroy it before the io_context of `loop`.
class Listener {
public:
    /// `loop`: a strand, or an io_context that one thread runs. The services in `routes` outlive the listener.
    /// Throws std::invalid_argument for an address, host, origin or path that cannot work, and for a public address without hosts.
    Listener(boost::asio::any_io_executor loop, ListenerOptions options, Routes routes);
    ~Listener();  ///< close_all()
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Binds, listens and begins to accept. Fails with `address_in_use` or `io`; the sentence names address and port.
    [[nodiscard]] base::Result<void> open();
    /// The port it listens on; 0 before open().
    [[nodiscard]] std::uint16_t port() const;
    /// No new connections. Those that wait for a request are closed; the others when their answer has left.
    void stop_accepting();
    /// stop_accepting(), and closes every connection at once; their sinks are told that the client has gone.
    void close_all();
    [[nodiscard]] std::size_t connection_count() const;

private:
    class Acceptor;
    std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace durable_mcp::http
