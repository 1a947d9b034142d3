// SPDX-License-Identifier: Apache-2.0
#include "schema/uri_template_expansion.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "schema/formats.hpp"

namespace durable_mcp::schema {
namespace {

using base::Failure;
using base::FailureCode;

/// RFC 6570 appendix A.
struct Operator {
    char symbol;
    std::string_view first;     ///< before the first value
    char separator;             ///< between values
    bool named;                 ///< name=value
    std::string_view if_empty;  ///< behind a name whose value is empty
    bool allows_reserved;       ///< reserved characters, and what is percent-encoded already, stay as they are
};
constexpr std::array<Operator, 8> operators{{{'\0', "", ',', false, "", false},
                                             {'+', "", ',', false, "", true},
                                             {'#', "#", ',', false, "", true},
                                             {'.', ".", '.', false, "", false},
                                             {'/', "/", '/', false, "", false},
                                             {';', ";", ';', true, "", false},
                                             {'?', "?", '&', true, "=", false},
                                             {'&', "&", '&', true, "=", false}}};

struct Variable {
    std::string_view name;
    std::size_t prefix = std::string_view::npos;  ///< how many characters of the value
    bool explode = false;
};

/// Thrown where the text stops being a template.
struct NoTemplate {
    std::string reason;
    std::size_t at;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_triplet(std::string_view text, std::size_t at) {
    return text[at] == '%' && at + 2 < text.size() && is_hex_digit(text[at + 1]) && is_hex_digit(text[at + 2]);
}

void put_encoded(std::string& out, std::string_view text, bool allows_reserved) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_unreserved = is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos;
        if (is_unreserved ||
            (allows_reserved && (std::string_view(":/?#[]@!$&'()*+,;=").find(c) != std::string_view::npos || is_triplet(text, i)))) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
}

/// The first `count` code points.
std::string_view take_characters(std::string_view text, std::size_t count) {
    std::size_t end = 0;
    while (end < text.size() && count > 0) {
        do {
            ++end;
        } while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U);
        --count;
    }
    return text.substr(0, end);
}

bool is_name(std::string_view name) {
    bool after_dot = true;  // a dot may not come first, last, or after another
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '.') {
            if (after_dot) {
                return false;
            }
            after_dot = true;
            continue;
        }
        if (is_triplet(name, i)) {
            i += 2;
        } else if (!is_letter(name[i]) && !is_digit(name[i]) && name[i] != '_') {
            return false;
        }
        after_dot = false;
    }
    return !after_dot;
}

Variable read_variable(std::string_view text, std::size_t at) {
    Variable variable{text};
    if (text.ends_with('*')) {
        variable.explode = true;
        variable.name = text.substr(0, text.size() - 1);
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        const std::string_view length = text.substr(colon + 1);
        if (length.empty() || length.size() > 4 || length.front() == '0' || !std::all_of(length.begin(), length.end(), is_digit)) {
            throw NoTemplate{"a ':' is followed by a number of characters from 1 to 9999", at};
        }
        variable.prefix = 0;
        for (const char digit : length) {
            variable.prefix = variable.prefix * 10 + static_cast<std::size_t>(digit - '0');
        }
        variable.name = text.substr(0, colon);
    }
    if (!is_name(variable.name)) {
        throw NoTemplate{"a variable's name consists of letters, digits, '_', percent-encoded bytes and inner '.'", at};
    }
    return variable;
}

class Expansion {
public:
    Expansion(std::string_view text, const TemplateValues& values) : text_(text), values_(values) {}

