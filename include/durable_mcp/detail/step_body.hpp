// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a step's callable to text, with as little as possible in the user's object file. Not for users.

#include <exception>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/state.hpp"

namespace durable_mcp::detail {

/// A step's callable whose value has become JSON text.
class DURABLE_MCP_EXPORT StepBody {
public:
    virtual ~StepBody();
    virtual std::string run(std::stop_token stop) = 0;
    [[nodiscard]] virtual bool takes_stop() const = 0;
    [[nodiscard]] virtual std::string tag() const = 0;
};

class DURABLE_MCP_EXPORT TransactionBody {
public:
    virtual ~TransactionBody();
    virtual std::string run(Transaction& transaction) = 0;
    [[nodiscard]] virtual std::string tag() const = 0;
};

template <class F>
inline constexpr bool TakesStop = std::is_invocable_v<F&, std::stop_token>;
template <class F>
concept StepCallable = std::is_invocable_v<F&> || TakesStop<F>;

template <class F>
decltype(auto) call_step(F& function, [[maybe_unused]] std::stop_token stop) {
    if constexpr (TakesStop<F>) {
        return function(std::move(stop));
    } else {
        return function();
    }
}

/// What it returns; void for what is no step's callable, of which check_step() tells.
template <class F>
struct StepResultOf {
    using type = void;
};
template <StepCallable F>
struct StepResultOf<F> {
    using type = decltype(call_step(std::declval<F&>(), std::stop_token()));
};
template <class F>
using StepResult = typename StepResultOf<F>::type;

template <class F>
using StepValue = Stored<StepResult<F>>;

template <class F>
using TransactionValue = Stored<std::invoke_result_t<F&, Transaction&>>;

template <class F>
constexpr void check_step() {
    static_assert(StepCallable<F>, "a step's callable takes no arguments, or a std::stop_token: capture what it needs");
    if constexpr (StepCallable<F>) {
        static_assert(HasCodec<StepValue<F>>,
                      "what a step returns is stored, and there is no durable_mcp::codec<T> for this type: return one that has a codec, or "
                      "specialise codec<T> (durable_mcp/codec.hpp)");
    }
}

template <class F>
constexpr void check_transaction() {
    static_assert(std::is_invocable_v<F&, Transaction&>, "a transaction's callable takes a durable_mcp::Transaction&");
    if constexpr (std::is_invocable_v<F&, Transaction&>) {
        static_assert(HasCodec<TransactionValue<F>>,
                      "what a transaction returns is stored, and there is no durable_mcp::codec<T> for this type: return one that has a codec, or "
                      "specialise codec<T> (durable_mcp/codec.hpp)");
    }
}

template <class F>
class StepBodyOf final : public StepBody {
public:
    explicit StepBodyOf(std::remove_reference_t<F>& function) noexcept : function_(function) {}
    std::string run(std::stop_token stop) override {
        if constexpr (std::is_void_v<StepValue<F>>) {
            call_step(function_, std::move(stop));
            return "null";
        } else {
            return encode_text(call_step(function_, std::move(stop)));
        }
    }
    [[nodiscard]] bool takes_stop() const override { return TakesStop<F>; }
    [[nodiscard]] std::string tag() const override { return codec<StepValue<F>>::tag(); }

private:
    std::remove_reference_t<F>& function_;
};

template <class F>
class TransactionBodyOf final : public TransactionBody {
public:
    explicit TransactionBodyOf(std::remove_reference_t<F>& function) noexcept : function_(function) {}
    std::string run(Transaction& transaction) override {
        if constexpr (std::is_void_v<TransactionValue<F>>) {
            function_(transaction);
            return "null";
        } else {
            return encode_text(function_(transaction));
        }
    }
    [[nodiscard]] std::string tag() const override { return codec<TransactionValue<F>>::tag(); }

private:
    std::remove_reference_t<F>& function_;
};

/// The StepFailed in it.
[[nodiscard]] DURABLE_MCP_EXPORT StepFailed failure_in(const std::exception_ptr& thrown);

template <class E>
bool is_a(const std::exception_ptr& thrown) {
    static_assert(!std::is_base_of_v<Unwind, E>, "retryable<E…>: Unwind is not a failure of the step");
    try {
        std::rethrow_exception(thrown);
    } catch (const E&) {
        return true;
    } catch (...) {
        return false;
    }
}

template <class... E>
bool is_any_of(const std::exception_ptr& thrown) {
    static_assert(sizeof...(E) > 0, "retryable<E…>: name at least one type of exception");
    return (is_a<E>(thrown) || ...);
}

}  // namespace durable_mcp::detail
