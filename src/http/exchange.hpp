// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/head_check.hpp"
#include "runtime/exchange.hpp"

namespace durable_mcp::http {

class Connection;
struct ListenerState;

/// One request and the way its answer takes. The service owns it, through the two pointers it was given; the connection knows it weakly.
/// When the service lets go of both without having ended the response, the connection is closed, from whatever thread that happens.
/// Everything else happens on the loop.
class Exchange final : public runtime::RequestView, public runtime::ResponseSink {
public:
    Exchange(std::shared_ptr<Connection> connection, std::string_view raw_head);
    ~Exchange() override;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // The request.
    [[nodiscard]] std::string_view method() const override { return head_.method; }
    [[nodiscard]] std::string_view path() const override { return head_.path; }
    [[nodiscard]] std::string_view header(std::string_view name) const override { return head_.find(name); }
    [[nodiscard]] std::string& body() override { return body_; }
    [[nodiscard]] std::string_view peer() const override;

    // The response.
    void respond(runtime::WholeResponse response) override;
    void open_stream(runtime::HeaderList headers) override;
    void write(std::string frame, std::function<void()> flushed) override;
    void end_stream() override;
    void abort() override;
    void on_gone(std::function<void()> listener) override;
    [[nodiscard]] bool is_gone() const override { return stage_ == Stage::gone; }

    // For the connection.
    [[nodiscard]] const std::string& raw_head() const { return raw_head_; }
    [[nodiscard]] CheckedHead& head() { return head_; }
    /// Counts the body, as it is now, among the input of all connections. False when that is more than there may be; one body alone always may.
    [[nodiscard]] bool count_body();
    /// The request is whole and goes to its service: from now on an answer is owed.
    void owe_answer() { stage_ = Stage::unanswered; }
    [[nodiscard]] bool is_unanswered() const { return stage_ == Stage::unanswered; }
    /// The client left or was cut off. Tells the listener, later.
    void client_left();

private:
    enum class Stage { reading, unanswered, streaming, ended, gone };

    /// Leaves the connection, which may then serve its next request.
    std::shared_ptr<Connection> end();

    std::shared_ptr<Connection> connection_;  // null once ended or gone
    std::shared_ptr<ListenerState> state_;
    std::shared_ptr<const std::string> peer_;
    Stage stage_ = Stage::reading;
    std::string raw_head_;
    CheckedHead head_;  // borrows from raw_head_
    std::string body_;
    std::size_t counted_ = 0;  // of body_, in ListenerState::input_bytes
    std::function<void()> gone_listener_;
};

}  // namespace durable_mcp::http
