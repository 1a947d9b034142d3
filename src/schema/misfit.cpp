// SPDX-License-Identifier: Apache-2.0
// Evaluation, the chapter on what to say. A sentence is for whoever sent the value, often a language model that will try again: it names
// what was expected and what was found.

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "schema/evaluation.hpp"

namespace durable_mcp::schema {

using base::Json;

namespace {

constexpr std::size_t longest_quote = 60;  // bytes of what a peer wrote, in a sentence

/// Cuts `text` between characters where it is too long for a sentence.
std::string cut(std::string text) {
    if (text.size() > longest_quote) {
        std::size_t end = longest_quote;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        text.resize(end);
        text += "…";
    }
    return text;
}

}  // namespace

std::string describe_value(const Json& value) {
    if (value.is_object()) {
        return "an object";
    }
    if (value.is_array()) {
        return "an array";
    }
    if (value.is_number()) {
        return Number(value).to_text();
    }
    if (value.is_string() && value.get_ref<const std::string&>().size() > 4 * longest_quote) {
        return describe_value(value.get_ref<const std::string&>().substr(0, 2 * longest_quote));  // no need to write out what will be cut
    }
    return cut(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string describe_types(TypeMask types) {
    if ((types & number_types) == number_types) {
        types = static_cast<TypeMask>(types & ~integer_type);
    }
    constexpr std::array<std::pair<TypeMask, const char*>, 7> names{{{string_type, "a string"},
                                                                     {integer_type, "an integer"},
                                                                     {fraction_type, "a number"},
                                                                     {boolean_type, "a boolean"},
                                                                     {array_type, "an array"},
                                                                     {object_type, "an object"},
                                                                     {null_type, "null"}}};
    std::vector<std::string> found;
    for (const auto& [bit, name] : names) {
        if ((types & bit) != 0) {
            found.emplace_back(name);
        }
    }
    std::string text;
    for (std::size_t i = 0; i < found.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == found.size() ? " or " : ", ") + found[i];
    }
    return text;
}

std::string Evaluation::path_to(const Location& location) {
    std::vector<const Location*> steps;
    for (const Location* at = &location; at->parent != nullptr; at = at->parent) {
        steps.push_back(at);
    }
    std::string path;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        if ((*step)->key != nullptr) {
            // A key may be as long as a body, and alternatives that fail on the way may ask for its path thousands of times.
            path += (path.empty() ? "" : ".") + ((*step)->key->size() > longest_quote ? cut((*step)->key->substr(0, 2 * longest_quote)) : *(*step)->key);
        } else {
            path += "[" + std::to_string((*step)->index) + "]";
        }
    }
    return path;
}

bool Evaluation::refuse(const Location& location, Operation operation, std::string_view keyword, std::string sentence, TypeMask expected) {
    constexpr std::size_t steps_per_sentence = 100;  // alternatives inside of alternatives may ask for very many
    if (!finding_ && budget_.spend(steps_per_sentence)) {
        std::size_t depth = 0;
        for (const Location* at = &location; at->parent != nullptr; at = at->parent) {
            ++depth;
        }
        finding_ = Finding{{path_to(location), std::string(keyword), std::move(sentence)}, depth, operation, expected};
    }
    return false;
}

bool Evaluation::refuse_missing(const Location& location, std::string_view keyword, const std::string& name, std::string_view because) {
    const Location missing{&location, &name, 0};
    return refuse(missing, Operation::members, keyword,
                  because.empty() ? std::string("is missing") : fmt::format("is missing, and must be there where \"{}\" is", because));
}

bool Evaluation::refuse_member(const Location& member, std::string_view keyword, const Members* members) {
    constexpr std::size_t most = 12;
    std::string known;
    std::size_t count = 0;
    if (members != nullptr) {
        for (const Property& property : members->properties) {
            if (property.is_declared && ++count <= most) {
                known += (known.empty() ? "\"" : ", \"") + property.name + "\"";
            }
        }
    }
    return refuse(member, Operation::members, keyword,
                  "nothing by this name is expected here" + (known.empty() ? "" : "; known are " + known + (count > most ? ", …" : "")));
}

bool Evaluation::refuse_alternatives(const Subject& subject, std::string_view keyword, std::vector<Finding> findings, std::size_t count) {
    if (findings.empty()) {
        return refuse(subject.location, Operation::any_of, keyword, "fits none of the alternatives");
    }
    // All of them wanted another type: say which types there are.
    const auto is_about_type = [&](const Finding& finding) {
        return finding.operation == Operation::type && finding.misfit.instance_path == findings.front().misfit.instance_path;
    };
    if (findings.size() == count && std::all_of(findings.begin(), findings.end(), is_about_type) &&
        findings.front().misfit.instance_path == path_to(subject.location)) {
        TypeMask expected = 0;
        for (const Finding& finding : findings) {
            expected = static_cast<TypeMask>(expected | finding.expected);
        }
        return refuse(subject.location, Operation::type, keyword,
                      fmt::format("expected {}, got {}", describe_types(expected), describe_value(subject.value)), expected);
    }
    // The one that came furthest is what the sender meant. A constant that differs tells alternatives apart: who differs elsewhere came
    // further.
    const auto progress = [](const Finding& finding) {
        const bool tells_apart = finding.operation == Operation::constant || finding.operation == Operation::enumeration;
        const bool is_type = finding.operation == Operation::type;
        return std::pair(finding.depth, is_type ? 0 : tells_apart ? 1 : 2);
    };
    auto best =
        std::max_element(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) { return progress(a) < progress(b); });
    if (count > 1) {
        best->misfit.sentence += fmt::format(" (none of {} alternatives fits; this one comes closest)", count);
    }
    finding_ = std::move(*best);
    return false;
}

Misfit Evaluation::take_misfit() {
    if (too_deep_) {
        return {"", "", fmt::format("cannot be checked: its schema refers to itself more than {} levels deep", program_.frames)};
    }
    if (budget_.exhausted() && explaining_) {
        return {"", "", "does not fit its schema, and it would take too long to say where"};
    }
    if (budget_.exhausted()) {
        return {"", "", fmt::format("cannot be checked within {} steps: it is too large for its schema", program_.steps)};
    }
    return finding_ ? std::move(finding_->misfit) : Misfit{"", "", "does not fit its schema"};
}

}  // namespace durable_mcp::schema
