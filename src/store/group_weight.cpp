// SPDX-License-Identifier: Apache-2.0
#include "store/group_weight.hpp"

#include <algorithm>
#include <variant>

namespace durable_mcp::store {
namespace {

struct WeighWrite {
    std::size_t operator()(const PutSession& w) const { return w.row.id.size() + w.row.owner.size() + w.row.document.size(); }
    std::size_t operator()(const TouchSession& w) const { return w.id.size(); }
    std::size_t operator()(const DropSession& w) const { return w.id.size(); }
    std::size_t operator()(const DropStream& w) const { return w.stream.size(); }
    std::size_t operator()(const InsertCall& w) const { return w.row.document.size() + w.row.request_id.size() + 128; }
    std::size_t operator()(const UpdateCall& w) const { return w.id.size(); }
    std::size_t operator()(const CountAttempt& w) const { return w.id.size(); }
    std::size_t operator()(const AppendEntry& w) const { return w.entry.key.size() + w.entry.payload.size() + 64; }
    std::size_t operator()(const DropEntries& w) const { return w.call.size() + w.seqs.size() * sizeof(std::uint64_t); }
    std::size_t operator()(const AppendEvent& w) const { return w.row.payload.size() + 32; }
    std::size_t operator()(const PutHandle& w) const { return w.row.document.size() + 128; }
    std::size_t operator()(const InsertArrival& w) const { return w.row.key.size() + w.row.payload.size() + 64; }
    std::size_t operator()(const DropCall& w) const { return w.id.size(); }
    std::size_t operator()(const DropHandle& w) const { return w.call.size(); }
    std::size_t operator()(const DropEvents& w) const { return w.stream.size(); }
    std::size_t operator()(const ReleaseSpace&) const { return 0; }
    std::size_t operator()(const PutSecret& w) const { return w.row.value.size(); }
    std::size_t operator()(const DropSecret&) const { return 0; }
    std::size_t operator()(const PutMapRow& w) const { return w.map.size() + w.key.size() + w.value.size(); }
    std::size_t operator()(const EraseMapRow& w) const { return w.map.size() + w.key.size(); }
    std::size_t operator()(const DropExpiredRows&) const { return 0; }
    std::size_t operator()(const ExpectMapRow& w) const { return w.map.size() + w.key.size(); }
    std::size_t operator()(const ExpectMapRange& w) const {
        std::size_t sum = w.map.size();
        for (const auto& found : w.found) {
            sum += found.first.size() + sizeof found;
        }
        return sum;
    }
    std::size_t operator()(const ExpectRunning& w) const { return w.call.size(); }
    std::size_t operator()(const LimitScope& w) const { return w.scope.size(); }
};

}  // namespace

std::size_t weigh(const Group& group) {
    std::size_t sum = 0;
    for (const Write& write : group) {
        sum += sizeof(Write) + std::visit(WeighWrite{}, write);
    }
    return sum;
}

bool writes_to_a_map(const Group& group) {
    return std::any_of(group.begin(), group.end(), [](const Write& write) {
        return std::holds_alternative<PutMapRow>(write) || std::holds_alternative<EraseMapRow>(write);
    });
}

}  // namespace durable_mcp::store
