// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.hpp"

// One Writer (the only connection that writes or checkpoints: reliability.md §0, row 2), a ReaderPool, the files around them, and the
// poison: once a commit or a checkpoint failed in a way that leaves its outcome open, every later call fails, and closing leaves the WAL as
// it is.

#include <nlohmann/json.hpp>

#include <atomic>
#include <mutex>
#include <utility>

#include "store/sqlite/failure.hpp"
#include "store/sqlite/fork_guard.hpp"
#include "store/sqlite/handle_reader.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/retention_reader.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/store_files.hpp"
#include "store/sqlite/writer.hpp"

namespace durable_mcp::store {
namespace sqlite {
namespace {

using base::Failure;
using base::FailureCode;

class SqliteStore final : public Store, public std::enable_shared_from_this<SqliteStore> {
public:
    SqliteStore(SqliteOptions options, StoreFiles files, std::unique_ptr<Connection> writer)
        : options_(std::move(options)),
          files_(std::move(files)),
          guard_(files_.lock_fd()),
          writer_(std::move(writer)),
          readers_(files_.path(), options_.vfs, static_cast<int>(options_.busy_timeout.count())) {}

    ~SqliteStore() override {
        if (guard_.is_in_child()) {
            writer_.connection().abandon();
            readers_.abandon();
            files_.abandon();
        } else {
            writer_.connection().checkpoint_on_close(!poisoned_.load());
        }
    }

    std::optional<Failure> start() {
        static_cast<void>(files_.restore_ballast());  // no room for it: then there is none until there is
        return writer_.start();
    }

    BatchOutcome commit(std::span<const Group* const> groups) override {
        guard_.check();
        if (poisoned_.load(std::memory_order_acquire)) {
            return Failure{FailureCode::outcome_unknown, poison_sentence()};
        }
        BatchOutcome outcome = writer_.commit(groups);
        if (!outcome && outcome.error().code == FailureCode::outcome_unknown) {
            poison(outcome.error());
        }
        return outcome;
    }

    std::optional<Failure> tidy() override {
        guard_.check();
        if (poisoned_.load(std::memory_order_acquire)) {
            return Failure{FailureCode::outcome_unknown, poison_sentence()};
        }
        auto failure = writer_.tidy();
        if (failure) {
            poison(*failure);
        }
        return failure;
    }

    bool release_reserve() override { return files_.release_ballast(); }
    bool restore_reserve() override { return files_.restore_ballast(); }

    base::Result<std::vector<SessionRow>> sessions() override {
        return read([this](Connection& reader) { return read_sessions(reader, files_.path()); });
    }
    base::Result<std::optional<CallRow>> call(std::string_view id) override {
        return read([&](Connection& reader) { return only(read_calls(reader, files_.path(), Sql::call, id)); });
    }
    base::Result<std::optional<CallRow>> call_of_request(std::string_view session, std::string_view request_id) override {
        return read([&](Connection& reader) { return only(read_calls(reader, files_.path(), Sql::call_of_request, session, request_id)); });
    }
    base::Result<std::vector<CallRow>> calls_of_stream(std::string_view stream) override {
        return read([&](Connection& reader) { return read_calls(reader, files_.path(), Sql::calls_of_stream, stream); });
    }
    base::Result<std::vector<CallRow>> unfinished_calls() override {
        return read([&](Connection& reader) { return read_calls(reader, files_.path(), Sql::unfinished_calls); });
    }
    base::Result<std::optional<HandleRow>> handle(std::string_view call) override {
        return read([&](Connection& reader) { return read_handle(reader, files_.path(), Sql::handle, call); });
    }
    base::Result<std::optional<HandleRow>> handle_of_key(std::string_view idempotency_key) override {
        return read([&](Connection& reader) { return read_handle(reader, files_.path(), Sql::handle_of_key, idempotency_key); });
    }
    base::Result<std::vector<HandleRow>> handles(std::string_view owner, std::uint32_t reach, std::string_view before,
                                                 std::size_t limit) override {
        return read([&](Connection& reader) { return read_handles(reader, files_.path(), owner, reach, before, limit); });
    }
    base::Result<std::vector<HandleRow>> expired_handles(std::int64_t now_ms, const HandleRow* after, std::size_t limit) override {
        return read([&](Connection& reader) { return read_expired_handles(reader, files_.path(), now_ms, after, limit); });
    }
    base::Result<std::vector<ArrivalRow>> arrivals(std::string_view call) override {
        return read([&](Connection& reader) { return read_arrivals(reader, files_.path(), call); });
    }
    base::Result<std::vector<SecretRow>> secrets() override {
        return read([this](Connection& reader) { return read_secrets(reader, files_.path()); });
    }
    base::Result<std::vector<journal::Entry>> entries(std::string_view call) override {
        return read([&](Connection& reader) { return read_entries(reader, files_.path(), call); });
    }
    base::Result<std::vector<EventRow>> events(std::string_view stream, std::uint64_t after, std::size_t limit) override {
        return read([&](Connection& reader) { return read_events(reader, files_.path(), stream, after, limit); });
    }
    base::Result<std::uint64_t> last_event(std::string_view stream) override {
        return read([&](Connection& reader) { return read_last_event(reader, files_.path(), stream); });
    }
    base::Result<std::uint64_t> first_event(std::string_view stream) override {
        return read([&](Connection& reader) { return read_first_event(reader, files_.path(), stream); });
    }
    base::Result<std::vector<OldCall>> finished_calls(std::int64_t from_ms, std::int64_t to_ms, std::size_t limit) override {
        return read([&](Connection& reader) { return read_finished_calls(reader, files_.path(), from_ms, to_ms, limit); });
    }
    base::Result<std::int64_t> finished_since(std::size_t count) override {
        return read([&](Connection& reader) { return read_finished_since(reader, files_.path(), count); });
    }
    base::Result<std::vector<OldCall>> calls_of_session(std::string_view session, std::size_t limit) override {
        return read([&](Connection& reader) { return read_calls_of_session(reader, files_.path(), session, limit); });
    }
    base::Result<std::vector<OldEvents>> old_events(std::int64_t to_ms, std::size_t limit) override {
        return read([&](Connection& reader) { return read_old_events(reader, files_.path(), to_ms, limit); });
    }
    base::Result<Space> space() override {
        return read([this](Connection& reader) { return read_space(reader, files_.path()); });
    }
    base::Result<std::unique_ptr<Snapshot>> snapshot(std::int64_t now_ms) override;
    base::Result<std::vector<std::string>> expired_maps(std::int64_t now_ms, std::size_t limit) override {
        return read([&](Connection& reader) { return read_expired_maps(reader, files_.path(), now_ms, limit); });
    }

