// SPDX-License-Identifier: Apache-2.0
#include "schema/internationalized_label.hpp"

// Unicode's categories and scripts come from RE2, which has them anyway.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "schema/pattern.hpp"

namespace durable_mcp::schema {
namespace {

using CodePoints = std::vector<std::uint32_t>;

/// RFC 3492 §6.2. `text` is ASCII.
std::optional<CodePoints> decode_punycode(std::string_view text) {
    constexpr std::uint32_t base = 36, least = 1, most = 26, skew = 38, damp = 700, largest = std::numeric_limits<std::uint32_t>::max();
    CodePoints out;
    if (const std::size_t dash = text.rfind('-'); dash != std::string_view::npos && dash > 0) {
        out.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dash));
        text.remove_prefix(dash + 1);
    }
    std::uint32_t code_point = 128, index = 0, bias = 72;
    bool is_first = true;
    while (!text.empty()) {
        const std::uint32_t before = index;
        std::uint32_t weight = 1;
        for (std::uint32_t k = base;; k += base) {
            if (text.empty()) {
                return std::nullopt;
            }
            const char c = text.front();
            text.remove_prefix(1);
            const std::uint32_t digit = c >= '0' && c <= '9'   ? static_cast<std::uint32_t>(c - '0' + 26)
                                        : c >= 'a' && c <= 'z' ? static_cast<std::uint32_t>(c - 'a')
                                        : c >= 'A' && c <= 'Z' ? static_cast<std::uint32_t>(c - 'A')
                                                               : base;
            if (digit == base || digit > (largest - index) / weight) {
                return std::nullopt;
            }
            index += digit * weight;
            const std::uint32_t threshold = k <= bias ? least : k >= bias + most ? most : k - bias;
            if (digit < threshold) {
                break;
            }
            if (weight > largest / (base - threshold)) {
                return std::nullopt;
            }
            weight *= base - threshold;
        }
        const auto size = static_cast<std::uint32_t>(out.size() + 1);
        std::uint32_t delta = (index - before) / (is_first ? damp : 2);
        is_first = false;
        delta += delta / size;
        std::uint32_t k = 0;
        for (; delta > (base - least) * most / 2; k += base) {
            delta /= base - least;
        }
        bias = k + (base - least + 1) * delta / (delta + skew);
        if (index / size > 0x10ffff - code_point) {
            return std::nullopt;
        }
        code_point += index / size;
        index %= size;
        if (code_point >= 0xd800 && code_point <= 0xdfff) {
            return std::nullopt;
        }
        out.insert(out.begin() + index, code_point);
        ++index;
    }
    return out;
}

std::string to_utf8(std::uint32_t c) {
    const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
    if (c < 0x80) {
        return {byte(c)};
    }
    if (c < 0x800) {
        return {byte(0xc0 | (c >> 6)), byte(0x80 | (c & 63))};
    }
    if (c < 0x10000) {
        return {byte(0xe0 | (c >> 12)), byte(0x80 | ((c >> 6) & 63)), byte(0x80 | (c & 63))};
    }
    return {byte(0xf0 | (c >> 18)), byte(0x80 | ((c >> 12) & 63)), byte(0x80 | ((c >> 6) & 63)), byte(0x80 | (c & 63))};
}

/// A set of code points, by a class of characters.
class Set {
public:
    explicit Set(std::string_view expression) : pattern_(*Pattern::compile(expression)) {}
    [[nodiscard]] bool has(std::uint32_t code_point) const { return pattern_.is_found_in(to_utf8(code_point)); }

private:
    Pattern pattern_;
};

