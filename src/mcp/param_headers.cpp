// SPDX-License-Identifier: Apache-2.0
#include "mcp/param_headers.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mcp/header_rules.hpp"
#include "mcp/members.hpp"
#include "mcp/quote.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

constexpr std::string_view annotation = "x-mcp-header";
constexpr double largest_exact = 9007199254740991.0;  // 2^53-1: beyond it JavaScript clients change the value

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

std::string lower(std::string_view text) {
    std::string lowered(text);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lowered;
}

/// Walks a schema the way a value is found in the arguments: from the root through `properties` only.
class Annotations {
public:
    explicit Annotations(const Json& schema) { visit_schema(schema, true); }

    std::vector<ParamHeader> found;
    std::optional<std::string> fault;

private:
    [[nodiscard]] std::string where() const { return path_.empty() ? "the root" : fmt::format("'{}'", fmt::join(path_, ".")); }

    void refuse(std::string_view why) {
        if (!fault) {
            fault = fmt::format("{} at {} {}", annotation, where(), why);
        }
    }

    void visit_schema(const Json& schema, bool is_reachable) {
        if (!schema.is_object()) {
            return;
        }
        if (const Json* const name = find_member(schema, annotation)) {
            take(schema, *name, is_reachable);
        }
        for (const auto& [keyword, value] : schema.items()) {
            if (keyword == "properties" && value.is_object()) {
                for (const auto& [key, property] : value.items()) {
                    path_.push_back(key);
                    visit_schema(property, is_reachable);
                    path_.pop_back();
                }
            } else if (keyword != "default" && keyword != "const" && keyword != "enum" && keyword != "examples") {
                // Wherever else a schema may stand, no value can be found by its path.
                visit_anything(keyword, value);
            }
        }
    }

    void visit_anything(const std::string& key, const Json& value) {
        path_.push_back(key);
        if (value.is_array()) {
            for (const Json& element : value) {
                visit_schema(element, false);
            }
        } else {
            visit_schema(value, false);  // or a table of schemas by name, whose members are visited like keywords
        }
        path_.pop_back();
    }

    void take(const Json& schema, const Json& name, bool is_reachable) {
        const auto* const text = name.get_ptr<const std::string*>();
        if (path_.empty()) {
            refuse("annotates the arguments as a whole; it belongs on one of their properties");
        } else if (!is_reachable) {
            refuse("is not reached through \"properties\" alone, so that callers cannot find its value");
        } else if (text == nullptr || !is_token(*text)) {
            refuse("must be the end of a header's name: letters, digits and !#$%&'*+-.^_`|~");
        } else if (const std::string* const type = find_string(schema, "type");
                   type == nullptr || (*type != "string" && *type != "integer" && *type != "boolean")) {
            refuse("annotates a value whose type is not string, integer or boolean");
        } else if (!names_.insert(lower(*text)).second) {
            refuse(fmt::format("uses the name '{}' again; case does not tell headers apart", *text));
        } else {
            found.push_back({fmt::format("Mcp-Param-{}", *text), path_});
        }
    }

    std::vector<std::string> path_;
    std::set<std::string> names_;
};

/// The argument at that path; null where there is none, or a null.
const Json* find_argument(const Json& arguments, const std::vector<std::string>& path) {
    const Json* at = &arguments;
    for (const std::string& key : path) {
        at = find_member(*at, key);
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at->is_null() ? nullptr : at;
}

bool says(const std::string& text, const Json& value) {
    switch (value.type()) {
        case Json::value_t::string:
            return text == value.get_ref<const std::string&>();
        case Json::value_t::boolean:
            return text == (value.get<bool>() ? "true" : "false");
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
        case Json::value_t::number_float: {
            if (text == value.dump()) {
                return true;
            }
            double number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            return error == std::errc{} && end == text.data() + text.size() && number == value.get<double>() && number >= -largest_exact &&
                   number <= largest_exact;
        }
        default:
            return false;
    }
}

}  // namespace

std::optional<std::string> check_param_annotations(const Json& input_schema) {
    return Annotations(input_schema).fault;
}

std::vector<ParamHeader> param_headers(const Json& input_schema) {
    return Annotations(input_schema).found;
}

std::optional<jsonrpc::Error> check_param_headers(const std::vector<ParamHeader>& annotated, const Json& arguments, const HeaderLookup& header) {
    for (const ParamHeader& param : annotated) {
        const std::string_view said = find_header(header, param.header);
        const Json* const value = find_argument(arguments, param.path);
        if (said.data() == nullptr && value == nullptr) {
            continue;
        }
        const auto argument = [&param] { return fmt::format("'{}'", fmt::join(param.path, ".")); };
        if (said.data() == nullptr) {
            return header_mismatch(fmt::format("the {} header is missing; it repeats the argument {}", param.header, argument()));
        }
        if (value == nullptr) {
            return header_mismatch(fmt::format("there is no argument {} for the {} header to repeat", argument(), param.header));
        }
        const auto decoded = decode_header_value(said);
        if (!decoded) {
            return header_mismatch(fmt::format("the {} header has characters, or Base64, that a header value must not have", param.header));
        }
        if (!says(*decoded, *value)) {
            return header_mismatch(fmt::format("the {} header '{}' is not what the argument {} says", param.header, quote(*decoded), argument()));
        }
    }
    return std::nullopt;
}

}  // namespace durable_mcp::mcp
