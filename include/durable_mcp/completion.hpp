// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/binding.hpp"
#include "durable_mcp/detail/signature.hpp"
#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// What an argument may become, the best first. Clients get 100 values at most (completion/complete).
struct CompletionResult {
    std::vector<std::string> values = {};
    std::optional<std::uint64_t> total = {};  ///< how many there are in all. Unset: if `values` has more than 100, as many as it has
    std::optional<bool> has_more = {};        ///< unset: whether some of `values` were not sent
};

/// The other arguments that the client has filled in already. Clients before 2025-06-18 do not say: it is empty.
using CompletionContext = std::map<std::string, std::string>;

namespace detail {

DURABLE_MCP_EXPORT void put_completion(nlohmann::json& out, const CompletionResult& value);

struct CompletionReturn {
    template <class R>
    static constexpr bool accepts = std::is_same_v<R, CompletionResult> || std::is_same_v<R, std::vector<std::string>>;
    template <class R>
    static constexpr bool takes = std::is_same_v<R, std::string> || std::is_same_v<R, CompletionContext>;
    template <class R>
    static constexpr bool spreads = false;
    template <class R>
    static void put(nlohmann::json& out, const R& value) {
        if constexpr (std::is_same_v<R, CompletionResult>) {
            put_completion(out, value);
        } else {
            put_completion(out, CompletionResult{value, {}, {}});
        }
    }
};

/// (std::string) or (std::string, CompletionContext).
template <class Signature>
inline constexpr bool completes = false;
template <class R, class Value>
inline constexpr bool completes<Parameters<R, Value>> = std::is_same_v<std::decay_t<Value>, std::string>;
template <class R, class Value, class Others>
inline constexpr bool completes<Parameters<R, Value, Others>> =
    std::is_same_v<std::decay_t<Value>, std::string> && std::is_same_v<std::decay_t<Others>, CompletionContext>;

template <class F>
Binding bind_completion(F&& function) {
    using D = std::decay_t<F>;
    static_assert(HasSignature<D>,
                  "a handler is a function or a lambda whose parameters have types: not `auto`, not an overloaded operator()");
    if constexpr (HasSignature<D>) {
        using S = SignatureOf<D>;
        static_assert(completes<S>,
                      "a completion takes what the user has typed so far, and, if it wants to, the arguments that are filled in already: "
                      "(std::string value) or (std::string value, const std::map<std::string, std::string>& arguments)");
        static_assert(CompletionReturn::accepts<std::decay_t<typename S::Result>>,
                      "a completion returns a std::vector<std::string> or a durable_mcp::CompletionResult");
        if constexpr (completes<S> && CompletionReturn::accepts<std::decay_t<typename S::Result>>) {
            return bind<CompletionReturn, S::arguments>(nullptr, std::forward<F>(function));
        } else {
            return Binding(nullptr, 0, nullptr, nullptr);
        }
    } else {
        return Binding(nullptr, 0, nullptr, nullptr);
    }
}

}  // namespace detail
}  // namespace durable_mcp
