// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the store in memory keeps. A group is applied write by write; what each write changed is noted, and taken back in reverse order when
// a later one finds a conflict. The maps of the user are shared with snapshots and copied before the first write that a snapshot must not
// see.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/map_scope.hpp"
#include "store/store.hpp"

namespace durable_mcp::store::memory {

struct Value {
    std::string bytes;
    std::uint64_t version = 0;
    std::int64_t expires_ms = 0;

    [[nodiscard]] bool is_seen(std::int64_t now_ms) const { return expires_ms == 0 || expires_ms > now_ms; }
};
using Map = std::map<std::string, Value, std::less<>>;
using Maps = std::map<std::string, std::shared_ptr<Map>, std::less<>>;

/// The rows of `range` that are seen at `now_ms`, in its order.
inline std::vector<MapRow> rows_in(const Map& map, const MapRange& range, std::int64_t now_ms) {
    std::vector<MapRow> rows;
    const auto take = [&](const Map::value_type& row) {
        if (row.second.is_seen(now_ms)) {
            rows.push_back({row.first, row.second.bytes, row.second.version});
        }
    };
    const auto first = map.lower_bound(range.start);
    const auto last = range.end ? map.lower_bound(*range.end) : map.end();
    if (range.end && *range.end <= range.start) {
        return rows;
    }
    if (range.reverse) {
        for (auto at = last; at != first && rows.size() < range.limit;) {
            take(*--at);
        }
    } else {
        for (auto at = first; at != last && rows.size() < range.limit; ++at) {
            take(*at);
        }
    }
    return rows;
}

/// What is kept, and what each write does to it. Not thread-safe.
class Tables {
public:
    std::map<std::string, SessionRow, std::less<>> sessions;
    std::map<std::string, CallRow, std::less<>> calls;
    std::map<std::pair<std::string, std::string>, std::string> requests;  // (session, request_id) → call
    std::set<std::pair<std::string, std::string>> streams;                // (stream, call)
    std::set<std::tuple<std::int64_t, std::string>> unfinished;           // (accepted_ms, call)
    std::set<std::tuple<std::int64_t, std::string>> finished;             // (finished_ms, call)
    std::map<std::string, std::map<std::uint64_t, journal::Entry>, std::less<>> entries;
    struct Event {
        std::string payload;
        std::int64_t created_ms = 0;
    };
    using Events = std::map<std::uint64_t, Event>;
    std::map<std::string, Events, std::less<>> events;
    std::map<std::string, HandleRow, std::less<>> handles;
    std::map<std::string, std::string, std::less<>> keys;  // idempotency key → call
    std::map<std::string, std::map<std::string, std::string>, std::less<>> arrivals;
    std::map<std::uint64_t, SecretRow> secrets;
    Maps maps;
    std::map<std::string, ScopeUsage, std::less<>> scopes;
    std::set<std::tuple<std::int64_t, std::string, std::string>> expiries;  // (expires_ms, map, key)

    GroupOutcome apply(const Group& group) {
        undo_.clear();
        refusal_ = GroupOutcome::conflict;
        for (const Write& write : group) {
            if (!std::visit([this](const auto& w) { return apply_one(w); }, write)) {
                for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) {
                    (*step)();
                }
                undo_.clear();
                return refusal_;
            }
        }
        undo_.clear();
        return GroupOutcome::committed;
    }

    [[nodiscard]] OldCall old_call(const std::string& id) const {
        const CallRow& row = calls.find(id)->second;
        const auto size_in = [](const auto& table, const std::string& key) {
            const auto found = table.find(key);
            return found != table.end() ? found->second.size() : 0;
        };
        return {id, row.finished_ms, 1 + size_in(entries, id) + size_in(events, row.stream)};
    }