struct Sets {
    Set allowed{R"([\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}])"};
    Set mark{R"(\p{M})"};
    Set greek{R"(\p{Script=Greek})"};
    Set hebrew{R"(\p{Script=Hebrew})"};
    Set japanese{R"([\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}])"};
    /// Canonical combining class 9.
    Set virama{R"([\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D3B\u0D3C\u0D4D\u0DCA\u0E3A\u0EBA\u0F84\u1039)"
               R"(\u103A\u1714\u1734\u17D2\u1A60\u1B44\u1BAA\u1BAB\u1BF2\u1BF3\u2D7F\uA806\uA8C4\uA953\uA9C0\uAAF6)"
               R"(\uABED])"};
    /// Joining type: what an Arabic letter is joined to. Those of other scripts count as not joining.
    Set joins_both{R"([\u0620\u0626\u0628\u062A-\u062E\u0633-\u063F\u0641-\u0647\u0649\u064A\u066E\u066F\u0678-\u0687)"
                   R"(\u069A-\u06BF\u06C1\u06C2\u06CC\u06CE\u06D0\u06D1\u06FA-\u06FC\u06FF])"};
    Set joins_before{R"([\u0622-\u0625\u0627\u0629\u062F-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06C0)"
                     R"(\u06C3-\u06CB\u06CD\u06CF\u06D2\u06D3\u06D5\u06EE\u06EF])"};
    Set transparent{R"(\p{Mn})"};
};

const Sets& sets() {
    static const auto* const all = new Sets;
    return *all;
}

/// RFC 5892 §2.6: what the categories would decide wrongly.
std::optional<bool> find_exception(std::uint32_t c) {
    constexpr std::array<std::uint32_t, 6> allowed{0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007};
    constexpr std::array<std::uint32_t, 10> refused{0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b};
    if (std::find(allowed.begin(), allowed.end(), c) != allowed.end()) {
        return true;
    }
    return std::find(refused.begin(), refused.end(), c) != refused.end() ? std::optional(false) : std::nullopt;
}

/// RFC 5892 appendix A.1: between letters that are joined.
bool joins_across(const CodePoints& label, std::size_t at) {
    std::size_t before = at;
    while (before > 0 && sets().transparent.has(label[before - 1])) {
        --before;
    }
    std::size_t after = at + 1;
    while (after < label.size() && sets().transparent.has(label[after])) {
        ++after;
    }
    return before > 0 && after < label.size() && sets().joins_both.has(label[before - 1]) &&
           (sets().joins_both.has(label[after]) || sets().joins_before.has(label[after]));
}

/// RFC 5892 appendix A; nothing for a code point that needs no context.
std::optional<bool> check_context(const CodePoints& label, std::size_t at) {
    const std::uint32_t c = label[at];
    const std::uint32_t before = at > 0 ? label[at - 1] : 0, after = at + 1 < label.size() ? label[at + 1] : 0;
    const auto has_any = [&](std::uint32_t first, std::uint32_t last) {
        return std::any_of(label.begin(), label.end(), [&](std::uint32_t other) { return other >= first && other <= last; });
    };
    switch (c) {
        case 0x200c:
            return sets().virama.has(before) || joins_across(label, at);
        case 0x200d:
            return sets().virama.has(before);
        case 0xb7:
            return before == 'l' && after == 'l';
        case 0x375:
            return after != 0 && sets().greek.has(after);
        case 0x5f3:
        case 0x5f4:
            return before != 0 && sets().hebrew.has(before);
        case 0x30fb:
            return std::any_of(label.begin(), label.end(),
                               [](std::uint32_t other) { return other != 0x30fb && sets().japanese.has(other); });
        default:
            break;
    }
    if (c >= 0x660 && c <= 0x669) {
        return !has_any(0x6f0, 0x6f9);
    }
    return c >= 0x6f0 && c <= 0x6f9 ? std::optional(!has_any(0x660, 0x669)) : std::nullopt;
}

bool is_allowed(const CodePoints& label, std::size_t at) {
    const std::uint32_t c = label[at];
    if (c < 0x80) {
        return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    if (const auto context = check_context(label, at)) {
        return *context;
    }
    return find_exception(c).value_or(sets().allowed.has(c));
}

}  // namespace

bool is_a_label(std::string_view label) {
    const auto decoded = decode_punycode(label.substr(4));
    if (!decoded || decoded->empty() || std::all_of(decoded->begin(), decoded->end(), [](std::uint32_t c) { return c < 0x80; })) {
        return false;
    }
    if (decoded->front() == '-' || decoded->back() == '-' || sets().mark.has(decoded->front()) ||
        (decoded->size() >= 4 && (*decoded)[2] == '-' && (*decoded)[3] == '-')) {
        return false;
    }
    for (std::size_t i = 0; i < decoded->size(); ++i) {
        if (!is_allowed(*decoded, i)) {
            return false;
        }
    }
    return true;
}

}  // namespace durable_mcp::schema
