// SPDX-License-Identifier: Apache-2.0
#include "api/bounds.hpp"

#include <cstdint>
#include <stdexcept>
#include <utility>

namespace durable_mcp::api {

using base::Json;

namespace {

/// a < b, exactly: a 64-bit integer is never rounded to a double.
bool is_less(const Json& a, const Json& b) {
    if (a.is_number_float() || b.is_number_float()) {
        return a.get<long double>() < b.get<long double>();
    }
    if (a.is_number_unsigned()) {
        return b.is_number_unsigned() ? a.get<std::uint64_t>() < b.get<std::uint64_t>()
                                      : std::cmp_less(a.get<std::uint64_t>(), b.get<std::int64_t>());
    }
    return b.is_number_unsigned() ? std::cmp_less(a.get<std::int64_t>(), b.get<std::uint64_t>()) : a.get<std::int64_t>() < b.get<std::int64_t>();
}

bool is_equal(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number()) {
        return !is_less(a, b) && !is_less(b, a);
    }
    return a == b;
}

std::uint64_t code_points(std::string_view text) {
    std::uint64_t count = 0;
    for (const char c : text) {
        count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    }
    return count;
}

/// Which JSON types a keyword says something about; an empty list fits all.
bool fits_type(std::string_view keyword, std::string_view type) {
    if (type.empty() || keyword == "default" || keyword == "enum") {
        return true;
    }
    if (keyword == "minimum" || keyword == "maximum") {
        return type == "integer" || type == "number";
    }
    if (keyword == "minItems" || keyword == "maxItems") {
        return type == "array";
    }
    if (keyword == "title") {
        return true;
    }
    return type == "string";
}

}  // namespace

std::string_view type_of(const Json& schema) {
    const auto type = schema.find("type");
    return type != schema.end() && type->is_string() ? std::string_view(type->get_ref<const std::string&>()) : std::string_view();
}

std::string describe(const Json& schema) {
    static constexpr std::pair<std::string_view, std::string_view> nouns[] = {
        {"integer", "an integer"}, {"number", "a number"},   {"string", "a string"},  {"boolean", "true or false"},
        {"array", "an array"},     {"object", "an object"},  {"null", "null"}};
    std::string text = "a value";
    for (const auto& [type, noun] : nouns) {
        if (type == type_of(schema)) {
            text = noun;
        }
    }
    static constexpr std::pair<std::string_view, std::string_view> bounds[] = {{"minimum", "at least "}, {"maximum", "at most "}};
    static constexpr std::pair<std::string_view, std::string_view> lengths[] = {
        {"minLength", "at least "}, {"maxLength", "at most "}, {"minItems", "at least "}, {"maxItems", "at most "}};
    for (const auto& [keyword, words] : bounds) {
        if (const auto bound = schema.find(keyword); bound != schema.end()) {
            text += ", ";
            text += words;
            text += bound->dump();
        }
    }
    for (const auto& [keyword, words] : lengths) {
        if (const auto bound = schema.find(keyword); bound != schema.end()) {
            text += ", ";
            text += words;
            text += bound->dump();
            text += keyword.ends_with("Items") ? " elements" : " characters";
        }
    }
    if (const auto values = schema.find("enum"); values != schema.end()) {
        text += ", one of ";
        for (std::size_t i = 0; i < values->size(); ++i) {
            text += i == 0 ? "" : ", ";
            text += (*values)[i].dump();
        }
    }
    return text;
}

/// Whether `value` keeps the bounds in `schema`. What is not of the keyword's type is left to the codec, which says it better.
bool keeps_bounds(const Json& schema, const Json& value) {
    const auto keyword = [&schema](const char* name) -> const Json* {
        const auto found = schema.find(name);
        return found != schema.end() ? &*found : nullptr;
    };
    if (value.is_number()) {
        const Json* minimum = keyword("minimum");
        const Json* maximum = keyword("maximum");
        if ((minimum != nullptr && is_less(value, *minimum)) || (maximum != nullptr && is_less(*maximum, value))) {
            return false;
        }
    }
    if (value.is_string() || value.is_array()) {
        const Json* least = keyword(value.is_string() ? "minLength" : "minItems");
        const Json* most = keyword(value.is_string() ? "maxLength" : "maxItems");
        const std::uint64_t size = value.is_string() ? code_points(value.get_ref<const std::string&>()) : value.size();
        if ((least != nullptr && size < least->get<std::uint64_t>()) || (most != nullptr && size > most->get<std::uint64_t>())) {
            return false;
        }
    }
    if (const Json* values = keyword("enum")) {
        for (const Json& allowed : *values) {
            if (is_equal(allowed, value)) {
                return true;
            }
        }
        return false;
    }
    return true;
}

void apply_keyword(Json& schema, const std::string& keyword, const std::string& text) {
    if (!fits_type(keyword, type_of(schema))) {
        throw std::invalid_argument(keyword + " says nothing about " + describe(schema));
    }
    Json value = Json::parse(text);
    if (keyword == "minimum" || keyword == "maximum") {
        // The type's own range stays where it is the narrower one.
        const auto range = schema.find(keyword);
        if (range != schema.end() && (keyword == "minimum" ? is_less(value, *range) : is_less(*range, value))) {
            throw std::invalid_argument(keyword + " " + text + " is beyond the range of its type: " + describe(schema));
        }
    }
    schema[keyword] = std::move(value);
}

void check_bounds(const Json& schema) {
    static constexpr std::pair<const char*, const char*> pairs[] = {{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"}};
    for (const auto& [low, high] : pairs) {
        if (schema.contains(low) && schema.contains(high) && is_less(schema[high], schema[low])) {
            throw std::invalid_argument(std::string(low) + " is greater than " + high);
        }
    }
}

void set_description(Json& schema, const std::string& text) {
    if (text.empty()) {
        return;
    }
    const auto own = schema.find("description");
    schema["description"] = own != schema.end() ? text + " (" + own->get<std::string>() + ")" : text;
}

}  // namespace durable_mcp::api
