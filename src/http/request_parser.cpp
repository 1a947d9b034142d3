// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace durable_mcp::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t chunk_extension_bytes = 256;                    // nobody honest sends any
constexpr std::size_t chunk_line_bytes = chunk_extension_bytes + 32;  // CR LF of the chunk before, size, extension, CR LF, closing CR LF
constexpr std::size_t shortest_chunks = 5;                            // "0", CR LF, CR LF: no chunked body has less
constexpr std::size_t first_reservation = 64u << 10;                  // a promised length is only believed so far

/// What may be spent on chunk sizes and extensions beside the head: 7 bytes for each chunk of 450 bytes or more.
std::size_t framing_budget(std::size_t header_bytes, std::size_t body_bytes) {
    return header_bytes + body_bytes / 64;
}

class BodyDecoder final : public beast::http::basic_parser<true> {
public:
    BodyDecoder(std::string& body, const base::Limits& limits) : body_(body) {
        eager(true);
        header_limit(static_cast<std::uint32_t>(limits.header_bytes));
        body_limit(limits.body_bytes);
    }

private:
    using ErrorCode = beast::error_code;

    void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, ErrorCode&) override {}
    void on_response_impl(int, beast::string_view, int, ErrorCode&) override {}

    void on_field_impl(beast::http::field, beast::string_view, beast::string_view, ErrorCode& error) override {
        if (in_body_) {  // a trailer
            error = beast::http::error::bad_field;
        }
    }

    void on_header_impl(ErrorCode&) override { in_body_ = true; }

    void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
        body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(length.value_or(0), first_reservation)));
    }

    std::size_t on_body_impl(beast::string_view bytes, ErrorCode&) override {
        body_.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_chunk_header_impl(std::uint64_t, beast::string_view extension, ErrorCode& error) override {
        has_chunk_ = true;
        const bool plain = std::all_of(extension.begin(), extension.end(), [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
        if (extension.size() > chunk_extension_bytes || !plain) {
            error = beast::http::error::bad_chunk_extension;
        }
    }

    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, ErrorCode&) override {
        body_.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_finish_impl(ErrorCode&) override {}

    std::string& body_;
    bool in_body_ = false;
    bool has_chunk_ = false;

public:
    /// True while the first chunk's size has not been read.
    [[nodiscard]] bool awaits_first_chunk() const { return chunked() && !has_chunk_; }
};

}  // namespace

class RequestParser::Message {
public:
    std::optional<BodyDecoder> decoder;
    std::string* body = nullptr;
    std::size_t framing = 0;  // bytes taken that are not body
};

RequestParser::RequestParser(const base::Limits& limits) : limits_(limits), message_(std::make_unique<Message>()) {}
RequestParser::~RequestParser() = default;

std::optional<Refusal> RequestParser::begin(std::string_view raw, const CheckedHead& head, std::string& body) {
    auto& decoder = message_->decoder.emplace(body, limits_);
    message_->body = &body;
    message_->framing = raw.size();
    beast::error_code error;
    const auto taken = decoder.put(boost::asio::const_buffer(raw.data(), raw.size()), error);
    const bool agrees = !error && taken == raw.size() && decoder.is_header_done() && decoder.chunked() == head.chunked &&
                        decoder.content_length().value_or(0) == head.content_length.value_or(0) && decoder.is_done() != head.has_body();
    if (!agrees) {
        return Refusal{400, "The request head is malformed."};
    }
    return std::nullopt;
}

RequestParser::Progress RequestParser::feed(std::string_view bytes) {
    Progress progress;
    if (bytes.empty() || is_complete()) {
        return progress;
    }
    auto& decoder = *message_->decoder;
    if (decoder.awaits_first_chunk() && bytes.front() == '0' && bytes.size() < shortest_chunks) {
        return progress;  // Beast asserts that it sees the rest of the last chunk at once: "0\r\n" and then one byte would end the process
    }
    const auto body_before = message_->body->size();
    beast::error_code error;
    progress.consumed = decoder.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    message_->framing += progress.consumed - (message_->body->size() - body_before);
    const auto left = bytes.size() - progress.consumed;
    if (error == beast::http::error::body_limit) {
        progress.refusal = Refusal{413, "The body is larger than this server accepts."};
    } else if (error && error != beast::http::error::need_more) {
        progress.refusal = Refusal{400, "The body is not framed as its head says."};
    } else if (message_->framing > framing_budget(limits_.header_bytes, message_->body->size())) {
        progress.refusal = Refusal{400, "The body spends too many bytes on its framing."};
    } else if (!decoder.is_done() && left > chunk_line_bytes) {
        progress.refusal = Refusal{400, "A chunk header is too long."};
    }
    return progress;
}

bool RequestParser::is_complete() const {
    return message_->decoder && message_->decoder->is_done();
}

}  // namespace durable_mcp::http