    std::string describe() const override {
        nlohmann::json facts = {
            {"engine", "sqlite"},
            {"engine_version", sqlite3_libversion()},
            {"wal_reset_bug",
             has_wal_reset_bug(sqlite3_libversion_number())
                 ? "this SQLite has it (fixed in 3.51.3, 3.50.7 and 3.44.6); it cannot strike here, because one connection "
                   "alone writes and checkpoints: let no other program write to this file"
                 : "this SQLite does not have it"},
            {"durability", options_.durability == SqliteDurability::full ? "full" : "relaxed: power loss may take the last commits"},
            {"path", files_.path()},
            {"schema", schema_version},
            {"wal_bytes", static_cast<std::int64_t>(writer_.wal_pages()) * 4096},
            {"poisoned", poisoned_.load()},
        };
        if (const auto copies = copies_of(files_.path()); !copies.empty()) {
            facts["copies"] = copies;
        }
        return facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    class ReadTransaction;

    template <class Query>
    auto read(Query query) -> decltype(query(std::declval<Connection&>())) {
        auto lease = borrow();
        if (!lease) {
            return lease.error();
        }
        return query(**lease);
    }

    base::Result<ReaderPool::Lease> borrow() {
        guard_.check();
        if (poisoned_.load(std::memory_order_acquire)) {
            return Failure{FailureCode::store_unavailable, poison_sentence()};
        }
        return readers_.borrow();
    }

    static base::Result<std::optional<CallRow>> only(base::Result<std::vector<CallRow>> rows) {
        if (!rows) {
            return rows.error();
        }
        return rows->empty() ? std::optional<CallRow>() : std::optional<CallRow>(std::move(rows->front()));
    }

    void poison(const Failure& failure) {
        const std::lock_guard lock(poison_mutex_);
        if (poison_.empty()) {
            poison_ = failure.sentence;
        }
        poisoned_.store(true, std::memory_order_release);
    }
    std::string poison_sentence() const {
        const std::lock_guard lock(poison_mutex_);
        return "The store " + files_.path() + " must be opened anew. " + poison_;
    }

    const SqliteOptions options_;
    StoreFiles files_;  // first in, last out: the lock is held until every connection is closed
    const ForkGuard guard_;
    Writer writer_;
    ReaderPool readers_;
    std::atomic<bool> poisoned_{false};
    mutable std::mutex poison_mutex_;
    std::string poison_;
};

/// A snapshot: a read transaction on a connection of its own. It keeps the store open.
class SqliteStore::ReadTransaction final : public Snapshot {
public:
    ReadTransaction(std::shared_ptr<SqliteStore> store, ReaderPool::Lease lease, std::int64_t now_ms)
        : store_(std::move(store)), lease_(std::move(lease)), now_ms_(now_ms) {}
    ~ReadTransaction() override {
        if (store_->guard_.is_in_child()) {
            static_cast<void>(lease_.release());  // leaked: closing it would touch the parent's locks
        } else {
            lease_->run("COMMIT");
        }
    }

