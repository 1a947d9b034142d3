// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "durable_mcp/client.hpp"
#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/detail/step_body.hpp"
#include "durable_mcp/error.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/log.hpp"
#include "durable_mcp/question.hpp"
#include "durable_mcp/state.hpp"
#include "durable_mcp/step.hpp"
#include "durable_mcp/wait.hpp"

namespace durable_mcp {

/// What a handler knows of its call, and the only way in which it does things that survive the process.
///
/// A handler that takes a `DurableContext&`, in any position, is a *durable function*. When the process dies in the middle, the next
/// one runs the handler again from its first line: steps that were recorded return their recorded values without running, and the first
/// one that was not goes on from there. So code between the steps must be cheap to repeat and free of effects.
///
/// **Aliases.** A step is known by its alias, not by its position: the handler may be changed and deployed while calls are unfinished.
/// An alias is any UTF-8 text of 1 to 1024 bytes (std::invalid_argument), unique in the call (DuplicateStepError), and stays with its kind and
/// its result type (StepMismatchError). In a loop: `context.key("charge", i)`.
///
/// **Values.** A step may return anything with a codec (codec.hpp), or nothing. What the handler gets is always what was stored. What cannot be
/// stored (text that is not UTF-8, NaN, more than `Limits::step_value_bytes`) is a failure of the step: its callable has run, and is not run
/// again. Once a call has `Limits::entries_per_call` entries, a new step, read, write or question is Error(limit_exceeded).
///
/// **Leaving.** Any member may leave the handler with durable_mcp::Unwind, which is not a std::exception: let it pass. A step, a read, a write
/// or a question inside a step's callable, or on another thread, is a std::logic_error. A handler that is `noexcept`, or does any of these
/// through a frame that is (a destructor is), ends the process when the call is suspended or cancelled.
///
/// *Threads*: the handler's own only. *Lifetime*: until the handler returns.
class DURABLE_MCP_EXPORT DurableContext {
public:
    explicit DurableContext(detail::CallPort& port) noexcept : port_(&port) {}
    DurableContext(const DurableContext&) = delete;
    DurableContext& operator=(const DurableContext&) = delete;

    // ── Steps ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Runs `function` and records what it returns: for effects that are safe to repeat. It may take a std::stop_token, which asks it to stop when
    /// `options.timeout` is over, when the call is cancelled, and shortly before a stop's deadline; nothing is abandoned while it runs.
    ///
    /// *Durability*: the value is queued, not yet on disk, when this returns; every later step, event and answer waits for it. With a policy,
    /// each try that threw is recorded with its exception and the time of the next: the count goes on in the next process.
    /// *Replay*: recorded: the value, without running `function`. The process died before: `function` runs again.
    /// *Errors*: `function` threw, whatever it was, and `options.retry` (by default: once) allows no other try, or it returned what cannot be stored:
    /// StepFailed, with what was thrown nested, now; StepFailed again on each replay. So a ToolError for the client is thrown outside the step, not
    /// in `function`. std::invalid_argument for a policy that makes no sense.
    ///
    ///     auto rate = context.at_least_once("fetch rate", [&] { return bank.rate("EUR"); }, {.retry = {.attempts = 5}});
    template <class F>
    auto at_least_once(std::string_view alias, F&& function, const AtLeastOnceOptions& options = {}) {
        detail::check_step<F>();
        detail::StepBodyOf<F> body(function);
        return finish<detail::StepValue<F>>(alias, run_step(alias, body, options));
    }

    /// Runs `function` at most once, whatever happens: for effects that must not repeat, such as a payment.
    ///
    /// *Durability*: that it starts is on disk before `function` runs; its value is queued when this returns.
    /// *Replay*: recorded: the value. The process died inside `function`: nobody knows whether it happened, and
    /// AtMostOnceFailedBeforeCompleting with `cause() == interrupted` is thrown from then on; with `options.reconcile` the receiver is asked first,
    /// and decides.
    /// *Errors*: `function` threw (and not one of `options.retryable`), or returned what cannot be stored:
    /// AtMostOnceFailedBeforeCompleting with `cause() == failed`, now and on each replay; what was thrown is nested now only.
    ///
    ///     auto receipt = context.at_most_once("charge", [&] { return gateway.charge(card, cents); }, {.retryable = retryable<Unreachable>});
    template <class F>
    auto at_most_once(std::string_view alias, F&& function, const AtMostOnceOptions<detail::StepValue<F>>& options = {}) {
        detail::check_step<F>();
        detail::StepBodyOf<F> body(function);
        std::function<detail::StepOutcome(std::string_view)> reconcile;
        if (options.reconcile) {
            reconcile = [&options](std::string_view key) { return options.reconcile(key).told(); };
        }
        return finish<detail::StepValue<F>>(alias, run_once(alias, body, options.retryable, reconcile));
    }

