// SPDX-License-Identifier: Apache-2.0
#include "schema/unicode_properties.hpp"

// RE2 knows general categories by their short names and scripts by their long ones; ECMA-262 takes both, and aliases.

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace durable_mcp::schema {
namespace {

using Alias = std::pair<std::string_view, std::string_view>;

// clang-format off: tables
/// General categories (Unicode's PropertyValueAliases.txt).
constexpr std::array<Alias, 42> categories{{
    {"Letter", "L"}, {"Cased_Letter", "LC"}, {"Uppercase_Letter", "Lu"}, {"Lowercase_Letter", "Ll"}, {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"}, {"Other_Letter", "Lo"}, {"Mark", "M"}, {"Combining_Mark", "M"}, {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"}, {"Enclosing_Mark", "Me"}, {"Number", "N"}, {"Decimal_Number", "Nd"}, {"digit", "Nd"}, {"Letter_Number", "Nl"},
    {"Other_Number", "No"}, {"Punctuation", "P"}, {"punct", "P"}, {"Connector_Punctuation", "Pc"}, {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"}, {"Close_Punctuation", "Pe"}, {"Initial_Punctuation", "Pi"}, {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"}, {"Symbol", "S"}, {"Math_Symbol", "Sm"}, {"Currency_Symbol", "Sc"}, {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"}, {"Separator", "Z"}, {"Space_Separator", "Zs"}, {"Line_Separator", "Zl"}, {"Paragraph_Separator", "Zp"},
    {"Other", "C"}, {"Control", "Cc"}, {"cntrl", "Cc"}, {"Format", "Cf"}, {"Surrogate", "Cs"}, {"Private_Use", "Co"}, {"Unassigned", "Cn"},
}};
constexpr std::array<std::string_view, 35> short_categories{"L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd",
                                                            "Nl", "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S",  "Sm",
                                                            "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Co"};
/// The scripts that schemas name by their codes (ISO 15924).
constexpr std::array<Alias, 28> scripts{{
    {"Arab", "Arabic"}, {"Armn", "Armenian"}, {"Beng", "Bengali"}, {"Bopo", "Bopomofo"}, {"Cher", "Cherokee"}, {"Cyrl", "Cyrillic"},
    {"Deva", "Devanagari"}, {"Ethi", "Ethiopic"}, {"Geor", "Georgian"}, {"Grek", "Greek"}, {"Gujr", "Gujarati"}, {"Guru", "Gurmukhi"},
    {"Hang", "Hangul"}, {"Hani", "Han"}, {"Hebr", "Hebrew"}, {"Hira", "Hiragana"}, {"Kana", "Katakana"}, {"Khmr", "Khmer"},
    {"Knda", "Kannada"}, {"Laoo", "Lao"}, {"Latn", "Latin"}, {"Mlym", "Malayalam"}, {"Mymr", "Myanmar"}, {"Sinh", "Sinhala"},
    {"Taml", "Tamil"}, {"Telu", "Telugu"}, {"Thai", "Thai"}, {"Tibt", "Tibetan"},
}};
// clang-format on

template <std::size_t size>
std::string_view resolve_alias(const std::array<Alias, size>& aliases, std::string_view name) {
    const auto found = std::find_if(aliases.begin(), aliases.end(), [&](const Alias& alias) { return alias.first == name; });
    return found == aliases.end() ? name : found->second;
}

}  // namespace

std::optional<std::string> translate_property(std::string_view property, bool negated) {
    const std::string escape = negated ? "\\P{" : "\\p{";
    const std::size_t equals = property.find('=');
    const std::string_view name = property.substr(0, equals);
    std::string_view value = equals == std::string_view::npos ? property : property.substr(equals + 1);
    if (equals != std::string_view::npos && (name == "Script" || name == "sc" || name == "Script_Extensions" || name == "scx")) {
        value = resolve_alias(scripts, value);
        // RE2 says what it does not know; a category's name is none of a script.
        const bool is_script = value.size() > 2 && std::all_of(value.begin(), value.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        });
        return is_script && value != "Any" ? std::optional(escape + std::string(value) + "}") : std::nullopt;
    }
    if (equals != std::string_view::npos && name != "General_Category" && name != "gc") {
        return std::nullopt;
    }
    if (value == "Any") {
        return negated ? "" : "\\x{0}-\\x{10FFFF}";
    }
    if (value == "ASCII") {
        return negated ? "\\x{80}-\\x{10FFFF}" : "\\x{0}-\\x{7F}";
    }
    value = resolve_alias(categories, value);
    if (value == "LC" && !negated) {
        return "\\p{Lu}\\p{Ll}\\p{Lt}";
    }
    const bool is_known = std::find(short_categories.begin(), short_categories.end(), value) != short_categories.end();
    return is_known ? std::optional(escape + std::string(value) + "}") : std::nullopt;
}

}  // namespace durable_mcp::schema
