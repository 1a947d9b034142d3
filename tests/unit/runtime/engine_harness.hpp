// SPDX-License-Identifier: Apache-2.0
#pragma once

// An engine on a loop that the test turns by hand: real store, real handlers, no sockets. What would be HTTP is a FakeRequest and a
// FakeSink.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "runtime/engine.hpp"
#include "runtime/handler.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "unit/runtime/harness_parts.hpp"

namespace durable_mcp::test {

class FakeRequest final : public runtime::RequestView {
public:
    FakeRequest(std::string method, std::map<std::string, std::string, std::less<>> headers, std::string body)
        : method_(std::move(method)), headers_(std::move(headers)), body_(std::move(body)) {}
    std::string_view method() const override { return method_; }
    std::string_view path() const override { return "/mcp"; }
    std::string_view header(std::string_view name) const override {
        const auto found = headers_.find(name);
        return found == headers_.end() ? std::string_view() : std::string_view(found->second);
    }
    std::string& body() override { return body_; }
    std::string_view peer() const override { return "127.0.0.1"; }

private:
    std::string method_;
    std::map<std::string, std::string, std::less<>> headers_;
    std::string body_;
};

/// One SSE event as a client sees it.
struct SeenEvent {
    std::string id;
    std::string data;
};

class FakeSink final : public runtime::ResponseSink {
public:
    void respond(runtime::WholeResponse response) override {
        if (gone) {
            return;
        }
        status = response.status;
        for (const auto& [name, value] : response.headers) {
            headers[name] = value;
        }
        body = response.body;
        ended = true;
    }
    void open_stream(runtime::HeaderList) override {
        status = 200;
        streaming = true;
    }
    void write(std::string frame, std::function<void()> flushed) override {
        if (!gone) {
            read_frame(frame);
        }
        if (flushed && holds_flushes) {
            held_flushes.push_back(std::move(flushed));
        } else if (flushed) {
            flushed();
        }
    }
    void end_stream() override { ended = true; }
    void abort() override { aborted = gone = true; }
    void on_gone(std::function<void()> listener) override { gone_listener = std::move(listener); }
    bool is_gone() const override { return gone; }

    /// The client's connection breaks.
    void leave() {
        gone = true;
        if (gone_listener) {
            std::exchange(gone_listener, nullptr)();
        }
    }
    /// The messages seen on the stream (without priming events), in order.
    [[nodiscard]] std::vector<std::string> messages() const {
        std::vector<std::string> texts;
        for (const SeenEvent& event : events) {
            if (!event.data.empty()) {
                texts.push_back(event.data);
            }
        }
        return texts;
    }
    [[nodiscard]] bool done() const { return ended || gone; }

    unsigned status = 0;
    std::map<std::string, std::string> headers;
    std::string body;
    std::vector<SeenEvent> events;
    std::string retry;
    bool streaming = false;
    bool ended = false;
    bool aborted = false;
    bool gone = false;
    std::function<void()> gone_listener;
    bool holds_flushes = false;  ///< the client's kernel takes nothing for now
    std::vector<std::function<void()>> held_flushes;

private:
    void read_frame(std::string_view frame) {
        SeenEvent event;
        bool has_data = false;
        while (!frame.empty()) {
            const auto end = frame.find('\n');
            const std::string_view line = frame.substr(0, end);
            frame.remove_prefix(end + 1);
            if (line.starts_with("id: ")) {
                event.id = line.substr(4);
            } else if (line.starts_with("data:")) {
                has_data = true;
                event.data = line.size() > 6 ? line.substr(6) : std::string_view();
            } else if (line.starts_with("retry: ")) {
                retry = line.substr(7);
            }
        }
        if (has_data) {
            events.push_back(std::move(event));
        }
    }
};

using ToolFunction = std::function<base::Json(detail::CallPort& port, const base::Json& arguments)>;

inline std::string run_step(detail::CallPort& port, std::string_view alias, const std::function<std::string()>& body,
                            detail::StepKind kind = detail::StepKind::at_least_once) {
    return port.step({kind, alias, "string", &body, nullptr});
}
inline std::string run_once(detail::CallPort& port, std::string_view alias, const std::function<std::string()>& body) {
    return run_step(port, alias, body, detail::StepKind::at_most_once);
}

/// A result with one text.
inline base::Json text_result(const std::string& text) {
    return {{"content", base::Json::array({{{"type", "text"}, {"text", text}}})}};
}

class EngineHarness {
public:
    explicit EngineHarness(std::shared_ptr<store::Store> store = nullptr, base::Limits limits = {})
        : store_(store ? std::move(store) : store::open_memory_store()),
          mortal_(std::make_shared<MortalStore>(store_)),
          catalog_(std::make_shared<mcp::Catalog>(1000)) {
        options_.log = std::make_shared<spdlog::logger>("engine", log_);
        options_.log->set_level(spdlog::level::debug);
        options_.facts.implementation = {{"name", "test"}, {"version", "1"}};
        options_.limits = limits;
        options_.limits.handler_threads = 8;
        options_.limits.decide_after = std::chrono::minutes(1);  // a call is accepted for what it does, not because the machine is slow
    }
    ~EngineHarness() {
        stop();
        options_.log.reset();
        EXPECT_TRUE(turn_until([&] { return life_.expired(); })) << "something of the engine is still alive";
    }
    EngineHarness(const EngineHarness&) = delete;
    EngineHarness& operator=(const EngineHarness&) = delete;

