// SPDX-License-Identifier: Apache-2.0
// One server from start to stop, spoken to over a plain socket.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <future>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "api/store_factory.hpp"
#include "durable_mcp/asio.hpp"
#include "store/memory/memory_store.hpp"
#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

/// Connects and sends one request to that address, which it names as `host`. The socket, or -1 where nobody listens.
int send_request(std::uint16_t port, const std::string& body, const std::string& headers = {}, const std::string& to = "127.0.0.1",
                 const std::string& host = "127.0.0.1") {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, to.c_str(), &address.sin_addr);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        return -1;
    }
    const std::string request = "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nContent-Type: application/json\r\n"
                                "Accept: application/json, text/event-stream\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
                                "\r\n\r\n" + body;
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    return fd;
}

/// Reads until the server closes.
std::string read_response(int fd) {
    if (fd < 0) {
        return "no connection";
    }
    std::string response;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
        response.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(fd);
    return response;
}

/// Sends one request and reads until the server closes.
std::string exchange(std::uint16_t port, const std::string& body, const std::string& headers = {}) {
    return read_response(send_request(port, body, headers));
}

const std::string initialize = R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},)"
                               R"("clientInfo":{"name":"c","version":"1"}}})";

std::string session_header(const std::string& response) {
    const std::string name = "Mcp-Session-Id: ";
    const std::size_t at = response.find(name);
    return at == std::string::npos ? "" : response.substr(at, response.find("\r\n", at) + 2 - at);
}

Options at_any_port(Store store) { return {.name = "bank", .version = "1", .port = 0, .store = std::move(store), .log_level = LogLevel::error}; }

/// initialize, then one call of the tool `book`.
std::string book(std::uint16_t port) {
    const std::string headers = session_header(exchange(port, initialize)) + "MCP-Protocol-Version: 2025-11-25\r\n";
    return exchange(port, R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"book","arguments":{"key":"k"}}})", headers);
}

void offer_book(DurableMCP& server) {
    server.tool("book", "Counts.", {"key"}, [](DurableContext& context, std::string key) {
        return context.transact("count", [&](Transaction& state) {
            const int next = state.map("books").get<int>(key).value_or(0) + 1;
            state.map("books").insert(key, next);
            return "booked " + std::to_string(next);
        });
    });
}

TEST(server, a_call_is_answered_and_its_state_outlives_the_server) {
    const Store store = memory();
    for (int round = 1; round <= 2; ++round) {
        DurableMCP server(at_any_port(store));
        offer_book(server);
        server.start();
        ASSERT_NE(server.port(), 0);
        EXPECT_TRUE(server.url().starts_with("http://127.0.0.1:" + std::to_string(server.port()))) << server.url();
        const std::string answer = book(server.port());
        EXPECT_NE(answer.find("booked " + std::to_string(round)), std::string::npos) << answer;
        server.stop();
        EXPECT_FALSE(server.is_ready());
        EXPECT_EQ(exchange(server.port(), initialize), "no connection");
    }
}

TEST(server, it_answers_at_its_own_url) {
    Options options = at_any_port(memory());
    options.host = "127.0.0.2";
    DurableMCP server(options);
    server.start();
    const std::string own = "127.0.0.2:" + std::to_string(server.port());
    ASSERT_EQ(server.url(), "http://" + own + "/mcp");
    const auto status = [&](const std::string& host) { return read_response(send_request(server.port(), initialize, {}, "127.0.0.2", host)).substr(0, 12); };
    EXPECT_EQ(status(own), "HTTP/1.1 200");
    EXPECT_EQ(status("localhost"), "HTTP/1.1 200");
    EXPECT_EQ(status("evil.example"), "HTTP/1.1 403");
    EXPECT_EQ(status("127.0.0.3"), "HTTP/1.1 403");
}

TEST(server, it_may_be_started_again_and_not_twice) {
    DurableMCP server(at_any_port(memory()));
    offer_book(server);
    server.stop();
    server.start();
    EXPECT_THROW(server.start(), std::logic_error);
    server.stop();
    server.start();
    EXPECT_NE(book(server.port()).find("booked 1"), std::string::npos);
}

