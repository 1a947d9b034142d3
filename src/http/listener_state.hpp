// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "http/access_policy.hpp"
#include "runtime/exchange.hpp"

namespace spdlog {
class logger;
}

namespace durable_mcp::http {

class Connection;

/// Exact path → who answers there. The services outlive the listener.
using Routes = std::map<std::string, runtime::Service*, std::less<>>;

/// What a listener shares with its connections; it outlives both. Touched on the loop only.
struct ListenerState {
    boost::asio::any_io_executor loop;
    base::Limits limits;
    const base::Clock* clock;
    std::shared_ptr<spdlog::logger> logger;  ///< may be null
    AccessPolicy policy;
    Routes routes;

    std::vector<std::shared_ptr<Connection>> connections = {};  ///< each knows its place, so that leaving costs nothing
    std::map<std::string, std::size_t, std::less<>> peers = {};  ///< connections per peer that is not loopback
    std::atomic<std::size_t> input_bytes = 0;               ///< of bodies that their requests still hold; a request may end on any thread
    bool draining = false;                                  ///< no connection is used again after the response it is in

    /// Every read goes here first: a connection that waits owns no buffer.
    std::array<char, 64u << 10> read_buffer{};
    /// Response heads are put together here.
    std::string head_buffer = {};

    void forget(Connection& connection);
    /// Runs `task` from the loop, never from inside the caller. What it throws is logged.
    void post(std::function<void()> task);
    /// Logs the exception that is being handled.
    void note_exception() noexcept;
};

}  // namespace durable_mcp::http
