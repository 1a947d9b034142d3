// SPDX-License-Identifier: Apache-2.0
#include "api/parameters.hpp"

#include <stdexcept>
#include <utility>

#include "api/bounds.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp::api {

using base::Json;

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
        parameter.schema = Json::parse(type.schema().text());
        const auto decode = [&](const Json& value, const char* what) {
            try {
                type.try_decode(ValueView(ValueView::Source::argument, parameter.name, value));
                check(parameter, value);
            } catch (const InvalidArguments& misfit) {
                throw std::invalid_argument(where + what + ": " + misfit.what());
            }
        };
        try {
            for (const auto& [keyword, text] : arg.keywords()) {
                apply_keyword(parameter.schema, keyword, text);
            }
            check_bounds(parameter.schema);
        } catch (const std::invalid_argument& problem) {
            throw std::invalid_argument(where + problem.what());
        }
        for (const auto& [keyword, text] : arg.keywords()) {
            if (keyword == "enum") {
                for (const Json& allowed : parameter.schema["enum"]) {
                    decode(allowed, "a value of one_of()");
                }
            }
            if (keyword == "default") {
                parameter.default_value = parameter.schema["default"];
            }
        }
        if (parameter.default_value) {
            decode(*parameter.default_value, "by_default()");
        }
        set_description(parameter.schema, parameter.description);
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
        if (const auto title = parameter.schema.find("title"); title != parameter.schema.end()) {
            argument["title"] = *title;
        }
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
