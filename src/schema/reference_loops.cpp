// SPDX-License-Identifier: Apache-2.0
#include "schema/reference_loops.hpp"

#include <utility>

namespace durable_mcp::schema {
namespace {

/// The nodes that `node` asks about its own value.
std::vector<NodeIndex> list_companions(const Program& program, const Node& node) {
    std::vector<NodeIndex> companions;
    const auto add = [&](NodeIndex companion) {
        if (companion != no_node) {
            companions.push_back(companion);
        }
    };
    for (std::uint32_t i = node.first; i < node.first + node.count; ++i) {
        const Instruction& instruction = program.instructions[i];
        switch (instruction.operation) {
            case Operation::reference:
            case Operation::none_of:
                add(instruction.at);
                break;
            case Operation::all_of:
            case Operation::any_of:
            case Operation::one_of:
            case Operation::condition:
                for (std::uint32_t k = 0; k < instruction.count; ++k) {
                    add(program.lists[instruction.at + k]);
                }
                break;
            case Operation::dependencies:
                for (std::uint32_t k = 0; k < instruction.count; ++k) {
                    add(program.dependencies[instruction.at + k].node);
                }
                break;
            default:
                break;
        }
    }
    return companions;
}

}  // namespace

NodeIndex find_reference_loop(const Program& program) {
    // Depth first; the path is a vector, because a chain may be as long as there are nodes.
    enum class Colour : std::uint8_t { unseen, on_path, done };
    std::vector<Colour> colours(program.nodes.size(), Colour::unseen);
    std::vector<std::pair<NodeIndex, std::vector<NodeIndex>>> path;  // a node, and what is left to visit from it
    for (NodeIndex start = 0; start < program.nodes.size(); ++start) {
        if (colours[start] != Colour::unseen) {
            continue;
        }
        path.emplace_back(start, list_companions(program, program.nodes[start]));
        colours[start] = Colour::on_path;
        while (!path.empty()) {
            if (path.back().second.empty()) {
                colours[path.back().first] = Colour::done;
                path.pop_back();
                continue;
            }
            const NodeIndex next = path.back().second.back();
            path.back().second.pop_back();
            if (colours[next] == Colour::on_path) {
                return next;
            }
            if (colours[next] == Colour::unseen) {
                colours[next] = Colour::on_path;
                path.emplace_back(next, list_companions(program, program.nodes[next]));
            }
        }
    }
    return no_node;
}

}  // namespace durable_mcp::schema
