// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "http/listener.hpp"
#include "integration/http_server/raw_client.hpp"
#include "runtime/exchange.hpp"

namespace durable_mcp::http_test {

/// A service that does what the test says. What it keeps is only touched on the loop.
class ScriptedService : public runtime::Service {
public:
    using Serve = std::function<void(std::shared_ptr<runtime::RequestView>, std::shared_ptr<runtime::ResponseSink>)>;
    explicit ScriptedService(Serve serve) : serve_(std::move(serve)) {}
    void serve(std::shared_ptr<runtime::RequestView> request, std::shared_ptr<runtime::ResponseSink> sink) override {
        serve_(std::move(request), std::move(sink));
    }

private:
    Serve serve_;
};

/// Something that happens on the loop and for which the test's thread waits.
class Signal {
public:
    void raise();
    /// False when it was not raised `times` times within ten seconds.
    bool wait(int times = 1);
    int count();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

/// A listener on a thread of its own. `/echo` answers with the body, `/later` the same from a posted task, `/hold` keeps the sink in
/// `held`.
class ServerTest : public testing::Test {
protected:
    ~ServerTest() override;

    /// Begins to listen; `options` as changed by the test before.
    void start();
    /// Runs `act` on the loop and waits for it.
    void on_loop(const std::function<void()>& act);
    std::size_t connection_count();
    /// Waits until so many connections are open.
    bool wait_for_connections(std::size_t count);
    void add(const std::string& path, ScriptedService::Serve serve);

    [[nodiscard]] std::uint16_t port() const { return port_; }

    http::ListenerOptions options;
    Signal served;  ///< raised by /hold
    Signal gone;    ///< raised when the client of /hold left
    std::shared_ptr<runtime::RequestView> held_request;
    std::shared_ptr<runtime::ResponseSink> held;
    boost::asio::io_context context{1};
    std::unique_ptr<http::Listener> listener;

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context.get_executor()};
    std::map<std::string, std::unique_ptr<ScriptedService>> services_;
    std::thread thread_;
    std::uint16_t port_ = 0;
};

}  // namespace durable_mcp::http_test
