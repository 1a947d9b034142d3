// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/context.hpp"

#include <functional>
#include <utility>

#include "durable_mcp/detail/step_body.hpp"
#include "durable_mcp/state.hpp"

namespace durable_mcp {

namespace detail {
StepBody::~StepBody() = default;
TransactionBody::~TransactionBody() = default;
}  // namespace detail

std::string DurableContext::run_step(detail::StepKind kind, std::string_view alias, detail::StepBody& body, Retryable may_repeat) {
    const std::string tag = body.tag();
    const std::function<std::string()> run = [&body] { return body.run(); };
    const std::function<bool(const std::exception_ptr&)> is_retryable = may_repeat.matches;
    return port_->step({.kind = kind, .alias = alias, .type = tag, .body = &run, .is_retryable = is_retryable ? &is_retryable : nullptr});
}

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

std::uint64_t SortedMap::count() const { return transaction_ != nullptr ? transaction_->map_count(name_) : call_->map_count(name_, live_); }

SortedMap SortedMap::live() const {
    SortedMap map = *this;
    map.live_ = true;
    return map;
}

}  // namespace durable_mcp
