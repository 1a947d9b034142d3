// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "runtime/state_names.hpp"
#include "store/store.hpp"

namespace durable_mcp::runtime {

/// One try of one transaction: reads see a snapshot with the transaction's own writes over it; what was read becomes conditions of the commit,
/// what was written becomes its writes. One thread.
///
/// Its time is that of its snapshot: which rows have expired is asked as of then, by its reads and by the conditions made of them, however
/// late the commit is.
class TransactionView final : public detail::TransactionPort {
public:
    /// `snapshot` is of `now_ms`. `owners` and `limits` must outlive this.
    TransactionView(std::unique_ptr<store::Snapshot> snapshot, const base::Limits& limits, const MapOwners& owners, std::int64_t now_ms);

    [[nodiscard]] std::string map_name(detail::MapScope scope, std::string_view name) const override;
    std::optional<std::string> map_get(std::string_view map, std::string_view key) override;
    detail::MapRows map_range(std::string_view map, const detail::MapRangeRequest& range) override;
    std::uint64_t map_count(std::string_view map) override;
    void map_put(std::string_view map, std::string_view key, std::string value) override;
    void map_erase(std::string_view map, std::string_view key) override;

    [[nodiscard]] bool has_written() const { return !writes_.empty(); }
    /// After finish(): the scopes that it put rows into.
    [[nodiscard]] const std::set<std::string>& grown_scopes() const { return grown_; }
    /// Gives the snapshot back; what the commit has to check, what it has to write, and the limits that stand against that.
    [[nodiscard]] store::Group finish();

private:
    using Writes = std::map<std::string, std::optional<std::string>, std::less<>>;  // key → value, or erased

    [[nodiscard]] detail::MapRows read_range(std::string_view map, const store::MapRange& asked);

    std::unique_ptr<store::Snapshot> snapshot_;
    const base::Limits& limits_;
    const MapOwners& owners_;
    const std::int64_t now_ms_;
    store::Group conditions_;
    std::map<std::string, Writes, std::less<>> writes_;
    std::set<std::string> grown_;
};

/// A range as the store wants it, bounded by the limit. Throws std::invalid_argument for more rows than range() may return.
[[nodiscard]] store::MapRange bounded_range(const detail::MapRangeRequest& range, const base::Limits& limits);

/// Throws durable_mcp::Error for a read that failed.
template <class T>
T value_of(base::Result<T>&& result);
[[noreturn]] void throw_store_failure(const base::Failure& failure);

template <class T>
T value_of(base::Result<T>&& result) {
    if (!result) {
        throw_store_failure(result.error());
    }
    return std::move(*result);
}

}  // namespace durable_mcp::runtime
