// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/detail/step_body.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/state.hpp"

namespace durable_mcp {

/// The server's state from outside of any handler: DurableMCP::state(). The same maps, for whatever else the program does with them: an import at
/// its start, a page for its operators, a job that runs at night.
///
/// *Durability*: what was written is on disk when the member returns. Each write is applied by itself; transact() applies many together.
/// *Reads* see what is there now; nothing is recorded, for there is no call to be replayed.
/// *Threads*: any, at any time while the server runs, but not its loop (start_on()), since a commit waits for the disk. In a handler too, where it is
/// an effect like any other: inside a step. *Lifetime*: that of the DurableMCP.
/// *Errors*: Error(stopped) while the server does not run, before start() has returned and from the beginning of stop(); Error with
/// `store_unavailable` or `store_full`; those of SortedMap.
///
///     mcp.state().map("prices").insert("apple", 120);
///     int open = mcp.state().transact([](Transaction& state) { return state.map<int>("orders").get("open").value_or(0); });
class DURABLE_MCP_EXPORT State {
public:
    explicit State(detail::StatePort& port) noexcept : port_(&port) {}

    [[nodiscard]] SortedMap map(std::string_view name) { return of(detail::MapScope::server, {}, name); }
    [[nodiscard]] SortedMap user_map(std::string_view principal, std::string_view name) { return of(detail::MapScope::user, principal, name); }
    [[nodiscard]] SortedMap session_map(std::string_view session_id, std::string_view name) { return of(detail::MapScope::session, session_id, name); }
    [[nodiscard]] SortedMap call_map(std::string_view call_id, std::string_view name) { return of(detail::MapScope::call, call_id, name); }
    /// The same, with values of one type.
    template <class T>
    [[nodiscard]] TypedMap<T> map(std::string_view name) {
        return TypedMap<T>(map(name));
    }
    template <class T>
    [[nodiscard]] TypedMap<T> user_map(std::string_view principal, std::string_view name) {
        return TypedMap<T>(user_map(principal, name));
    }

    /// Runs `function(Transaction&)` on the state and returns what it returned: all of its writes are on disk then, or none. Serializable with
    /// everything else: when something that it read has changed before it could commit, `function` runs again, so it must do nothing but read
    /// and write maps. A transaction that only reads sees one moment.
    ///
    /// *Errors*: what `function` throws leaves as it is, and nothing is written; Error(conflict) when it lost 64 times.
    template <class F>
    auto transact(F&& function) {
        detail::check_transaction<F>();
        detail::TransactionBodyOf<F> body(function);
        const std::string text = run_transaction(body);
        if constexpr (!std::is_void_v<detail::TransactionValue<F>>) {
            return detail::decode_text<detail::TransactionValue<F>>(ValueView::Source::step, "transact", text);
        }
    }

private:
    [[nodiscard]] SortedMap of(detail::MapScope scope, std::string_view owner, std::string_view name) {
        return {nullptr, port_, detail::kept_map_name(scope, owner, name)};
    }
    std::string run_transaction(detail::TransactionBody& body);
    detail::StatePort* port_;
};

}  // namespace durable_mcp
