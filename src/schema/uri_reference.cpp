// SPDX-License-Identifier: Apache-2.0
#include "schema/uri_reference.hpp"

#include <algorithm>

#include "schema/formats.hpp"

namespace durable_mcp::schema {
namespace {

bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int hex_value(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// RFC 3986 §5.2.4.
std::string remove_dot_segments(std::string_view path) {
    std::string out;
    const auto drop_last = [&out] { out.resize(std::min(out.size(), out.rfind('/') == std::string::npos ? 0 : out.rfind('/'))); };
    while (!path.empty()) {
        if (path.starts_with("../")) {
            path.remove_prefix(3);
        } else if (path.starts_with("./")) {
            path.remove_prefix(2);
        } else if (path.starts_with("/./")) {
            path.remove_prefix(2);
        } else if (path == "/.") {
            path = "/";
        } else if (path.starts_with("/../")) {
            path.remove_prefix(3);
            drop_last();
        } else if (path == "/..") {
            path = "/";
            drop_last();
        } else if (path == "." || path == "..") {
            break;
        } else {
            const std::size_t end = std::min(path.find('/', 1), path.size());
            out += path.substr(0, end);
            path.remove_prefix(end);
        }
    }
    return out;
}

/// RFC 3986 §5.2.3.
std::string merge_paths(const UriParts& base, std::string_view path) {
    if (base.authority && base.path.empty()) {
        return "/" + std::string(path);
    }
    const std::size_t slash = base.path.rfind('/');
    return std::string(slash == std::string_view::npos ? std::string_view{} : base.path.substr(0, slash + 1)) + std::string(path);
}

std::string join(const UriParts& parts, std::string_view path) {
    std::string out;
    if (parts.scheme) {
        out.append(*parts.scheme).append(":");
    }
    if (parts.authority) {
        out.append("//").append(*parts.authority);
    }
    out += path;
    if (parts.query) {
        out.append("?").append(*parts.query);
    }
    return out;
}

/// `extra`: what is allowed beyond unreserved characters, sub-delimiters and percent-encoded bytes.
bool is_made_of(std::string_view text, std::string_view extra, bool international) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_alpha(c) || is_digit(c) || std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos ||
            extra.find(c) != std::string_view::npos || (international && static_cast<unsigned char>(c) >= 0x80)) {
            continue;
        }
        if (c != '%' || i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
            return false;
        }
        i += 2;
    }
    return true;
}

bool is_host(std::string_view host, bool international) {
    if (!host.starts_with('[')) {
        return is_made_of(host, "", international);
    }
    if (!host.ends_with(']')) {
        return false;
    }
    host = host.substr(1, host.size() - 2);
    if (host.starts_with('v') || host.starts_with('V')) {
        const std::size_t dot = host.find('.');
        return dot != std::string_view::npos && dot > 1 && dot + 1 < host.size() &&
               std::all_of(host.begin() + 1, host.begin() + static_cast<std::ptrdiff_t>(dot), [](char c) { return hex_value(c) >= 0; }) &&
               host.find('%') == std::string_view::npos && is_made_of(host.substr(dot + 1), ":", false);
    }
    return is_ipv6(host);
}

bool is_authority(std::string_view authority, bool international) {
    if (const std::size_t at = authority.find('@'); at != std::string_view::npos) {
        if (!is_made_of(authority.substr(0, at), ":", international)) {
            return false;
        }
        authority.remove_prefix(at + 1);
    }
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const std::string_view port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
    return std::all_of(port.begin(), port.end(), is_digit) && is_host(authority.substr(0, colon), international);
}

}  // namespace

UriParts split_uri(std::string_view text) {
    UriParts parts;
    if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
        parts.fragment = text.substr(hash + 1);
        text = text.substr(0, hash);
    }
    if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
        parts.query = text.substr(mark + 1);
        text = text.substr(0, mark);
    }
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && colon > 0 && text.find('/') > colon) {
        parts.scheme = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    if (text.starts_with("//")) {
        const std::size_t end = std::min(text.find('/', 2), text.size());
        parts.authority = text.substr(2, end - 2);
        text.remove_prefix(end);
    }
    parts.path = text;
    return parts;
}

std::string resolve_uri(std::string_view base, std::string_view reference) {
    UriParts target = split_uri(reference);
    if (target.scheme) {
        return join(target, remove_dot_segments(target.path));
    }
    const UriParts from = split_uri(base);
    target.scheme = from.scheme;
    if (target.authority) {
        return join(target, remove_dot_segments(target.path));
    }
    target.authority = from.authority;
    if (target.path.empty()) {
        if (!target.query) {
            target.query = from.query;
        }
        return join(target, from.path);
    }
    return join(target, remove_dot_segments(target.path.starts_with('/') ? std::string(target.path) : merge_paths(from, target.path)));
}

std::optional<std::string> decode_percent(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
            return std::nullopt;
        }
        out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
        i += 2;
    }
    return out;
}

bool is_uri(std::string_view text, bool relative, bool international) {
    const UriParts parts = split_uri(text);
    if (parts.scheme) {
        const bool well_formed = is_alpha(parts.scheme->front()) && std::all_of(parts.scheme->begin(), parts.scheme->end(), [](char c) {
                                     return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
                                 });
        if (!well_formed) {
            return false;
        }
    } else if (!relative || (!parts.authority && parts.path.substr(0, parts.path.find('/')).find(':') != std::string_view::npos)) {
        return false;  // the first segment of a relative path has no colon
    }
    return (!parts.authority || is_authority(*parts.authority, international)) && is_made_of(parts.path, "/:@", international) &&
           is_made_of(parts.query.value_or(""), "/?:@", international) && is_made_of(parts.fragment.value_or(""), "/?:@", international);
}

}  // namespace durable_mcp::schema