    /// Runs several callables side by side, each an at_least_once step of its own, known by `alias` and its place; returns their values in order.
    ///
    /// They run on this thread and others of the pool, `options.limit` at once at most, and in no order that can be relied on. When one fails (its
    /// policy gives up), those that take a std::stop_token are asked to stop, no other begins, and once all have returned its failure is
    /// thrown; what the others threw after that is not recorded. In a branch no steps, maps or questions; log() and report_progress() may be used.
    ///
    /// *Durability*, *Replay*: as for at_least_once, one by one: a replay runs only what is not recorded; after a recorded failure, nothing.
    /// *Errors*: StepFailed of the branch that failed first, now and on each replay; its alias() is "alias[place]".
    ///
    ///     auto prices = context.parallel<int>("prices", {[&] { return shop_a.price(item); }, [&] { return shop_b.price(item); }}, {.limit = 4});
    template <class T>
    auto parallel(std::string_view alias, const std::vector<Branch<T>>& branches, const ParallelOptions& options = {}) {
        const auto outcomes = run_parallel<T>(alias, branches, options, false);
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> values;
            values.reserve(outcomes.size());
            for (const detail::BranchOutcome& outcome : outcomes) {
                values.push_back(finish<T>(alias, outcome.value));
            }
            return values;
        }
    }

    /// The same, but a failure stops nobody: what became of each, in order.
    ///
    ///     for (const auto& price : context.parallel_settled<int>("prices", branches)) { if (price.ok()) { best = std::min(best, price.value()); } }
    template <class T>
    std::vector<Settled<T>> parallel_settled(std::string_view alias, const std::vector<Branch<T>>& branches, const ParallelOptions& options = {}) {
        std::vector<Settled<T>> settled;
        for (const detail::BranchOutcome& outcome : run_parallel<T>(alias, branches, options, true)) {
            if (outcome.failure) {
                settled.push_back(Settled<T>(detail::failure_in(outcome.failure)));
            } else if constexpr (std::is_void_v<T>) {
                settled.push_back(Settled<T>());
            } else {
                settled.push_back(Settled<T>(finish<T>(alias, outcome.value)));
            }
        }
        return settled;
    }

    // ── Values that code needs to repeat itself. Each is a step: recorded once, the same in every attempt.

    /// The time, to the millisecond, when this was first asked.
    [[nodiscard]] std::chrono::system_clock::time_point now(std::string_view alias);
    /// 64 random bits, from the operating system's generator.
    [[nodiscard]] std::uint64_t random(std::string_view alias);
    /// A random number below `below`, each as likely as any other. std::invalid_argument for 0. `below` is part of the step: another one under the
    /// same alias is a StepMismatchError.
    [[nodiscard]] std::uint64_t random(std::string_view alias, std::uint64_t below);
    /// A random UUID (RFC 9562, version 4), such as "f81d4fae-7dec-41d0-a765-00a0c91e6bf6".
    [[nodiscard]] std::string uuid(std::string_view alias);

    /// Runs `function(Transaction&)` on the server's state: what it writes and what it returns are applied together, exactly once.
    ///
    /// The recommended way to keep state. Serializable: when something that it read has changed before it could commit, `function` runs
    /// again, so it must do nothing but read and write maps.
    ///
    /// *Durability*: what it wrote and returned is on disk when this returns. *Replay*: recorded: the value, and nothing is written again.
    /// *Errors*: what `function` throws leaves as StepFailed, now and on each replay, and nothing is written; Error(conflict) when it lost 64
    /// times, Error(limit_exceeded) for more than Options::state allows, Error(no_session) or Error(no_call) where there is no such state, or
    /// another Error when the store could not be read: nothing is written then either, nor recorded, and the alias may be used again.
    ///
    ///     context.transact("book", [&](auto& state) { state.map("ledger").insert(receipt, cents); });
    template <class F>
    auto transact(std::string_view alias, F&& function) {
        detail::check_transaction<F>();
        detail::TransactionBodyOf<F> body(function);
        return finish<detail::TransactionValue<F>>(alias, run_transaction(alias, body));
    }

    // ── State, outside a transaction: see SortedMap ────────────────────────────────────────────────────────────────────────

