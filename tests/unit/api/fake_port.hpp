// SPDX-License-Identifier: Apache-2.0
#pragma once

// A CallPort that keeps what it is asked in a list and in plain maps, and records steps as a journal does.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp::api {

using Rows = std::map<std::string, std::string, std::less<>>;

inline detail::MapRows select_rows(const Rows& rows, const detail::MapRangeRequest& range) {
    detail::MapRows found;
    for (const auto& [key, value] : rows) {
        if (key >= range.start && (!range.end || key < *range.end)) {
            found.emplace_back(key, value);
        }
    }
    if (range.reverse) {
        found = detail::MapRows(found.rbegin(), found.rend());
    }
    if (range.limit != 0 && found.size() > range.limit) {
        found.resize(range.limit);
    }
    return found;
}

class FakeTransaction final : public detail::TransactionPort {
public:
    explicit FakeTransaction(std::map<std::string, Rows>& maps) : maps_(maps) {}
    [[nodiscard]] std::string map_name(detail::MapScope scope, std::string_view name) const override { return detail::kept_map_name(scope, "me", name); }
    std::optional<std::string> map_get(std::string_view map, std::string_view key) override {
        const Rows& rows = maps_[std::string(map)];
        const auto found = rows.find(key);
        return found == rows.end() ? std::nullopt : std::optional(found->second);
    }
    detail::MapRows map_range(std::string_view map, const detail::MapRangeRequest& range) override {
        return select_rows(maps_[std::string(map)], range);
    }
    std::uint64_t map_count(std::string_view map) override { return maps_[std::string(map)].size(); }
    void map_put(std::string_view map, std::string_view key, std::string value) override {
        maps_[std::string(map)][std::string(key)] = std::move(value);
    }
    void map_erase(std::string_view map, std::string_view key) override { maps_[std::string(map)].erase(std::string(key)); }

private:
    std::map<std::string, Rows>& maps_;
};

class FakePort final : public detail::CallPort {
public:
    std::map<std::string, std::string> recorded;         ///< alias → value
    std::map<std::string, std::string> types;            ///< alias → type tag
    std::map<std::string, Rows> maps;
    std::vector<std::string> said;                       ///< everything else, one line each
    std::map<std::string, std::string> answers;          ///< alias → what the client says
    std::vector<detail::QuestionRequest> asked;
    std::string client = "{}";
    std::optional<bool> retried;                         ///< what is_retryable said of the last exception
    std::optional<detail::StepRequest> step_asked;       ///< the last step as it was asked for
    std::string reconciled;                              ///< what its receiver said

