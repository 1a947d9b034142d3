// SPDX-License-Identifier: Apache-2.0
// Evaluation, the chapter on values without parts.

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "schema/evaluation.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;

constexpr std::size_t bytes_per_step = 64;  // what a text costs to look at, against entering a schema

std::size_t count_code_points(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

const char* plural(std::size_t count) {
    return count == 1 ? "" : "s";
}

}  // namespace

bool Evaluation::check_type(const Instruction& instruction, const Subject& subject) {
    const auto expected = static_cast<TypeMask>(instruction.at);
    return (expected & subject.type) != 0 ||
           (explaining_ && refuse(subject.location, Operation::type, "type",
                                  fmt::format("expected {}, got {}", describe_types(expected), describe_value(subject.value)), expected));
}

bool Evaluation::check_constant(const Instruction& instruction, const Subject& subject) {
    const Json& expected = program_.values[instruction.at];
    return compare(expected, subject.value, budget_) == 0 ||
           (explaining_ && refuse(subject.location, Operation::constant, "const",
                                  fmt::format("expected {}, got {}", describe_value(expected), describe_value(subject.value))));
}

bool Evaluation::check_enumeration(const Instruction& instruction, const Subject& subject) {
    const Json* const first = program_.values.data() + instruction.at;
    const Json* const last = first + instruction.count;
    // Short lists keep their author's order, for the sentence; long ones are sorted.
    const bool found =
        instruction.count <= longest_unsorted_enumeration
            ? std::any_of(first, last, [&](const Json& value) { return compare(value, subject.value, budget_) == 0; })
            : std::binary_search(first, last, subject.value, [&](const Json& a, const Json& b) { return compare(a, b, budget_) < 0; });
    if (found || !explaining_) {
        return found;
    }
    constexpr std::uint32_t most = 12;
    std::string known;
    for (std::uint32_t i = 0; i < std::min(instruction.count, most); ++i) {
        known += (i == 0 ? "" : ", ") + describe_value(first[i]);
    }
    return refuse(subject.location, Operation::enumeration, "enum",
                  fmt::format("expected {}{}{}, got {}", instruction.count == 1 ? "" : "one of ", known,
                              instruction.count > most ? ", …" : "", describe_value(subject.value)));
}

bool Evaluation::check_number(const Instruction& instruction, const Subject& subject) {
    const Number value(subject.value);
    const Number& bound = program_.numbers[instruction.at];
    const char* keyword = "multipleOf";
    const char* expected = "a multiple of";
    bool fit = false;
    switch (instruction.operation) {
        case Operation::minimum:
            keyword = "minimum";
            expected = "at least";
            fit = Number::compare(value, bound) >= 0;
            break;
        case Operation::exclusive_minimum:
            keyword = "exclusiveMinimum";
            expected = "more than";
            fit = Number::compare(value, bound) > 0;
            break;
        case Operation::maximum:
            keyword = "maximum";
            expected = "at most";
            fit = Number::compare(value, bound) <= 0;
            break;
        case Operation::exclusive_maximum:
            keyword = "exclusiveMaximum";
            expected = "less than";
            fit = Number::compare(value, bound) < 0;
            break;
        default:
            fit = value.is_multiple_of(bound);
            break;
    }
    return fit || (explaining_ && refuse(subject.location, instruction.operation, keyword,
                                         fmt::format("expected {} {}, got {}", expected, bound.to_text(), value.to_text())));
}

bool Evaluation::check_length(const Instruction& instruction, const Subject& subject) {
    const auto& text = subject.value.get_ref<const std::string&>();
    const bool is_minimum = instruction.operation == Operation::min_length;
    // A code point has one to four bytes: mostly the size alone decides.
    if (is_minimum ? text.size() / 4 >= instruction.at : text.size() <= instruction.at) {
        return true;
    }
    if (!budget_.spend(text.size() / bytes_per_step)) {
        return false;
    }
    const std::size_t length = count_code_points(text);
    if (is_minimum ? length >= instruction.at : length <= instruction.at) {
        return true;
    }
    return explaining_ && refuse(subject.location, instruction.operation, is_minimum ? "minLength" : "maxLength",
                                 fmt::format("expected at {} {} character{}, got {}", is_minimum ? "least" : "most", instruction.at,
                                             plural(instruction.at), length));
}

bool Evaluation::check_pattern(const Instruction& instruction, const Subject& subject) {
    const auto& text = subject.value.get_ref<const std::string&>();
    const Pattern& pattern = program_.patterns[instruction.at];
    if (!budget_.spend(text.size() / bytes_per_step)) {
        return false;
    }
    return pattern.is_found_in(text) || (explaining_ && refuse(subject.location, Operation::pattern, "pattern",
                                                               fmt::format("expected a string that matches {}, got {}",
                                                                           pattern.expression(), describe_value(subject.value))));
}

bool Evaluation::check_format(const Instruction& instruction, const Subject& subject) {
    const auto& text = subject.value.get_ref<const std::string&>();
    const Format& format = *program_.formats[instruction.at];
    if (!budget_.spend(text.size() / bytes_per_step)) {
        return false;
    }
    return format.fits(text) ||
           (explaining_ && refuse(subject.location, Operation::format, "format",
                                  fmt::format("expected {}, got {}", format.description, describe_value(subject.value))));
}

}  // namespace durable_mcp::schema
