// SPDX-License-Identifier: Apache-2.0
#pragma once

// One start of a server: its store, its loop, its engine, its listener, from lock_store() to tear_down(). The members are called in
// their order.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "durable_mcp/options.hpp"
#include "http/listener.hpp"
#include "mcp/catalog.hpp"
#include "runtime/engine.hpp"
#include "store/store_lock.hpp"

namespace durable_mcp::api {

/// "http://127.0.0.1:9991/mcp"
[[nodiscard]] std::string make_url(const Options& options, std::uint16_t port);

/// Throws std::invalid_argument for an address, host, origin or path that no listener can be made of.
void check_listener(const Options& options);

class Assembly {
public:
    /// `context`: the embedder's, which runs; null for one of our own, with a thread.
    Assembly(const Options& options, boost::asio::io_context* context);
    ~Assembly();
    Assembly(const Assembly&) = delete;
    Assembly& operator=(const Assembly&) = delete;

    /// Takes the lock of the store, so that no other server has it; opening it may take longer. Throws Error.
    void lock_store();
    /// `on_poisoned`: see runtime::EngineOptions; may be called after this is gone.
    void make_engine(std::shared_ptr<const mcp::Catalog> catalog, std::shared_ptr<runtime::OutsideState> state,
                     std::function<void(const std::string&)> on_poisoned);
    [[nodiscard]] const std::shared_ptr<runtime::Engine>& engine() const { return engine_; }
    /// Binds, and starts our thread; from here on requests come in, and are held. Returns the port. Throws Error.
    std::uint16_t listen();
    /// Opens the store, does what is to be done once, and reads what the last process left; from here on requests are answered. Throws Error,
    /// StepFailed.
    void recover();
    /// Lets what runs come to its end, and clients get what is theirs.
    void stop(std::chrono::milliseconds deadline);
    /// Closes everything and gives the store back. Also after a member above has thrown.
    void tear_down();

private:
    /// Runs `task` on the loop and waits for it. Not from the loop.
    void on_loop(const std::function<void()>& task);

    const Options& options_;
    const base::Limits limits_;
    const std::shared_ptr<spdlog::logger> log_;
    std::unique_ptr<boost::asio::io_context> own_;            ///< null on the embedder's
    boost::asio::any_io_executor loop_;
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
    std::thread thread_;
    std::unique_ptr<store::StoreLock> lock_;                  ///< until the store is opened
    std::shared_ptr<store::Store> store_;
    std::shared_ptr<runtime::Engine> engine_;
    std::unique_ptr<http::Listener> listener_;
};

}  // namespace durable_mcp::api