    /// The server-wide map of that name.
    [[nodiscard]] SortedMap map(std::string_view name) { return state_map(detail::MapScope::server, name); }
    /// Of whoever called: the same map in every session and every call of the same principal, for as long as the store lives. The only map of
    /// a client that there is in 2026-07-28. On a server without authorization everybody is the same, anonymous principal.
    [[nodiscard]] SortedMap user_map(std::string_view name) { return state_map(detail::MapScope::user, name); }
    /// Of the call's session, and gone with it.
    /// *Errors*: Error(no_session) where the call came without one, as all do in 2026-07-28, or its session has ended.
    [[nodiscard]] SortedMap session_map(std::string_view name) { return state_map(detail::MapScope::session, name); }
    /// Of the call: what it keeps beside its steps, for itself or for whoever looks on (State::call_map). Gone with the call, when the store no
    /// longer knows it.
    [[nodiscard]] SortedMap call_map(std::string_view name) { return state_map(detail::MapScope::call, name); }
    /// The same, with values of one type: `context.map<Account>("accounts")`.
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
    /// The one typed value of the call's session: T{} until it is set, gone with the session. Two calls that change it at once want
    /// transact() and Transaction::session_state.
    /// *Errors*: as session_map().
    ///
    ///     auto basket = context.session_state<Basket>();
    ///     basket.set(with(basket.get(), item));
    template <class T>
    [[nodiscard]] SessionValue<T> session_state() {
        return SessionValue<T>(state_map(detail::MapScope::session_value, {}));
    }

    // ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────────────────────
    //
    // A wait has an alias, as a step has, from the same names. A short one holds the thread; a longer one leaves the handler (Unwind): its thread is
    // free, and the handler runs again from its first line when the wait is over. So a call may wait for months, over restarts and deploys.
    //
    // *Durability*: that a wait has begun, until when, and what it came to are recorded. *Replay*: a wait that was over is over at once, and comes
    // to the same. *Threads*, *Leaving*: as for steps. A handler that is `noexcept` cannot wait.

    /// Sleeps. The moment at which it ends is recorded when the sleep begins: a restart neither shortens nor extends it, and setting the clock of
    /// the machine changes nothing while the process lives.
    ///
    ///     context.sleep_for("cool down", 24h);
    template <class Rep, class Period>
    void sleep_for(std::string_view alias, std::chrono::duration<Rep, Period> time) {
        sleep({.span = std::chrono::ceil<std::chrono::milliseconds>(time)}, alias);
    }
    /// Sleeps until the clock of the machine shows `time` (or later: it is looked at every ten seconds). At once where it does already.
    void sleep_until(std::string_view alias, std::chrono::system_clock::time_point time);

    /// Waits for a signal: an event from outside, by DurableMCP::signal(call_id, name, value). One that came before is not lost. The first of a name
    /// counts: give a signal that is to come again another name (`context.key("approval", round)`).
    /// *Errors*: WaitExpired; StepMismatchError where the value is no `T` (it stays recorded).
    ///
    ///     auto approval = context.wait_for_signal<Approval>("approval", "approve", {.deadline = 72h});
    template <class T>
    T wait_for_signal(std::string_view alias, std::string_view name, const WaitOptions& options = {}) {
        static_assert(HasCodec<T>, "DurableContext::wait_for_signal<T>: there is no durable_mcp::codec<T> for this type");
        return finish<T>(alias, take_signal(alias, codec<T>::tag(), name, options));
    }
    void wait_for_signal(std::string_view alias, std::string_view name, const WaitOptions& options = {}) {
        static_cast<void>(take_signal(alias, codec<void>::tag(), name, options));
    }

    /// Waits until `condition`, a function that returns a std::optional<T>, has a value: `false`, 0 and "" are values. It is looked at now, whenever
    /// a map that it has read changes, and after a restart. Inside it maps are read as they are now; it must do nothing but read.
    /// *Errors*: WaitExpired; StepFailed for what `condition` throws, now and on each replay; std::logic_error for one that reads no map and has no
    /// deadline.
    ///
    ///     auto stock = context.until("in stock", [&] { return context.map("stock").get<int>(article); });
    template <class F>
    auto until(std::string_view alias, F&& condition, const WaitOptions& options = {}) {
        using Value = detail::OptionalValue<std::decay_t<std::invoke_result_t<F&>>>;
        static_assert(Value::is_optional, "DurableContext::until: the condition returns a std::optional<T>, empty while it does not hold");
        static_assert(HasCodec<typename Value::type>, "DurableContext::until: there is no durable_mcp::codec<T> for what the condition returns");
        const auto look = detail::condition_of(condition);
        return finish<typename Value::type>(alias, wait_until(alias, codec<typename Value::type>::tag(), {&look, options.deadline, false}));
    }

