// SPDX-License-Identifier: Apache-2.0
#include "api/parameters.hpp"

#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "durable_mcp/error.hpp"

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

std::string_view type_of(const Json& schema) {
    const auto type = schema.find("type");
    return type != schema.end() && type->is_string() ? std::string_view(type->get_ref<const std::string&>()) : std::string_view();
}

/// What a parameter takes, as the end of a sentence: "an integer, at least 1".
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
    return type == "string";
}

Json parse_trusted(const std::string& text) { return Json::parse(text); }

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

}  // namespace

ParameterList::ParameterList(const std::string& item, const detail::Binding& binding) {
    for (std::size_t i = 0; i < binding.count; ++i) {
        const Arg& arg = binding.args[i];
        const detail::ParameterType& type = binding.types[i];
        const std::string where = item + ", parameter \"" + arg.name() + "\": ";
        if (arg.name().empty() || !base::dump_json(Json(arg.name()))) {
            throw std::invalid_argument(where + "a name is UTF-8 text and not empty");
        }
        for (const Parameter& other : parameters_) {
            if (other.name == arg.name()) {
                throw std::invalid_argument(where + "two parameters have this name");
            }
        }
        if (!base::dump_json(Json(arg.description()))) {
            throw std::invalid_argument(where + "the description is not UTF-8");
        }
        Parameter parameter;
        parameter.name = arg.name();
        parameter.description = arg.description();
        parameter.is_optional = type.is_optional;
        parameter.schema = parse_trusted(type.schema().text());
        const auto decode = [&](const Json& value, const char* what) {
            try {
                type.try_decode(ValueView(ValueView::Source::argument, parameter.name, value));
                check(parameter, value);
            } catch (const InvalidArguments& misfit) {
                throw std::invalid_argument(where + what + ": " + misfit.what());
            }
        };
        for (const auto& [keyword, text] : arg.keywords()) {
            if (!fits_type(keyword, type_of(parameter.schema))) {
                throw std::invalid_argument(where + keyword + " says nothing about " + describe(parameter.schema));
            }
            Json value = parse_trusted(text);
            if (keyword == "minimum" || keyword == "maximum") {
                // The type's own range stays where it is the narrower one.
                const auto range = parameter.schema.find(keyword);
                if (range != parameter.schema.end() && (keyword == "minimum" ? is_less(value, *range) : is_less(*range, value))) {
                    throw std::invalid_argument(where + keyword + " " + text + " is beyond the range of its type: " + describe(parameter.schema));
                }
            }
            if (keyword == "enum") {
                for (const Json& allowed : value) {
                    decode(allowed, "a value of one_of()");
                }
            }
            if (keyword == "default") {
                parameter.default_value = value;
            }
            parameter.schema[keyword] = std::move(value);
        }
        static constexpr std::pair<const char*, const char*> pairs[] = {
            {"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"}};
        for (const auto& [low, high] : pairs) {
            if (parameter.schema.contains(low) && parameter.schema.contains(high) && is_less(parameter.schema[high], parameter.schema[low])) {
                throw std::invalid_argument(where + low + " is greater than " + high);
            }
        }
        if (parameter.default_value) {
            decode(*parameter.default_value, "by_default()");
        }
        if (!parameter.description.empty()) {
            parameter.schema["description"] = parameter.description;
        }
        parameters_.push_back(std::move(parameter));
    }
}

Json ParameterList::schema(UnknownArguments unknown) const {
    Json schema{{"type", "object"}, {"properties", Json::object()}};
    Json required = Json::array();
    for (const Parameter& parameter : parameters_) {
        schema["properties"][parameter.name] = parameter.schema;
        if (parameter.required()) {
            required.push_back(parameter.name);
        }
    }
    if (!required.empty()) {
        schema["required"] = std::move(required);
    }
    if (unknown == UnknownArguments::refuse) {
        schema["additionalProperties"] = false;
    }
    return schema;
}

std::vector<std::string> ParameterList::names() const {
    std::vector<std::string> names;
    for (const Parameter& parameter : parameters_) {
        names.push_back(parameter.name);
    }
    return names;
}

Json ParameterList::prompt_arguments() const {
    Json arguments = Json::array();
    for (const Parameter& parameter : parameters_) {
        Json argument{{"name", parameter.name}, {"required", parameter.required()}};
        if (!parameter.description.empty()) {
            argument["description"] = parameter.description;
        }
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

std::vector<detail::BoundArgument> ParameterList::bind(const Json& arguments, UnknownArguments unknown) const {
    std::vector<detail::BoundArgument> bound;
    bound.reserve(parameters_.size() + 1);
    std::size_t known = 0;
    for (const Parameter& parameter : parameters_) {
        const auto given = arguments.find(parameter.name);
        const Json* value = given != arguments.end() ? &*given : nullptr;
        known += value != nullptr ? 1 : 0;
        // Clients that fill in every property send null for what they leave out.
        if (value != nullptr && value->is_null() && !parameter.required() && !type_of(parameter.schema).empty()) {
            value = nullptr;
        }
        if (value != nullptr) {
            check(parameter, *value);
        } else if (parameter.default_value) {
            value = &*parameter.default_value;
        } else if (!parameter.is_optional) {
            std::string sentence = "argument \"" + parameter.name + "\" is missing: expected " + describe(parameter.schema);
            if (!parameter.description.empty()) {
                sentence += " (" + parameter.description + ")";
            }
            throw InvalidArguments(parameter.name, sentence);
        }
        bound.push_back({parameter.name, value});
    }
    if (unknown == UnknownArguments::refuse && known != arguments.size()) {
        for (const auto& [name, value] : arguments.items()) {
            bool is_known = false;
            std::string all;
            for (const Parameter& parameter : parameters_) {
                is_known = is_known || parameter.name == name;
                all += all.empty() ? "\"" : ", \"";
                all += parameter.name;
                all += '"';
            }
            if (!is_known) {
                throw InvalidArguments(name, "argument \"" + name + "\" is unknown: expected " + (all.empty() ? "no arguments" : "only " + all));
            }
        }
    }
    return bound;
}

void ParameterList::check(const Parameter& parameter, const Json& value) {
    if (!keeps_bounds(parameter.schema, value)) {
        ValueView(ValueView::Source::argument, parameter.name, value).fail(describe(parameter.schema));
    }
}

}  // namespace durable_mcp::api
