// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// Part of a SortedMap: start ≤ key < end in the order of the keys' bytes, of those that begin with `prefix`.
struct MapRange {
    std::string start = {};
    std::optional<std::string> end = {};  ///< absent: to the last key
    std::string prefix = {};
    std::size_t limit = 0;                ///< rows at most; 0 is 10 000, which is also the most (std::invalid_argument): go on from the last key
};

template <class T>
class TypedMap;

/// A named map: byte-string keys in order, values of any type with a codec. It is kept in the store and may be larger than memory.
///
/// Got from `map`, `user_map`, `session_map` or `call_map` of DurableContext, Transaction or State; cheap to make, not to be kept beyond the
/// handler, the transaction or the server. Whose a map is, is part of its name: the maps "notes" of two users have nothing in common.
///
/// *In a transaction* reads see the transaction's own writes and are part of what makes it serializable; writes are applied when it
/// commits, all or none.
///
/// *Outside, in a handler,* each write is a step of its own: durable before anything that comes after it, and not repeated by a replay. A read is
/// recorded, so that a replay takes the same branch; `live()` reads what is there now and records nothing.
///
/// *From State* each write is on disk when it returns, and each read sees what is there now.
///
/// *Limits*: Options::state bounds what the maps of one user, session or call may take, and how long rows live. A row that has expired is not
/// there, for any read.
/// *Errors*: ValueMismatchError where a value is not of the type that is asked for; std::invalid_argument for writing a key over 4096 bytes or a
/// value over `Limits::step_value_bytes`, and for a name that begins with '$'; Error(limit_exceeded) for a write that Options::state stands against
/// (nothing of it is applied or recorded) and for a recorded read that found more than a step's value may hold; another Error where the store
/// cannot be read.
/// *Threads*: the handler's own only; from State, any but the server's loop.
class DURABLE_MCP_EXPORT SortedMap {
public:
    /// For the library: `kept_name` is copied; exactly one of the ports is set.
    SortedMap(detail::CallPort* call, detail::TransactionPort* transaction, std::string kept_name)
        : call_(call), transaction_(transaction), name_(std::move(kept_name)) {}

    /// The value of `key`, or nothing.
    template <class T = nlohmann::json>
    [[nodiscard]] std::optional<T> get(std::string_view key) const {
        static_assert(HasCodec<T>, "SortedMap::get<T>: there is no durable_mcp::codec<T> for this type");
        const std::optional<std::string> text = get_text(key);
        if (!text) {
            return std::nullopt;
        }
        return detail::decode_text<T>(ValueView::Source::map, key, *text);
    }

    /// Sets the value of `key`, whether it was there or not.
    template <class T>
    void insert(std::string_view key, const T& value) {
        static_assert(HasCodec<detail::Stored<T>>, "SortedMap::insert: there is no durable_mcp::codec<T> for the type of this value");
        put_text(key, detail::encode_text(value));
    }

    /// Sets many. Outside a transaction each of them is a step: a crash may leave the first ones written, and the replay writes the rest.
    template <class T>
    void insert(const std::map<std::string, T>& values) {
        for (const auto& [key, value] : values) {
            insert(key, value);
        }
    }

    /// Removes `key`; nothing happens where there is none.
    void remove(std::string_view key);

    /// Sets `key` to `desired` if its value is `expected`, as one step; true if it was. An empty std::optional, or std::nullopt, stands for "not
    /// there": expected, it sets only what is absent; desired, it removes. Compared is what is stored, byte for byte, so both are best of the type
    /// that insert() was given: 1 is not 1.0.
    ///
    /// *Replay*: what it said before, and nothing is written again.
    /// *Errors*: Error(conflict) when others wrote the same key 64 times in between.
    ///
    ///     if (context.map("seats").compare_and_set(seat, std::nullopt, passenger)) { … }
    template <class E, class D>
    bool compare_and_set(std::string_view key, const E& expected, const D& desired) {
        return replace_text(key, text_or_nothing(expected), text_or_nothing(desired));
    }

