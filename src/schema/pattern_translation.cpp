// SPDX-License-Identifier: Apache-2.0
#include "schema/pattern_translation.hpp"

// One pass from the left, without recursion: groups need only be counted. All that ECMA-262 and RE2 read differently is written out:
// classes as ranges of code points, characters as \x{…}. Groups capture nothing, because nobody asks what they captured.

#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "schema/unicode_properties.hpp"

namespace durable_mcp::schema {
namespace {

using base::Failure;
using base::FailureCode;

constexpr std::string_view spaces =
    "\\x{9}-\\x{D}\\x{20}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}\\x{FEFF}";
constexpr std::string_view all_but_spaces =
    "\\x{0}-\\x{8}\\x{E}-\\x{1F}\\x{21}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}"
    "\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{FEFE}\\x{FF00}-\\x{10FFFF}";
constexpr std::string_view anything = "[\\x{0}-\\x{10FFFF}]";
constexpr std::string_view nothing = "[^\\x{0}-\\x{10FFFF}]";
constexpr std::uint32_t most_repetitions = 1000;  // RE2's own bound

/// What an escape, or a member of a class, stands for.
struct Atom {
    std::uint32_t code_point = 0;
    std::optional<std::string> set;  ///< the inside of a class of RE2, instead of a code point
};

/// Thrown where the expression stops being one; the place is where the reader stands.
struct NoExpression {
    std::string reason;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int hex_value(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string escaped(std::uint32_t code_point) {
    return fmt::format("\\x{{{:X}}}", code_point);
}

class Translator {
public:
    explicit Translator(std::string_view text) : text_(text) {}

    void run() {
        while (at_ < text_.size()) {
            read_term();
        }
        if (open_groups_ > 0) {
            throw NoExpression{"a group is not closed"};
        }
    }
    [[nodiscard]] std::size_t offset() const { return at_; }
    [[nodiscard]] TranslatedPattern take() { return {std::move(out_), std::move(unsupported_)}; }

private:
    [[nodiscard]] bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }
    [[nodiscard]] bool skip(std::string_view what) {
        const bool there = next_is(what);
        at_ += there ? what.size() : 0;
        return there;
    }
    void lacks(std::string_view what) {
        if (unsupported_.empty()) {
            unsupported_ = what;
        }
    }
    void put(std::string_view piece) {
        out_ += piece;
        repeatable_ = true;
    }

    void read_term();
    void read_group();
    void read_class();
    [[nodiscard]] bool read_braces();
    void finish_quantifier();
    void read_escape();
    [[nodiscard]] Atom read_escaped_atom(bool in_class);
    [[nodiscard]] Atom read_class_atom();
    [[nodiscard]] std::uint32_t read_hex(std::size_t digits);
    [[nodiscard]] std::uint32_t read_unicode_escape();
    [[nodiscard]] std::uint32_t read_code_point();
    [[nodiscard]] std::optional<std::uint32_t> read_number();

    std::string_view text_;
    std::size_t at_ = 0;
    std::string out_;
    std::string unsupported_;
    std::size_t open_groups_ = 0;
    bool repeatable_ = false;  ///< a quantifier may follow
};

void Translator::read_term() {
    const char c = text_[at_];
    switch (c) {
        case '^':
        case '$':
        case '|':
            out_ += c;
            repeatable_ = false;
            ++at_;
            break;
        case '.':
            ++at_;
            put("[^\\x{A}\\x{D}\\x{2028}\\x{2029}]");
            break;
        case '*':
        case '+':
        case '?':
            if (!repeatable_) {
                throw NoExpression{"there is nothing to repeat"};
            }
            out_ += c;
            ++at_;
            finish_quantifier();
            break;
        case '{':
            if (!read_braces()) {
                ++at_;
                put("\\{");
            }
            break;
        case '(':
            read_group();
            break;
        case ')':
            if (open_groups_ == 0) {
                throw NoExpression{"a ')' without its '('"};
            }
            --open_groups_;
            ++at_;
            put(")");
            break;
        case '[':
            read_class();
            break;
        case '\\':
            read_escape();
            break;
        default:
            put(escaped(read_code_point()));
            break;
    }
}

void Translator::finish_quantifier() {
    if (skip("?")) {
        out_ += '?';
    }
    repeatable_ = false;
}

bool Translator::read_braces() {
    const std::size_t begin = at_++;
    const auto least = read_number();
    const bool has_comma = least && skip(",");
    const auto most = has_comma ? read_number() : least;
    if (!least || !skip("}")) {
        at_ = begin;
        return false;
    }
    if (!repeatable_) {
        at_ = begin;
        throw NoExpression{"there is nothing to repeat"};
    }
    if (most && *most < *least) {
        throw NoExpression{"a repetition from more to less"};
    }
    if (*least > most_repetitions || most.value_or(0) > most_repetitions) {
        lacks(fmt::format("more than {} repetitions", most_repetitions));
    }
    out_ += text_.substr(begin, at_ - begin);
    finish_quantifier();
    return true;
}

void Translator::read_group() {
    ++at_;
    ++open_groups_;
    repeatable_ = false;
    out_ += "(?:";
    if (!skip("?") || skip(":")) {
        return;
    }
    if (skip("=") || skip("!")) {
        lacks("look-ahead");
    } else if (skip("<=") || skip("<!")) {
        lacks("look-behind");
    } else if (skip("<")) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '_' || text_[at_] == '$' ||
                                      static_cast<unsigned char>(text_[at_]) >= 0x80)) {
            ++at_;
        }
        if (at_ == begin || is_digit(text_[begin]) || !skip(">")) {
            throw NoExpression{"a group's name consists of letters, digits, '_' and '$', and ends with '>'"};
        }
    } else {
        throw NoExpression{"ECMA-262 has no such group: '(?' is followed by ':', '=', '!' or '<'"};
    }
}