    /// In a loop(): waits until what `value` returns is another than in the iteration before, and returns it; at once in the first one. It is looked
    /// at when until() would look, and what lay between two looks may be passed over.
    template <class F>
    auto until_changes(std::string_view alias, F&& value, const WaitOptions& options = {}) {
        using Value = std::decay_t<std::invoke_result_t<F&>>;
        static_assert(HasCodec<Value>, "DurableContext::until_changes: there is no durable_mcp::codec<T> for what the function returns");
        const auto look = detail::value_of(value);
        return finish<Value>(alias, wait_until(alias, codec<Value>::tag(), {&look, options.deadline, true}));
    }

    /// Runs `iteration` again and again: it gets what the one before handed on (`initial` the first time) and returns a `Next<Carry, T>`: again(carry), or
    /// done(value), which is the loop's. What it hands on is recorded with the iteration's last entries, so that a restart goes on in the unfinished
    /// iteration; aliases need to be unique within one iteration only. What iterations before have recorded is deleted: a loop may run for years.
    /// Several loops, and loops in loops, are fine. What an iteration throws leaves the loop.
    ///
    ///     auto pages = context.loop("crawl", 1, [&](int page) -> Next<int, int> {
    ///         const bool more = context.at_least_once("fetch", [&] { return fetch(page); });
    ///         if (!more) { return done(page); }
    ///         return again(page + 1);
    ///     }, {.interval = 1min});
    template <class Carry, class F>
    auto loop(std::string_view alias, const Carry& initial, F&& iteration, const LoopOptions& options = {}) {
        using Handed = detail::Stored<Carry>;
        using Outcome = std::decay_t<std::invoke_result_t<F&, const Handed&>>;
        static_assert(detail::IsNext<Outcome>::value, "DurableContext::loop: an iteration returns a Next<Carry, T>; say so behind its parameters: -> Next<int, T>");
        using Value = typename Outcome::value_type;
        static_assert(std::is_same_v<typename Outcome::carry_type, Handed>, "DurableContext::loop: `initial` is not of the type that iterations hand on");
        static_assert(HasCodec<Handed> && HasCodec<Value>, "DurableContext::loop: there is no durable_mcp::codec<T> for what iterations hand on, or for its value");
        const auto run = detail::iteration_of<Handed, Value>(iteration);
        return finish<Value>(alias, run_loop(alias, codec<Value>::tag(), {codec<Handed>::tag(), detail::encode_text(initial), &run, options.interval}));
    }

    // ── Towards the client ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// Tells the client how far the call is, if it asked to be told. `progress` counts up in any unit; one that does not is dropped.
    ///
    /// *Durability*: sent when the steps before it are durable. In a session it is then an event of the call's stream, which a resumed client
    /// finds; a client of 2026-07-28 hears what is said while it is there. *Replay*: not sent again.
    /// *Errors*: Error(limit_exceeded) for more events than a stream may hold (`Limits::events_per_stream`); log() alike.
    void report_progress(double progress, std::optional<double> total = std::nullopt, std::string_view message = {});

    /// Sends a log message to the client, if its level is at least the one that the client set: for its session ("info" until it does), or, in
    /// 2026-07-28, with this request (nothing is sent where it did not). `data` is anything with a codec.
    ///
    /// *Durability*: as report_progress().
    /// *Replay*: a message that was sent is not sent again; logging the same thing twice sends it twice.
    ///
    ///     context.log(LogLevel::warning, "the rate is a day old", "rates");
    template <class T>
    void log(LogLevel level, const T& data, std::string_view logger = {}) {
        static_assert(HasCodec<detail::Stored<T>>, "DurableContext::log: there is no durable_mcp::codec<T> for the type of this data");
        send_log(level, detail::encode_text(data), logger);
    }

    /// Tells the client that called, and everybody who listens for it (subscriptions/listen of 2026-07-28), that a list has changed. Registering
    /// and removing do so by themselves, and tell all sessions; these are for what a handler lists on its own.
    ///
    /// *Durability*: in a session, recorded together with the event on its standalone stream; for listeners, said while they listen.
    /// *Replay*: not sent again.
    void send_tools_list_changed();
    void send_prompts_list_changed();
    void send_resources_list_changed();
    /// Tells every client that has subscribed to the resource `uri`, letter for letter, that it has changed: they read it again.
    ///
    /// *Durability*: on the standalone stream of every session that has subscribed, also of one whose client is away; then recorded.
    /// *Replay*: not sent again, unless the process died between the two: better read once too often than never.
    void send_resource_updated(std::string_view uri);

