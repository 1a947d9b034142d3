// SPDX-License-Identifier: Apache-2.0
#include "schema/evaluation.hpp"

#include <algorithm>
#include <utility>

namespace durable_mcp::schema {

using base::Json;

TypeMask type_of(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return null_type;
        case Json::value_t::boolean:
            return boolean_type;
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            return integer_type;
        case Json::value_t::number_float:
            return Number(value).is_integral() ? integer_type : fraction_type;
        case Json::value_t::string:
            return string_type;
        case Json::value_t::array:
            return array_type;
        case Json::value_t::object:
            return object_type;
        default:
            return 0;
    }
}

void Evaluation::Marks::add(const Marks& other) {
    for (std::size_t i = 0; i < marked_.size(); ++i) {
        marked_[i] = static_cast<char>(marked_[i] | other.marked_[i]);
    }
}

bool Evaluation::run(const Json& value) {
    return fits(0, value, Location{nullptr, nullptr, 0}, nullptr) && !budget_.exhausted();
}

bool Evaluation::fits(NodeIndex index, const Json& value, const Location& location, Marks* marks) {
    const Node& node = program_.nodes[index];
    if (!budget_.spend(1)) {
        return false;
    }
    if (node.kind == Node::Kind::accepts) {
        return true;
    }
    if (node.kind == Node::Kind::refuses) {
        return explaining_ && refuse(location, Operation::none_of, "false", "no value is expected here");
    }
    if (frames_ == program_.frames) {
        too_deep_ = true;
        return budget_.spend(SIZE_MAX);
    }
    ++frames_;
    const Scope scope{scope_, node.resource};
    const bool enters = program_.needs_scope && (scope_ == nullptr || scope_->resource != node.resource);
    if (enters) {
        scope_ = &scope;
    }
    const TypeMask type = type_of(value);
    bool fit = false;
    if (node.kind == Node::Kind::checks_rest && (type & (array_type | object_type)) != 0) {
        Marks own(value.size());
        fit = budget_.spend(value.size() / 16) && obey_all(node, {value, location, &own, type});
        if (fit && marks != nullptr) {
            marks->add(own);
        }
    } else {
        fit = obey_all(node, {value, location, marks, type});
    }
    if (enters) {
        scope_ = scope.outer;
    }
    --frames_;
    return fit;
}

bool Evaluation::obey_all(const Node& node, const Subject& subject) {
    const Instruction* const first = program_.instructions.data() + node.first;
    return std::all_of(first, first + node.count, [&](const Instruction& instruction) {
        return (instruction.types & subject.type) == 0 || obey(instruction, subject);
    });
}

bool Evaluation::obey(const Instruction& instruction, const Subject& subject) {
    switch (instruction.operation) {
        case Operation::type:
            return check_type(instruction, subject);
        case Operation::constant:
            return check_constant(instruction, subject);
        case Operation::enumeration:
            return check_enumeration(instruction, subject);
        case Operation::minimum:
        case Operation::exclusive_minimum:
        case Operation::maximum:
        case Operation::exclusive_maximum:
        case Operation::multiple_of:
            return check_number(instruction, subject);
        case Operation::min_length:
        case Operation::max_length:
            return check_length(instruction, subject);
        case Operation::pattern:
            return check_pattern(instruction, subject);
        case Operation::format:
            return check_format(instruction, subject);
        case Operation::min_items:
        case Operation::max_items:
        case Operation::min_properties:
        case Operation::max_properties:
            return check_size(instruction, subject);
        case Operation::unique_items:
            return check_unique_items(subject);
        case Operation::items:
            return check_items(instruction, subject);
        case Operation::contains:
            return check_contains(instruction, subject);
        case Operation::members:
            return check_members(instruction, subject);
        case Operation::property_names:
            return check_property_names(instruction, subject);
        case Operation::dependencies:
            return check_dependencies(instruction, subject);
        case Operation::reference:
            return fits_here(instruction.at, subject);
        case Operation::dynamic_reference:
            return fits_here(resolve(program_.dynamic_references[instruction.at]), subject);
        case Operation::all_of:
            return check_all_of(instruction, subject);
        case Operation::any_of:
            return check_any_of(instruction, subject);
        case Operation::one_of:
            return check_one_of(instruction, subject);
        case Operation::none_of:
            return check_none_of(instruction, subject);
        case Operation::condition:
            return check_condition(instruction, subject);
        case Operation::unevaluated_items:
            return check_unevaluated_items(instruction, subject);
        case Operation::unevaluated_properties:
            return check_unevaluated_properties(instruction, subject);
    }
    return false;
}

