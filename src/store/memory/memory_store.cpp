// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_store.hpp"

// Everything under one mutex: the tables, and what a test has asked of this store.

#include <algorithm>
#include <mutex>
#include <utility>

#include "store/memory/tables.hpp"

namespace durable_mcp::store {
namespace {

using base::Failure;
using base::FailureCode;
using memory::Map;
using memory::Maps;
using memory::rows_in;
using memory::Tables;

class MemorySnapshot final : public Snapshot {
public:
    MemorySnapshot(const Tables& tables, std::int64_t now_ms, std::shared_ptr<std::mutex> guard)
        : maps_(tables.maps), scopes_(tables.scopes), now_ms_(now_ms), guard_(std::move(guard)) {}
    ~MemorySnapshot() override {  // the store asks under the guard who else holds a map before it writes to it
        const std::lock_guard lock(*guard_);
        maps_.clear();
    }

    base::Result<std::optional<MapRow>> get(std::string_view map, std::string_view key) override {
        if (const auto* rows = find(map)) {
            if (const auto row = rows->find(key); row != rows->end() && row->second.is_seen(now_ms_)) {
                return std::optional<MapRow>(MapRow{row->first, row->second.bytes, row->second.version});
            }
        }
        return std::optional<MapRow>();
    }

    base::Result<std::vector<MapRow>> range(std::string_view map, const MapRange& range) override {
        const auto* rows = find(map);
        return rows != nullptr ? rows_in(*rows, range, now_ms_) : std::vector<MapRow>();
    }

    base::Result<std::uint64_t> count(std::string_view map) override {
        const auto* rows = find(map);
        if (rows == nullptr) {
            return std::uint64_t{0};
        }
        return static_cast<std::uint64_t>(std::count_if(rows->begin(), rows->end(), [this](const auto& row) { return row.second.is_seen(now_ms_); }));
    }

    base::Result<ScopeUsage> usage(std::string_view scope) override {
        const auto found = scopes_.find(scope);
        return found != scopes_.end() ? found->second : ScopeUsage();
    }

private:
    const Map* find(std::string_view name) const {
        const auto found = maps_.find(name);
        return found != maps_.end() ? found->second.get() : nullptr;
    }