    void add(mcp::ItemKind kind, const std::string& name, base::Json descriptor, ToolFunction function,
             runtime::Durability durability = runtime::Durability::full, const std::function<void(runtime::HandlerTarget&)>& more = {}) {
        auto target = std::make_shared<runtime::HandlerTarget>();
        target->durability = durability;
        if (more) {
            more(*target);
        }
        target->run = [function = std::move(function)](detail::CallPort& port, const mcp::Item&, const std::string&,
                                                       const base::Json& arguments) { return function(port, arguments); };
        catalog_ = std::make_shared<mcp::Catalog>(catalog_->with(kind, {name, std::move(descriptor), target}));
    }
    void add_tool(const std::string& name, ToolFunction function, runtime::Durability durability = runtime::Durability::full) {
        add(mcp::ItemKind::tool, name, {{"name", name}, {"inputSchema", {{"type", "object"}}}}, std::move(function), durability);
    }
    /// One that may ("optional") or must ("required") be a task, or takes keys, or has times of its own.
    void add_tool(const std::string& name, ToolFunction function, const std::string& task_support,
                  const std::function<void(runtime::HandlerTarget&)>& more = {}) {
        add(mcp::ItemKind::tool, name,
            {{"name", name}, {"inputSchema", {{"type", "object"}}}, {"execution", {{"taskSupport", task_support}}}}, std::move(function),
            runtime::Durability::full, more);
    }

    /// Makes the engine and opens the store (unless `hold_boot`, which leaves it booting).
    void start(bool hold_boot = false) {
        work_ = std::make_unique<Work>(boost::asio::make_work_guard(io_));
        life_ = options_.log;
        engine_ = std::make_shared<runtime::Engine>(io_.get_executor(), options_, catalog_);
        if (!hold_boot) {
            open();
        }
    }
    void open() {
        const auto opened = engine_->open(mortal_);
        if (!opened) {
            throw std::runtime_error(opened.error().sentence);
        }
        turn();
    }
    /// Graceful stop on a thread of its own while the loop turns here. What stop() said.
    /// `once_suspended` is called when every call has been told to leave.
    bool stop(std::chrono::milliseconds deadline = std::chrono::seconds(5), std::function<void()> once_suspended = {}) {
        if (!engine_) {
            return true;
        }
        bool result = true;
        std::atomic<bool> done{false};
        std::thread stopper([&] {
            result = engine_->stop(deadline);
            done = true;
        });
        while (!done) {
            io_.run_for(std::chrono::milliseconds(1));
            io_.restart();
            if (once_suspended && !engine_->is_ready()) {
                std::exchange(once_suspended, nullptr)();
            }
        }
        stopper.join();
        turn();
        engine_.reset();
        work_.reset();
        return result;
    }

