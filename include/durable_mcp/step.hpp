// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a step can be told beyond its callable: how often it is tried, how long one try may take, how to find out what became of it. The steps
// themselves are members of DurableContext (context.hpp).

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "durable_mcp/detail/step_body.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp {

/// Exceptions after which a step may be tried again: `retryable<Timeout, Busy>`. See AtMostOnceOptions and RetryPolicy.
struct Retryable {
    bool (*matches)(const std::exception_ptr&) = nullptr;  ///< null: none is
    bool operator()(const std::exception_ptr& thrown) const { return matches != nullptr && matches(thrown); }
};

template <class... E>
inline constexpr Retryable retryable = {&detail::is_any_of<E...>};

/// How often a step is tried. The default is once.
///
/// The n-th delay is `initial * factor^(n-1)`, at most `maximum`, less a random part of up to `jitter` of it.
struct RetryPolicy {
    std::uint32_t attempts = 1;                               ///< tries in all; 0: until it succeeds, or the call has too many entries
    std::chrono::milliseconds initial{100};                   ///< not negative
    std::chrono::milliseconds maximum{std::chrono::minutes(1)};   ///< not below `initial`
    double factor = 2;                                        ///< 1 or more
    double jitter = 0.2;                                      ///< 0 to 1
    /// Whether to try again after that exception: a predicate, or `retryable<E…>`. Empty: after each. Never asked about NonRetryable, after
    /// which nothing is tried again. What it throws means no.
    std::function<bool(const std::exception_ptr&)> retry_if = {};
};

struct AtLeastOnceOptions {
    RetryPolicy retry = {};
    /// How long one try may take before its std::stop_token asks it to stop; 0 is for ever. It is not abandoned: the step waits until the callable
    /// returns, and what it then throws is the failure of that try. Needs a callable that takes a std::stop_token (std::invalid_argument).
    std::chrono::milliseconds timeout{0};
};

/// What the receiver of an at_most_once step says of one that was interrupted.
template <class T>
class Outcome {
public:
    /// It happened, and this is what the callable would have returned.
    template <class U = T>
        requires(!std::is_void_v<T> && std::convertible_to<U, T>)
    [[nodiscard]] static Outcome done(U&& value) {
        return Outcome(detail::StepOutcome::Word::done, detail::encode_text(static_cast<T>(std::forward<U>(value))));
    }
    [[nodiscard]] static Outcome done()
        requires std::is_void_v<T>
    {
        return Outcome(detail::StepOutcome::Word::done, "null");
    }
    /// It did not happen, and will not: nothing of it is still on its way.
    [[nodiscard]] static Outcome not_done() { return Outcome(detail::StepOutcome::Word::not_done, {}); }
    [[nodiscard]] static Outcome unknown() { return Outcome(detail::StepOutcome::Word::unknown, {}); }

    [[nodiscard]] const detail::StepOutcome& told() const noexcept { return told_; }  ///< for the library

private:
    Outcome(detail::StepOutcome::Word word, std::string value) : told_{word, std::move(value)} {}
    detail::StepOutcome told_;
};

template <class T>
struct AtMostOnceOptions {
    /// An exception of one of these types (or derived from one) says for certain that nothing happened: the step is durably as if it
    /// had never started, the exception leaves as it is, and the same alias may be used again, in this attempt or a later one.
    Retryable retryable = {};
    /// Asks the receiver what became of the step, by its idempotency_key(alias), when an earlier attempt died inside the callable. *done* records the
    /// value; *not_done* runs the callable, which is recorded to have started again first; *unknown*, and any exception, is what it is without a
    /// reconcile: AtMostOnceFailedBeforeCompleting, interrupted. That is then final: the handler has seen it, so nobody is asked again.
    /// Whoever wants to ask for longer does so in here. It may be asked several times until its word is on disk, so it must only ask.
    ///
    ///     context.at_most_once("charge", [&] { return gateway.charge(card, cents, context.idempotency_key("charge")); },
    ///                          {.reconcile = [&](std::string_view key) -> Outcome<Receipt> {
    ///                              const auto found = gateway.find(key);
    ///                              return found ? Outcome<Receipt>::done(*found) : Outcome<Receipt>::not_done();
    ///                          }});
    std::function<Outcome<T>(std::string_view idempotency_key)> reconcile = {};
};

// ── Side by side ───────────────────────────────────────────────────────────────────────────────────────────────────────────

struct ParallelOptions {
    std::size_t limit = 0;       ///< how many run at once at most; 0: all, as far as Options::handler_threads go
    RetryPolicy retry = {};      ///< of each branch
    std::chrono::milliseconds timeout{0};  ///< of each try of each branch: see AtLeastOnceOptions
};

/// One of several callables that run side by side: see DurableContext::parallel. Made from anything that can be copied and takes nothing, or a
/// std::stop_token. It runs on a thread of its own: what it captures by reference is shared with the others.
template <class T>
class Branch {
public:
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, Branch> && detail::StepCallable<std::remove_cvref_t<F>>)
    Branch(F&& function)  // NOLINT(google-explicit-constructor): a list of lambdas is a list of branches
        : takes_stop_(detail::TakesStop<std::remove_cvref_t<F>>) {
        static_assert(std::is_void_v<T> || std::is_convertible_v<detail::StepResult<std::remove_cvref_t<F>>, T>,
                      "a branch of parallel<T> returns a T: all branches return the same type");
        run_ = [function = std::forward<F>(function)](std::stop_token stop) mutable -> std::string {
            if constexpr (std::is_void_v<T>) {
                detail::call_step(function, std::move(stop));
                return "null";
            } else {
                return detail::encode_text(static_cast<T>(detail::call_step(function, std::move(stop))));
            }
        };
    }
    [[nodiscard]] const std::function<std::string(std::stop_token)>& body() const noexcept { return run_; }  ///< for the library
    [[nodiscard]] bool takes_stop() const noexcept { return takes_stop_; }

private:
    std::function<std::string(std::stop_token)> run_;
    bool takes_stop_;
};

/// What became of one branch: its value, or its failure.
template <class T>
class Settled {
public:
    explicit Settled(T value) : value_(std::move(value)) {}
    explicit Settled(StepFailed failure) : failure_(std::move(failure)) {}
    [[nodiscard]] bool ok() const noexcept { return value_.has_value(); }
    /// *Errors*: the StepFailed of a branch that failed.
    [[nodiscard]] const T& value() const {
        if (failure_) {
            throw StepFailed(*failure_);
        }
        return *value_;
    }
    [[nodiscard]] const StepFailed* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }  ///< null: it did not fail

private:
    std::optional<T> value_;
    std::optional<StepFailed> failure_;
};

template <>
class Settled<void> {
public:
    Settled() = default;
    explicit Settled(StepFailed failure) : failure_(std::move(failure)) {}
    [[nodiscard]] bool ok() const noexcept { return !failure_; }
    void value() const {
        if (failure_) {
            throw StepFailed(*failure_);
        }
    }
    [[nodiscard]] const StepFailed* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }

private:
    std::optional<StepFailed> failure_;
};

}  // namespace durable_mcp
