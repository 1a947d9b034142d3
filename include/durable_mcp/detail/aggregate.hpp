// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many members a plain struct has, where each of them is, and what its author called it: all that the compiler tells of an aggregate.
// Not for users.
//
// The number comes from trying `T{anything, anything, …}`. Arrays spoil that count, because the braces of an inner array may be left out:
// `int a[3]` takes three. So each place is tried with `{}` in it: empty braces stand for one whole member, and whatever fewer
// initialisers then fit behind them were the array's own.
// The references come from a structured binding, the names from the compiler's signature of a function whose template argument is the
// address of the member: __PRETTY_FUNCTION__ is a public extension of gcc and clang, and says "&never.value.cents".

#include <cstddef>
#include <type_traits>
#include <utility>

namespace durable_mcp::detail {

/// Converts to every type but T, in unevaluated code only.
template <class T>
struct Anything {
    template <class U>
        requires(!std::is_same_v<U, T>)
    constexpr operator U() const noexcept {  // NOLINT(google-explicit-constructor): it is tried in braces
        __builtin_unreachable();
    }
};
template <class T, std::size_t>
using AnythingAt = Anything<T>;

/// Converts to the base classes of T only.
template <class T>
struct Parent {
    template <class U>
        requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>)
    constexpr operator U() const noexcept {  // NOLINT(google-explicit-constructor)
        __builtin_unreachable();
    }
};
template <class T>
concept HasParent = requires { T{Parent<T>{}}; };

template <class T, class Places>
inline constexpr bool takes = false;
template <class T, std::size_t... I>
inline constexpr bool takes<T, std::index_sequence<I...>> = requires { T{AnythingAt<T, I>{}...}; };

template <class T, class Before, class After>
inline constexpr bool takes_gap = false;
template <class T, std::size_t... I, std::size_t... J>
inline constexpr bool takes_gap<T, std::index_sequence<I...>, std::index_sequence<J...>> =
    requires { T{AnythingAt<T, I>{}..., {}, AnythingAt<T, J>{}...}; };

inline constexpr std::size_t most_members = 32;
inline constexpr std::size_t most_initialisers = 128;

/// Initialisers that T takes, with the elements of inner arrays counted one by one.
template <class T, std::size_t N = 0>
constexpr std::size_t count_initialisers() {
    if constexpr (N < most_initialisers && takes<T, std::make_index_sequence<N + 1>>) {
        return count_initialisers<T, N + 1>();
    } else {
        return N;
    }
}

/// Initialisers that belong to the member at place I of `All`.
template <class T, std::size_t All, std::size_t I, std::size_t After = All - I - 1>
constexpr std::size_t width() {
    if constexpr (After == 0 || takes_gap<T, std::make_index_sequence<I>, std::make_index_sequence<After>>) {
        return All - I - After;
    } else {
        return width<T, All, I, After - 1>();
    }
}

template <class T, std::size_t All, std::size_t I = 0>
constexpr std::size_t count_members() {
    if constexpr (I >= All) {
        return 0;
    } else {
        return 1 + count_members<T, All, I + width<T, All, I>()>();
    }
}

template <class T>
inline constexpr std::size_t member_count = count_members<T, count_initialisers<T>()>();

template <std::size_t I, class M>
struct Reference {
    M& to;
};
template <class Places, class... M>
struct References;
/// A std::tuple of references, without what a std::tuple costs to compile.
template <std::size_t... I, class... M>
struct References<std::index_sequence<I...>, M...> : Reference<I, M>... {};

template <class... M>
constexpr auto references(M&... members) {
    return References<std::index_sequence_for<M...>, M...>{{members}...};
}
template <std::size_t I, class M>
constexpr M& at(const Reference<I, M>& reference) {
    return reference.to;
}

