// SPDX-License-Identifier: Apache-2.0
#include "runtime/transaction.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "durable_mcp/error.hpp"

namespace durable_mcp::runtime {
namespace {

// The store's rows with the transaction's writes laid over them, in the order and within the bounds of `range`.
detail::MapRows merge(const std::vector<store::MapRow>& rows, const std::map<std::string, std::optional<std::string>, std::less<>>& writes,
                      const store::MapRange& range) {
    std::map<std::string, std::string> merged;
    for (const store::MapRow& row : rows) {
        merged.emplace(row.key, row.value);
    }
    for (auto write = writes.lower_bound(range.start); write != writes.end() && (!range.end || write->first < *range.end); ++write) {
        if (write->second) {
            merged.insert_or_assign(write->first, *write->second);
        } else {
            merged.erase(write->first);
        }
    }
    detail::MapRows result(merged.begin(), merged.end());
    if (range.reverse) {
        std::reverse(result.begin(), result.end());
    }
    if (result.size() > range.limit) {
        result.resize(range.limit);
    }
    return result;
}

}  // namespace

void throw_store_failure(const base::Failure& failure) {
    const ErrorCode code = failure.code == base::FailureCode::store_full      ? ErrorCode::store_full
                           : failure.code == base::FailureCode::store_damaged ? ErrorCode::store_damaged
                                                                              : ErrorCode::store_unavailable;
    throw Error(code, failure.sentence);
}

store::MapRange bounded_range(const detail::MapRangeRequest& range, const base::Limits& limits) {
    if (range.limit > limits.range_rows) {
        throw std::invalid_argument("range(): a limit of " + std::to_string(range.limit) + " rows; the most that one range may return is " +
                                    std::to_string(limits.range_rows) + ": go on from the last key");
    }
    return {range.start, range.end, range.limit == 0 ? limits.range_rows : range.limit, range.reverse};
}

TransactionView::TransactionView(std::unique_ptr<store::Snapshot> snapshot, const base::Limits& limits, const MapOwners& owners, std::int64_t now_ms)
    : snapshot_(std::move(snapshot)), limits_(limits), owners_(owners), now_ms_(now_ms) {}

std::string TransactionView::map_name(detail::MapScope scope, std::string_view name) const { return map_name_of(owners_, scope, name); }

std::optional<std::string> TransactionView::map_get(std::string_view map, std::string_view key) {
    if (const auto writes = writes_.find(map); writes != writes_.end()) {
        if (const auto write = writes->second.find(key); write != writes->second.end()) {
            return write->second;
        }
    }
    std::optional<store::MapRow> row = value_of(snapshot_->get(map, key));
    conditions_.emplace_back(store::ExpectMapRow{std::string(map), std::string(key), row ? row->version : 0, now_ms_});
    return row ? std::optional(std::move(row->value)) : std::nullopt;
}

detail::MapRows TransactionView::map_range(std::string_view map, const detail::MapRangeRequest& request) {
    return read_range(map, bounded_range(request, limits_));
}

std::uint64_t TransactionView::map_count(std::string_view map) {
    // A count depends on every row of the map, so the condition has to name them all; one more than there are, to notice an insertion.
    const std::uint64_t rows = value_of(snapshot_->count(map));
    const auto writes = writes_.find(map);
    const std::size_t written = writes == writes_.end() ? 0 : writes->second.size();
    return read_range(map, {"", std::nullopt, static_cast<std::size_t>(rows) + written + 1, false}).size();
}

detail::MapRows TransactionView::read_range(std::string_view map, const store::MapRange& asked) {
    static const Writes none;
    const auto found = writes_.find(map);
    const Writes& writes = found == writes_.end() ? none : found->second;
    store::MapRange read = asked;
    read.limit += writes.size();  // each buffered erasure can hide one row of the store
    const std::vector<store::MapRow> rows = value_of(snapshot_->range(map, read));
    store::ExpectMapRange condition{std::string(map), read, {}, now_ms_};
    condition.found.reserve(rows.size());
    for (const store::MapRow& row : rows) {
        condition.found.emplace_back(row.key, row.version);
    }
    conditions_.emplace_back(std::move(condition));
    return merge(rows, writes, asked);
}

void TransactionView::map_put(std::string_view map, std::string_view key, std::string value) {
    check_row(key, value, limits_);
    writes_[std::string(map)].insert_or_assign(std::string(key), std::move(value));
}

void TransactionView::map_erase(std::string_view map, std::string_view key) { writes_[std::string(map)].insert_or_assign(std::string(key), std::nullopt); }

store::Group TransactionView::finish() {
    snapshot_.reset();
    store::Group group = std::move(conditions_);
    for (auto& [map, writes] : writes_) {
        for (auto& [key, value] : writes) {
            if (value) {
                group.emplace_back(store::PutMapRow{map, key, std::move(*value), expiry_of(map, limits_, now_ms_)});
                grown_.emplace(store::scope_of(map).name);
            } else {
                group.emplace_back(store::EraseMapRow{map, key});
            }
        }
    }
    for (const std::string& scope : grown_) {
        const base::ScopeLimits& allowed = limits_of(scope, limits_);
        if (allowed.rows != 0 || allowed.bytes != 0) {
            group.emplace_back(store::LimitScope{scope, allowed.rows, allowed.bytes});
        }
    }
    return group;
}

}  // namespace durable_mcp::runtime