    Maps maps_;
    const std::map<std::string, ScopeUsage, std::less<>> scopes_;
    const std::int64_t now_ms_;
    const std::shared_ptr<std::mutex> guard_;
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
    base::Result<std::optional<HandleRow>> handle(std::string_view call) override {
        return read([call](const Tables& t) {
            const auto found = t.handles.find(call);
            return found != t.handles.end() ? std::optional(found->second) : std::nullopt;
        });
    }
    base::Result<std::optional<HandleRow>> handle_of_key(std::string_view idempotency_key) override {
        return read([idempotency_key](const Tables& t) {
            const auto found = t.keys.find(idempotency_key);
            return found != t.keys.end() ? std::optional(t.handles.at(found->second)) : std::nullopt;
        });
    }
    base::Result<std::vector<HandleRow>> handles(std::string_view owner, std::uint32_t reach, std::string_view before,
                                                 std::size_t limit) override {
        return read([&](const Tables& t) {
            std::vector<HandleRow> rows;
            for (auto at = before.empty() ? t.handles.end() : t.handles.lower_bound(before);
                 at != t.handles.begin() && rows.size() < limit;) {
                --at;
                if (at->second.owner == owner && (at->second.reach & reach) != 0) {
                    rows.push_back(at->second);
                }
            }
            return rows;
        });
    }
    base::Result<std::vector<HandleRow>> expired_handles(std::int64_t now_ms, const HandleRow* after, std::size_t limit) override {
        return read([&](const Tables& t) {
            const auto is_before = [](const HandleRow& a, const HandleRow& b) {
                return std::pair(a.created_ms + a.ttl_ms, std::string_view(a.call)) < std::pair(b.created_ms + b.ttl_ms, std::string_view(b.call));
            };
            std::vector<HandleRow> rows;
            for (const auto& [call, row] : t.handles) {
                // Written so that nothing overflows.
                const bool is_over = row.ttl_ms > 0 && row.created_ms <= now_ms && now_ms - row.created_ms >= row.ttl_ms;
                if (is_over && (after == nullptr || is_before(*after, row))) {
                    rows.push_back(row);
                }
            }
            std::sort(rows.begin(), rows.end(), is_before);
            rows.resize(std::min(rows.size(), limit));
            return rows;
        });
    }
    base::Result<std::vector<ArrivalRow>> arrivals(std::string_view call) override {
        return read([call](const Tables& t) {
            std::vector<ArrivalRow> rows;
            if (const auto found = t.arrivals.find(call); found != t.arrivals.end()) {
                for (const auto& [key, payload] : found->second) {
                    rows.push_back({key, payload});
                }
            }
            return rows;
        });
    }
    base::Result<std::vector<SecretRow>> secrets() override {
        return read([](const Tables& t) {
            std::vector<SecretRow> rows;
            for (const auto& [id, row] : t.secrets) {
                rows.push_back(row);
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
                    rows.push_back({found->first, at->first, at->second.payload, at->second.created_ms});
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
    base::Result<std::unique_ptr<Snapshot>> snapshot(std::int64_t now_ms) override {
        return read([&](const Tables& t) -> std::unique_ptr<Snapshot> { return std::make_unique<MemorySnapshot>(t, now_ms, mutex_); });
    }
    base::Result<std::vector<std::string>> expired_maps(std::int64_t now_ms, std::size_t limit) override {
        return read([&](const Tables& t) {
            std::set<std::string> maps;
            std::size_t rows = 0;
            for (auto at = t.expiries.begin(); at != t.expiries.end() && std::get<0>(*at) <= now_ms && rows < limit; ++at, ++rows) {
                maps.insert(std::get<1>(*at));
            }
            return std::vector<std::string>(maps.begin(), maps.end());
        });
    }
    base::Result<std::uint64_t> first_event(std::string_view stream) override {
        return read([stream](const Tables& t) {
            const auto found = t.events.find(stream);
            return found != t.events.end() && !found->second.empty() ? found->second.begin()->first : std::uint64_t{0};
        });
    }
    base::Result<std::vector<OldCall>> finished_calls(std::int64_t from_ms, std::int64_t to_ms, std::size_t limit) override {
        return read([&](const Tables& t) {
            std::vector<OldCall> rows;
            for (auto at = t.finished.lower_bound({from_ms, {}}); at != t.finished.end() && std::get<0>(*at) <= to_ms && rows.size() < limit; ++at) {
                if (!t.handles.contains(std::get<1>(*at))) {
                    rows.push_back(t.old_call(std::get<1>(*at)));
                }
            }
            return rows;
        });
    }
    base::Result<std::int64_t> finished_since(std::size_t count) override {
        return read([&](const Tables& t) {
            for (auto at = t.finished.rbegin(); at != t.finished.rend(); ++at) {
                if (!t.handles.contains(std::get<1>(*at)) && --count == 0) {
                    return std::get<0>(*at);
                }
            }
            return std::int64_t{0};
        });
    }
    base::Result<std::vector<OldCall>> calls_of_session(std::string_view session, std::size_t limit) override {
        return read([&](const Tables& t) {
            std::vector<OldCall> rows;
            const std::string id(session);
            for (auto at = t.requests.lower_bound({id, {}}); at != t.requests.end() && at->first.first == id && rows.size() < limit; ++at) {
                if (!t.handles.contains(at->second)) {
                    rows.push_back(t.old_call(at->second));
                }
            }
            return rows;
        });
    }
    base::Result<std::vector<OldEvents>> old_events(std::int64_t to_ms, std::size_t limit) override {
        return read([&](const Tables& t) {
            std::vector<OldEvents> rows;
            for (const auto& [stream, events] : t.events) {
                std::uint64_t through = 0;
                if (events.empty() || events.rbegin()->second.created_ms == 0) {
                    continue;  // kept as long as its call, or only as a number
                }
                for (auto at = events.begin(); at != events.end() && limit > 0; ++at) {
                    if (at->second.created_ms > 0 && at->second.created_ms <= to_ms) {
                        through = at->first;
                        --limit;
                    }
                }
                if (through > 0) {
                    rows.push_back({stream, through});
                }
            }
            return rows;
        });
    }
    base::Result<Space> space() override {
        return read([](const Tables& t) { return Space{t.bytes(), 0}; });
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
