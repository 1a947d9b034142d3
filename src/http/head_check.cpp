// SPDX-License-Identifier: Apache-2.0
#include "http/head_check.hpp"

#include <algorithm>
#include <array>

#include "http/authority.hpp"

namespace durable_mcp::http {
namespace {

constexpr std::size_t method_bytes = 32;
constexpr std::size_t length_digits = 18;  // fits uint64 whatever the digits are

constexpr std::array<bool, 256> token_table() {
    std::array<bool, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c) {
        table[c] = true;
    }
    for (unsigned c = 'a'; c <= 'z'; ++c) {
        table[c] = true;
        table[c - 'a' + 'A'] = true;
    }
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}

constexpr auto is_token_byte = token_table();

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_token_byte[static_cast<unsigned char>(c)]; });
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

/// Visible characters, obs-text, and blanks: what RFC 9110 §5.5 allows. Carriage return, line feed and NUL end up here and fail.
bool is_field_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
    });
}

bool is_origin_form(std::string_view target) {
    return !target.empty() && target.front() == '/' && std::all_of(target.begin(), target.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte < 0x7f && byte != '#';
    });
}

bool list_names(std::string_view list, std::string_view token) {
    while (true) {
        const auto comma = list.find(',');
        if (equal_without_case(trim(list.substr(0, comma)), token)) {
            return true;
        }
        if (comma == std::string_view::npos) {
            return false;
        }
        list.remove_prefix(comma + 1);
    }
}

std::optional<Refusal> check_request_line(std::string_view line, const base::Limits& limits, CheckedHead& head) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return Refusal{400, "The request line is not method, target and version."};
    }
    head.method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (head.method.size() > method_bytes || !is_token(head.method)) {
        return Refusal{400, "The method is not a token."};
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return Refusal{400, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
    }
    head.http_1_0 = version.back() == '0';
    if (target.size() > limits.target_bytes) {
        return Refusal{414, "The request target is too long."};
    }
    if (!is_origin_form(target)) {
        return Refusal{400, "The request target must be a path."};
    }
    head.path = target.substr(0, target.find('?'));
    return std::nullopt;
}

std::optional<Refusal> note_content_length(std::string_view value, const base::Limits& limits, CheckedHead& head) {
    if (head.content_length) {
        return Refusal{400, "More than one Content-Length."};
    }
    if (value.empty() || !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return Refusal{400, "Content-Length is not a number."};
    }
    if (value.size() > length_digits) {
        return Refusal{413, "The body is larger than this server accepts."};
    }
    std::uint64_t length = 0;
    for (const char c : value) {
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (length > limits.body_bytes) {
        return Refusal{413, "The body is larger than this server accepts."};
    }
    head.content_length = length;
    return std::nullopt;
}

/// Takes note of the fields that decide how the message is framed. The switch on the length spares most fields every comparison.
std::optional<Refusal> note_framing(const CheckedHead::Field& field, const base::Limits& limits, CheckedHead& head) {
    const auto is = [&field](std::string_view name) { return equal_without_case(field.name, name); };
    switch (field.name.size()) {
        case 4:
            if (is("Host")) {
                if (head.host.data() != nullptr) {
                    return Refusal{400, "More than one Host."};
                }
                if (!parse_authority(field.value)) {
                    return Refusal{400, "Host is not a host name with an optional port."};
                }
                head.host = field.value;
            }
            break;
        case 6:
            if (is("Expect")) {
                if (!equal_without_case(field.value, "100-continue")) {
                    return Refusal{400, "The only expectation met here is 100-continue."};
                }
                head.expects_continue = true;
            }
            break;
        case 7:
            if (is("Upgrade")) {
                return Refusal{400, "This server does not upgrade connections."};
            }
            if (is("Trailer")) {
                return Refusal{400, "Trailers are not accepted."};
            }
            break;
        case 10:
            if (is("Connection") && list_names(field.value, "close")) {
                head.keep_alive = false;
            }
            break;
        case 14:
            if (is("Content-Length")) {
                return note_content_length(field.value, limits, head);
            }
            break;
        case 17:
            if (is("Transfer-Encoding")) {
                if (head.chunked || !equal_without_case(field.value, "chunked")) {
                    return Refusal{400, "The only transfer encoding accepted here is chunked, once."};
                }
                head.chunked = true;
            }
            break;
        default:
            break;
    }
    return std::nullopt;
}

}  // namespace

