// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_store.hpp"

// Everything under one mutex. The maps of the user are shared with snapshots and copied before the first write that a snapshot must not
// see. A group is applied write by write; what each write changed is noted, and taken back in reverse order when a later one finds a
// conflict.

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

namespace durable_mcp::store {
namespace {

using base::Failure;
using base::FailureCode;

struct Value {
    std::string bytes;
    std::uint64_t version = 0;
};
using Map = std::map<std::string, Value, std::less<>>;
using Maps = std::map<std::string, std::shared_ptr<Map>, std::less<>>;

std::vector<MapRow> rows_in(const Map& map, const MapRange& range) {
    std::vector<MapRow> rows;
    const auto first = map.lower_bound(range.start);
    const auto last = range.end ? map.lower_bound(*range.end) : map.end();
    if (range.end && *range.end <= range.start) {
        return rows;
    }
    if (range.reverse) {
        for (auto at = last; at != first && rows.size() < range.limit;) {
            --at;
            rows.push_back({at->first, at->second.bytes, at->second.version});
        }
    } else {
        for (auto at = first; at != last && rows.size() < range.limit; ++at) {
            rows.push_back({at->first, at->second.bytes, at->second.version});
        }
    }
    return rows;
}

class MemorySnapshot final : public Snapshot {
public:
    MemorySnapshot(Maps maps, std::shared_ptr<std::mutex> guard) : maps_(std::move(maps)), guard_(std::move(guard)) {}
    ~MemorySnapshot() override {  // the store asks under the guard who else holds a map before it writes to it
        const std::lock_guard lock(*guard_);
        maps_.clear();
    }

    base::Result<std::optional<MapRow>> get(std::string_view map, std::string_view key) override {
        if (const auto* rows = find(map)) {
            if (const auto row = rows->find(key); row != rows->end()) {
                return std::optional<MapRow>(MapRow{row->first, row->second.bytes, row->second.version});
            }
        }
        return std::optional<MapRow>();
    }

    base::Result<std::vector<MapRow>> range(std::string_view map, const MapRange& range) override {
        const auto* rows = find(map);
        return rows != nullptr ? rows_in(*rows, range) : std::vector<MapRow>();
    }

    base::Result<std::uint64_t> count(std::string_view map) override {
        const auto* rows = find(map);
        return rows != nullptr ? std::uint64_t{rows->size()} : std::uint64_t{0};
    }

private:
    const Map* find(std::string_view name) const {
        const auto found = maps_.find(name);
        return found != maps_.end() ? found->second.get() : nullptr;
    }

    Maps maps_;
    const std::shared_ptr<std::mutex> guard_;
};

/// What is kept, and what each write does to it. Not thread-safe.
class Tables {
public:
    std::map<std::string, SessionRow, std::less<>> sessions;
    std::map<std::string, CallRow, std::less<>> calls;
    std::map<std::pair<std::string, std::string>, std::string> requests;  // (session, request_id) → call
    std::set<std::pair<std::string, std::string>> streams;                // (stream, call)
    std::set<std::tuple<std::int64_t, std::string>> unfinished;           // (accepted_ms, call)
    std::map<std::string, std::map<std::uint64_t, journal::Entry>, std::less<>> entries;
    std::map<std::string, std::map<std::uint64_t, std::string>, std::less<>> events;
    Maps maps;

