// SPDX-License-Identifier: Apache-2.0
// Where does this request end? Four parsers are asked about the same bytes: our check of the head, Beast behind our wall, Beast as it comes, and
// one for chunks that is written here. What we accept, all of them must frame alike, however the network cuts it into pieces.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "fuzz/demand.hpp"
#include "http/head_check.hpp"
#include "http/request_parser.hpp"

namespace {

using durable_mcp::fuzz::demand;
using durable_mcp::base::Limits;
using namespace durable_mcp::http;

const Limits limits;

struct Reading {
    bool refused = false;
    bool complete = false;
    std::size_t consumed = 0;
    std::string body;
};

/// Reads the body as a connection does: what was not taken is offered again, with more behind it.
Reading read_body(std::string_view raw, const CheckedHead& head, std::string_view bytes, std::size_t piece) {
    Reading reading;
    RequestParser parser(limits);
    reading.refused = parser.begin(raw, head, reading.body).has_value();
    std::size_t offered = 0;
    while (!reading.refused && !parser.is_complete() && offered < bytes.size()) {
        offered = std::min(offered + piece, bytes.size());
        for (;;) {
            const auto progress = parser.feed(bytes.substr(reading.consumed, offered - reading.consumed));
            reading.consumed += progress.consumed;
            demand(reading.consumed <= offered);
            reading.refused = progress.refusal.has_value();
            if (reading.refused || parser.is_complete() || progress.consumed == 0) {
                break;
            }
        }
    }
    reading.complete = !reading.refused && parser.is_complete();
    return reading;
}

/// RFC 9112 §7.1 and nothing else: sizes, extensions of any kind, data, no trailers. Nothing while the body is not whole, or is none.
std::optional<Reading> read_chunks(std::string_view bytes) {
    Reading reading;
    for (;;) {
        const auto line = bytes.substr(reading.consumed, bytes.find("\r\n", reading.consumed) - reading.consumed);
        std::size_t size = 0;
        std::size_t digits = 0;
        for (; digits < line.size() && std::isxdigit(static_cast<unsigned char>(line[digits])) != 0; ++digits) {
            if (size > limits.body_bytes) {
                return std::nullopt;
            }
            size = size * 16 + static_cast<std::size_t>(std::stoi(std::string(1, line[digits]), nullptr, 16));
        }
        const auto data = reading.consumed + line.size() + 2;
        if (digits == 0 || data + size + 2 > bytes.size() || bytes.substr(data + size, 2) != "\r\n") {
            return std::nullopt;
        }
        reading.body.append(bytes.substr(data, size));
        reading.consumed = data + size + 2;
        if (size == 0) {
            reading.complete = true;
            return reading;
        }
    }
}

void compare_with_plain_beast(std::string_view raw, const CheckedHead& head, bool wall_agrees) {
    boost::beast::http::request_parser<boost::beast::http::string_body> plain;
    plain.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    plain.body_limit(limits.body_bytes);
    boost::beast::error_code error;
    const auto taken = plain.put(boost::asio::const_buffer(raw.data(), raw.size()), error);
    if (error) {
        demand(!wall_agrees);
        return;
    }
    demand(wall_agrees);  // Beast has nothing against it: then it must read it as we do
    demand(taken == raw.size() && plain.is_header_done());
    demand(plain.chunked() == head.chunked);
    demand(plain.content_length().value_or(0) == head.content_length.value_or(0));
    demand(plain.get().version() == (head.http_1_0 ? 10U : 11U));
    demand(std::string_view(plain.get().target().data(), plain.get().target().size()).starts_with(head.path));
    demand(plain.get()["Host"] == boost::beast::string_view(head.host.data(), head.host.size()));
    if (head.keep_alive) {
        demand(plain.get().keep_alive());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto end = input.find("\r\n\r\n");
    const auto raw = input.substr(0, end == std::string_view::npos ? end : end + 4);
    CheckedHead head;
    if (check_head(raw, limits, head)) {
        return 0;
    }
    // A head that is fine in the end is never given up while it arrives.
    for (std::size_t length = 0; length < raw.size(); ++length) {
        demand(!check_unfinished_head(raw.substr(0, length), limits));
    }
    const auto rest = input.substr(raw.size());
    const Reading whole = read_body(raw, head, rest, rest.size() + 1);
    std::string unused;
    const bool wall_agrees = !RequestParser(limits).begin(raw, head, unused);
    compare_with_plain_beast(raw, head, wall_agrees);
    if (!wall_agrees) {
        return 0;
    }
    if (whole.complete) {
        if (head.chunked) {
            const auto own = read_chunks(rest);
            demand(own && own->consumed == whole.consumed && own->body == whole.body);
        } else {
            demand(whole.consumed == head.content_length.value_or(0) && whole.body == rest.substr(0, whole.consumed));
        }
    }
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
        const Reading pieces = read_body(raw, head, rest, piece);
        demand(pieces.complete == whole.complete);
        demand(!whole.complete || (pieces.consumed == whole.consumed && pieces.body == whole.body));
    }
    return 0;
}