    // ── Questions ──────────────────────────────────────────────────────────────────────────────────────────────────────────
    //
    // A question has an alias, as a step has; the two may be equal, since questions and steps do not meet. Clients may see it. It needs a client
    // that can be asked: client() tells, and otherwise MissingCapability leaves the handler, before anything is asked.
    //
    // *Durability*: the question is on disk before the client sees it, its answer before the client is told that it has arrived. A question
    // outlives a crash under the same id: the client may answer to whichever process is there, and is not asked twice.
    // *Replay*: an answer that was recorded is returned, and nothing is asked. What was asked is not compared: a question is its alias.
    // *Leaving*: waiting may suspend the handler (Unwind): its thread is free, and it runs again from its first line when the answer is there.
    // *Errors*: MissingCapability; QuestionRefused for an error, or for an answer that does not fit the question (a client of 2026-07-28 is asked
    // again instead); QuestionExpired. A call whose client takes it back, or does not come back in time (QuestionOptions::deadline), runs no
    // further: what it holds for the client must be given back by other means than the lines behind the question.

    /// Asks the client's user to fill in a form: see elicitation(). Never for secrets: the client sees what is filled in.
    ///
    ///     struct Address { std::string street; std::string city; };
    ///     auto address = context.elicit<Address>("address", "Where shall it go?", {.deadline = 24h});
    ///     if (!address.accepted()) { return ToolResult::error("nobody said where to"); }
    template <class T>
    Elicited<T> elicit(std::string_view alias, std::string_view message, const QuestionOptions& options = {}) {
        return answer(elicitation<T>(alias, message, options));
    }
    Elicited<nlohmann::json> elicit(std::string_view alias, std::string_view message, const Form& form, const QuestionOptions& options = {});
    Elicited<nlohmann::json> elicit(std::string_view alias, std::string_view message, const JsonSchema& requested_schema,
                                    const QuestionOptions& options = {});
    /// Asks the client's user to open `url`. What happens there reaches the server by another way; make sure there that it is the same user.
    Elicited<void> elicit_url(std::string_view alias, std::string_view message, std::string_view url, const QuestionOptions& options = {});
    /// Asks the client's model.
    Sampled sample(std::string_view alias, const SamplingRequest& request, const QuestionOptions& options = {});
    /// Asks for the folders that the client lets the server work in. Deprecated since 2026-07-28 (SEP-2577).
    std::vector<Root> list_roots(std::string_view alias, const QuestionOptions& options = {});

    /// Puts several questions at once, and returns when all are answered. The first that was refused or has expired is the one that is thrown.
    ///
    ///     auto [address, folders] = context.ask(elicitation<Address>("address", "Where to?"), roots("folders"));
    template <class... R>
    std::tuple<R...> ask(const Question<R>&... questions) {
        static_assert(sizeof...(R) > 0, "DurableContext::ask: ask at least one question");
        return read_all(put({questions.request()...}), std::index_sequence_for<R...>{}, questions...);
    }

    /// Who called, and what it can be asked.
    ///
    /// *Replay*: the same, whoever asks for the answer now.
    [[nodiscard]] Client client() const;

    // ── Tasks ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// From here on the call is a task, if its client knows the tasks of 2026-07-28 and the tool allows them (ToolOptions::task): the client gets a
    /// handle now, and asks for the result later. (In a session only the request itself can make a call a task.) Returns whether the call is
    /// one. Nothing else changes for the handler.
    ///
    /// *Durability*: the task is on disk when this returns true, and its client hears of it after that.
    /// *Replay*: the same answer; a task stays one.
    bool become_task();

    // ── The call itself ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A key for a receiver that drops repeated requests (a payment gateway's `Idempotency-Key`): the same in every attempt of this
    /// call, different for every alias and every call, unguessable. It makes at_least_once exactly-once at such a receiver. May be
    /// asked for as often as you like. It begins with call_id().
    [[nodiscard]] std::string idempotency_key(std::string_view alias);

