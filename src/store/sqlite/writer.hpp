// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "store/sqlite/connection.hpp"
#include "store/store.hpp"

namespace durable_mcp::store::sqlite {

/// The one connection that writes and checkpoints. One thread at a time.
class Writer {
public:
    /// `connection` has the schema of this program.
    explicit Writer(std::unique_ptr<Connection> connection);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Reads what it must remember. Once, before the first commit.
    [[nodiscard]] std::optional<base::Failure> start();

    /// Store::commit(), but for remembering the poison.
    [[nodiscard]] BatchOutcome commit(std::span<const Group* const> groups);

    /// Copies the WAL into the database when it is long enough to be worth it, and begins it anew when it is too long. A failure means that
    /// nobody knows what of the database file reached the disk: the store is poisoned then.
    [[nodiscard]] std::optional<base::Failure> tidy();

    [[nodiscard]] Connection& connection() { return *connection_; }
    [[nodiscard]] int wal_pages() const { return wal_pages_.load(std::memory_order_relaxed); }

private:
    enum class Applied { whole, conflict, exceeded, orphaned, failed };
    static bool is_refused(Applied applied) { return applied != Applied::whole && applied != Applied::failed; }
    static GroupOutcome outcome_of(Applied applied);

    Applied apply_batch(std::span<const Group* const> groups, bool under_savepoints, std::vector<GroupOutcome>& outcomes, bool& torn);
    Applied apply(const Group& group, bool& wrote);

    Applied apply_one(const PutSession& write);
    Applied apply_one(const TouchSession& write);
    Applied apply_one(const DropSession& write);
    Applied apply_one(const DropStream& write);
    Applied apply_one(const InsertCall& write);
    Applied apply_one(const UpdateCall& write);
    Applied apply_one(const CountAttempt& write);
    Applied apply_one(const AppendEntry& write);
    Applied apply_one(const DropEntries& write);
    Applied apply_one(const AppendEvent& write);
    Applied apply_one(const PutHandle& write);
    Applied apply_one(const InsertArrival& write);
    Applied apply_one(const DropCall& write);
    Applied apply_one(const DropHandle& write);
    Applied apply_one(const DropEvents& write);
    Applied apply_one(const ReleaseSpace& write);
    Applied apply_one(const PutSecret& write);
    Applied apply_one(const DropSecret& write);
    Applied apply_one(const PutMapRow& write);
    Applied apply_one(const EraseMapRow& write);
    Applied apply_one(const DropExpiredRows& write);
    Applied apply_one(const ExpectMapRow& write);
    Applied apply_one(const ExpectMapRange& write);
    Applied apply_one(const ExpectRunning& write);
    Applied apply_one(const LimitScope& write);

    /// The bytes of a row's value; `is_there` says whether there is a row.
    Applied look_up_size(const std::string& map, const std::string& key, bool& is_there, std::int64_t& bytes);
    Applied look_for_owner(std::string_view map);
    /// Takes away all maps of a scope that is not the server's.
    Applied drop_scope(const std::string& scope);
    /// Of the session, and of those of its calls that go with it.
    Applied drop_maps_of_session(const std::string& session);

    Applied trim(const DropCall& write, bool& is_whole);
    Applied freed_pages(std::int64_t& pages);
    Applied written(Statement& statement);
    Applied failed(int code);
    bool done(Sql which);
    /// What a batch that failed before COMMIT, or at it, comes to; rolls back what is open.
    base::Failure settle_failure(bool at_commit);
    std::optional<base::Failure> checkpoint(int mode);

    const std::unique_ptr<Connection> connection_;
    std::uint64_t map_version_ = 0;
    bool map_written_ = false;
    std::optional<std::int64_t> free_before_;  // free pages when this batch began to trim
    bool has_shrunk_ = false;                  // the database file can be cut by the next checkpoint
    int code_ = SQLITE_OK;  // of the last statement that failed
    std::atomic<int> wal_pages_{0};
    int restart_at_pages_;
};

}  // namespace durable_mcp::store::sqlite
