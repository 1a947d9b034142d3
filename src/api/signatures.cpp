// SPDX-License-Identifier: Apache-2.0
#include "api/signatures.hpp"

#include <cstddef>

namespace durable_mcp::api {

namespace {

bool opens(char c) { return c == '<' || c == '(' || c == '{' || c == '['; }
bool closes(char c) { return c == '>' || c == ')' || c == '}' || c == ']'; }

/// Identifiers may hold letters beyond ASCII.
bool in_identifier(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// What follows the last "::" that is not in brackets.
std::string_view unqualified(std::string_view name) {
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        depth += opens(name[i]) ? 1 : closes(name[i]) ? -1 : 0;
        if (depth == 0 && name.substr(i).starts_with("::")) {
            begin = i + 2;
        }
    }
    return name.substr(begin);
}

std::string_view after(std::string_view text, std::string_view mark) {
    const std::size_t found = text.find(mark);
    return found == std::string_view::npos ? std::string_view() : text.substr(found + mark.size());
}

}  // namespace

std::string name_of_type(std::string_view signature) {
    std::string_view type = after(signature, "T = ");
    type.remove_suffix(type.empty() ? 0 : 1);
    type = unqualified(type);
    return std::string(type.substr(0, type.find('<')));
}

std::string name_of_member(std::string_view signature) {
    while (!signature.empty() && !in_identifier(signature.back())) {
        signature.remove_suffix(1);
    }
    std::size_t begin = signature.size();
    while (begin > 0 && in_identifier(signature[begin - 1])) {
        --begin;
    }
    return std::string(signature.substr(begin));
}

std::vector<std::pair<std::int64_t, std::string>> names_of_values(std::string_view signature, std::int64_t first) {
    std::vector<std::pair<std::int64_t, std::string>> names;
    std::string_view list = after(signature, "Values = ");
    list.remove_prefix(list.empty() ? 0 : 1);
    std::int64_t value = first;
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < list.size() && depth >= 0; ++i) {
        depth += opens(list[i]) ? 1 : closes(list[i]) ? -1 : 0;
        if (depth < 0 || (depth == 0 && list[i] == ',')) {
            const std::string_view entry = list.substr(begin, i - begin);
            const std::size_t colons = entry.rfind("::");
            const std::string_view name = colons == std::string_view::npos ? entry : entry.substr(colons + 2);
            // A value without a name is a cast: "(Big)-1".
            if (name.find(')') == std::string_view::npos) {
                names.emplace_back(value, name);
            }
            ++value;
            begin = i + 2;
        }
    }
    return names;
}

}  // namespace durable_mcp::api