void Translator::read_class() {
    ++at_;
    const bool negated = skip("^");
    std::string members;
    bool closed = false;
    while (at_ < text_.size() && !(closed = skip("]"))) {
        const std::size_t begin = at_;
        const Atom low = read_class_atom();
        // "-" is a range only between two characters; at either end, and beside \d and its like, it stands for itself.
        if (next_is("-") && !next_is("-]") && at_ + 1 < text_.size()) {
            const std::size_t dash = at_++;
            const Atom high = read_class_atom();
            if (!low.set && !high.set) {
                if (high.code_point < low.code_point) {
                    at_ = begin;
                    throw NoExpression{"a range from a later character to an earlier one"};
                }
                members += escaped(low.code_point) + "-" + escaped(high.code_point);
                continue;
            }
            at_ = dash;
        }
        members += low.set ? *low.set : escaped(low.code_point);
    }
    if (!closed) {
        throw NoExpression{"a '[' without its ']'"};
    }
    if (members.empty()) {
        put(negated ? anything : nothing);
    } else {
        put((negated ? "[^" : "[") + members + "]");
    }
}

Atom Translator::read_class_atom() {
    if (at_ < text_.size() && text_[at_] == '\\') {
        ++at_;
        return read_escaped_atom(true);
    }
    return {read_code_point(), std::nullopt};
}

void Translator::read_escape() {
    ++at_;
    if (skip("b")) {
        out_ += "\\b";
        repeatable_ = false;
        return;
    }
    if (skip("B")) {
        out_ += "\\B";
        repeatable_ = false;
        return;
    }
    if (at_ < text_.size() && text_[at_] >= '1' && text_[at_] <= '9') {
        while (at_ < text_.size() && is_digit(text_[at_])) {
            ++at_;
        }
        lacks("a back-reference");
        put("(?:)");
        return;
    }
    if (skip("k<")) {
        const std::size_t end = text_.find('>', at_);
        if (end == std::string_view::npos || end == at_) {
            throw NoExpression{"a reference to a group without its name"};
        }
        at_ = end + 1;
        lacks("a back-reference");
        put("(?:)");
        return;
    }
    const Atom atom = read_escaped_atom(false);
    if (!atom.set) {
        put(escaped(atom.code_point));
    } else if (atom.set->empty()) {
        put(nothing);
    } else {
        put("[" + *atom.set + "]");
    }
}

