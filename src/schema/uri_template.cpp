// SPDX-License-Identifier: Apache-2.0
#include "schema/uri_template.hpp"

// Regular expressions are what CVE-2026-0621 was made of: a template became a pattern that backtracks, and one long URI stopped the server.
// Here the first and the last literal are compared at once, which settles most templates; a single variable between them needs one pass.
// For several variables, a table is filled from the end of the URI: "from here, the rest of the template fits". It has one row per variable
// and one column per byte, and each cell is computed once. A walk from the front then picks the shortest value that leads to a fit. A query is cut
// off before, at the first '?', and read from left to right.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "base/utf8.hpp"

namespace durable_mcp::schema {
namespace {

using base::Failure;
using base::FailureCode;

constexpr std::size_t max_variables = 32;

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// RFC 6570 §2.3: name characters and dots, neither at an end nor doubled. Percent-encoded names are refused: nobody writes them.
bool is_name(std::string_view name) {
    if (name.empty() || name.front() == '.' || name.back() == '.' || name.find("..") != std::string_view::npos) {
        return false;
    }
    return std::all_of(name.begin(), name.end(), [](char c) { return is_name_character(c) || c == '.'; });
}

bool is_literal(char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
}

/// The spelling in which literals and URIs are compared: bytes beyond ASCII percent-encoded, digits of triplets in upper case.
std::string normalise(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x80) {
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        } else if (byte == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
            const auto digit = [text, digits](std::size_t at) { return digits[static_cast<std::size_t>(hex_value(text[at]))]; };
            out.append({'%', digit(i + 1), digit(i + 2)});
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

bool is_normal(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '%'; });
}

std::optional<std::string> percent_decode(std::string_view text) {
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
    if (out.find('\0') != std::string::npos || !base::is_utf8(out)) {
        return std::nullopt;
    }
    return out;
}

}  // namespace

bool UriTemplate::admits(Alphabet alphabet, char c) {
    switch (alphabet) {
        case Alphabet::segment:
            return c != '/' && c != '?' && c != '#';
        case Alphabet::list_segment:
            return c != '/' && c != '?' && c != '#' && c != ',';
        case Alphabet::reserved:
            return true;
        case Alphabet::list_reserved:
            return c != ',';
    }
    return false;
}

bool UriTemplate::all_admitted(Alphabet alphabet, std::string_view text) {
    return std::all_of(text.begin(), text.end(), [alphabet](char c) { return admits(alphabet, c); });
}

base::Result<UriTemplate> UriTemplate::compile(std::string_view text) {
    constexpr base::Limits limits;
    const auto refuse = [text](std::string_view reason, std::size_t at) {
        return Failure{FailureCode::malformed,
                       fmt::format("the URI template '{}' cannot be used: {} (at character {})", text, reason, at + 1)};
    };
    if (text.empty() || text.size() > limits.uri_bytes) {
        return Failure{text.empty() ? FailureCode::malformed : FailureCode::too_large,
                       fmt::format("a URI template must have between 1 and {} bytes", limits.uri_bytes)};
    }
    if (!base::is_utf8(text)) {
        return Failure{FailureCode::malformed, "a URI template must be UTF-8"};
    }

    // A literal that ends inside "%C3%A4" would run into the value behind it: "%C" and "42" are "%C42".
    constexpr std::string_view broken = "a percent-encoding that is no UTF-8 text, or holds NUL";
    UriTemplate compiled;
    compiled.text_ = text;
    std::string literal;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '{') {
            if (!is_literal(text[at])) {
                return refuse(text[at] == '}' ? "a '}' without its '{'" : "a character that no URI has; write it percent-encoded", at);
            }
            literal.push_back(text[at++]);
            continue;
        }
        const std::size_t begin = at;
        const std::size_t end = text.find('}', begin);
        if (end == std::string_view::npos) {
            return refuse("a '{' without its '}'", begin);
        }
        std::string_view expression = text.substr(begin + 1, end - begin - 1);
        const char symbol = expression.empty() ? '\0' : expression.front();
        const bool reserved = symbol == '+', segments = symbol == '/', query = symbol == '?';
        if (reserved || segments || query) {
            expression.remove_prefix(1);
        } else if (std::string_view("#.;&=,!@|").find(symbol) != std::string_view::npos) {
            return refuse(fmt::format("the operator '{}' is not supported; use {{name}}, {{+name}}, {{/name}} or, at the end, {{?name}}", symbol),
                          begin + 1);
        }
        if (query && (end + 1 != text.size() || text.substr(0, begin).find('?') != std::string_view::npos)) {
            return refuse("a query {?…} stands at the end, and there is no other '?' before it", begin);
        }
        if (!percent_decode(literal)) {
            return refuse(broken, begin - literal.size());
        }
        literal += segments ? "/" : "";
        if (literal.empty() && !compiled.names_.empty() && !query) {
            return refuse("two variables with nothing between them, so that nobody could tell where one ends", begin);
        }
        const bool list = expression.find(',') != std::string_view::npos;
        for (bool more = true; more;) {
            const std::size_t comma = expression.find(',');
            const std::string_view name = expression.substr(0, comma);
            more = comma != std::string_view::npos;
            expression.remove_prefix(more ? comma + 1 : expression.size());
            if (name.find_first_of(":*") != std::string_view::npos) {
                return refuse("the modifiers ':' and '*' are not supported", begin);
            }
            if (!is_name(name)) {
                return refuse("a variable's name consists of letters, digits, '_' and inner '.'", begin);
            }
            if (std::find(compiled.names_.begin(), compiled.names_.end(), name) != compiled.names_.end()) {
                return refuse(fmt::format("the variable '{}' occurs twice", name), begin);
            }
            if (compiled.names_.size() == max_variables) {
                return refuse(fmt::format("more than {} variables", max_variables), begin);
            }
            compiled.names_.emplace_back(name);
            if (query) {
                continue;
            }
            compiled.literals_.push_back(normalise(std::exchange(literal, !more ? "" : segments ? "/" : ",")));
            compiled.alphabets_.push_back(reserved           ? (list ? Alphabet::list_reserved : Alphabet::reserved)
                                          : list && !segments ? Alphabet::list_segment
                                                              : Alphabet::segment);
        }
        at = end + 1;
    }
    if (!percent_decode(literal)) {
        return refuse(broken, text.size() - literal.size());
    }
    compiled.literals_.push_back(normalise(literal));
    return compiled;
}