    /// The process dies: from now on nothing is written. `release` then lets go the handlers that wait in this process' memory.
    void crash(const std::function<void()>& release = {}) {
        mortal_->kill();
        if (release) {
            release();
        }
        engine_.reset();
        work_.reset();
        options_.log.reset();
        EXPECT_TRUE(turn_until([&] { return life_.expired(); })) << "something of the dead engine is still alive";
    }

    /// Turns the loop for a while, for what must not happen in it.
    void turn_for(std::chrono::milliseconds time) {
        EXPECT_FALSE(turn_until([] { return false; }, time));
    }
    /// Runs what is ready on the loop.
    void turn() {
        io_.restart();
        io_.poll();
    }
    /// Turns the loop until `condition` holds; false after ten seconds.
    template <class Condition>
    [[nodiscard]] bool turn_until(Condition condition, std::chrono::milliseconds patience = std::chrono::seconds(10)) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) {
                return false;
            }
            io_.restart();
            io_.run_for(std::chrono::milliseconds(1));
        }
        return true;
    }

    std::shared_ptr<FakeSink> request(const std::string& method, std::map<std::string, std::string, std::less<>> headers,
                                      std::string body) {
        auto sink = std::make_shared<FakeSink>();
        engine_->serve(std::make_shared<FakeRequest>(method, std::move(headers), std::move(body)), sink);
        return sink;
    }
    std::shared_ptr<FakeSink> post(const std::string& session, const base::Json& message) { return post_text(session, message.dump()); }
    std::shared_ptr<FakeSink> post_text(const std::string& session, std::string body) {
        std::map<std::string, std::string, std::less<>> headers{{"Accept", "application/json, text/event-stream"},
                                                                {"Content-Type", "application/json"}};
        if (!session.empty()) {
            headers["Mcp-Session-Id"] = session;
        }
        return request("POST", std::move(headers), std::move(body));
    }
    std::shared_ptr<FakeSink> get(const std::string& session, const std::string& last_event_id = {}) {
        std::map<std::string, std::string, std::less<>> headers{{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}};
        if (!last_event_id.empty()) {
            headers["Last-Event-ID"] = last_event_id;
        }
        return request("GET", std::move(headers), {});
    }
    /// A session of that revision, initialized; its id.
    std::string begin_session(const std::string& revision = "2025-11-25", base::Json capabilities = base::Json::object()) {
        const auto answer = post({}, {{"jsonrpc", "2.0"},
                                      {"id", "init"},
                                      {"method", "initialize"},
                                      {"params",
                                       {{"protocolVersion", revision},
                                        {"capabilities", std::move(capabilities)},
                                        {"clientInfo", {{"name", "test"}, {"version", "1"}}}}}});
        if (!turn_until([&] { return answer->done(); }) || answer->status != 200) {
            throw std::runtime_error("initialize failed: " + answer->body);
        }
        const std::string session = answer->headers["Mcp-Session-Id"];
        const auto ready = post(session, {{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
        if (!turn_until([&] { return ready->done(); })) {
            throw std::runtime_error("initialized was not accepted");
        }
        return session;
    }
    std::shared_ptr<FakeSink> call(const std::string& session, const base::Json& id, const std::string& tool,
                                   base::Json arguments = base::Json::object(), base::Json meta = nullptr) {
        base::Json params{{"name", tool}, {"arguments", std::move(arguments)}};
        if (!meta.is_null()) {
            params["_meta"] = std::move(meta);
        }
        return post(session, {{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", std::move(params)}});
    }

    std::shared_ptr<FakeSink> notify(const std::string& session, const std::string& method, base::Json params = base::Json::object()) {
        return post(session, {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
    }
    std::shared_ptr<FakeSink> cancel(const std::string& session, const base::Json& id) {
        return notify(session, "notifications/cancelled", {{"requestId", id}});
    }
    /// Turns the loop until the response is over; its JSON-RPC answer, null if it had none.
    base::Json await(const std::shared_ptr<FakeSink>& sink) {
        EXPECT_TRUE(turn_until([&] { return sink->done(); })) << "no answer within ten seconds";
        if (!sink->streaming) {
            return sink->body.empty() ? base::Json() : base::Json::parse(sink->body);
        }
        const auto messages = sink->messages();
        return messages.empty() ? base::Json() : base::Json::parse(messages.back());
    }
    /// The text of the answer's first content, or of its error.
    std::string await_text(const std::shared_ptr<FakeSink>& sink) {
        const base::Json answer = await(sink);
        if (answer.is_object() && answer.contains("result")) {
            return answer["result"]["content"][0].value("text", "");
        }
        return answer.is_object() && answer.contains("error") ? answer["error"].value("message", "") : "";
    }

    [[nodiscard]] LogLines& log() { return *log_; }
    [[nodiscard]] MortalStore& mortal_store() { return *mortal_; }
    [[nodiscard]] runtime::Engine& engine() { return *engine_; }
    [[nodiscard]] runtime::EngineOptions& options() { return options_; }
    [[nodiscard]] const std::shared_ptr<store::Store>& store() const { return store_; }
    [[nodiscard]] const std::shared_ptr<const mcp::Catalog>& catalog() const { return catalog_; }

private:
    using Work = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
    boost::asio::io_context io_;
    std::unique_ptr<Work> work_;
    std::shared_ptr<LogLines> log_ = std::make_shared<LogLines>();
    std::weak_ptr<spdlog::logger> life_;  // held by everything of the engine, and by nobody else once ours is let go
    std::shared_ptr<store::Store> store_;
    std::shared_ptr<MortalStore> mortal_;
    std::shared_ptr<const mcp::Catalog> catalog_;
    runtime::EngineOptions options_;
    std::shared_ptr<runtime::Engine> engine_;
};

/// One store, and the processes that live with it one after the other.
class World {
public:
    enum class Kind { memory, sqlite };
    using SetUp = std::function<void(EngineHarness&)>;

    World(Kind kind, SetUp set_up) : kind_(kind), set_up_(std::move(set_up)) {
        if (kind_ == Kind::memory) {
            memory_ = store::open_memory_store();
        } else {
            std::string pattern = (std::filesystem::temp_directory_path() / "durable_mcp_runtime_XXXXXX").string();
            directory_ = ::mkdtemp(pattern.data());
        }
    }
    explicit World(SetUp set_up) : World(Kind::memory, std::move(set_up)) {}
    ~World() {
        harness_.reset();
        if (!directory_.empty()) {
            std::error_code ignored;
            std::filesystem::remove_all(directory_, ignored);
        }
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// The next process: everything is set up anew, and the store opened.
    EngineHarness& boot() {
        harness_.reset();
        harness_ = std::make_unique<EngineHarness>(open_store());
        set_up_(*harness_);
        harness_->start();
        return *harness_;
    }
    void crash(const std::function<void()>& release = {}) {
        harness_->crash(release);
        harness_.reset();
    }
    bool stop(std::chrono::milliseconds deadline = std::chrono::seconds(5)) {
        const bool in_time = harness_->stop(deadline);
        harness_.reset();
        return in_time;
    }
    void set_up_as(SetUp set_up) { set_up_ = std::move(set_up); }
    /// Between two processes.
    [[nodiscard]] std::shared_ptr<store::Store> open_store() const {
        if (kind_ == Kind::memory) {
            return memory_;
        }
        auto opened = store::open_sqlite_store(
            {.path = directory_ + "/store.db", .durability = store::SqliteDurability::relaxed, .ballast_bytes = 0});
        if (!opened) {
            throw std::runtime_error(opened.error().sentence);
        }
        return *opened;
    }

private:
    const Kind kind_;
    SetUp set_up_;
    std::shared_ptr<store::Store> memory_;
    std::string directory_;
    std::unique_ptr<EngineHarness> harness_;
};

/// For tests that hold whatever the store is.
class on_each_store : public testing::TestWithParam<World::Kind> {};
inline std::string kind_name(const testing::TestParamInfo<World::Kind>& info) {
    return info.param == World::Kind::memory ? "memory" : "sqlite";
}

}  // namespace durable_mcp::test