TEST(server, a_store_in_use_and_a_port_in_use_are_told_apart) {
    const auto code_of = [](Options options) -> std::optional<ErrorCode> {
        DurableMCP rival(std::move(options));
        try {
            rival.start();
        } catch (const Error& error) {
            EXPECT_GT(std::string(error.what()).size(), 20U);
            return error.code();
        }
        return std::nullopt;
    };
    const std::filesystem::path directory = std::filesystem::temp_directory_path() / ("durable_mcp_api_" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory);
    const std::string path = directory / "s.db";
    {
        DurableMCP server(at_any_port(sqlite(path)));
        server.start();
        EXPECT_EQ(code_of(at_any_port(sqlite(path))), ErrorCode::store_locked);
        Options same_port = at_any_port(memory());
        same_port.port = server.port();
        EXPECT_EQ(code_of(same_port), ErrorCode::address_in_use);
        EXPECT_EQ(code_of(same_port), ErrorCode::address_in_use) << "its store was given back";
        EXPECT_EQ(code_of(at_any_port(sqlite(directory / "no" / "such" / "directory" / "s.db"))), ErrorCode::store_unavailable);
    }
    EXPECT_EQ(code_of(at_any_port(sqlite(path))), std::nullopt) << "free again";
    std::filesystem::remove_all(directory);
}

TEST(server, tools_come_and_go_while_it_runs) {
    DurableMCP server(at_any_port(memory()));
    server.start();
    EXPECT_NE(book(server.port()).find("-32602"), std::string::npos);
    offer_book(server);
    EXPECT_NE(book(server.port()).find("booked 1"), std::string::npos);
    server.remove_tool("book");
    EXPECT_NE(book(server.port()).find("-32602"), std::string::npos);
}

TEST(server, it_serves_on_the_programs_own_io_context) {
    boost::asio::io_context context;
    const auto work = boost::asio::make_work_guard(context);
    std::thread first([&] { context.run(); });
    std::thread second([&] { context.run(); });
    {
        const Store store = memory();
        DurableMCP server(at_any_port(store));
        offer_book(server);
        start_on(server, context);
        EXPECT_NE(book(server.port()).find("booked 1"), std::string::npos);
        server.stop();
        start_on(server, context);
        EXPECT_NE(book(server.port()).find("booked 2"), std::string::npos);
        server.stop();
        DurableMCP next(at_any_port(store));
        EXPECT_NO_THROW(next.start()) << "stop() gave the store back";
    }
    context.stop();
    first.join();
    second.join();
}

/// A memory store whose commits fail, while `fails` is set, as a disk does that dies during one: nobody knows what became of it.
class DyingDisk final : public detail::StoreFactory {
public:
    base::Result<std::unique_ptr<store::StoreLock>> lock() override { return std::unique_ptr<store::StoreLock>(std::make_unique<Lock>(*this)); }
    std::atomic<bool> fails{false};

private:
    struct Lock final : store::StoreLock {
        explicit Lock(DyingDisk& owner) : disk(owner) {}
        base::Result<std::shared_ptr<store::Store>> open() override {
            disk.store_->reopen();
            disk.store_->on_commit([&owner = disk](std::uint64_t) -> std::optional<store::CommitFault> {
                if (!owner.fails.load()) {
                    return std::nullopt;
                }
                return store::CommitFault{{base::FailureCode::outcome_unknown, "fsync of the log: Input/output error"}, true};
            });
            return std::shared_ptr<store::Store>(disk.store_);
        }
        DyingDisk& disk;
    };

    const std::shared_ptr<store::MemoryStore> store_ = store::open_memory_store();
};

