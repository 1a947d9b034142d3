// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.hpp"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/assert.hpp"
#include "http/connection.hpp"

namespace durable_mcp::http {

Exchange::Exchange(std::shared_ptr<Connection> connection, std::string_view raw_head)
    : connection_(std::move(connection)), state_(connection_->state()), peer_(connection_->peer()), raw_head_(raw_head) {}

Exchange::~Exchange() {
    state_->input_bytes -= counted_;
    if (stage_ != Stage::unanswered && stage_ != Stage::streaming) {
        return;
    }
    try {
        boost::asio::post(state_->loop, [connection = std::move(connection_)] { connection->close_unanswered(); });
    } catch (const std::exception&) {
        // Out of memory: the write stall or the client's own patience ends this connection.
    }
}

std::string_view Exchange::peer() const {
    return *peer_;
}

std::shared_ptr<Connection> Exchange::end() {
    stage_ = Stage::ended;
    gone_listener_ = nullptr;
    return std::move(connection_);
}

void Exchange::respond(runtime::WholeResponse response) {
    if (is_gone()) {
        return;
    }
    DURABLE_MCP_ASSERT(stage_ == Stage::unanswered);
    end()->send_whole(response, head_);
}

void Exchange::open_stream(runtime::HeaderList headers) {
    if (is_gone()) {
        return;
    }
    DURABLE_MCP_ASSERT(stage_ == Stage::unanswered);
    stage_ = Stage::streaming;
    const auto connection = connection_;  // the client may turn out to be gone on the way
    connection->send_stream_head(headers, head_);
}

void Exchange::write(std::string frame, std::function<void()> flushed) {
    if (is_gone()) {
        if (flushed) {
            state_->post(std::move(flushed));
        }
        return;
    }
    DURABLE_MCP_ASSERT(stage_ == Stage::streaming);
    const auto connection = connection_;
    connection->send_frame(frame, std::move(flushed));
}

void Exchange::end_stream() {
    if (is_gone()) {
        return;
    }
    DURABLE_MCP_ASSERT(stage_ == Stage::streaming);
    end()->send_stream_end();
}

void Exchange::abort() {
    if (is_gone() || stage_ == Stage::ended) {
        return;
    }
    end()->close();
}

void Exchange::on_gone(std::function<void()> listener) {
    if (is_gone()) {
        state_->post(std::move(listener));
    } else if (stage_ != Stage::ended) {
        gone_listener_ = std::move(listener);
    }
}

bool Exchange::count_body() {
    const std::size_t all = state_->input_bytes += body_.size() - counted_;  // which may be less: unsigned numbers wrap around
    counted_ = body_.size();
    return all <= state_->limits.input_bytes || all == counted_;
}

void Exchange::client_left() {
    stage_ = Stage::gone;
    connection_.reset();
    if (gone_listener_) {
        state_->post(std::exchange(gone_listener_, nullptr));
    }
}

}  // namespace durable_mcp::http
