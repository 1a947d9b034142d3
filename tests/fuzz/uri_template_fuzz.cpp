// SPDX-License-Identifier: Apache-2.0
// The first line is a template, the second a URI, the others are values. What match() says must expand to the URI, and what the values expand to
// must match. The expansion is written here, from RFC 6570.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.hpp"
#include "fuzz/demand.hpp"
#include "schema/uri_template.hpp"

namespace {

using durable_mcp::fuzz::demand;
using durable_mcp::base::is_utf8;
using durable_mcp::schema::UriTemplate;

int hex_value(char c) {
    const auto at = std::string_view("0123456789abcdefABCDEF").find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
}

/// Every percent-encoded byte as itself; a percent sign that encodes nothing stays.
std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
            out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

std::string encoded(std::string_view value, std::string_view kept) {
    std::string out;
    for (const char c : value) {
        const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (is_alphanumeric || kept.find(c) != std::string_view::npos) {
            out.push_back(c);
        } else {
            constexpr std::string_view digits = "0123456789ABCDEF";
            const auto byte = static_cast<unsigned char>(c);
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return out;
}

/// `value(name, is_reserved, is_list)` gives the text that stands for a variable.
using ValueText = std::function<std::string(const std::string&, bool, bool)>;

std::string expand(std::string_view text, const ValueText& value) {
    std::string out;
    while (!text.empty()) {
        const auto open = text.find('{');
        out.append(text.substr(0, open));
        if (open == std::string_view::npos) {
            break;
        }
        const auto close = text.find('}', open);
        std::string_view names = text.substr(open + 1, close - open - 1);
        text.remove_prefix(close + 1);
        const char how = names.front();
        const bool is_reserved = how == '+', is_path = how == '/', is_query = how == '?';
        names.remove_prefix(is_reserved || is_path || is_query ? 1 : 0);
        const bool is_list = names.find(',') != std::string_view::npos;
        for (bool first = true; !names.empty(); first = false) {
            const auto comma = names.find(',');
            const std::string name(names.substr(0, comma));
            out.append(is_path ? "/" : is_query ? (first ? "?" : "&") : first ? "" : ",").append(is_query ? name + "=" : "");
            out.append(value(name, is_reserved, is_list));
            names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> lines(1);
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] == '\n') {
            lines.emplace_back();
        } else {
            lines.back().push_back(static_cast<char>(data[i]));
        }
    }
    lines.resize(std::max<std::size_t>(lines.size(), 2));
    const auto compiled = UriTemplate::compile(lines[0]);
    if (!compiled) {
        demand(is_utf8(compiled.error().sentence) && !compiled.error().sentence.empty());
        return 0;
    }
    const auto query_at = lines[0].find("{?");
    const bool has_query = query_at != std::string::npos;
    if (const auto values = compiled->match(lines[1])) {
        std::map<std::string, std::string> in_path = *values;
        if (has_query && lines[1].find('?') != std::string::npos) {
            std::string_view query = std::string_view(lines[1]).substr(lines[1].find('?') + 1);
            for (bool more = true; more;) {
                const auto end = query.find('&');
                const std::string_view pair = query.substr(0, end);
                const auto equals = pair.find('=');
                demand(equals != std::string_view::npos);
                const std::string name(pair.substr(0, equals));
                demand(lines[0].find(name, query_at) != std::string::npos && in_path.at(name) == decoded(pair.substr(equals + 1)));
                in_path.erase(name);
                more = end != std::string_view::npos;
                query.remove_prefix(more ? end + 1 : query.size());
            }
        }
        for (const auto& [name, value] : *values) {
            demand(is_utf8(value) && value.find('\0') == std::string::npos);
        }
        for (const auto& [name, value] : in_path) {
            demand(!value.empty());
        }
        // Literals are compared decoded, and values are decoded once already.
        const std::string path = expand(lines[0].substr(0, query_at), [&](const std::string& name, bool, bool) {
            std::string value = in_path.at(name);
            for (auto at = value.find('%'); at != std::string::npos; at = value.find('%', at + 3)) {
                value.replace(at, 1, "%25");
            }
            return value;
        });
        demand(decoded(path) == decoded(lines[1].substr(0, has_query ? lines[1].find('?') : std::string::npos)));
    }

    std::map<std::string, std::string> given;
    for (const std::string& name : compiled->variables()) {
        const std::size_t at = 2 + given.size();
        given[name] = at < lines.size() ? lines[at] : "value";
        if (given[name].empty() || !is_utf8(given[name]) || given[name].find('\0') != std::string::npos) {
            return 0;
        }
    }
    const std::string uri = expand(lines[0], [&](const std::string& name, bool is_reserved, bool is_list) {
        std::string kept = !is_reserved ? "-._~" : is_list ? "-._~:/?#[]@!$&'()*+;=" : "-._~:/?#[]@!$&'()*+,;=";
        if (has_query) {
            std::erase(kept, '?');  // where it would begin the query
        }
        return encoded(given.at(name), kept);
    });
    if (uri.size() > 8192) {
        return 0;
    }
    const auto values = compiled->match(uri);
    demand(values.has_value());
    demand(given.size() != 1 || *values == given);
    return 0;
}