    /// Of what is kept of calls, sessions and maps: their texts, without what it costs to hold them.
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const auto& [id, row] : sessions) {
            sum += id.size() + row.document.size();
        }
        for (const auto& [id, row] : calls) {
            sum += id.size() + row.document.size() + row.request_id.size() + row.digest.size();
        }
        for (const auto& [call, rows] : entries) {
            for (const auto& [seq, entry] : rows) {
                sum += entry.key.size() + entry.payload.size();
            }
        }
        for (const auto& [stream, rows] : events) {
            for (const auto& [seq, event] : rows) {
                sum += event.payload.size();
            }
        }
        for (const auto& [name, map] : maps) {
            for (const auto& [key, value] : *map) {
                sum += key.size() + value.bytes.size();
            }
        }
        return sum;
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
        std::set<std::string> kept_streams;
        for (const std::string& id : doomed) {
            const std::string& stream = calls[id].stream;
            for (auto at = streams.lower_bound({stream, {}}); at != streams.end() && at->first == stream; ++at) {
                if (handles.count(at->second) != 0) {
                    kept_streams.insert(stream);
                }
            }
        }
        for (const std::string& id : doomed) {
            if (handles.count(id) == 0) {
                const std::string stream = calls[id].stream;
                if (kept_streams.count(stream) == 0) {
                    remember(events, stream);
                    events.erase(stream);
                }
                forget(id);
            }
        }
        drop_scope(scope_name(ScopeKind::session, w.id));
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
    bool apply_one(const DropEntries& w) {
        for (const std::uint64_t seq : w.seqs) {
            auto& of_call = entries[w.call];
            if (const auto found = of_call.find(seq); found != of_call.end()) {
                undo_.emplace_back([this, call = w.call, entry = found->second] { entries[call].emplace(entry.seq, entry); });
                of_call.erase(found);
            }
        }
        return true;
    }
    bool apply_one(const AppendEvent& w) {
        if (!events[w.row.stream].emplace(w.row.seq, Event{w.row.payload, w.row.created_ms}).second) {
            return false;
        }
        undo_.emplace_back([this, stream = w.row.stream, seq = w.row.seq] { events[stream].erase(seq); });
        return true;
    }
    bool apply_one(const PutHandle& w) {
        const auto taken = keys.find(w.row.idempotency_key);
        if (calls.count(w.row.call) == 0 || (taken != keys.end() && taken->second != w.row.call)) {
            return false;
        }
        drop_handle(w.row.call);
        remember(handles, w.row.call);
        handles[w.row.call] = w.row;
        if (!w.row.idempotency_key.empty()) {
            remember(keys, w.row.idempotency_key);
            keys[w.row.idempotency_key] = w.row.call;
        }
        return true;
    }
    bool apply_one(const InsertArrival& w) {
        if (!apply_one(ExpectRunning{w.call}) || !arrivals[w.call].emplace(w.row.key, w.row.payload).second) {
            return false;
        }
        undo_.emplace_back([this, call = w.call, key = w.row.key] { arrivals[call].erase(key); });
        return true;
    }
    bool apply_one(const DropCall& w) {
        if (const auto found = calls.find(w.id); found != calls.end() && !trim(found->second, w.rows)) {
            const std::string stream = found->second.stream;
            forget(w.id);
            if (!is_shared(stream, {})) {
                remember(events, stream);
                events.erase(stream);
            }
        }
        return true;
    }
    bool apply_one(const DropHandle& w) {
        drop_handle(w.call);
        return true;
    }
    bool apply_one(const DropEvents& w) {
        const auto found = events.find(w.stream);
        if (found == events.end() || found->second.empty()) {
            return true;
        }
        Events& rows = found->second;
        const std::uint64_t newest = rows.rbegin()->first;
        for (std::size_t left = w.rows; left > 0 && rows.begin()->first <= w.through && rows.begin()->first != newest; --left) {
            take_first(events, w.stream, rows);
        }
        if (newest <= w.through && rows.size() == 1) {
            undo_.emplace_back([&last = rows.begin()->second, before = rows.begin()->second] { last = before; });
            rows.begin()->second.created_ms = 0;
        }
        return true;
    }
    bool apply_one(const ReleaseSpace&) { return true; }
    bool apply_one(const PutSecret& w) {
        remember(secrets, w.row.id);
        secrets[w.row.id] = w.row;
        return true;
    }
    bool apply_one(const DropSecret& w) {
        remember(secrets, w.id);
        secrets.erase(w.id);
        return true;
    }
    bool apply_one(const PutMapRow& w) {
        const Scope scope = scope_of(w.map);
        if ((scope.kind == ScopeKind::session && !sessions.contains(scope.owner)) || (scope.kind == ScopeKind::call && !calls.contains(scope.owner))) {
            return refuse(GroupOutcome::orphaned);
        }
        remember_row(w.map, w.key);
        set_row(w.map, w.key, Value{w.value, ++last_version_, w.expires_ms});
        return true;
    }
    bool apply_one(const EraseMapRow& w) {
        remember_row(w.map, w.key);
        set_row(w.map, w.key, std::nullopt);
        return true;
    }
    bool apply_one(const DropExpiredRows& w) {
        std::vector<EraseMapRow> doomed;
        for (auto at = expiries.begin(); at != expiries.end() && std::get<0>(*at) <= w.now_ms && doomed.size() < w.limit; ++at) {
            doomed.push_back({std::get<1>(*at), std::get<2>(*at)});
        }
        for (const EraseMapRow& row : doomed) {
            apply_one(row);
        }
        return true;
    }
    bool apply_one(const ExpectMapRow& w) {
        const Map& map = look(w.map);
        const auto found = map.find(w.key);
        return (found != map.end() && found->second.is_seen(w.now_ms) ? found->second.version : 0) == w.version;
    }
    bool apply_one(const ExpectMapRange& w) {
        const auto rows = rows_in(look(w.map), w.range, w.now_ms);
        return std::equal(rows.begin(), rows.end(), w.found.begin(), w.found.end(),
                          [](const MapRow& row, const auto& found) { return row.key == found.first && row.version == found.second; });
    }
    bool apply_one(const ExpectRunning& w) {
        const auto found = calls.find(w.call);
        return found != calls.end() && found->second.state <= CallState::suspended;
    }
    bool apply_one(const LimitScope& w) {
        const auto found = scopes.find(w.scope);
        const bool is_over = found != scopes.end() && ((w.rows != 0 && found->second.rows > w.rows) || (w.bytes != 0 && found->second.bytes > w.bytes));
        return !is_over || refuse(GroupOutcome::exceeded);
    }

    bool refuse(GroupOutcome why) {
        refusal_ = why;
        return false;
    }

    bool is_shared(const std::string& stream, const std::string& but_for) const {
        auto other = streams.lower_bound({stream, {}});
        if (other != streams.end() && other->first == stream && other->second == but_for) {
            ++other;
        }
        return other != streams.end() && other->first == stream;
    }

    /// Takes up to `most` rows away that go with the call. False when it may go itself, with what is left.
    bool trim(const CallRow& row, std::size_t most) {
        const auto take = [&](auto& table, const std::string& key, std::size_t but) {
            const auto found = table.find(key);
            for (; found != table.end() && most > 0 && found->second.size() > but; --most) {
                take_first(table, key, found->second);
            }
        };
        if (most == DropCall::every_row) {
            return false;
        }
        take(entries, row.id, 0);
        if (!is_shared(row.stream, row.id)) {
            take(events, row.stream, 1);  // the answer goes with the call
        }
        return most == 0;
    }

    template <class Table, class Rows>
    void take_first(Table& table, const std::string& key, Rows& rows) {
        undo_.emplace_back([&table, key, row = *rows.begin()] { table[key].insert(row); });
        rows.erase(rows.begin());
    }

    /// Takes a call away with all that goes with it but its events.
    void forget(const std::string& id) {
        drop_handle(id);
        drop_scope(scope_name(ScopeKind::call, id));
        remember(arrivals, id);
        arrivals.erase(id);
        remember(entries, id);
        entries.erase(id);
        const CallRow row = calls[id];
        undo_.emplace_back([this, row] { enter(row); });
        leave(row);
    }
    void drop_handle(const std::string& call) {
        if (const auto found = handles.find(call); found != handles.end()) {
            const std::string key = found->second.idempotency_key;
            remember(keys, key);
            keys.erase(key);
            remember(handles, call);
            handles.erase(found);
        }
    }

    template <class Table>
    void remember(Table& table, const typename Table::key_type& key) {
        const auto found = table.find(key);
        if (found == table.end()) {
            undo_.emplace_back([&table, key] { table.erase(key); });
        } else {
            undo_.emplace_back([&table, key, before = found->second] { table[key] = before; });
        }
    }
    void remember_row(const std::string& map, const std::string& key) {
        const Map& rows = look(map);
        const auto found = rows.find(key);
        undo_.emplace_back([this, map, key, before = found == rows.end() ? std::nullopt : std::optional(found->second)] { set_row(map, key, before); });
    }

    /// The one place in which a row changes: what its scope takes and when it expires follow.
    void set_row(const std::string& map, const std::string& key, const std::optional<Value>& value) {
        Map& rows = own(map);
        const std::string scope(scope_of(map).name);
        ScopeUsage& usage = scopes[scope];
        if (const auto found = rows.find(key); found != rows.end()) {
            --usage.rows;
            usage.bytes -= key.size() + found->second.bytes.size();
            expiries.erase({found->second.expires_ms, map, key});
            rows.erase(found);
        }
        if (value) {
            ++usage.rows;
            usage.bytes += key.size() + value->bytes.size();
            if (value->expires_ms != 0) {
                expiries.insert({value->expires_ms, map, key});
            }
            rows.emplace(key, *value);
        }
        if (usage.rows == 0) {
            scopes.erase(scope);
        }
        if (rows.empty()) {
            maps.erase(map);
        }
    }

    /// Takes away all maps of a scope that is not the server's.
    void drop_scope(const std::string& scope) {
        std::vector<EraseMapRow> doomed;
        for (auto map = maps.lower_bound(scope); map != maps.end() && map->first < scope_end(scope); ++map) {
            for (const auto& row : *map->second) {
                doomed.push_back({map->first, row.first});
            }
        }
        for (const EraseMapRow& row : doomed) {
            apply_one(row);
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
        } else {
            finished.insert({row.finished_ms, row.id});
        }
    }
    void leave(const CallRow& row) {
        streams.erase({row.stream, row.id});
        requests.erase({row.session, row.request_id});
        unfinished.erase({row.accepted_ms, row.id});
        finished.erase({row.finished_ms, row.id});
        calls.erase(std::string(row.id));
    }

    std::uint64_t last_version_ = 0;
    std::vector<std::function<void()>> undo_;
    GroupOutcome refusal_ = GroupOutcome::conflict;  // of the group that is being applied
};

}  // namespace durable_mcp::store::memory