    /// SQLite chooses the state that a transaction sees when it reads for the first time, so read something now.
    std::optional<Failure> begin() {
        int code = lease_->run("BEGIN");
        std::int64_t ignored = 0;
        code = code == SQLITE_OK ? lease_->ask("SELECT 1 FROM meta", ignored) : code;
        if (code != SQLITE_OK) {
            return read_failure(lease_->handle(), code, "Reading the store " + store_->files_.path());
        }
        return std::nullopt;
    }

    base::Result<std::optional<MapRow>> get(std::string_view map, std::string_view key) override {
        return query([&] { return read_map_row(*lease_, store_->files_.path(), map, key, now_ms_); });
    }
    base::Result<std::vector<MapRow>> range(std::string_view map, const MapRange& range) override {
        return query([&] { return read_map_range(*lease_, store_->files_.path(), map, range, now_ms_); });
    }
    base::Result<std::uint64_t> count(std::string_view map) override {
        return query([&] { return count_map(*lease_, store_->files_.path(), map, now_ms_); });
    }
    base::Result<ScopeUsage> usage(std::string_view scope) override {
        return query([&] { return read_usage(*lease_, store_->files_.path(), scope); });
    }

private:
    template <class Query>
    auto query(Query query) -> decltype(query()) {
        store_->guard_.check();
        if (store_->poisoned_.load(std::memory_order_acquire)) {
            return Failure{FailureCode::store_unavailable, store_->poison_sentence()};
        }
        return query();
    }

    const std::shared_ptr<SqliteStore> store_;
    ReaderPool::Lease lease_;  // given back before the store may go
    const std::int64_t now_ms_;
};

base::Result<std::unique_ptr<Snapshot>> SqliteStore::snapshot(std::int64_t now_ms) {
    auto lease = borrow();
    if (!lease) {
        return lease.error();
    }
    auto transaction = std::make_unique<ReadTransaction>(shared_from_this(), std::move(*lease), now_ms);
    if (auto failure = transaction->begin()) {
        return *std::move(failure);
    }
    return std::unique_ptr<Snapshot>(std::move(transaction));
}

std::optional<Failure> set_up(Connection& writer, const StoreFiles& files, SqliteDurability durability) {
    if (auto failure = refuse_foreign(writer, files.path())) {
        return failure;
    }
    // auto_vacuum counts only while the file is empty, and the mode is kept in the file; synchronous is this connection's.
    const bool full = durability == SqliteDurability::full;
    int code = writer.run("PRAGMA auto_vacuum = INCREMENTAL");
    std::string mode;
    code = code == SQLITE_OK ? writer.ask("PRAGMA journal_mode = WAL", mode) : code;
    code = code == SQLITE_OK ? writer.run(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL") : code;
    code = code == SQLITE_OK ? writer.run("PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192") : code;
    if (code != SQLITE_OK) {
        const bool no_room = meaning_of(code, write_errno(writer.handle(), File::log)) == Meaning::full;
        auto failure = read_failure(writer.handle(), code, "Setting up the store " + files.path());
        failure.code = no_room ? FailureCode::store_full : failure.code;
        return failure;
    }
    if (mode != "wal") {
        return Failure{FailureCode::store_incompatible, "The store " + files.path() +
                                                            " is not opened: SQLite cannot keep a write-ahead log there "
                                                            "(it chose '" +
                                                            mode + "'). Choose a local disk."};
    }
    if (auto failure = migrate(writer, files.path())) {
        return failure;
    }
    if (auto synced = files.sync_directory(); !synced) {
        return synced.error();
    }
    return std::nullopt;
}

class SqliteLock final : public StoreLock {
public:
    SqliteLock(SqliteOptions options, StoreFiles files) : options_(std::move(options)), files_(std::move(files)) {}

    base::Result<std::shared_ptr<Store>> open() override {
        auto writer = Connection::open(files_.path(), Connection::Role::writer, options_.vfs, static_cast<int>(options_.busy_timeout.count()));
        if (!writer) {
            return writer.error();
        }
        if (auto failure = set_up(**writer, files_, options_.durability)) {
            return *std::move(failure);
        }
        auto store = std::make_shared<SqliteStore>(options_, std::move(files_), std::move(*writer));
        if (auto failure = store->start()) {
            return *std::move(failure);
        }
        return std::shared_ptr<Store>(std::move(store));
    }

private:
    const SqliteOptions options_;
    StoreFiles files_;
};

}  // namespace
}  // namespace sqlite

base::Result<std::unique_ptr<StoreLock>> lock_sqlite_store(const SqliteOptions& options) {
    auto files = sqlite::StoreFiles::open(options.path, options.ballast_bytes);
    if (!files) {
        return files.error();
    }
    return std::unique_ptr<StoreLock>(std::make_unique<sqlite::SqliteLock>(options, std::move(*files)));
}

base::Result<std::shared_ptr<Store>> open_sqlite_store(const SqliteOptions& options) {
    auto lock = lock_sqlite_store(options);
    if (!lock) {
        return lock.error();
    }
    return (*lock)->open();
}

}  // namespace durable_mcp::store