    void sleep(std::string_view alias, const detail::SleepRequest& request) override {
        said.push_back("sleep " + std::string(alias) +
                       (request.span ? " for " + std::to_string(request.span->count()) : " until " + std::to_string(request.until_ms)));
    }
    std::optional<std::string> wait_for_signal(std::string_view alias, std::string_view type, std::string_view name,
                                               std::optional<std::chrono::milliseconds>) override {
        types[std::string(alias)] = type;
        const auto found = answers.find(std::string(name));
        return found == answers.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<std::string> until(std::string_view alias, std::string_view type, const detail::UntilRequest& request) override {
        types[std::string(alias)] = type;
        return (*request.condition)();
    }
    std::string loop(std::string_view alias, std::string_view type, const detail::LoopRequest& request) override {
        types[std::string(alias)] = std::string(type) + "/" + request.carry_type;
        std::string carry = request.initial;
        for (;;) {
            detail::LoopStep next = (*request.iteration)(carry);
            if (next.is_done) {
                return next.text;
            }
            carry = std::move(next.text);
        }
    }

    std::string step(const detail::StepRequest& request) override {
        const std::string alias(request.alias);
        types[alias] = request.type;
        said.push_back((request.kind == detail::StepKind::at_most_once ? "at_most_once " : "at_least_once ") + alias);
        step_asked = request;
        if (request.reconcile != nullptr) {
            const detail::StepOutcome told = (*request.reconcile)(idempotency_key(alias));
            reconciled = std::to_string(static_cast<int>(told.word)) + " " + told.value;
        }
        if (const auto found = recorded.find(alias); found != recorded.end()) {
            return found->second;
        }
        try {
            return recorded[alias] = (*request.body)(std::stop_token());
        } catch (...) {
            recorded.erase(alias);
            retried = request.is_retryable != nullptr && (*request.is_retryable)(std::current_exception());
            throw;
        }
    }
    std::vector<detail::BranchOutcome> parallel(const detail::ParallelRequest& request) override {
        types[std::string(request.alias)] = request.type;
        said.push_back("parallel " + std::string(request.alias) + " limit " + std::to_string(request.limit) + (request.settles_all ? " settles" : ""));
        std::vector<detail::BranchOutcome> outcomes;
        for (const detail::StepRun* const branch : request.branches) {
            const std::string alias = std::string(request.alias) + "[" + std::to_string(outcomes.size()) + "]";
            try {
                outcomes.push_back({(*branch)(std::stop_token()), nullptr});
            } catch (const std::exception& error) {
                outcomes.push_back({{}, std::make_exception_ptr(StepFailed(alias, "E", error.what()))});
                if (!request.settles_all) {
                    std::rethrow_exception(outcomes.back().failure);
                }
            }
        }
        return outcomes;
    }
    std::int64_t now_ms(std::string_view alias) override { return said.push_back("now " + std::string(alias)), 1'800'000'000'123; }
    std::uint64_t random(std::string_view alias, std::optional<std::uint64_t> below) override {
        return said.push_back("random " + std::string(alias)), below ? *below - 1 : 7;
    }
    void retry_later(std::chrono::milliseconds delay) override {
        said.push_back("later " + std::to_string(delay.count()));
        throw Unwind(Unwind::Reason::suspended);
    }
    std::string uuid(std::string_view alias) override { return "uuid of " + std::string(alias); }
    std::string transact(std::string_view alias, std::string_view type, const std::function<std::string(detail::TransactionPort&)>& body) override {
        types[std::string(alias)] = type;
        FakeTransaction transaction(maps);
        return body(transaction);
    }
    [[nodiscard]] std::string map_name(detail::MapScope scope, std::string_view name) const override { return detail::kept_map_name(scope, "me", name); }
    bool map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                             std::optional<std::string> desired) override {
        return FakeTransaction(maps).map_compare_and_set(map, key, expected, std::move(desired));
    }
    std::optional<std::string> map_get(std::string_view map, std::string_view key, bool live) override {
        said.push_back(std::string("get ") + std::string(map) + (live ? " live" : ""));
        return FakeTransaction(maps).map_get(map, key);
    }
    detail::MapRows map_range(std::string_view map, const detail::MapRangeRequest& range, bool live) override {
        said.push_back(std::string("range ") + std::string(map) + (live ? " live" : ""));
        return FakeTransaction(maps).map_range(map, range);
    }
    std::uint64_t map_count(std::string_view map, bool) override { return FakeTransaction(maps).map_count(map); }
    void map_put(std::string_view map, std::string_view key, std::string value) override {
        FakeTransaction(maps).map_put(map, key, std::move(value));
    }
    void map_erase(std::string_view map, std::string_view key) override { FakeTransaction(maps).map_erase(map, key); }
    void report_progress(double progress, std::optional<double> total, std::string_view message) override {
        said.push_back("progress " + std::to_string(progress) + " of " + (total ? std::to_string(*total) : "?") + " " + std::string(message));
    }
    void log(int level, std::string_view data_json, std::string_view logger) override {
        said.push_back("log " + std::to_string(level) + " " + std::string(data_json) + " " + std::string(logger));
    }
    void send_resource_updated(std::string_view uri) override { said.push_back("updated " + std::string(uri)); }
    std::vector<std::string> ask(const std::vector<detail::QuestionRequest>& questions) override {
        std::vector<std::string> given;
        std::string line = "ask";
        for (const detail::QuestionRequest& question : questions) {
            line += " " + question.alias;
            asked.push_back(question);
            given.push_back(answers.at(question.alias));
        }
        said.push_back(line);
        return given;
    }
    bool become_task() override { return true; }
    [[nodiscard]] std::string client_json() const override { return client; }
    void send_list_changed(std::string_view list) override { said.push_back("changed " + std::string(list)); }
    std::string idempotency_key(std::string_view alias) override { return "key of " + std::string(alias); }
    [[nodiscard]] std::string_view call_id() const override { return "call-1"; }
    [[nodiscard]] std::uint32_t attempt() const override { return 2; }
    [[nodiscard]] bool is_replaying() const override { return true; }
    [[nodiscard]] bool cancelled() const override { return false; }
};

}  // namespace durable_mcp::api
