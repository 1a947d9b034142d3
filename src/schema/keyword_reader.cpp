// SPDX-License-Identifier: Apache-2.0
#include "schema/keyword_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "schema/evaluation.hpp"
#include "schema/schema_documents.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;

constexpr std::array<std::pair<std::string_view, TypeMask>, 7> type_names{{{"null", null_type},
                                                                           {"boolean", boolean_type},
                                                                           {"integer", integer_type},
                                                                           {"number", number_types},
                                                                           {"string", string_type},
                                                                           {"array", array_type},
                                                                           {"object", object_type}}};

}  // namespace

void KeywordReader::refuse(std::string_view keyword, std::string_view expected, const Json& found) const {
    refuse_schema(place_of(keyword), "expected " + std::string(expected) + ", got " + describe_value(found));
}

std::string KeywordReader::place_of(std::string_view keyword) const {
    return place_ + pointer_token(keyword);
}

const Json* KeywordReader::find(std::string_view keyword) const {
    const auto member = schema_.find(keyword);
    return member == schema_.end() ? nullptr : &*member;
}

const std::string* KeywordReader::string(std::string_view keyword) const {
    const Json* const value = find(keyword);
    if (value != nullptr && !value->is_string()) {
        refuse(keyword, "a string", *value);
    }
    return value == nullptr ? nullptr : &value->get_ref<const std::string&>();
}

std::optional<bool> KeywordReader::boolean(std::string_view keyword) const {
    const Json* const value = find(keyword);
    if (value != nullptr && !value->is_boolean()) {
        refuse(keyword, "a boolean", *value);
    }
    return value == nullptr ? std::nullopt : std::optional(value->get_ref<const bool&>());
}

std::optional<Number> KeywordReader::number(std::string_view keyword) const {
    const Json* const value = find(keyword);
    if (value != nullptr && !value->is_number()) {
        refuse(keyword, "a number", *value);
    }
    return value == nullptr ? std::nullopt : std::optional(Number(*value));
}

std::optional<std::uint32_t> KeywordReader::count(std::string_view keyword) const {
    const Json* const value = find(keyword);
    if (value == nullptr) {
        return std::nullopt;
    }
    constexpr std::uint32_t all = 0xffffffff;
    if (type_of(*value) != integer_type || Number::compare(Number(*value), Number(Json(0))) < 0) {
        refuse(keyword, "an integer that is not negative", *value);
    }
    return Number::compare(Number(*value), Number(Json(all))) >= 0 ? all : value->get<std::uint32_t>();
}

const Json* KeywordReader::array(std::string_view keyword) const {
    const Json* const value = find(keyword);
    if (value != nullptr && !value->is_array()) {
        refuse(keyword, "an array", *value);
    }
    return value;
}

const Json* KeywordReader::object(std::string_view keyword) const {
    const Json* const value = find(keyword);
    if (value != nullptr && !value->is_object()) {
        refuse(keyword, "an object", *value);
    }
    return value;
}

std::optional<TypeMask> KeywordReader::types() const {
    const Json* const value = find("type");
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto read_one = [this](const Json& name) {
        const auto known =
            std::find_if(type_names.begin(), type_names.end(), [&](const auto& type) { return name.is_string() && name == type.first; });
        if (known == type_names.end()) {
            refuse("type", "\"null\", \"boolean\", \"integer\", \"number\", \"string\", \"array\" or \"object\"", name);
        }
        return known->second;
    };
    if (!value->is_array()) {
        return read_one(*value);
    }
    TypeMask types = 0;
    for (const Json& name : *value) {
        types = static_cast<TypeMask>(types | read_one(name));
    }
    if (value->empty()) {
        refuse_schema(place_of("type"), "expected at least one type");
    }
    static_cast<void>(read_names(*value, place_of("type")));
    return types;
}

std::optional<std::vector<std::string>> KeywordReader::names(std::string_view keyword) const {
    const Json* const value = find(keyword);
    return value == nullptr ? std::nullopt : std::optional(read_names(*value, place_of(keyword)));
}

std::vector<std::string> KeywordReader::read_names(const Json& value, const std::string& place) {
    std::vector<std::string> names;
    if (!value.is_array()) {
        refuse_schema(place, "expected an array of strings, got " + describe_value(value));
    }
    for (const Json& name : value) {
        if (!name.is_string()) {
            refuse_schema(place, "expected strings, got " + describe_value(name));
        }
        names.push_back(name.get_ref<const std::string&>());
    }
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
        refuse_schema(place, describe_value(*twice) + " stands there twice");
    }
    return names;
}

void KeywordReader::check_remarks(bool draft_07) const {
    for (const auto keyword : {"title", "description", "$comment", "format", "contentEncoding", "contentMediaType"}) {
        static_cast<void>(string(keyword));
    }
    for (const auto keyword : {"readOnly", "writeOnly"}) {
        static_cast<void>(boolean(keyword));
    }
    static_cast<void>(array("examples"));
    if (!draft_07) {
        static_cast<void>(boolean("deprecated"));
        static_cast<void>(object("$vocabulary"));
    }
}

}  // namespace durable_mcp::schema
