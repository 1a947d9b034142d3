// SPDX-License-Identifier: Apache-2.0
#include "integration/http_server/server_fixture.hpp"

namespace durable_mcp::http_test {

void Signal::raise() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
}

bool Signal::wait(int times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return count_ >= times; });
}

int Signal::count() {
    const std::lock_guard lock(mutex_);
    return count_;
}

void ServerTest::start() {
    add("/echo", [](auto request, auto sink) { sink->respond({.body = std::move(request->body())}); });
    add("/later", [this](auto request, auto sink) {
        boost::asio::post(context, [request, sink] { sink->respond({.body = std::move(request->body())}); });
    });
    add("/hold", [this](auto request, auto sink) {
        held_request = request;
        held = sink;
        sink->on_gone([this] { gone.raise(); });
        served.raise();
    });
    http::Routes routes;
    for (const auto& [path, service] : services_) {
        routes.emplace(path, service.get());
    }
    listener = std::make_unique<http::Listener>(context.get_executor(), options, std::move(routes));
    const auto opened = listener->open();
    ASSERT_TRUE(opened) << opened.error().sentence;
    port_ = listener->port();
    thread_ = std::thread([this] { context.run(); });
}

ServerTest::~ServerTest() {
    if (thread_.joinable()) {
        on_loop([this] {
            held.reset();
            held_request.reset();
            listener.reset();
        });
        work_.reset();
        thread_.join();
    }
}

void ServerTest::on_loop(const std::function<void()>& act) {
    std::promise<void> done;
    boost::asio::post(context, [&] {
        act();
        done.set_value();
    });
    done.get_future().get();
}

std::size_t ServerTest::connection_count() {
    std::size_t count = 0;
    on_loop([&] { count = listener->connection_count(); });
    return count;
}

bool ServerTest::wait_for_connections(std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (connection_count() != count) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

void ServerTest::add(const std::string& path, ScriptedService::Serve serve) {
    services_[path] = std::make_unique<ScriptedService>(std::move(serve));
}

}  // namespace durable_mcp::http_test
