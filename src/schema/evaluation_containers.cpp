// SPDX-License-Identifier: Apache-2.0
// Evaluation, the chapter on arrays and objects.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "schema/evaluation.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;

constexpr std::size_t longest_unsorted_array = 16;  // up to here, comparing all with all is cheaper than sorting
constexpr std::size_t comparisons_per_step = 8;     // of two values while sorting, against entering a schema

}  // namespace

bool Evaluation::check_size(const Instruction& instruction, const Subject& subject) {
    const std::size_t size = subject.value.size();
    const char* keyword = "maxProperties";
    bool is_minimum = false;
    switch (instruction.operation) {
        case Operation::min_items:
            keyword = "minItems";
            is_minimum = true;
            break;
        case Operation::max_items:
            keyword = "maxItems";
            break;
        case Operation::min_properties:
            keyword = "minProperties";
            is_minimum = true;
            break;
        default:
            break;
    }
    if (is_minimum ? size >= instruction.at : size <= instruction.at) {
        return true;
    }
    const char* const noun =
        subject.type == array_type ? (instruction.at == 1 ? "element" : "elements") : (instruction.at == 1 ? "property" : "properties");
    return explaining_ && refuse(subject.location, instruction.operation, keyword,
                                 fmt::format("expected at {} {} {}, got {}", is_minimum ? "least" : "most", instruction.at, noun, size));
}

bool Evaluation::check_unique_items(const Subject& subject) {
    const auto& elements = subject.value.get_ref<const Json::array_t&>();
    std::optional<std::pair<std::size_t, std::size_t>> equal;
    Budget comparisons(std::min(budget_.left(), SIZE_MAX / comparisons_per_step) * comparisons_per_step);
    const std::size_t before = comparisons.left();
    if (elements.size() <= longest_unsorted_array) {
        for (std::size_t i = 1; i < elements.size() && !equal; ++i) {
            for (std::size_t k = 0; k < i && !equal; ++k) {
                if (compare(elements[k], elements[i], comparisons) == 0) {
                    equal.emplace(k, i);
                }
            }
        }
    } else {
        std::vector<std::size_t> order(elements.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            order[i] = i;
        }
        // When the budget runs out on the way, more and more elements count as equal. That is no order any more, but it never makes one
        // less than another that it was not less than before, which is what keeps std::sort inside of the vector.
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return compare(elements[a], elements[b], comparisons) < 0; });
        const auto pair = std::adjacent_find(
            order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return compare(elements[a], elements[b], comparisons) == 0; });
        if (pair != order.end()) {
            equal.emplace(std::minmax(*pair, *std::next(pair)));
        }
    }
    if (!budget_.spend(comparisons.exhausted() ? SIZE_MAX : (before - comparisons.left()) / comparisons_per_step)) {
        return false;
    }
    return !equal || (explaining_ &&
                      refuse(subject.location, Operation::unique_items, "uniqueItems",
                             fmt::format("expected elements that differ, but those at {} and {} are equal", equal->first, equal->second)));
}

bool Evaluation::check_items(const Instruction& instruction, const Subject& subject) {
    const Items& items = program_.items[instruction.at];
    const auto& elements = subject.value.get_ref<const Json::array_t&>();
    for (std::size_t i = 0; i < elements.size(); ++i) {
        const bool in_prefix = i < items.prefix.size();
        const NodeIndex node = in_prefix ? items.prefix[i] : items.rest;
        if (node == no_node) {
            break;
        }
        const Location element{&subject.location, nullptr, i};
        if (!in_prefix && program_.nodes[node].kind == Node::Kind::refuses) {
            return explaining_ && refuse(element, Operation::items, items.rest_keyword,
                                         fmt::format("expected at most {} element{}", i, i == 1 ? "" : "s"));
        }
        if (!fits(node, elements[i], element, nullptr)) {
            return false;
        }
        if (subject.marks != nullptr) {
            subject.marks->set(i);
        }
    }
    return true;
}

bool Evaluation::check_contains(const Instruction& instruction, const Subject& subject) {
    const Contains& contains = program_.contains[instruction.at];
    const auto& elements = subject.value.get_ref<const Json::array_t&>();
    Marks* const marks = contains.marks ? subject.marks : nullptr;
    std::size_t found = 0;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (marks == nullptr && (found > contains.max || (found >= contains.min && contains.max == SIZE_MAX))) {
            break;
        }
        const Silence silence(*this);
        if (fits(contains.node, elements[i], Location{&subject.location, nullptr, i}, nullptr)) {
            ++found;
            if (marks != nullptr) {
                marks->set(i);
            }
        }
    }
    if (found < contains.min) {
        return explaining_ && refuse(subject.location, Operation::contains, contains.min == 1 ? "contains" : "minContains",
                                     fmt::format("expected at least {} element{} that fit{} \"contains\", got {}", contains.min,
                                                 contains.min == 1 ? "" : "s", contains.min == 1 ? "s" : "", found));
    }
    return found <= contains.max ||
           (explaining_ && refuse(subject.location, Operation::contains, "maxContains",
                                  fmt::format("expected at most {} element{} that fit{} \"contains\"", contains.max,
                                              contains.max == 1 ? "" : "s", contains.max == 1 ? "s" : "")));
}

