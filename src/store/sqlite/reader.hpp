// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/sqlite/connection.hpp"
#include "store/store.hpp"

namespace durable_mcp::store::sqlite {

// The checksums of each table: which fields, in which order (journal/FORMAT.md).
[[nodiscard]] std::int64_t session_checksum(const SessionRow& row);
[[nodiscard]] std::int64_t call_checksum(const CallRow& row);
[[nodiscard]] std::int64_t state_checksum(std::string_view call, CallState state, std::uint64_t answer_event, std::int64_t finished_ms);
[[nodiscard]] std::int64_t attempt_checksum(std::string_view call, std::uint32_t attempts, std::uint32_t crashed_attempts,
                                            std::uint64_t crash_mark);
[[nodiscard]] std::int64_t entry_checksum(std::string_view call, const journal::Entry& entry);
[[nodiscard]] std::int64_t event_checksum(const EventRow& row);
[[nodiscard]] std::int64_t map_row_checksum(std::string_view map, std::string_view key, std::string_view value, std::uint64_t version,
                                            std::int64_t expires_ms);

/// The statement that reads `range` (which is not empty), and its parameters.
[[nodiscard]] Sql range_statement(const MapRange& range);
void bind_range(Statement& statement, std::string_view map, const MapRange& range, std::int64_t now_ms);

/// Read-only connections, made when needed; a few stay open. Any thread.
class ReaderPool {
public:
    ReaderPool(std::string path, std::string vfs, int busy_timeout_ms);

    struct GiveBack {
        ReaderPool* pool;
        void operator()(Connection* connection) const { pool->give_back(connection); }
    };
    using Lease = std::unique_ptr<Connection, GiveBack>;

    /// Waits a little while all are out. Fails with `io` or `store_unavailable`.
    [[nodiscard]] base::Result<Lease> borrow();

    /// In a forked child: lets go of the connections without closing them.
    void abandon();

private:
    void give_back(Connection* connection);

    const std::string path_;
    const std::string vfs_;
    const int busy_timeout_ms_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t out_ = 0;
};

// The queries of the seam, on one connection. `path` is for the sentence of a failure.
[[nodiscard]] base::Result<std::vector<SessionRow>> read_sessions(Connection& reader, std::string_view path);
/// `which` is one of the statements that yield call rows, with `first` and (where it has one) `second` as its parameters.
[[nodiscard]] base::Result<std::vector<CallRow>> read_calls(Connection& reader, std::string_view path, Sql which,
                                                            std::string_view first = {}, std::string_view second = {});
[[nodiscard]] base::Result<std::vector<journal::Entry>> read_entries(Connection& reader, std::string_view path, std::string_view call);
[[nodiscard]] base::Result<std::vector<EventRow>> read_events(Connection& reader, std::string_view path, std::string_view stream,
                                                              std::uint64_t after, std::size_t limit);
[[nodiscard]] base::Result<std::uint64_t> read_last_event(Connection& reader, std::string_view path, std::string_view stream);
[[nodiscard]] base::Result<std::optional<MapRow>> read_map_row(Connection& reader, std::string_view path, std::string_view map,
                                                               std::string_view key, std::int64_t now_ms);
[[nodiscard]] base::Result<std::vector<MapRow>> read_map_range(Connection& reader, std::string_view path, std::string_view map,
                                                               const MapRange& range, std::int64_t now_ms);
[[nodiscard]] base::Result<std::uint64_t> count_map(Connection& reader, std::string_view path, std::string_view map, std::int64_t now_ms);
[[nodiscard]] base::Result<ScopeUsage> read_usage(Connection& reader, std::string_view path, std::string_view scope);
[[nodiscard]] base::Result<std::vector<std::string>> read_expired_maps(Connection& reader, std::string_view path, std::int64_t now_ms,
                                                                       std::size_t limit);

}  // namespace durable_mcp::store::sqlite
