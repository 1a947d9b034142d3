// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/form.hpp"

#include <stdexcept>
#include <utility>

#include "api/bounds.hpp"
#include "api/form_schema.hpp"
#include "base/json.hpp"

namespace durable_mcp {

using base::Json;

namespace {

template <class Field>
Json describe(Json field, const Field& said) {
    if (!said.title.empty()) {
        field["title"] = said.title;
    }
    if (!said.description.empty()) {
        field["description"] = said.description;
    }
    if (said.by_default) {
        field["default"] = *said.by_default;
    }
    return field;
}

template <class T>
void bound(Json& field, const char* keyword, const std::optional<T>& value) {
    if (value) {
        field[keyword] = *value;
    }
}

Json titled(const TitledValues& values) {
    Json list = Json::array();
    for (const auto& [value, title] : values) {
        list.push_back({{"const", value}, {"title", title}});
    }
    return list;
}

}  // namespace

Form::Form() : schema_(Json{{"type", "object"}, {"properties", Json::object()}}) {}

Form& Form::add(std::string_view name, const Json& field, bool required) {
    const std::string item = "Form, " + Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
    Json& properties = (*schema_)["properties"];
    if (name.empty() || properties.contains(name)) {
        throw std::invalid_argument(item + ": a field needs a name of its own");
    }
    if (!base::dump_json(field) || !base::dump_json(Json(name))) {
        throw std::invalid_argument(item + ": not everything that was said of it can be written as JSON: text must be UTF-8, numbers finite");
    }
    Json alone{{"type", "object"}, {"properties", {{std::string(name), field}}}};
    alone = api::form_schema("Form", alone);
    try {
        api::check_bounds(field);
    } catch (const std::invalid_argument& contradiction) {
        throw std::invalid_argument(item + ": " + contradiction.what());
    }
    if (const auto given = field.find("default"); given != field.end()) {
        if (const std::string misfit = api::misfit_of(alone, Json{{std::string(name), *given}}); !misfit.empty()) {
            throw std::invalid_argument(item + ": its default does not fit it: " + misfit);
        }
    }
    properties[std::string(name)] = field;
    if (required) {
        (*schema_)["required"].push_back(name);
    }
    return *this;
}

Form& Form::add_text(std::string_view name, const char* format, const TextField& said) {
    Json field = describe(Json{{"type", "string"}}, said);
    if (format != nullptr) {
        field["format"] = format;
    }
    bound(field, "minLength", said.min_length);
    bound(field, "maxLength", said.max_length);
    return add(name, field, said.required);
}

Form& Form::text(std::string_view name, const TextField& field) { return add_text(name, nullptr, field); }
Form& Form::email(std::string_view name, const TextField& field) { return add_text(name, "email", field); }
Form& Form::uri(std::string_view name, const TextField& field) { return add_text(name, "uri", field); }
Form& Form::date(std::string_view name, const TextField& field) { return add_text(name, "date", field); }
Form& Form::date_time(std::string_view name, const TextField& field) { return add_text(name, "date-time", field); }

Form& Form::integer(std::string_view name, const IntegerField& said) {
    Json field = describe(Json{{"type", "integer"}}, said);
    bound(field, "minimum", said.minimum);
    bound(field, "maximum", said.maximum);
    return add(name, field, said.required);
}

Form& Form::number(std::string_view name, const NumberField& said) {
    Json field = describe(Json{{"type", "number"}}, said);
    bound(field, "minimum", said.minimum);
    bound(field, "maximum", said.maximum);
    return add(name, field, said.required);
}

Form& Form::boolean(std::string_view name, const BooleanField& said) { return add(name, describe(Json{{"type", "boolean"}}, said), said.required); }

Form& Form::choice(std::string_view name, const std::vector<std::string>& values, const ChoiceField& said) {
    return add(name, describe(Json{{"type", "string"}, {"enum", values}}, said), said.required);
}

Form& Form::titled_choice(std::string_view name, const TitledValues& values, const ChoiceField& said) {
    return add(name, describe(Json{{"type", "string"}, {"oneOf", titled(values)}}, said), said.required);
}

Form& Form::legacy_choice(std::string_view name, const TitledValues& values, const ChoiceField& said) {
    Json field{{"type", "string"}, {"enum", Json::array()}, {"enumNames", Json::array()}};
    for (const auto& [value, title] : values) {
        field["enum"].push_back(value);
        field["enumNames"].push_back(title);
    }
    return add(name, describe(std::move(field), said), said.required);
}

Form& Form::choices(std::string_view name, const std::vector<std::string>& values, const ChoicesField& said) {
    Json field = describe(Json{{"type", "array"}, {"items", {{"type", "string"}, {"enum", values}}}}, said);
    bound(field, "minItems", said.min_items);
    bound(field, "maxItems", said.max_items);
    return add(name, field, said.required);
}

Form& Form::titled_choices(std::string_view name, const TitledValues& values, const ChoicesField& said) {
    Json field = describe(Json{{"type", "array"}, {"items", {{"anyOf", titled(values)}}}}, said);
    bound(field, "minItems", said.min_items);
    bound(field, "maxItems", said.max_items);
    return add(name, field, said.required);
}

JsonSchema Form::schema() const { return json_schema(*schema_); }

}  // namespace durable_mcp