NodeIndex Evaluation::resolve(const DynamicReference& reference) const {
    NodeIndex found = reference.node;
    for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
        for (const auto& [anchor, node] : program_.resources[scope->resource].dynamic_anchors) {
            if (anchor == reference.anchor) {
                found = node;  // the last one found is the outermost
            }
        }
    }
    return found;
}

bool Evaluation::fits_perhaps(NodeIndex index, const Subject& subject) {
    if (subject.marks == nullptr) {
        return fits_here(index, subject);
    }
    Marks trial(subject.marks->size());
    if (!budget_.spend(trial.size() / 16) || !fits(index, subject.value, subject.location, &trial)) {
        return false;
    }
    subject.marks->add(trial);
    return true;
}

bool Evaluation::check_all_of(const Instruction& instruction, const Subject& subject) {
    const NodeIndex* const first = program_.lists.data() + instruction.at;
    return std::all_of(first, first + instruction.count, [&](NodeIndex node) { return fits_here(node, subject); });
}

bool Evaluation::check_any_of(const Instruction& instruction, const Subject& subject) {
    bool fit = false;
    std::vector<Finding> findings;
    for (std::uint32_t i = 0; i < instruction.count && (!fit || subject.marks != nullptr); ++i) {
        fit = fits_perhaps(program_.lists[instruction.at + i], subject) || fit;
        if (finding_) {
            findings.push_back(*std::exchange(finding_, std::nullopt));
        }
    }
    return fit || (explaining_ && refuse_alternatives(subject, "anyOf", std::move(findings), instruction.count));
}

bool Evaluation::check_one_of(const Instruction& instruction, const Subject& subject) {
    std::optional<std::uint32_t> fit;
    std::vector<Finding> findings;
    for (std::uint32_t i = 0; i < instruction.count; ++i) {
        const bool fits_too = fits_perhaps(program_.lists[instruction.at + i], subject);
        if (finding_) {
            findings.push_back(*std::exchange(finding_, std::nullopt));
        }
        if (fits_too && fit) {
            return explaining_ && refuse(subject.location, Operation::one_of, "oneOf",
                                         "fits more than one of the alternatives of which exactly one must fit (numbers " +
                                             std::to_string(*fit) + " and " + std::to_string(i) + ")");
        }
        if (fits_too) {
            fit = i;
        }
    }
    return fit || (explaining_ && refuse_alternatives(subject, "oneOf", std::move(findings), instruction.count));
}

bool Evaluation::check_none_of(const Instruction& instruction, const Subject& subject) {
    const bool fit = [&] {
        const Silence silence(*this);
        return fits(instruction.at, subject.value, subject.location, nullptr);
    }();
    return !fit || (explaining_ &&
                    refuse(subject.location, Operation::none_of, "not", describe_value(subject.value) + " fits what it must not fit"));
}

bool Evaluation::check_condition(const Instruction& instruction, const Subject& subject) {
    const NodeIndex* const branches = program_.lists.data() + instruction.at;
    const bool holds = [&] {
        const Silence silence(*this);
        return fits_perhaps(branches[0], subject);
    }();
    const NodeIndex then = holds ? branches[1] : branches[2];
    return then == no_node || fits_here(then, subject);
}

}  // namespace durable_mcp::schema