std::optional<std::map<std::string, std::string>> UriTemplate::match(std::string_view uri) const {
    constexpr base::Limits limits;
    if (uri.size() > limits.uri_bytes) {
        return std::nullopt;
    }
    std::string normal;
    if (!is_normal(uri)) {
        normal = normalise(uri);
        uri = normal;
    }
    Values values;
    const std::size_t mark = alphabets_.size() < names_.size() ? uri.find('?') : std::string_view::npos;
    const bool fits = match_path(uri.substr(0, mark), values) && (mark == std::string_view::npos || match_query(uri.substr(mark + 1), values));
    return fits ? std::optional(std::move(values)) : std::nullopt;
}

bool UriTemplate::match_query(std::string_view query, Values& values) const {
    for (bool more = true; more;) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        more = end != std::string_view::npos;
        query.remove_prefix(more ? end + 1 : query.size());
        const std::size_t equals = pair.find('=');
        const auto name = std::find(names_.begin() + static_cast<std::ptrdiff_t>(alphabets_.size()), names_.end(), pair.substr(0, equals));
        if (equals == std::string_view::npos || name == names_.end() || pair.find('#') != std::string_view::npos) {
            return false;
        }
        auto value = percent_decode(pair.substr(equals + 1));
        if (!value || !values.emplace(*name, std::move(*value)).second) {
            return false;
        }
    }
    return true;
}

bool UriTemplate::match_path(std::string_view uri, Values& values) const {
    const std::size_t count = alphabets_.size();
    const std::string& last = literals_[count];
    if (count == 0) {
        return uri == last;
    }
    if (uri.size() < literals_[0].size() + last.size() || !uri.starts_with(literals_[0]) || !uri.ends_with(last)) {
        return false;
    }
    const std::string_view middle = uri.substr(literals_[0].size(), uri.size() - literals_[0].size() - last.size());
    const std::size_t size = middle.size();

    // reaches[v * (size + 1) + i]: variable v can begin at i such that it and everything behind it fits.
    std::vector<char> reaches;
    const auto row = [&reaches, size](std::size_t v) { return reaches.data() + v * (size + 1); };
    // True if variable v may end at i: what follows is the end, or the next literal and then a place where the next variable can begin.
    const auto may_end = [&](std::size_t v, std::size_t i) {
        if (v + 1 == count) {
            return i == size;
        }
        if (middle[i - 1] == '%' || (i > 1 && middle[i - 2] == '%')) {
            return false;  // inside a percent-encoded byte
        }
        const std::string& next = literals_[v + 1];
        return size - i > next.size() && row(v + 1)[i + next.size()] != 0 && middle.compare(i, next.size(), next) == 0;
    };
    if (count > 1) {
        reaches.assign(count * (size + 1), 0);
        for (std::size_t v = count; v-- > 0;) {
            bool fits = false;  // an unbroken run of admitted characters leads from i to a place where v may end
            for (std::size_t i = size; i-- > 0;) {
                fits = admits(alphabets_[v], middle[i]) && (fits || may_end(v, i + 1));
                row(v)[i] = fits ? 1 : 0;
            }
        }
        if (size == 0 || row(0)[0] == 0) {
            return false;
        }
    } else if (size == 0 || !all_admitted(alphabets_[0], middle)) {
        return false;
    }

    std::size_t begin = 0;
    for (std::size_t v = 0; v < count; ++v) {
        std::size_t end = v + 1 == count ? size : begin + 1;
        while (end < size && !may_end(v, end)) {
            ++end;
        }
        auto value = percent_decode(middle.substr(begin, end - begin));
        if (!value) {
            return false;
        }
        values.emplace(names_[v], std::move(*value));
        begin = end + literals_[v + 1].size();
    }
    return true;
}

}  // namespace durable_mcp::schema
