// SPDX-License-Identifier: Apache-2.0
#pragma once

// What waits and loops take and return. The waits themselves are members of DurableContext.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// What was waited for had not come when the deadline was over.
///
/// *Replay*: thrown again by every later attempt, also if it came afterwards.
class DURABLE_MCP_EXPORT WaitExpired : public std::runtime_error {
public:
    WaitExpired(std::string alias, const std::string& message) : std::runtime_error(message), alias_(std::move(alias)) {}
    ~WaitExpired() override;
    [[nodiscard]] const std::string& alias() const noexcept { return alias_; }

private:
    std::string alias_;
};

struct WaitOptions {
    /// How long to wait at most, from when the wait began; recorded then, so that a restart does not extend it. Unset: for ever.
    std::optional<std::chrono::milliseconds> deadline = {};
};

struct LoopOptions {
    /// The pause between the end of an iteration and the beginning of the next. It survives a restart. 0: none.
    std::chrono::milliseconds interval{0};
};

/// What became of a signal: see DurableMCP::signal.
enum class Signalled : std::uint8_t {
    taken,     ///< it is on disk, and its call hears of it
    repeated,  ///< the call has had a signal of that name: the first one counts, and this one is dropped
    no_call,   ///< there is no such call, or it has ended
};

/// "Go on, with this": what one iteration of a loop hands to the next. See again().
template <class Carry>
struct Again {
    Carry carry;
};
/// "The loop is over, and this came out": see done().
template <class T>
struct Done {
    T value;
};
template <>
struct Done<void> {};

/// What an iteration of DurableContext::loop returns: `Next<Carry, T>`, made by durable_mcp::again(carry) or durable_mcp::done(value).
///
///     [&](int page) -> Next<int, std::string> { … return again(page + 1); … return done(text); }
template <class Carry, class T = void>
class Next {
public:
    using carry_type = Carry;
    using value_type = T;

    template <class C>
    Next(Again<C> again) : next_(std::in_place_index<0>, Again<Carry>{std::move(again.carry)}) {}  // NOLINT: returned as it is
    template <class V>
    Next(Done<V> done) : next_(std::in_place_index<1>, make(std::move(done))) {}  // NOLINT

    [[nodiscard]] bool is_done() const noexcept { return next_.index() == 1; }
    [[nodiscard]] const Carry& carry() const { return std::get<0>(next_).carry; }
    [[nodiscard]] const Done<T>& outcome() const { return std::get<1>(next_); }

private:
    template <class V>
    static Done<T> make(Done<V> done) {
        if constexpr (std::is_void_v<T>) {
            static_assert(std::is_void_v<V>, "a loop whose Next has no value ends with done(), without one");
            return {};
        } else {
            return Done<T>{std::move(done.value)};
        }
    }
    std::variant<Again<Carry>, Done<T>> next_;
};

template <class Carry>
[[nodiscard]] Again<std::decay_t<Carry>> again(Carry&& carry) {
    return {std::forward<Carry>(carry)};
}
template <class T>
[[nodiscard]] Done<std::decay_t<T>> done(T&& value) {
    return {std::forward<T>(value)};
}
[[nodiscard]] inline Done<void> done() { return {}; }

namespace detail {

template <class T>
struct IsNext : std::false_type {};
template <class Carry, class T>
struct IsNext<Next<Carry, T>> : std::true_type {};

template <class T>
struct OptionalValue {
    static constexpr bool is_optional = false;
    using type = T;
};
template <class T>
struct OptionalValue<std::optional<T>> {
    static constexpr bool is_optional = true;
    using type = T;
};

/// The condition of until(): its value as text once there is one.
template <class F>
std::function<std::optional<std::string>()> condition_of(F& function) {
    return [&function]() -> std::optional<std::string> {
        const auto value = function();
        return value ? std::optional(encode_text(*value)) : std::nullopt;
    };
}
/// The value that until_changes() follows: it is always there.
template <class F>
std::function<std::optional<std::string>()> value_of(F& function) {
    return [&function]() -> std::optional<std::string> { return encode_text(function()); };
}

template <class Carry, class T, class F>
std::function<LoopStep(const std::string&)> iteration_of(F& function) {
    return [&function](const std::string& carry) -> LoopStep {
        const Next<Carry, T> next = function(decode_text<Carry>(ValueView::Source::step, "loop", carry));
        if (!next.is_done()) {
            return {false, encode_text(next.carry())};
        }
        if constexpr (std::is_void_v<T>) {
            return {true, "null"};
        } else {
            return {true, encode_text(next.outcome().value)};
        }
    };
}

}  // namespace detail
}  // namespace durable_mcp
