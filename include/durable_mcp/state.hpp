// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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

/// A named map of the server: byte-string keys in order, values of any type with a codec. It is kept in the store and may be larger
/// than memory.
///
/// Got from DurableContext::map or Transaction::map; cheap to make, not to be kept beyond the handler or the transaction.
///
/// *In a transaction* reads see the transaction's own writes and are part of what makes it serializable; writes are applied when it
/// commits, all or none.
///
/// *Outside* each write is a step of its own: durable before anything that comes after it, and not repeated by a replay. A read is
/// recorded, so that a replay takes the same branch; `live()` reads what is there now and records nothing.
///
/// *Errors*: ValueMismatchError where a value is not of the type that is asked for; std::invalid_argument for writing a key over 4096 bytes or a
/// value over `Limits::step_value_bytes`; Error(limit_exceeded) for a recorded read that found more than that; another Error where the store
/// cannot be read.
/// *Threads*: the handler's own only.
class DURABLE_MCP_EXPORT SortedMap {
public:
    /// For the library: `name` must outlive nothing, it is copied; exactly one of the ports is set.
    SortedMap(detail::CallPort* call, detail::TransactionPort* transaction, std::string_view name)
        : call_(call), transaction_(transaction), name_(name) {}

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
    enum class Order : std::uint8_t { ascending, descending };
    [[nodiscard]] std::optional<std::string> get_text(std::string_view key) const;
    [[nodiscard]] detail::MapRows range_text(const MapRange& range, Order order) const;
    void put_text(std::string_view key, std::string text);

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

/// The server's state inside DurableContext::transact.
class DURABLE_MCP_EXPORT Transaction {
public:
    explicit Transaction(detail::TransactionPort& port) noexcept : port_(&port) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// The server-wide map of that name; it exists as soon as something is in it.
    [[nodiscard]] SortedMap map(std::string_view name) { return SortedMap(nullptr, port_, name); }

private:
    detail::TransactionPort* port_;
};

}  // namespace durable_mcp
