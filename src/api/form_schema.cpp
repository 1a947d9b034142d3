// SPDX-License-Identifier: Apache-2.0
#include "api/form_schema.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <stdexcept>

#include "api/bounds.hpp"
#include "mcp/form_check.hpp"

namespace durable_mcp::api {

using base::Json;

namespace {

using Words = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view word, Words words) { return std::find(words.begin(), words.end(), word) != words.end(); }

[[noreturn]] void refuse(const std::string& item, const std::string& why) { throw std::invalid_argument(item + ": " + why); }

std::string quote(std::string_view text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

/// A string with `enum`, or with `oneOf`/`anyOf` of {const, title}.
bool is_titled(const Json& list) {
    return list.is_array() && !list.empty() && std::all_of(list.begin(), list.end(), [](const Json& entry) {
        return entry.is_object() && entry.size() == 2 && entry.value("const", Json()).is_string() && entry.value("title", Json()).is_string();
    });
}

bool is_plain(const Json& list) {
    return list.is_array() && !list.empty() && std::all_of(list.begin(), list.end(), [](const Json& entry) { return entry.is_string(); });
}

/// Takes the null out of `{"anyOf":[X,{"type":"null"}]}`, as std::optional has it. Returns whether there was one.
bool take_null(Json& field) {
    const auto either = field.find("anyOf");
    if (either == field.end() || !either->is_array() || either->size() != 2) {
        return false;
    }
    const Json null{{"type", "null"}};
    const std::size_t at = (*either)[1] == null ? 1 : 0;
    if ((*either)[at] != null) {
        return false;
    }
    Json kept = (*either)[1 - at];
    for (const auto& [key, value] : field.items()) {
        if (key != "anyOf") {
            kept[key] = value;
        }
    }
    field = std::move(kept);
    return true;
}

void check_words(const std::string& member, const Json& field, Words words) {
    for (const auto& [key, value] : field.items()) {
        if (!is_one_of(key, words) && !is_one_of(key, {"type", "title", "description", "default"})) {
            refuse(member, "a form has no word for " + quote(key) + " there");
        }
    }
}

void check_items(const std::string& member, const Json& items) {
    if (!items.is_object() || !(is_plain(items.value("enum", Json())) || is_titled(items.value("anyOf", Json())))) {
        refuse(member, "an array on a form is a choice among strings: its elements must be an enum");
    }
    for (const auto& [key, value] : items.items()) {
        if (!is_one_of(key, {"type", "enum", "anyOf"})) {
            refuse(member, "a form has no word for " + quote(key) + " in its elements");
        }
    }
}

void check_field(const std::string& member, Json& field) {
    if (!field.is_object()) {
        refuse(member, "its schema is not an object");
    }
    const std::string type(type_of(field));
    if (type == "string" && field.contains("oneOf")) {
        check_words(member, field, {"oneOf"});
        if (!is_titled(field["oneOf"])) {
            refuse(member, "the values of a choice are {\"const\": …, \"title\": …}");
        }
    } else if (type == "string" && field.contains("enum")) {
        check_words(member, field, {"enum", "enumNames"});
        const Json names = field.value("enumNames", field["enum"]);
        if (!is_plain(field["enum"]) || !is_plain(names) || names.size() != field["enum"].size()) {
            refuse(member, "the values of a choice are strings, with as many names if there are any");
        }
    } else if (type == "string") {
        check_words(member, field, {"minLength", "maxLength", "format"});
        const Json format = field.value("format", Json("email"));
        if (!format.is_string() || !is_one_of(format.get_ref<const std::string&>(), {"email", "uri", "date", "date-time"})) {
            refuse(member, "a form knows the formats email, uri, date and date-time, not " + format.dump());
        }
    } else if (type == "integer" || type == "number") {
        check_words(member, field, {"minimum", "maximum"});
    } else if (type == "boolean") {
        check_words(member, field, {});
    } else if (type == "array") {
        field.erase("uniqueItems");
        check_words(member, field, {"items", "minItems", "maxItems"});
        check_items(member, field.value("items", Json()));
    } else {
        refuse(member, "a form is flat: it asks for text, numbers, booleans and choices, not for " +
                           (type.empty() ? std::string("what this schema says") : "a value of type " + type));
    }
}

}  // namespace

Json form_schema(const std::string& item, const Json& schema) {
    if (!schema.is_object() || schema.value("type", Json()) != "object" || !schema.value("properties", Json()).is_object()) {
        refuse(item, "a form is an object with properties, as a plain struct is");
    }
    for (const auto& [key, value] : schema.items()) {
        if (!is_one_of(key, {"$schema", "type", "properties", "required", "additionalProperties", "title", "description"})) {
            refuse(item, "a form has no word for " + quote(key));
        }
    }
    Json form{{"type", "object"}, {"properties", schema["properties"]}};
    Json required = Json::array();
    for (const auto& [name, field] : form["properties"].items()) {
        const bool nullable = field.is_object() && take_null(field);
        check_field(item + ", " + quote(name), field);
        const Json asked = schema.value("required", Json::array());
        if (!nullable && std::find(asked.begin(), asked.end(), name) != asked.end()) {
            required.push_back(name);
        }
    }
    if (!required.empty()) {
        form["required"] = std::move(required);
    }
    return form;
}

std::string misfit_of(const Json& form, const Json& content) { return mcp::check_form(form, content).value_or(""); }

}  // namespace durable_mcp::api
