// SPDX-License-Identifier: Apache-2.0
#include "mcp/media_type.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

namespace durable_mcp::mcp {
namespace {

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) { return to_lower(a) == b; });
}

bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads a header value from left to right. Every member skips what it recognises and leaves the rest.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    void skip_spaces() {
        while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) {
            ++at_;
        }
    }
    bool skip(char c) {
        const bool is_there = !at_end() && text_[at_] == c;
        at_ += is_there ? 1 : 0;
        return is_there;
    }
    std::string_view token() {
        const std::size_t begin = at_;
        while (!at_end() && is_token_character(text_[at_])) {
            ++at_;
        }
        return text_.substr(begin, at_ - begin);
    }
    /// A token, or a quoted string without its quotes. Nothing if there is neither.
    std::optional<std::string> value() {
        if (!skip('"')) {
            const std::string_view plain = token();
            return plain.empty() ? std::nullopt : std::optional(std::string(plain));
        }
        std::string out;
        while (!at_end()) {
            const char c = text_[at_++];
            if (c == '"') {
                return out;
            }
            if (c == '\\') {
                if (at_end()) {
                    break;
                }
                out.push_back(text_[at_++]);
            } else {
                out.push_back(c);
            }
        }
        return std::nullopt;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

struct MediaRange {
    std::string_view type;
    std::string_view subtype;
    bool refused = false;  ///< q=0
    bool charset_is_utf8 = true;
};

/// Reads one media range with its parameters; nothing if it is malformed.
std::optional<MediaRange> read_range(Reader& reader) {
    MediaRange range;
    range.type = reader.token();
    if (range.type.empty() || !reader.skip('/')) {
        return std::nullopt;
    }
    range.subtype = reader.token();
    if (range.subtype.empty()) {
        return std::nullopt;
    }
    reader.skip_spaces();
    while (reader.skip(';')) {
        reader.skip_spaces();
        const std::string_view name = reader.token();
        if (name.empty()) {
            continue;  // RFC 9110 §5.6.6 allows an empty parameter
        }
        if (!reader.skip('=')) {
            return std::nullopt;
        }
        const auto value = reader.value();
        if (!value) {
            return std::nullopt;
        }
        if (equal_ignoring_case(name, "q")) {
            range.refused = value->find_first_not_of("0.") == std::string::npos;
        } else if (equal_ignoring_case(name, "charset")) {
            range.charset_is_utf8 = equal_ignoring_case(*value, "utf-8");
        }
        reader.skip_spaces();
    }
    return range;
}

}  // namespace

bool is_json(std::string_view content_type) {
    Reader reader(content_type);
    reader.skip_spaces();
    const auto media = read_range(reader);
    return media && reader.at_end() && equal_ignoring_case(media->type, "application") && equal_ignoring_case(media->subtype, "json") &&
           media->charset_is_utf8;
}

bool accepts(std::string_view accept, std::string_view type, std::string_view subtype) {
    Reader reader(accept);
    int best = 0;
    bool accepted = false;
    for (;;) {
        reader.skip_spaces();
        if (reader.at_end()) {
            return accepted;
        }
        if (reader.skip(',')) {
            continue;
        }
        const auto range = read_range(reader);
        if (!range) {
            return false;
        }
        int specificity = 0;
        if (equal_ignoring_case(range->type, type)) {
            specificity = equal_ignoring_case(range->subtype, subtype) ? 3 : range->subtype == "*" ? 2 : 0;
        } else if (range->type == "*" && range->subtype == "*") {
            specificity = 1;
        }
        if (specificity > best) {
            best = specificity;
            accepted = !range->refused;
        }
        reader.skip_spaces();
        if (!reader.at_end() && !reader.skip(',')) {
            return false;
        }
    }
}

}  // namespace durable_mcp::mcp