std::string_view CheckedHead::find(std::string_view name) const {
    const Field* first = nullptr;
    std::string* all = nullptr;
    for (const auto& field : fields) {
        if (!equal_without_case(field.name, name)) {
            continue;
        }
        if (first == nullptr) {
            first = &field;
            continue;
        }
        if (all == nullptr) {
            all = &joined_.emplace_front(first->value);
        }
        all->append(", ").append(field.value);
    }
    return all != nullptr ? std::string_view(*all) : first != nullptr ? first->value : std::string_view();
}

std::optional<Refusal> check_head(std::string_view raw, const base::Limits& limits, CheckedHead& head) {
    head = CheckedHead{};
    if (raw.size() > limits.header_bytes) {
        return Refusal{431, "The request head is too large."};
    }
    if (!raw.ends_with("\r\n\r\n")) {
        return Refusal{400, "The request head does not end with an empty line."};
    }
    raw.remove_suffix(2);  // what is left is lines, each with its CRLF
    bool first_line = true;
    head.fields.reserve(16);
    while (!raw.empty()) {
        const auto line_feed = raw.find('\n');
        if (line_feed == std::string_view::npos || line_feed == 0 || raw[line_feed - 1] != '\r') {
            return Refusal{400, "A line of the request head does not end with CR LF."};
        }
        const auto line = raw.substr(0, line_feed - 1);
        raw.remove_prefix(line_feed + 1);
        if (first_line) {
            first_line = false;
            if (auto refusal = check_request_line(line, limits, head)) {
                return refusal;
            }
            continue;
        }
        if (line.empty()) {
            return Refusal{400, "The request head has an empty line within."};
        }
        if (line.size() > limits.header_line_bytes) {
            return Refusal{431, "A line of the request head is too long."};
        }
        if (is_blank(line.front())) {
            return Refusal{400, "A header field is folded over two lines."};
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
            return Refusal{400, "The name of a header field is not a token."};
        }
        if (!is_field_value(line.substr(colon + 1))) {
            return Refusal{400, "The value of a header field has control characters."};
        }
        if (head.fields.size() == limits.header_fields) {
            return Refusal{431, "The request head has too many fields."};
        }
        const CheckedHead::Field field{line.substr(0, colon), trim(line.substr(colon + 1))};
        if (auto refusal = note_framing(field, limits, head)) {
            return refusal;
        }
        head.fields.push_back(field);
    }
    if (head.host.data() == nullptr) {
        return Refusal{400, "Host is missing."};
    }
    if (head.chunked && head.content_length) {
        return Refusal{400, "Content-Length and Transfer-Encoding exclude each other."};
    }
    if (head.http_1_0) {
        if (head.chunked) {
            return Refusal{400, "HTTP/1.0 knows no Transfer-Encoding."};
        }
        head.keep_alive = false;
        head.expects_continue = false;  // RFC 9110 §10.1.1
    }
    return std::nullopt;
}

std::optional<Refusal> check_unfinished_head(std::string_view raw, const base::Limits& limits) {
    if (raw.size() >= limits.header_bytes) {
        return Refusal{431, "The request head is too large."};
    }
    const auto method_end = raw.find(' ');
    const auto method = raw.substr(0, method_end);
    if (method.size() > method_bytes || (!method.empty() && !is_token(method)) || method_end == 0) {
        return Refusal{400, "The method is not a token."};
    }
    for (auto at = raw.find('\n'); at != std::string_view::npos; at = raw.find('\n', at + 1)) {
        if (at == 0 || raw[at - 1] != '\r') {
            return Refusal{400, "A line of the request head does not end with CR LF."};
        }
    }
    return std::nullopt;
}

}  // namespace durable_mcp::http
