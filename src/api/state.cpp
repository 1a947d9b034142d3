// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/state.hpp"

#include <stdexcept>
#include <utility>

#include "durable_mcp/server_state.hpp"
#include "store/map_scope.hpp"

namespace durable_mcp {

namespace detail {

TransactionPort::~TransactionPort() = default;
StatePort::~StatePort() = default;

std::string kept_map_name(MapScope scope, std::string_view owner, std::string_view name) {
    if (scope == MapScope::session_value) {
        return store::scope_name(store::ScopeKind::session, owner) + "$state";  // on disk, as every name here
    }
    if (!name.empty() && name.front() == store::reserved_mark) {
        throw std::invalid_argument("a map of the name \"" + std::string(name) + "\": names that begin with '$' are the library's own");
    }
    switch (scope) {
        case MapScope::user: return store::scope_name(store::ScopeKind::user, owner).append(name);
        case MapScope::session: return store::scope_name(store::ScopeKind::session, owner).append(name);
        case MapScope::call: return store::scope_name(store::ScopeKind::call, owner).append(name);
        case MapScope::server:
        case MapScope::session_value: break;
    }
    return std::string(name);
}

bool TransactionPort::map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                                          std::optional<std::string> desired) {
    if (map_get(map, key) != expected) {
        return false;
    }
    if (desired) {
        map_put(map, key, std::move(*desired));
    } else {
        map_erase(map, key);
    }
    return true;
}

}  // namespace detail

// ── SortedMap ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

/// The first key, in the order of bytes, that is greater than every key with that prefix; nothing where there is none.
std::optional<std::string> after_prefix(std::string prefix) {
    while (!prefix.empty()) {
        const auto last = static_cast<unsigned char>(prefix.back());
        if (last != 0xFF) {
            prefix.back() = static_cast<char>(last + 1);
            return prefix;
        }
        prefix.pop_back();
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> SortedMap::get_text(std::string_view key) const {
    return transaction_ != nullptr ? transaction_->map_get(name_, key) : call_->map_get(name_, key, live_);
}

detail::MapRows SortedMap::range_text(const MapRange& range, Order order) const {
    detail::MapRangeRequest request;
    request.start = range.start;
    request.end = range.end;
    request.limit = range.limit;
    request.reverse = order == Order::descending;
    if (!range.prefix.empty()) {
        if (range.prefix > request.start) {
            request.start = range.prefix;
        }
        const std::optional<std::string> end = after_prefix(range.prefix);
        if (end && (!request.end || *end < *request.end)) {
            request.end = end;
        }
    }
    if (request.end && *request.end <= request.start) {
        return {};
    }
    return transaction_ != nullptr ? transaction_->map_range(name_, request) : call_->map_range(name_, request, live_);
}

void SortedMap::put_text(std::string_view key, std::string text) {
    if (transaction_ != nullptr) {
        transaction_->map_put(name_, key, std::move(text));
    } else {
        call_->map_put(name_, key, std::move(text));
    }
}

void SortedMap::remove(std::string_view key) {
    if (transaction_ != nullptr) {
        transaction_->map_erase(name_, key);
    } else {
        call_->map_erase(name_, key);
    }
}

bool SortedMap::replace_text(std::string_view key, const std::optional<std::string>& expected, std::optional<std::string> desired) {
    return transaction_ != nullptr ? transaction_->map_compare_and_set(name_, key, expected, std::move(desired))
                                   : call_->map_compare_and_set(name_, key, expected, std::move(desired));
}

std::uint64_t SortedMap::count() const { return transaction_ != nullptr ? transaction_->map_count(name_) : call_->map_count(name_, live_); }

SortedMap SortedMap::live() const {
    SortedMap map = *this;
    map.live_ = true;
    return map;
}

// ── State ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string State::run_transaction(detail::TransactionBody& body) {
    return port_->transact([&body](detail::TransactionPort& port) {
        Transaction transaction(port);
        return body.run(transaction);
    });
}

}  // namespace durable_mcp
