// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a handler's type says about its parameters, and the sentences for handlers that cannot be one. Not for users.

#include <cstddef>
#include <type_traits>

#include "durable_mcp/fwd.hpp"

namespace durable_mcp::detail {

template <class A>
inline constexpr bool is_context = std::is_same_v<A, DurableContext&>;

/// A callable's result and parameters.
template <class R, class... A>
struct Parameters {
    using Result = R;
    static constexpr std::size_t contexts = (std::size_t{0} + ... + std::size_t{is_context<A>});
    static constexpr std::size_t arguments = sizeof...(A) - contexts;

    /// Number of parameters before the one at `index` that are arguments.
    static constexpr std::size_t arguments_before(std::size_t index) {
        constexpr bool contexts_at[] = {is_context<A>..., false};
        std::size_t count = 0;
        for (std::size_t i = 0; i < index; ++i) {
            count += contexts_at[i] ? 0 : 1;
        }
        return count;
    }

    /// True when one parameter is an argument, and its members can be the arguments instead.
    template <class Kind>
    static constexpr bool spreads = arguments == 1 && ((!is_context<A> && Kind::template spreads<std::decay_t<A>>) || ...);

    /// True when every parameter is the context, or by value, const& or &&.
    static constexpr bool passable = ((is_context<A> || !std::is_lvalue_reference_v<A> || std::is_const_v<std::remove_reference_t<A>>) && ...);
    template <class Kind>
    static constexpr bool taken_by = ((is_context<A> || Kind::template takes<std::decay_t<A>>) && ...);
};

template <class M>
struct MemberTraits;
template <class C, class R, class... A>
struct MemberTraits<R (C::*)(A...) const> {
    using Signature = Parameters<R, A...>;
    static constexpr bool is_noexcept = false, is_const = true;
};
template <class C, class R, class... A>
struct MemberTraits<R (C::*)(A...) const noexcept> {
    using Signature = Parameters<R, A...>;
    static constexpr bool is_noexcept = true, is_const = true;
};
template <class C, class R, class... A>
struct MemberTraits<R (C::*)(A...)> {
    using Signature = Parameters<R, A...>;
    static constexpr bool is_noexcept = false, is_const = false;
};
template <class C, class R, class... A>
struct MemberTraits<R (C::*)(A...) noexcept> {
    using Signature = Parameters<R, A...>;
    static constexpr bool is_noexcept = true, is_const = false;
};

template <class F>
struct CallableTraits : MemberTraits<decltype(&F::operator())> {};
template <class R, class... A>
struct CallableTraits<R (*)(A...)> {
    using Signature = Parameters<R, A...>;
    static constexpr bool is_noexcept = false, is_const = true;
};
template <class R, class... A>
struct CallableTraits<R (*)(A...) noexcept> {
    using Signature = Parameters<R, A...>;
    static constexpr bool is_noexcept = true, is_const = true;
};

template <class F>
inline constexpr bool is_function_pointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

template <class F>
concept HasSignature = is_function_pointer<F> || requires { &F::operator(); };

template <class F>
using SignatureOf = typename CallableTraits<F>::Signature;

/// Says in a sentence why F cannot be a handler of `Kind` with N names, and stops there: one error, not fifty.
template <class Kind, class F, std::size_t N>
constexpr bool check_handler() {
    static_assert(HasSignature<F>,
                  "a handler is a function or a lambda whose parameters have types: not `auto`, not an overloaded operator()");
    if constexpr (HasSignature<F>) {
        using Traits = CallableTraits<F>;
        using S = typename Traits::Signature;
        static_assert(!Traits::is_noexcept,
                      "a handler must not be noexcept: a suspended or cancelled call leaves it by an exception (durable_mcp::Unwind)");
        static_assert(Traits::is_const, "a handler must not be mutable: many threads call it at once");
        static_assert(S::contexts <= 1, "a handler takes one DurableContext& at most");
        static_assert(S::passable, "a handler takes its arguments by value or by const reference, and its context as DurableContext&");
        constexpr bool spreads = N == 0 && S::template spreads<Kind>;
        static_assert(N != 0 || S::arguments == 0 || spreads,
                      "this handler has parameters without a name: write their names, in their order, in braces before the handler; or, for a tool, "
                      "take one plain struct, whose members are the arguments (#include <durable_mcp/typed.hpp>)");
        static_assert(N == 0 || S::arguments == N,
                      "the number of names is not the number of the handler's parameters (a DurableContext& has no name and is not counted)");
        static_assert(S::template taken_by<Kind>,
                      "a parameter of this handler has a type that arguments cannot be read into: a tool's parameters need a durable_mcp::codec<T> "
                      "(std::string, not std::string_view; plain structs and enums have one in durable_mcp/typed.hpp); those of prompts and resource templates are std::string or std::optional<std::string>");
        constexpr bool returns = Kind::template accepts<std::decay_t<typename S::Result>>;
        static_assert(returns, "a handler returns its kind's result (ToolResult, PromptResult, ResourceResult), a string, or what has a durable_mcp::codec<T> "
                               "(plain structs have one in durable_mcp/typed.hpp)");
        return !Traits::is_noexcept && Traits::is_const && S::contexts <= 1 && S::passable && (S::arguments == N || spreads) && S::template taken_by<Kind> &&
               returns;
    } else {
        return false;
    }
}

}  // namespace durable_mcp::detail