    GroupOutcome apply(const Group& group) {
        undo_.clear();
        for (const Write& write : group) {
            if (!std::visit([this](const auto& w) { return apply_one(w); }, write)) {
                for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) {
                    (*step)();
                }
                undo_.clear();
                return GroupOutcome::conflict;
            }
        }
        undo_.clear();
        return GroupOutcome::committed;
    }

private:
    bool apply_one(const PutSession& w) {
        remember(sessions, w.row.id);
        sessions[w.row.id] = w.row;
        return true;
    }
    bool apply_one(const TouchSession& w) {
        if (const auto found = sessions.find(w.id); found != sessions.end()) {
            remember(sessions, w.id);
            found->second.last_seen_ms = w.last_seen_ms;
        }
        return true;
    }
    bool apply_one(const DropSession& w) {
        std::vector<std::string> doomed;
        if (!w.id.empty()) {
            for (auto at = requests.lower_bound({w.id, {}}); at != requests.end() && at->first.first == w.id; ++at) {
                doomed.push_back(at->second);
            }
        }
        for (const std::string& id : doomed) {
            remember(events, calls[id].stream);
            events.erase(calls[id].stream);
            remember(entries, id);
            entries.erase(id);
            const CallRow row = calls[id];
            undo_.emplace_back([this, row] { enter(row); });
            leave(row);
        }
        remember(sessions, w.id);
        sessions.erase(w.id);
        return true;
    }
    bool apply_one(const DropStream& w) {
        remember(events, w.stream);
        events.erase(w.stream);
        return true;
    }
    bool apply_one(const InsertCall& w) {
        if (calls.count(w.row.id) != 0 || (!w.row.session.empty() && requests.count({w.row.session, w.row.request_id}) != 0)) {
            return false;
        }
        undo_.emplace_back([this, row = w.row] { leave(row); });
        enter(w.row);
        return true;
    }
    bool apply_one(const UpdateCall& w) {
        if (const auto found = calls.find(w.id); found != calls.end()) {
            CallRow row = found->second;
            row.state = w.state;
            row.answer_event = w.answer_event;
            row.finished_ms = w.finished_ms;
            replace(row);
        }
        return true;
    }
    bool apply_one(const CountAttempt& w) {
        if (const auto found = calls.find(w.id); found != calls.end()) {
            CallRow row = found->second;
            row.attempts = w.attempts;
            row.crashed_attempts = w.crashed_attempts;
            row.crash_mark = w.crash_mark;
            replace(row);
        }
        return true;
    }
    bool apply_one(const AppendEntry& w) {
        if (calls.count(w.call) == 0 || !entries[w.call].emplace(w.entry.seq, w.entry).second) {
            return false;
        }
        undo_.emplace_back([this, call = w.call, seq = w.entry.seq] { entries[call].erase(seq); });
        return true;
    }
    bool apply_one(const AppendEvent& w) {
        if (!events[w.row.stream].emplace(w.row.seq, w.row.payload).second) {
            return false;
        }
        undo_.emplace_back([this, stream = w.row.stream, seq = w.row.seq] { events[stream].erase(seq); });
        return true;
    }
    bool apply_one(const PutMapRow& w) {
        Map& map = own(w.map);
        remember_row(w.map, w.key);
        map[w.key] = {w.value, ++last_version_};
        return true;
    }
    bool apply_one(const EraseMapRow& w) {
        Map& map = own(w.map);
        remember_row(w.map, w.key);
        map.erase(w.key);
        return true;
    }
    bool apply_one(const ExpectMapRow& w) {
        const Map& map = look(w.map);
        const auto found = map.find(w.key);
        return (found != map.end() ? found->second.version : 0) == w.version;
    }
    bool apply_one(const ExpectMapRange& w) {
        const auto rows = rows_in(look(w.map), w.range);
        return std::equal(rows.begin(), rows.end(), w.found.begin(), w.found.end(),
                          [](const MapRow& row, const auto& found) { return row.key == found.first && row.version == found.second; });
    }
    bool apply_one(const ExpectRunning& w) {
        const auto found = calls.find(w.call);
        return found != calls.end() && found->second.state <= CallState::suspended;
    }

    template <class Table>
    void remember(Table& table, const std::string& key) {
        const auto found = table.find(key);
        if (found == table.end()) {
            undo_.emplace_back([&table, key] { table.erase(key); });
        } else {
            undo_.emplace_back([&table, key, before = found->second] { table[key] = before; });
        }
    }
    void remember_row(const std::string& map, const std::string& key) {
        const auto found = maps[map]->find(key);
        if (found == maps[map]->end()) {
            undo_.emplace_back([this, map, key] { own(map).erase(key); });
        } else {
            undo_.emplace_back([this, map, key, before = found->second] { own(map)[key] = before; });
        }
    }

    const Map& look(const std::string& name) const {
        static const Map none;
        const auto found = maps.find(name);
        return found != maps.end() ? *found->second : none;
    }

    /// The map, for us alone to change.
    Map& own(const std::string& name) {
        auto& map = maps[name];
        if (!map) {
            map = std::make_shared<Map>();
        } else if (map.use_count() > 1) {
            map = std::make_shared<Map>(*map);
        }
        return *map;
    }

    void replace(const CallRow& row) {
        undo_.emplace_back([this, before = calls[row.id]] {
            leave(calls[before.id]);
            enter(before);
        });
        leave(CallRow(calls[row.id]));
        enter(row);
    }
    void enter(const CallRow& row) {
        calls[row.id] = row;
        streams.insert({row.stream, row.id});
        if (!row.session.empty()) {
            requests[{row.session, row.request_id}] = row.id;
        }
        if (row.state <= CallState::suspended) {
            unfinished.insert({row.accepted_ms, row.id});
        }
    }
    void leave(const CallRow& row) {
        streams.erase({row.stream, row.id});
        requests.erase({row.session, row.request_id});
        unfinished.erase({row.accepted_ms, row.id});
        calls.erase(std::string(row.id));
    }

    std::uint64_t last_version_ = 0;
    std::vector<std::function<void()>> undo_;
};

class TheMemoryStore final : public MemoryStore {
public:
    void on_commit(std::function<std::optional<CommitFault>(std::uint64_t)> hook) override {
        const std::lock_guard lock(*mutex_);
        hook_ = std::move(hook);
    }
    void set_full(bool full) override {
        const std::lock_guard lock(*mutex_);
        full_ = full;
    }
    void reopen() override {
        const std::lock_guard lock(*mutex_);
        poison_.reset();
    }