/// References to the members of `whole`. A structured binding needs its number of names written out.
template <class T>
constexpr auto members_of(T& whole) {
    constexpr std::size_t count = member_count<T>;
    static_assert(count <= most_members,
                  "a plain struct has 32 members at most (and its arrays 128 elements): nest some of them, or specialise durable_mcp::codec<T>");
    if constexpr (count == 1) {
        auto& [a] = whole;
        return references(a);
    } else if constexpr (count == 2) {
        auto& [a, b] = whole;
        return references(a, b);
    } else if constexpr (count == 3) {
        auto& [a, b, c] = whole;
        return references(a, b, c);
    } else if constexpr (count == 4) {
        auto& [a, b, c, d] = whole;
        return references(a, b, c, d);
    } else if constexpr (count == 5) {
        auto& [a, b, c, d, e] = whole;
        return references(a, b, c, d, e);
    } else if constexpr (count == 6) {
        auto& [a, b, c, d, e, f] = whole;
        return references(a, b, c, d, e, f);
    } else if constexpr (count == 7) {
        auto& [a, b, c, d, e, f, g] = whole;
        return references(a, b, c, d, e, f, g);
    } else if constexpr (count == 8) {
        auto& [a, b, c, d, e, f, g, h] = whole;
        return references(a, b, c, d, e, f, g, h);
    } else if constexpr (count == 9) {
        auto& [a, b, c, d, e, f, g, h, i] = whole;
        return references(a, b, c, d, e, f, g, h, i);
    } else if constexpr (count == 10) {
        auto& [a, b, c, d, e, f, g, h, i, j] = whole;
        return references(a, b, c, d, e, f, g, h, i, j);
    } else if constexpr (count == 11) {
        auto& [a, b, c, d, e, f, g, h, i, j, k] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k);
    } else if constexpr (count == 12) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l);
    } else if constexpr (count == 13) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m);
    } else if constexpr (count == 14) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
    } else if constexpr (count == 15) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
    } else if constexpr (count == 16) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    } else if constexpr (count == 17) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
    } else if constexpr (count == 18) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
    } else if constexpr (count == 19) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
    } else if constexpr (count == 20) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
    } else if constexpr (count == 21) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
    } else if constexpr (count == 22) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
    } else if constexpr (count == 23) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w);
    } else if constexpr (count == 24) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x);
    } else if constexpr (count == 25) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y);
    } else if constexpr (count == 26) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z);
    } else if constexpr (count == 27) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A);
    } else if constexpr (count == 28) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B);
    } else if constexpr (count == 29) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C);
    } else if constexpr (count == 30) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C, D] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C, D);
    } else if constexpr (count == 31) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C, D, E] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C, D, E);
    } else if constexpr (count == 32) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C, D, E, F] = whole;
        return references(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A, B, C, D, E, F);
    }
}

/// A T that is never made: only the addresses of its members are of interest.
template <class T>
union Never {
    char nothing;
    T value;
    constexpr Never() noexcept : nothing(0) {}
    constexpr ~Never() {}  // NOLINT(modernize-use-equals-default): a defaulted one would be deleted
};
template <class T>
inline Never<T> never;

/// gcc takes the address of a member as a template argument, clang 14 only inside a value of class type.
template <class M>
struct Address {
    M* of;
};
template <class M>
Address(M*) -> Address<M>;

template <Address A>
consteval const char* signature_of_member() {
    return __PRETTY_FUNCTION__;
}

/// Ends in the name of the member, but for brackets.
template <class T, std::size_t I>
constexpr const char* member_signature() {
    return signature_of_member<Address{&at<I>(members_of(never<T>.value))}>();
}

template <class T>
consteval const char* type_signature() {
    return __PRETTY_FUNCTION__;
}

/// Reads the member at place I of a T that was default-initialised: no constant expression where nothing has initialised it.
template <class T, std::size_t I>
constexpr bool read_member() {
    T whole;
    [[maybe_unused]] auto copy = at<I>(members_of(whole));
    return true;
}
template <class T, std::size_t I>
concept Initialised = requires { typename std::bool_constant<read_member<T, I>()>; };

}  // namespace durable_mcp::detail
