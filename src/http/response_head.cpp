// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.hpp"

#include <charconv>

namespace durable_mcp::http {
namespace {

std::string_view reason_of(unsigned status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 503: return "Service Unavailable";
        default: return "Status";
    }
}

void append_number(std::string& out, std::size_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

bool is_safe(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    if (is_safe(name) && is_safe(value)) {
        out.append(name).append(": ").append(value).append("\r\n");
    }
}

void append_status_line(std::string& out, unsigned status) {
    out.append("HTTP/1.1 ");
    append_number(out, status);
    out.append(" ").append(reason_of(status)).append("\r\n");
}

}  // namespace

void append_whole_head(std::string& out, const runtime::WholeResponse& response, bool keep_alive) {
    append_status_line(out, response.status);
    if (!response.body.empty()) {
        append_field(out, "Content-Type", response.content_type);
    }
    if (response.status != 204 && response.status != 304) {
        out.append("Content-Length: ");
        append_number(out, response.body.size());
        out.append("\r\n");
    }
    for (const auto& [name, value] : response.headers) {
        append_field(out, name, value);
    }
    out.append(keep_alive ? "\r\n" : "Connection: close\r\n\r\n");
}

void append_stream_head(std::string& out, const runtime::HeaderList& headers, bool chunked, bool close) {
    append_status_line(out, 200);
    out.append(
        "Content-Type: text/event-stream\r\n"
        "Cache-Control: no-cache, no-transform\r\n"
        "X-Accel-Buffering: no\r\n");
    if (chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    }
    for (const auto& [name, value] : headers) {
        append_field(out, name, value);
    }
    out.append(close ? "Connection: close\r\n\r\n" : "\r\n");
}

runtime::WholeResponse make_refusal_response(const Refusal& refusal) {
    runtime::WholeResponse response;
    response.status = refusal.status;
    if (refusal.status == 404) {
        response.body.append(R"({"error":")").append(refusal.sentence).append(R"("})");
    } else {
        response.body.append(R"({"jsonrpc":"2.0","error":{"code":-32000,"message":")").append(refusal.sentence).append(R"("}})");
    }
    return response;
}

}  // namespace durable_mcp::http