TEST(server, run_ends_with_an_error_that_says_what_to_do_when_the_outcome_of_a_commit_is_unknown) {
    const auto disk = std::make_shared<DyingDisk>();
    Options options = at_any_port(Store(disk));
    options.log_level = LogLevel::emergency;  // it would say that it is poisoned
    DurableMCP server(options);
    offer_book(server);
    const auto run = [&] {
        auto done = std::async(std::launch::async, [&] { server.run(); });
        while (!server.is_ready()) {
            std::this_thread::yield();
        }
        return done;
    };
    auto done = run();
    disk->fails = true;
    const std::string answer = book(server.port());
    EXPECT_EQ(answer.find("booked"), std::string::npos) << "nothing is answered that may not be on disk: " << answer;
    ASSERT_EQ(done.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    try {
        done.get();
        FAIL() << "run() ended as if nothing had happened";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::store_unavailable);
        const std::string sentence = error.what();
        EXPECT_NE(sentence.find("fsync of the log: Input/output error"), std::string::npos) << sentence;
        EXPECT_NE(sentence.find("Start it again"), std::string::npos) << sentence;
    }
    EXPECT_FALSE(server.is_ready());
    EXPECT_EQ(exchange(server.port(), initialize), "no connection");

    // Started again, it reads what is true: the session of book() above had reached the disk, and the server answers.
    disk->fails = false;
    done = run();
    EXPECT_NE(book(server.port()).find("booked"), std::string::npos);
    server.stop();
    ASSERT_EQ(done.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    EXPECT_NO_THROW(done.get()) << "the error of the last run is not told twice";
}

/// A store that can be locked at once, and is opened when the test says so.
class SlowDisk final : public detail::StoreFactory {
public:
    base::Result<std::unique_ptr<store::StoreLock>> lock() override {
        if (is_locked.exchange(true)) {
            return base::Failure{base::FailureCode::store_locked, "somebody else has it: stop the other server"};
        }
        return std::unique_ptr<store::StoreLock>(std::make_unique<Lock>(*this));
    }

    std::atomic<bool> is_locked{false};
    std::atomic<int> opened{0};
    std::promise<void> may_open;

private:
    struct Lock final : store::StoreLock {
        explicit Lock(SlowDisk& owner) : disk(owner) {}
        ~Lock() override { disk.is_locked = false; }
        base::Result<std::shared_ptr<store::Store>> open() override {
            ++disk.opened;
            disk.may_open.get_future().wait();
            return std::shared_ptr<store::Store>(store::open_memory_store());
        }
        SlowDisk& disk;
    };
};

TEST(server, it_takes_the_lock_then_the_port_and_holds_what_arrives_while_the_store_is_opened) {  // B51
    const auto disk = std::make_shared<SlowDisk>();
    DurableMCP server(at_any_port(Store(disk)));
    auto started = std::async(std::launch::async, [&] { server.start(); });
    while (disk->opened == 0) {
        std::this_thread::yield();
    }
    // It is being opened: the port is bound, nobody else gets the store, and nothing is refused.
    DurableMCP rival(at_any_port(Store(disk)));
    EXPECT_THROW(rival.start(), Error);
    EXPECT_FALSE(server.is_ready());
    const int held = send_request(server.port(), initialize);
    EXPECT_GE(held, 0);
    EXPECT_EQ(started.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    disk->may_open.set_value();
    const std::string response = read_response(held);
    EXPECT_TRUE(response.starts_with("HTTP/1.1 200")) << response;
    started.get();
    EXPECT_TRUE(server.is_ready());
}

TEST(server, a_port_in_use_is_found_before_the_store_is_opened) {  // B51
    DurableMCP first(at_any_port(memory()));
    first.start();
    const auto disk = std::make_shared<SlowDisk>();
    Options same_port = at_any_port(Store(disk));
    same_port.port = first.port();
    DurableMCP second(same_port);
    EXPECT_THROW(second.start(), Error);
    EXPECT_EQ(disk->opened, 0);
    EXPECT_FALSE(disk->is_locked) << "the lock was given back";
}

TEST(server, run_ends_with_a_signal_or_with_stop) {
    DurableMCP server(at_any_port(memory()));
    for (const bool by_signal : {true, false}) {
        auto done = std::async(std::launch::async, [&] { server.run(); });
        while (!server.is_ready()) {
            std::this_thread::yield();
        }
        if (by_signal) {
            ::raise(SIGTERM);
        } else {
            server.stop();
        }
        ASSERT_EQ(done.wait_for(std::chrono::seconds(20)), std::future_status::ready);
        EXPECT_NO_THROW(done.get());
        EXPECT_FALSE(server.is_ready());
    }
}

}  // namespace
}  // namespace durable_mcp::api
