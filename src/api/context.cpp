// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/context.hpp"

#include <functional>
#include <stdexcept>
#include <utility>

#include "durable_mcp/detail/step_body.hpp"
#include "durable_mcp/state.hpp"

namespace durable_mcp {

namespace detail {
StepBody::~StepBody() = default;
TransactionBody::~TransactionBody() = default;

StepFailed failure_in(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const StepFailed& failure) {
        return failure;
    }
}
}  // namespace detail

namespace {

// Checked here, so that nobody below meets a policy that makes no sense.
detail::StepRetry read_policy(std::string_view alias, const RetryPolicy& policy, std::chrono::milliseconds timeout, bool takes_stop) {
    const auto refuse = [&](const char* why) { throw std::invalid_argument("step '" + std::string(alias) + "': " + why); };
    if (policy.initial.count() < 0 || policy.maximum < policy.initial) {
        refuse("RetryPolicy::initial is not negative, and RetryPolicy::maximum not below it");
    }
    if (!(policy.factor >= 1) || !(policy.jitter >= 0 && policy.jitter <= 1)) {
        refuse("RetryPolicy::factor is 1 or more, RetryPolicy::jitter between 0 and 1");
    }
    if (timeout.count() < 0 || (timeout.count() > 0 && !takes_stop)) {
        refuse("a time-out asks the callable to stop: it is not negative, and needs a callable that takes a std::stop_token");
    }
    return {.attempts = policy.attempts, .initial = policy.initial, .maximum = policy.maximum, .factor = policy.factor, .jitter = policy.jitter,
            .retry_if = policy.retry_if ? &policy.retry_if : nullptr};
}

}  // namespace

std::string DurableContext::run_step(std::string_view alias, detail::StepBody& body, const AtLeastOnceOptions& options) {
    const std::string tag = body.tag();
    const detail::StepRun run = [&body](std::stop_token stop) { return body.run(std::move(stop)); };
    return port_->step({.kind = detail::StepKind::at_least_once,
                        .alias = alias,
                        .type = tag,
                        .body = &run,
                        .retry = read_policy(alias, options.retry, options.timeout, body.takes_stop()),
                        .timeout = options.timeout,
                        .takes_stop = body.takes_stop()});
}

std::string DurableContext::run_once(std::string_view alias, detail::StepBody& body, Retryable may_repeat,
                                     const std::function<detail::StepOutcome(std::string_view)>& reconcile) {
    const std::string tag = body.tag();
    const detail::StepRun run = [&body](std::stop_token stop) { return body.run(std::move(stop)); };
    const std::function<bool(const std::exception_ptr&)> is_retryable = may_repeat.matches;
    return port_->step({.kind = detail::StepKind::at_most_once,
                        .alias = alias,
                        .type = tag,
                        .body = &run,
                        .is_retryable = is_retryable ? &is_retryable : nullptr,
                        .reconcile = reconcile ? &reconcile : nullptr,
                        .takes_stop = body.takes_stop()});
}

std::vector<detail::BranchOutcome> DurableContext::start_parallel(detail::ParallelRequest& request, const std::string& tag,
                                                                  const ParallelOptions& options) {
    request.type = tag;
    request.limit = options.limit;
    request.timeout = options.timeout;
    request.retry = read_policy(request.alias, options.retry, options.timeout, request.takes_stop || request.branches.empty());
    return port_->parallel(request);
}

std::chrono::system_clock::time_point DurableContext::now(std::string_view alias) {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(port_->now_ms(alias)));
}
std::uint64_t DurableContext::random(std::string_view alias) { return port_->random(alias, std::nullopt); }
std::uint64_t DurableContext::random(std::string_view alias, std::uint64_t below) {
    if (below == 0) {
        throw std::invalid_argument("random('" + std::string(alias) + "', 0): there is no number below 0");
    }
    return port_->random(alias, below);
}
void DurableContext::retry_later(std::chrono::milliseconds delay) {
    port_->retry_later(delay);
    throw Unwind(Unwind::Reason::suspended);  // not reached
}

std::string DurableContext::uuid(std::string_view alias) { return port_->uuid(alias); }

std::string DurableContext::run_transaction(std::string_view alias, detail::TransactionBody& body) {
    return port_->transact(alias, body.tag(), [&body](detail::TransactionPort& port) {
        Transaction transaction(port);
        return body.run(transaction);
    });
}

void DurableContext::report_progress(double progress, std::optional<double> total, std::string_view message) {
    port_->report_progress(progress, total, message);
}

void DurableContext::send_log(LogLevel level, std::string_view data, std::string_view logger) {
    port_->log(static_cast<int>(level), data, logger);
}

void DurableContext::send_tools_list_changed() { port_->send_list_changed("tools"); }
void DurableContext::send_prompts_list_changed() { port_->send_list_changed("prompts"); }
void DurableContext::send_resources_list_changed() { port_->send_list_changed("resources"); }
void DurableContext::send_resource_updated(std::string_view uri) { port_->send_resource_updated(uri); }

Client DurableContext::client() const { return Client(port_->client_json()); }
bool DurableContext::become_task() { return port_->become_task(); }

void DurableContext::sleep(const detail::SleepRequest& request, std::string_view alias) { port_->sleep(alias, request); }

void DurableContext::sleep_until(std::string_view alias, std::chrono::system_clock::time_point time) {
    const auto since_epoch = std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch());
    port_->sleep(alias, {.span = {}, .until_ms = since_epoch.count()});
}

std::string DurableContext::take_signal(std::string_view alias, const std::string& type, std::string_view name, const WaitOptions& options) {
    if (auto value = port_->wait_for_signal(alias, type, name, options.deadline)) {
        return *std::move(value);
    }
    throw WaitExpired(std::string(alias), "wait '" + std::string(alias) + "': no signal '" + std::string(name) + "' came before its deadline");
}

std::string DurableContext::wait_until(std::string_view alias, const std::string& type, const detail::UntilRequest& request) {
    if (auto value = port_->until(alias, type, request)) {
        return *std::move(value);
    }
    throw WaitExpired(std::string(alias), "wait '" + std::string(alias) + "': its condition did not hold before its deadline");
}

std::string DurableContext::run_loop(std::string_view alias, const std::string& type, const detail::LoopRequest& request) {
    return port_->loop(alias, type, request);
}

std::string DurableContext::idempotency_key(std::string_view alias) { return port_->idempotency_key(alias); }
std::string_view DurableContext::call_id() const { return port_->call_id(); }
std::uint32_t DurableContext::attempt() const { return port_->attempt(); }
bool DurableContext::is_replaying() const { return port_->is_replaying(); }
bool DurableContext::cancelled() const { return port_->cancelled(); }

std::string DurableContext::round_key(std::string_view alias, std::string_view round) {
    // On disk: this form must not change.
    std::string key(alias);
    key += '[';
    key += round;
    key += ']';
    return key;
}

std::string DurableContext::key(std::string_view alias, std::string_view item) const { return round_key(alias, detail::encode_text(item)); }

}  // namespace durable_mcp