    /// The call's id, as in the log. Unguessable; where the call is a task, it is the task's id too, by which whoever may use this server gets
    /// its result.
    [[nodiscard]] std::string_view call_id() const;
    /// 1 for the first attempt; one more each time the handler runs again, after a crash or a wait.
    [[nodiscard]] std::uint32_t attempt() const;
    /// True while the steps that come next may have been recorded by an earlier attempt. For logging; branching on it breaks the replay.
    [[nodiscard]] bool is_replaying() const;
    /// True once the client has taken the call back. The next step leaves the handler; ask here in long computations between steps.
    [[nodiscard]] bool cancelled() const;

    /// Ends this attempt: the handler runs again from its first line when `delay` is over, with all that is recorded. For what cannot go on now, and
    /// has no step that could be tried again. It is no step, and may be called as often as there are attempts.
    ///
    /// *Durability*: recorded; a restart neither shortens nor extends the delay. It is not held against the call (limits.crashed_attempts).
    /// *Leaving*: always, as Unwind. *Errors*: std::invalid_argument for a negative delay.
    ///
    ///     if (!context.at_least_once(context.key("is it open", context.attempt()), [&] { return shop.is_open(); })) { context.retry_later(1h); }
    [[noreturn]] void retry_later(std::chrono::milliseconds delay);

    /// An alias for one round of a loop: `key("charge", 3)` is "charge[3]", `key("pay", order.id)` is `pay["A-17"]`.
    ///
    ///     for (int i = 0; i < 3; ++i) context.at_most_once(context.key("charge", i), [&] { return charge(i); });
    template <detail::Integer N>
    [[nodiscard]] std::string key(std::string_view alias, N round) const {
        return round_key(alias, detail::encode_text(round));
    }
    [[nodiscard]] std::string key(std::string_view alias, std::string_view item) const;

private:
    [[nodiscard]] SortedMap state_map(detail::MapScope scope, std::string_view name) { return {port_, nullptr, port_->map_name(scope, name)}; }
    template <class T>
    static auto finish([[maybe_unused]] std::string_view alias, [[maybe_unused]] const std::string& text) {
        if constexpr (!std::is_void_v<T>) {
            return detail::decode_text<T>(ValueView::Source::step, alias, text);
        }
    }
    template <class R>
    R answer(const Question<R>& question) {
        return question.read(put({question.request()}).front());
    }
    template <std::size_t... I, class... R>
    static std::tuple<R...> read_all(const std::vector<std::string>& answers, std::index_sequence<I...>, const Question<R>&... questions) {
        return std::tuple<R...>{questions.read(answers[I])...};  // braces: in their order
    }
    /// As many answers as questions, in their order.
    std::vector<std::string> put(const std::vector<detail::QuestionRequest>& questions);
    std::string run_step(std::string_view alias, detail::StepBody& body, const AtLeastOnceOptions& options);
    std::string run_once(std::string_view alias, detail::StepBody& body, Retryable may_repeat,
                         const std::function<detail::StepOutcome(std::string_view)>& reconcile);
    template <class T>
    std::vector<detail::BranchOutcome> run_parallel(std::string_view alias, const std::vector<Branch<T>>& branches, const ParallelOptions& options,
                                                    bool settles_all) {
        static_assert(HasCodec<T>, "what a branch returns is stored, and there is no durable_mcp::codec<T> for this type: return one that has a codec, "
                                   "or specialise codec<T> (durable_mcp/codec.hpp)");
        detail::ParallelRequest request;
        request.alias = alias;
        request.settles_all = settles_all;
        request.takes_stop = !branches.empty();
        for (const Branch<T>& branch : branches) {
            request.branches.push_back(&branch.body());
            request.takes_stop = request.takes_stop && branch.takes_stop();
        }
        return start_parallel(request, codec<T>::tag(), options);
    }
    std::vector<detail::BranchOutcome> start_parallel(detail::ParallelRequest& request, const std::string& tag, const ParallelOptions& options);
    std::string run_transaction(std::string_view alias, detail::TransactionBody& body);
    void sleep(const detail::SleepRequest& request, std::string_view alias);
    [[nodiscard]] std::string take_signal(std::string_view alias, const std::string& type, std::string_view name, const WaitOptions& options);
    [[nodiscard]] std::string wait_until(std::string_view alias, const std::string& type, const detail::UntilRequest& request);
    [[nodiscard]] std::string run_loop(std::string_view alias, const std::string& type, const detail::LoopRequest& request);
    void send_log(LogLevel level, std::string_view data, std::string_view logger);
    [[nodiscard]] static std::string round_key(std::string_view alias, std::string_view round);

    detail::CallPort* port_;
};

}  // namespace durable_mcp