    BatchOutcome commit(std::span<const Group* const> groups) override {
        std::unique_lock lock(*mutex_);
        if (poison_) {
            return *poison_;
        }
        const auto nth = ++commits_;
        if (hook_) {
            const auto hook = hook_;
            lock.unlock();
            const auto fault = hook(nth);
            lock.lock();
            if (fault) {
                if (fault->failure.code == FailureCode::outcome_unknown) {
                    poison_ = fault->failure;
                    if (fault->applied) {
                        static_cast<void>(apply(groups));
                    }
                }
                return fault->failure;
            }
        }
        if (full_) {
            return Failure{FailureCode::store_full, "The store in memory was told to be full."};
        }
        return apply(groups);
    }

    bool restore_reserve() override {
        const std::lock_guard lock(*mutex_);
        return !full_;
    }

    base::Result<std::vector<SessionRow>> sessions() override {
        return read([](const Tables& t) {
            std::vector<SessionRow> rows;
            for (const auto& [id, row] : t.sessions) {
                rows.push_back(row);
            }
            return rows;
        });
    }
    base::Result<std::optional<CallRow>> call(std::string_view id) override {
        return read([id](const Tables& t) {
            const auto found = t.calls.find(id);
            return found != t.calls.end() ? std::optional(found->second) : std::nullopt;
        });
    }
    base::Result<std::optional<CallRow>> call_of_request(std::string_view session, std::string_view request_id) override {
        return read([&](const Tables& t) {
            const auto found = t.requests.find({std::string(session), std::string(request_id)});
            return found != t.requests.end() ? std::optional(t.calls.at(found->second)) : std::nullopt;
        });
    }
    base::Result<std::vector<CallRow>> calls_of_stream(std::string_view stream) override {
        return read([stream](const Tables& t) {
            std::vector<CallRow> rows;
            for (auto at = t.streams.lower_bound({std::string(stream), {}}); at != t.streams.end() && at->first == stream; ++at) {
                rows.push_back(t.calls.at(at->second));
            }
            return rows;
        });
    }
    base::Result<std::vector<CallRow>> unfinished_calls() override {
        return read([](const Tables& t) {
            std::vector<CallRow> rows;
            for (const auto& [accepted, id] : t.unfinished) {
                rows.push_back(t.calls.at(id));
            }
            return rows;
        });
    }
    base::Result<std::vector<journal::Entry>> entries(std::string_view call) override {
        return read([call](const Tables& t) {
            std::vector<journal::Entry> rows;
            if (const auto found = t.entries.find(call); found != t.entries.end()) {
                for (const auto& [seq, entry] : found->second) {
                    rows.push_back(entry);
                }
            }
            return rows;
        });
    }
    base::Result<std::vector<EventRow>> events(std::string_view stream, std::uint64_t after, std::size_t limit) override {
        return read([&](const Tables& t) {
            std::vector<EventRow> rows;
            if (const auto found = t.events.find(stream); found != t.events.end()) {
                for (auto at = found->second.upper_bound(after); at != found->second.end() && rows.size() < limit; ++at) {
                    rows.push_back({found->first, at->first, at->second});
                }
            }
            return rows;
        });
    }
    base::Result<std::uint64_t> last_event(std::string_view stream) override {
        return read([stream](const Tables& t) {
            const auto found = t.events.find(stream);
            return found != t.events.end() && !found->second.empty() ? found->second.rbegin()->first : std::uint64_t{0};
        });
    }
    base::Result<std::unique_ptr<Snapshot>> snapshot() override {
        return read([this](const Tables& t) -> std::unique_ptr<Snapshot> { return std::make_unique<MemorySnapshot>(t.maps, mutex_); });
    }

    std::string describe() const override { return R"({"engine":"memory","durability":"none: lives as long as the process"})"; }

private:
    std::vector<GroupOutcome> apply(std::span<const Group* const> groups) {
        std::vector<GroupOutcome> outcomes;
        outcomes.reserve(groups.size());
        for (const Group* group : groups) {
            outcomes.push_back(tables_.apply(*group));
        }
        return outcomes;
    }

    template <class Query>
    auto read(Query query) -> base::Result<decltype(query(std::declval<const Tables&>()))> {
        const std::lock_guard lock(*mutex_);
        if (poison_) {
            return Failure{FailureCode::store_unavailable, "The store is not readable any more: " + poison_->sentence};
        }
        return query(tables_);
    }

    const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();  // snapshots may outlive the store
    Tables tables_;
    std::function<std::optional<CommitFault>(std::uint64_t)> hook_;
    std::optional<Failure> poison_;
    std::uint64_t commits_ = 0;
    bool full_ = false;
};

}  // namespace

std::shared_ptr<MemoryStore> open_memory_store() {
    return std::make_shared<TheMemoryStore>();
}

}  // namespace durable_mcp::store