    /// The rows of a range, in ascending order.
    template <class T = nlohmann::json>
    [[nodiscard]] std::vector<std::pair<std::string, T>> range(const MapRange& range = {}) const {
        return decode_rows<T>(range_text(range, Order::ascending));
    }

    /// The same rows in descending order; a limit keeps the last ones.
    template <class T = nlohmann::json>
    [[nodiscard]] std::vector<std::pair<std::string, T>> reverse_range(const MapRange& range = {}) const {
        return decode_rows<T>(range_text(range, Order::descending));
    }

    /// Number of keys. In a transaction it depends on every row, and reads them all.
    [[nodiscard]] std::uint64_t count() const;

    /// The same map, whose reads see what is there now and are not recorded: a replay may see something else. In a transaction it
    /// changes nothing.
    [[nodiscard]] SortedMap live() const;

private:
    template <class T>
    friend class TypedMap;
    enum class Order : std::uint8_t { ascending, descending };
    [[nodiscard]] std::optional<std::string> get_text(std::string_view key) const;
    [[nodiscard]] detail::MapRows range_text(const MapRange& range, Order order) const;
    void put_text(std::string_view key, std::string text);
    bool replace_text(std::string_view key, const std::optional<std::string>& expected, std::optional<std::string> desired);

    static std::optional<std::string> text_or_nothing(std::nullopt_t) { return std::nullopt; }
    template <class T>
    static std::optional<std::string> text_or_nothing(const std::optional<T>& value) {
        return value ? text_or_nothing(*value) : std::nullopt;
    }
    template <class T>
    static std::optional<std::string> text_or_nothing(const T& value) {
        static_assert(HasCodec<detail::Stored<T>>, "SortedMap::compare_and_set: there is no durable_mcp::codec<T> for the type of this value");
        return detail::encode_text(value);
    }

    template <class T>
    [[nodiscard]] static std::vector<std::pair<std::string, T>> decode_rows(const detail::MapRows& rows) {
        static_assert(HasCodec<T>, "SortedMap::range<T>: there is no durable_mcp::codec<T> for this type");
        std::vector<std::pair<std::string, T>> found;
        found.reserve(rows.size());
        for (const auto& [key, text] : rows) {
            found.emplace_back(key, detail::decode_text<T>(ValueView::Source::map, key, text));
        }
        return found;
    }

    detail::CallPort* call_;
    detail::TransactionPort* transaction_;
    std::string name_;
    bool live_ = false;
};

/// A SortedMap all of whose values are of one type: `context.map<Account>("accounts")`. What it says and does is what SortedMap says and does.
template <class T>
class TypedMap {
public:
    static_assert(HasCodec<T>, "a map of T: there is no durable_mcp::codec<T> for this type");
    explicit TypedMap(SortedMap map) : map_(std::move(map)) {}

    [[nodiscard]] std::optional<T> get(std::string_view key) const { return map_.get<T>(key); }
    void insert(std::string_view key, const T& value) { map_.put_text(key, detail::encode_text(value)); }
    void insert(const std::map<std::string, T>& values) {
        for (const auto& [key, value] : values) {
            insert(key, value);
        }
    }
    void remove(std::string_view key) { map_.remove(key); }
    [[nodiscard]] std::vector<std::pair<std::string, T>> range(const MapRange& range = {}) const { return map_.range<T>(range); }
    [[nodiscard]] std::vector<std::pair<std::string, T>> reverse_range(const MapRange& range = {}) const { return map_.reverse_range<T>(range); }
    [[nodiscard]] std::uint64_t count() const { return map_.count(); }
    /// As SortedMap::compare_and_set(), of values of this type: also where T is an optional itself.
    bool compare_and_set(std::string_view key, const std::optional<T>& expected, const std::optional<T>& desired) {
        return map_.replace_text(key, text_of(expected), text_of(desired));
    }
    [[nodiscard]] TypedMap live() const { return TypedMap(map_.live()); }

private:
    static std::optional<std::string> text_of(const std::optional<T>& value) {
        return value ? std::optional<std::string>(detail::encode_text(*value)) : std::nullopt;
    }
    SortedMap map_;
};

