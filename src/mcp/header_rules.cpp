// SPDX-License-Identifier: Apache-2.0
#include "mcp/header_rules.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "mcp/extension.hpp"
#include "mcp/quote.hpp"

namespace durable_mcp::mcp {
namespace {

using jsonrpc::Error;

struct Routed {
    std::string_view method;
    std::string_view member;
};

// Extensions have rows of their own.
constexpr Routed routed_methods[] = {{"tools/call", "name"}, {"prompts/get", "name"}, {"resources/read", "uri"}};

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 §4, in the one form that an encoder writes.
std::optional<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    text.remove_suffix(padding);
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text) {
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        group = (group << 6 | static_cast<std::uint32_t>(digit)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>(group >> bits & 0xff));
        }
    }
    const bool has_stray_bits = (group & ((1u << bits) - 1)) != 0;
    return has_stray_bits ? std::nullopt : std::optional(std::move(bytes));
}

bool is_utf8(const std::string& bytes) {
    return base::dump_json(base::Json(bytes)).has_value();
}

}  // namespace

std::string_view trim_spaces(std::string_view value) {
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
        value.remove_prefix(1);
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
        value.remove_suffix(1);
    }
    return value;
}

std::optional<std::string> decode_header_value(std::string_view value) {
    value = trim_spaces(value);
    const bool is_plain = std::all_of(value.begin(), value.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
    if (!is_plain) {
        return std::nullopt;
    }
    constexpr std::string_view begin = "=?base64?", end = "?=";
    if (value.size() < begin.size() + end.size() || !value.starts_with(begin) || !value.ends_with(end)) {
        return std::string(value);
    }
    auto decoded = decode_base64(value.substr(begin.size(), value.size() - begin.size() - end.size()));
    return decoded && is_utf8(*decoded) ? std::move(decoded) : std::nullopt;
}

Error header_mismatch(std::string_view explanation) {
    return {jsonrpc::header_mismatch, fmt::format("Header mismatch: {}", explanation), {}};
}

std::string_view routed_by(std::string_view method) {
    for (const Routed& row : routed_methods) {
        if (row.method == method) {
            return row.member;
        }
    }
    if (const Extension* const extension = extension_of(method)) {
        for (const ExtensionMethod& row : extension->methods) {
            if (row.name == method) {
                return row.routed_by;
            }
        }
    }
    return {};
}

std::optional<Error> check_routing_headers(const HeaderLookup& header, std::string_view method, const base::Json& params,
                                           bool name_may_be_absent) {
    const std::string_view said_method = trim_spaces(find_header(header, "Mcp-Method"));
    if (said_method.data() == nullptr) {
        return header_mismatch("the Mcp-Method header is missing");
    }
    if (said_method != method) {
        return header_mismatch(
            fmt::format("the Mcp-Method header '{}' is not the body's method '{}'", quote(said_method), quote(method)));
    }
    const std::string_view member = routed_by(method);
    if (member.empty()) {
        return std::nullopt;
    }
    const std::string_view said_name = find_header(header, "Mcp-Name");
    if (said_name.data() == nullptr) {
        return name_may_be_absent ? std::nullopt
                                  : std::optional(header_mismatch(fmt::format("the Mcp-Name header is missing; it repeats params.{}", member)));
    }
    const auto decoded = decode_header_value(said_name);
    if (!decoded) {
        return header_mismatch("the Mcp-Name header has characters, or Base64, that a header value must not have");
    }
    const auto found = params.is_object() ? params.find(member) : params.end();
    if (found == params.end() || !found->is_string()) {
        return header_mismatch(fmt::format("the body has no params.{} for the Mcp-Name header to repeat", member));
    }
    if (const auto& name = found->get_ref<const std::string&>(); *decoded != name) {
        return header_mismatch(fmt::format("the Mcp-Name header '{}' is not the body's params.{} '{}'", quote(*decoded), member, quote(name)));
    }
    return std::nullopt;
}

}  // namespace durable_mcp::mcp