Atom Translator::read_escaped_atom(bool in_class) {
    if (at_ == text_.size()) {
        throw NoExpression{"a '\\' at the end"};
    }
    const char c = text_[at_];
    const auto set = [this](std::string_view members) {
        ++at_;
        return Atom{0, std::string(members)};
    };
    const auto character = [this](std::uint32_t code_point) {
        ++at_;
        return Atom{code_point, std::nullopt};
    };
    switch (c) {
        case 'd':
            return set("0-9");
        case 'D':
            return set("\\x{0}-\\x{2F}\\x{3A}-\\x{10FFFF}");
        case 'w':
            return set("0-9A-Z_a-z");
        case 'W':
            return set("\\x{0}-\\x{2F}\\x{3A}-\\x{40}\\x{5B}-\\x{5E}\\x{60}\\x{7B}-\\x{10FFFF}");
        case 's':
            return set(spaces);
        case 'S':
            return set(all_but_spaces);
        case 't':
            return character('\t');
        case 'n':
            return character('\n');
        case 'v':
            return character('\v');
        case 'f':
            return character('\f');
        case 'r':
            return character('\r');
        case 'b':
            if (in_class) {
                return character('\b');
            }
            break;
        case '0':
            if (at_ + 1 == text_.size() || !is_digit(text_[at_ + 1])) {
                return character(0);
            }
            break;
        case 'c':
            if (at_ + 1 < text_.size() && is_letter(text_[at_ + 1])) {
                ++at_;
                return character(static_cast<std::uint32_t>(text_[at_]) & 31U);
            }
            break;
        case 'x':
            ++at_;
            return {read_hex(2), std::nullopt};
        case 'u':
            ++at_;
            return {read_unicode_escape(), std::nullopt};
        case 'p':
        case 'P': {
            ++at_;
            const std::size_t end = text_.find('}', at_);
            if (!next_is("{") || end == std::string_view::npos) {
                throw NoExpression{"a property is written \\p{Name}"};
            }
            const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
            at_ = end + 1;
            auto members = translate_property(name, c == 'P');
            if (!members) {
                lacks(fmt::format("the Unicode property \"{}\"", name));
            }
            return {0, members.value_or("")};
        }
        default:
            // ECMA-262 with the flag `u` lets only what means something be escaped. Other punctuation can mean nothing else either.
            if (!is_letter(c) && !is_digit(c) && c != '_' && static_cast<unsigned char>(c) < 0x80) {
                return character(static_cast<unsigned char>(c));
            }
            break;
    }
    throw NoExpression{"ECMA-262 has no such escape"};
}

std::uint32_t Translator::read_hex(std::size_t digits) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
        const int digit = at_ < text_.size() ? hex_value(text_[at_]) : -1;
        if (digit < 0) {
            throw NoExpression{fmt::format("expected {} hexadecimal digits", digits)};
        }
        value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
}

std::uint32_t Translator::read_unicode_escape() {
    if (skip("{")) {
        std::uint32_t value = 0;
        const std::size_t begin = at_;
        while (at_ < text_.size() && hex_value(text_[at_]) >= 0 && value <= 0x10ffff) {
            value = value * 16 + static_cast<std::uint32_t>(hex_value(text_[at_++]));
        }
        if (at_ == begin || value > 0x10ffff || !skip("}")) {
            throw NoExpression{"a code point is written \\u{0} to \\u{10FFFF}"};
        }
        if (value >= 0xd800 && value <= 0xdfff) {
            lacks("half of a surrogate pair");
        }
        return value;
    }
    const std::uint32_t high = read_hex(4);
    if (high < 0xd800 || high > 0xdfff) {
        return high;
    }
    if (high <= 0xdbff && skip("\\u")) {
        const std::uint32_t low = read_hex(4);
        if (low >= 0xdc00 && low <= 0xdfff) {
            return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    lacks("half of a surrogate pair");
    return 0;
}

std::uint32_t Translator::read_code_point() {
    if (at_ == text_.size()) {
        throw NoExpression{"it ends too early"};
    }
    const auto lead = static_cast<unsigned char>(text_[at_++]);
    if (lead < 0x80) {
        return lead;
    }
    const int tail = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    std::uint32_t value = lead & (0x3fU >> tail);
    for (int i = 0; i < tail; ++i, ++at_) {
        if (at_ == text_.size() || (static_cast<unsigned char>(text_[at_]) & 0xc0U) != 0x80U) {
            throw NoExpression{"it is not UTF-8"};
        }
        value = (value << 6) | (static_cast<unsigned char>(text_[at_]) & 0x3fU);
    }
    return value;
}

std::optional<std::uint32_t> Translator::read_number() {
    const std::size_t begin = at_;
    std::uint32_t value = 0;
    while (at_ < text_.size() && is_digit(text_[at_])) {
        value = value > 100'000 ? value
                                : value * 10 + static_cast<std::uint32_t>(text_[at_] - '0');  // beyond it, "too many" is all that matters
        ++at_;
    }
    return at_ == begin ? std::nullopt : std::optional(value);
}

}  // namespace

base::Result<TranslatedPattern> translate_pattern(std::string_view expression) {
    Translator translator(expression);
    try {
        translator.run();
    } catch (const NoExpression& error) {
        return Failure{FailureCode::malformed, fmt::format("\"{}\" is not a regular expression: {} (at byte {})", expression, error.reason,
                                                           translator.offset() + 1)};
    }
    return translator.take();
}

}  // namespace durable_mcp::schema