/// The one value of a session, of a type with a codec: `auto basket = context.session_state<Basket>()`. It goes with the session.
///
/// A session has one such value, whatever T: asked for as another type it is ValueMismatchError. *Durability*, *replay*, *threads*: as SortedMap.
template <class T>
class SessionValue {
public:
    static_assert(HasCodec<T>, "session_state<T>: there is no durable_mcp::codec<T> for this type");
    explicit SessionValue(SortedMap map) : map_(std::move(map)) {}

    /// What was set, or T{} while nothing was.
    [[nodiscard]] T get() const {
        static_assert(std::is_default_constructible_v<T>, "session_state<T>().get(): T needs a default for a session in which nothing was set");
        std::optional<T> value = map_.get(key);
        return value ? std::move(*value) : T{};
    }
    void set(const T& value) { map_.insert(key, value); }
    /// As if it had never been set.
    void reset() { map_.remove(key); }
    /// The same value, whose reads see what is there now and are not recorded.
    [[nodiscard]] SessionValue live() const { return SessionValue(map_.live()); }

private:
    explicit SessionValue(TypedMap<T> map) : map_(std::move(map)) {}
    static constexpr std::string_view key = {};
    TypedMap<T> map_;
};

/// The state inside DurableContext::transact, State::transact and Options::initialize.
///
/// *Errors*, of the members without an owner: Error(no_session), Error(no_call) where nobody is meant; in State::transact and
/// Options::initialize, that is always.
class DURABLE_MCP_EXPORT Transaction {
public:
    explicit Transaction(detail::TransactionPort& port) noexcept : port_(&port) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// The server-wide map of that name; it exists as soon as something is in it.
    [[nodiscard]] SortedMap map(std::string_view name) { return of_call(detail::MapScope::server, name); }
    /// Of whoever called: see DurableContext::user_map.
    [[nodiscard]] SortedMap user_map(std::string_view name) { return of_call(detail::MapScope::user, name); }
    /// Of the call's session: see DurableContext::session_map.
    [[nodiscard]] SortedMap session_map(std::string_view name) { return of_call(detail::MapScope::session, name); }
    /// Of the call: see DurableContext::call_map.
    [[nodiscard]] SortedMap call_map(std::string_view name) { return of_call(detail::MapScope::call, name); }

    /// Of the principal, session or call that is named. A write to a map of a session or call that is not there is Error(no_session) or
    /// Error(no_call) when the transaction commits.
    [[nodiscard]] SortedMap user_map(std::string_view principal, std::string_view name) { return of(detail::MapScope::user, principal, name); }
    [[nodiscard]] SortedMap session_map(std::string_view session_id, std::string_view name) { return of(detail::MapScope::session, session_id, name); }
    [[nodiscard]] SortedMap call_map(std::string_view call_id, std::string_view name) { return of(detail::MapScope::call, call_id, name); }

    /// The same, with values of one type.
    template <class T>
    [[nodiscard]] TypedMap<T> map(std::string_view name) {
        return TypedMap<T>(map(name));
    }
    template <class T>
    [[nodiscard]] TypedMap<T> user_map(std::string_view name) {
        return TypedMap<T>(user_map(name));
    }
    template <class T>
    [[nodiscard]] TypedMap<T> session_map(std::string_view name) {
        return TypedMap<T>(session_map(name));
    }
    template <class T>
    [[nodiscard]] TypedMap<T> call_map(std::string_view name) {
        return TypedMap<T>(call_map(name));
    }
    /// The one value of the call's session: see DurableContext::session_state.
    template <class T>
    [[nodiscard]] SessionValue<T> session_state() {
        return SessionValue<T>(of_call(detail::MapScope::session_value, {}));
    }

private:
    [[nodiscard]] SortedMap of_call(detail::MapScope scope, std::string_view name) { return {nullptr, port_, port_->map_name(scope, name)}; }
    [[nodiscard]] SortedMap of(detail::MapScope scope, std::string_view owner, std::string_view name) {
        return {nullptr, port_, detail::kept_map_name(scope, owner, name)};
    }
    detail::TransactionPort* port_;
};

}  // namespace durable_mcp