    std::string run() {
        while (at_ < text_.size()) {
            if (text_[at_] == '{') {
                expand_expression();
            } else {
                copy_literal();
            }
        }
        return std::move(out_);
    }

private:
    void copy_literal() {
        const char c = text_[at_];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '}') {
            throw NoTemplate{"a '}' without its '{'", at_};
        }
        if (byte <= 0x20 || byte == 0x7f || std::string_view("\"<>\\^`|").find(c) != std::string_view::npos ||
            (c == '%' && !is_triplet(text_, at_))) {
            throw NoTemplate{"a character that no URI has; write it percent-encoded", at_};
        }
        const std::string_view literal = text_.substr(at_, is_triplet(text_, at_) ? 3 : 1);
        put_encoded(out_, literal, true);
        at_ += literal.size();
    }

    void expand_expression() {
        const std::size_t begin = at_;
        const std::size_t end = text_.find('}', begin);
        if (end == std::string_view::npos) {
            throw NoTemplate{"a '{' without its '}'", begin};
        }
        std::string_view inside = text_.substr(begin + 1, end - begin - 1);
        at_ = end + 1;
        const Operator* how = &operators.front();
        if (!inside.empty()) {
            const auto found =
                std::find_if(operators.begin() + 1, operators.end(), [&](const Operator& one) { return one.symbol == inside.front(); });
            if (found != operators.end()) {
                how = &*found;
                inside.remove_prefix(1);
            }
        }
        is_first_ = true;
        for (bool more = true; more;) {
            const std::size_t comma = inside.find(',');
            const Variable variable = read_variable(inside.substr(0, comma), begin);
            more = comma != std::string_view::npos;
            inside.remove_prefix(more ? comma + 1 : inside.size());
            if (const auto value = values_.find(variable.name); value != values_.end()) {
                std::visit([&](const auto& one) { put(*how, variable, one, begin); }, value->second);
            }
        }
    }

    void separate(const Operator& how) {
        if (is_first_) {
            out_ += how.first;
        } else {
            out_ += how.separator;
        }
        is_first_ = false;
    }

    void put_name(const Operator& how, std::string_view name, bool value_is_empty) {
        if (how.named) {
            out_ += name;
            out_ += value_is_empty ? how.if_empty : "=";
        }
    }

    void put(const Operator& how, const Variable& variable, const std::string& value, std::size_t) {
        separate(how);
        put_name(how, variable.name, value.empty());
        put_encoded(out_, take_characters(value, variable.prefix), how.allows_reserved);
    }

    void put(const Operator& how, const Variable& variable, const std::vector<std::string>& values, std::size_t at) {
        refuse_prefix(variable, at);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i == 0 || variable.explode) {
                separate(how);
                put_name(how, variable.name, variable.explode && values[i].empty());
            } else {
                out_ += ',';
            }
            put_encoded(out_, values[i], how.allows_reserved);
        }
    }

    void put(const Operator& how, const Variable& variable, const std::vector<std::pair<std::string, std::string>>& members,
             std::size_t at) {
        refuse_prefix(variable, at);
        for (std::size_t i = 0; i < members.size(); ++i) {
            const auto& [name, value] = members[i];
            if (variable.explode) {
                separate(how);
            } else if (i == 0) {
                separate(how);
                put_name(how, variable.name, false);
            } else {
                out_ += ',';
            }
            put_encoded(out_, name, how.allows_reserved);
            if (variable.explode) {
                out_ += how.named && value.empty() ? how.if_empty : "=";
            } else {
                out_ += ',';
            }
            put_encoded(out_, value, how.allows_reserved);
        }
    }

    static void refuse_prefix(const Variable& variable, std::size_t at) {
        if (variable.prefix != std::string_view::npos) {
            throw NoTemplate{fmt::format("the value of '{}' is a list or a map, which has no first characters", variable.name), at};
        }
    }

    std::string_view text_;
    const TemplateValues& values_;
    std::size_t at_ = 0;
    std::string out_;
    bool is_first_ = true;  ///< no value of this expression has been put yet
};

}  // namespace

base::Result<std::string> expand_uri_template(std::string_view text, const TemplateValues& values) {
    try {
        return Expansion(text, values).run();
    } catch (const NoTemplate& error) {
        return Failure{FailureCode::malformed,
                       fmt::format("the URI template '{}' cannot be expanded: {} (at character {})", text, error.reason, error.at + 1)};
    }
}

bool is_uri_template(std::string_view text) {
    return expand_uri_template(text, {}).has_value();
}

}  // namespace durable_mcp::schema