bool Evaluation::check_members(const Instruction& instruction, const Subject& subject) {
    const Members& members = program_.members[instruction.at];
    const auto& object = subject.value.get_ref<const Json::object_t&>();
    if (!budget_.spend(object.size() + members.properties.size() / 16)) {
        return false;
    }
    // Both are in the order of their names: one pass through both.
    auto property = members.properties.begin();
    std::size_t ordinal = 0;
    for (const auto& [key, value] : object) {
        int order = 1;
        while (property != members.properties.end() && (order = property->name.compare(key)) < 0) {
            if (property->is_required) {
                return explaining_ && refuse_missing(subject.location, "required", property->name, "");
            }
            ++property;
        }
        const bool is_known = property != members.properties.end() && order == 0;
        if (!check_member(members, is_known && property->is_declared ? &*property : nullptr, key, value, ordinal, subject)) {
            return false;
        }
        property += is_known ? 1 : 0;
        ++ordinal;
    }
    property = std::find_if(property, members.properties.end(), [](const Property& rest) { return rest.is_required; });
    return property == members.properties.end() || (explaining_ && refuse_missing(subject.location, "required", property->name, ""));
}

bool Evaluation::check_member(const Members& members, const Property* property, const std::string& key, const Json& value,
                              std::size_t ordinal, const Subject& subject) {
    const Location location{&subject.location, &key, 0};
    bool is_evaluated = property != nullptr;
    if (property != nullptr && !fits(property->node, value, location, nullptr)) {
        return false;
    }
    for (const auto& [pattern, node] : members.patterns) {
        if (!budget_.spend(1 + key.size() / 64)) {
            return false;
        }
        if (pattern.is_found_in(key)) {
            is_evaluated = true;
            if (!fits(node, value, location, nullptr)) {
                return false;
            }
        }
    }
    if (!is_evaluated && members.additional != no_node) {
        if (program_.nodes[members.additional].kind == Node::Kind::refuses) {
            return explaining_ && refuse_member(location, "additionalProperties", &members);
        }
        if (!fits(members.additional, value, location, nullptr)) {
            return false;
        }
        is_evaluated = true;
    }
    if (is_evaluated && subject.marks != nullptr) {
        subject.marks->set(ordinal);
    }
    return true;
}

bool Evaluation::check_property_names(const Instruction& instruction, const Subject& subject) {
    for (const auto& [key, value] : subject.value.get_ref<const Json::object_t&>()) {
        const Location location{&subject.location, &key, 0};
        const Json name(key);
        if (fits(instruction.at, name, location, nullptr)) {
            continue;
        }
        if (finding_) {
            finding_->misfit.keyword = "propertyNames";
            finding_->misfit.sentence.insert(0, "its name does not fit: ");
        }
        return false;
    }
    return true;
}

bool Evaluation::check_dependencies(const Instruction& instruction, const Subject& subject) {
    const auto& object = subject.value.get_ref<const Json::object_t&>();
    for (std::uint32_t i = 0; i < instruction.count; ++i) {
        const Dependency& dependency = program_.dependencies[instruction.at + i];
        if (!budget_.spend(1 + dependency.required.size())) {
            return false;
        }
        if (!object.contains(dependency.trigger)) {
            continue;
        }
        for (const std::string& name : dependency.required) {
            if (!object.contains(name)) {
                return explaining_ && refuse_missing(subject.location, dependency.keyword, name, dependency.trigger);
            }
        }
        if (dependency.node != no_node && !fits_here(dependency.node, subject)) {
            return false;
        }
    }
    return true;
}

bool Evaluation::check_unevaluated_items(const Instruction& instruction, const Subject& subject) {
    const auto& elements = subject.value.get_ref<const Json::array_t&>();
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (subject.marks->has(i)) {
            continue;
        }
        const Location element{&subject.location, nullptr, i};
        if (program_.nodes[instruction.at].kind == Node::Kind::refuses) {
            return explaining_ && refuse(element, Operation::items, "unevaluatedItems", "no element is expected here");
        }
        if (!fits(instruction.at, elements[i], element, nullptr)) {
            return false;
        }
    }
    subject.marks->set_all();
    return true;
}

bool Evaluation::check_unevaluated_properties(const Instruction& instruction, const Subject& subject) {
    std::size_t ordinal = 0;
    for (const auto& [key, value] : subject.value.get_ref<const Json::object_t&>()) {
        if (subject.marks->has(ordinal++)) {
            continue;
        }
        const Location location{&subject.location, &key, 0};
        if (program_.nodes[instruction.at].kind == Node::Kind::refuses) {
            return explaining_ && refuse_member(location, "unevaluatedProperties", nullptr);
        }
        if (!fits(instruction.at, value, location, nullptr)) {
            return false;
        }
    }
    subject.marks->set_all();
    return true;
}

}  // namespace durable_mcp::schema
