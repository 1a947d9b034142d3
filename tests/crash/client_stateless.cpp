// SPDX-License-Identifier: Apache-2.0
// Clients of 2026-07-28, which have no session and no stream to resume. What leads them back to a call is its idempotency key, the requestState of
// the last leg, or the handle of a task. Each of these must lead there from the moment at which the client has it, in whatever process; and whichever
// way a client comes, the call is the same one, ran once, and says the same.
#include <future>
#include <utility>

#include <nlohmann/json.hpp>

#include "crash/client.hpp"

namespace durable_mcp::crash {
namespace {

using nlohmann::json;
using testing_support::Silent;

constexpr const char* revision = "2026-07-28";
constexpr const char* question = "reply";  // its alias, under which a client without a session answers

json arguments_of(const Call& call, std::int64_t amount) {
    return {{"key", call.key}, {"amount", amount}};
}

json call_params(const Call& call, const json& arguments) {
    return {{"name", name_of(call.tool)}, {"arguments", arguments}};
}

}  // namespace

// ── Habits ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Call Client::stateless_call(Tool tool) {
    Call call;
    call.tool = tool;
    call.key = name_ + "-" + std::to_string(++calls_made_);
    call.session = std::make_shared<Session>();  // none: it has no id
    call.request_id = "\"s/" + call.key + "\"";
    call.is_stateless = true;
    return call;
}

void Client::make_keyed_call() {
    Call call = stateless_call(chance(2) ? Tool::keyed : Tool::keyed_ask);
    // Sometimes somebody else sends the same at the same time.
    std::future<Call> other;
    if (chance(4)) {
        const auto twin = std::make_shared<Client>(stage_, name_ + " twin", static_cast<unsigned>(random_()));
        other = std::async(std::launch::async, [twin, same = call]() mutable {
            same.is_second_look = true;
            twin->perform(same);
            return same;
        });
    }
    const bool is_answered = perform(call);
    if (other.valid()) {
        const auto answer = other.get().answer;
        if (is_answered && answer && answer != call.answer) {
            accuse(call, "two who asked with one key got " + shortened(*call.answer) + " and " + shortened(*answer));
        }
    }
    if (!is_answered) {
        return;
    }
    if (chance(2)) {
        compare(call);
    }
    if (chance(3)) {
        contradict(call);
    }
    stage_.keep(std::move(call));
}

void Client::make_task() {
    Call call = stateless_call(Tool::task);
    if (chance(3)) {
        // Until it has the handle.
        const bool has_begun = insist("task " + call.key, [&] {
            const Outcome outcome = try_stateless(call);
            return outcome == Outcome::again && !call.task.empty() ? Outcome::answered : outcome;
        });
        if (!has_begun || !take_task_back(call)) {
            return;
        }
    } else if (!perform(call)) {
        return;
    }
    if (!call.answer) {
        stage_.keep(Withdrawn{std::move(call)});
        return;
    }
    if (chance(2)) {
        compare(call);
    }
    stage_.keep(std::move(call));
}

// ── One leg ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<std::string> Client::ask_stateless(const std::string& request_id, const std::string& method, const std::string& name,
                                                 const std::string& params, Exchange::Clock::time_point until) {
    json complete = json::parse(params);
    complete["_meta"] = {{"io.modelcontextprotocol/protocolVersion", revision},
                         {"io.modelcontextprotocol/clientInfo", {{"name", name_}, {"version", "1"}}},
                         {"io.modelcontextprotocol/clientCapabilities",
                          {{"elicitation", {{"form", json::object()}}}, {"extensions", {{"io.modelcontextprotocol/tasks", json::object()}}}}}};
    const std::string body =
        R"({"jsonrpc":"2.0","id":)" + request_id + R"(,"method":")" + method + R"(","params":)" + complete.dump() + "}";
    const Exchange::Headers fields{{"Accept", "application/json, text/event-stream"}, {"Content-Type", "application/json"},
                                   {"MCP-Protocol-Version", revision},                {"Mcp-Method", method},
                                   {"Mcp-Name", name}};
    Exchange exchange(stage_.port, "POST", endpoint, fields, body, until);
    if (exchange.status() == 503) {
        return std::nullopt;
    }
    if (!exchange.is_stream()) {
        return exchange.read_body(until);
    }
    while (const auto event = exchange.next_event(until)) {
        if (event->data && json::parse(*event->data, nullptr, false).contains("id")) {
            return *event->data;
        }
    }
    return std::nullopt;
}

Client::Outcome Client::try_stateless(Call& call) {
    if (!call.task.empty()) {
        return look_at_task(call);
    }
    json params = call_params(call, arguments_of(call, 1));
    if (!call.state.empty()) {
        params["requestState"] = call.state;
    }
    if (!call.state.empty() && call.is_asked) {
        params["inputResponses"] = {{question, {{"action", "accept"}, {"content", {{"name", reply_of(call.key)}}}}}};
    }
    // Who has a key may hang up: the call goes on.
    const bool is_hasty = !call.is_second_look && chance(8);
    std::optional<std::string> payload;
    try {
        payload = ask_stateless(call.request_id, "tools/call", std::string(name_of(call.tool)), params.dump(),
                                is_hasty ? Exchange::Clock::now() + std::chrono::milliseconds(random_() % 12) : patience());
    } catch (const Silent&) {
        if (is_hasty) {
            return Outcome::again;
        }
        throw;
    }
    if (!payload) {
        return Outcome::again;
    }
    const json message = json::parse(*payload, nullptr, false);
    const json result = message.is_object() ? message.value("result", json()) : json();
    const std::string type = result.is_object() ? result.value("resultType", "") : "";
    if (type == "input_required") {
        call.is_asked = result.contains("inputRequests");
        if (call.is_asked && (result["inputRequests"].size() != 1 || !result["inputRequests"].contains(question) || call.tool == Tool::keyed)) {
            accuse(call, "it is asked " + shortened(*payload));
            return Outcome::wrong;
        }
        if (call.is_asked && !call.is_second_look) {
            stage_.world.note(Deed::Kind::seen, call.key, "step0");
        }
        // Sometimes what leads back is lost, and the key has to do it.
        call.state = chance(4) ? "" : result.value("requestState", "");
        return Outcome::again;
    }
    if (type == "task" && call.tool == Tool::task) {
        call.task = result.value("taskId", "");
        return Outcome::again;
    }
    if (type != "complete") {
        accuse(call, "it gets " + shortened(*payload));
        return Outcome::wrong;
    }
    return take_answer(call, *payload) ? Outcome::answered : Outcome::wrong;
}

// ── Tasks ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

// Whoever has its id finds it, from then on. "Again" while it works.
Client::Outcome Client::look_at_task(Call& call) {
    const auto payload = ask_stateless(call.request_id, "tasks/get", call.task, json{{"taskId", call.task}}.dump(), patience());
    if (!payload) {
        return Outcome::again;
    }
    const json message = json::parse(*payload, nullptr, false);
    const json task = message.is_object() ? message.value("result", json()) : json();
    const std::string status = task.is_object() ? task.value("status", "") : "";
    if (status == "working") {
        return Outcome::again;
    }
    if (status != "completed" || task.value("taskId", "") != call.task) {
        accuse(call, "its task is " + shortened(*payload));
        return Outcome::wrong;
    }
    const std::string answer =
        R"({"jsonrpc":"2.0","id":)" + call.request_id + R"(,"result":)" + task["result"].dump() + "}";
    return take_answer(call, answer) ? Outcome::answered : Outcome::wrong;
}

/// To its end, which is one of two, and stays it. False when somebody was accused.
bool Client::take_task_back(Call& call) {
    if (call.answer) {
        return true;
    }
    const bool is_confirmed = insist("taking task " + call.key + " back", [&] {
        const auto payload = ask_stateless(call.request_id, "tasks/cancel", call.task, json{{"taskId", call.task}}.dump(), patience());
        if (!payload) {
            return Outcome::again;
        }
        const json message = json::parse(*payload, nullptr, false);
        if (!message.is_object() || !message.contains("result")) {
            accuse(call, "taken back, and the server says " + shortened(*payload));
            return Outcome::wrong;
        }
        stage_.world.note(Deed::Kind::withdrawn, call.key, "on request", stage_.boot);
        return Outcome::answered;
    });
    return is_confirmed && insist("task " + call.key + ", taken back", [&] {
        const auto payload = ask_stateless(call.request_id, "tasks/get", call.task, json{{"taskId", call.task}}.dump(), patience());
        const json message = payload ? json::parse(*payload, nullptr, false) : json();
        if (message.is_object() && message.value("result", json::object()).value("status", "") == "cancelled") {
            return Outcome::answered;
        }
        return payload ? look_at_task(call) : Outcome::again;
    });
}

// ── Again ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Client::compare_stateless(const Call& call) {
    Call again = call;
    again.is_second_look = true;
    again.answer.reset();
    again.state.clear();
    again.is_asked = false;
    if (!call.answer) {  // a task that was taken back, and confirmed to be
        insist("task " + call.key + ", withdrawn", [&] {
            const auto payload = ask_stateless(call.request_id, "tasks/get", call.task, json{{"taskId", call.task}}.dump(), patience());
            const json message = payload ? json::parse(*payload, nullptr, false) : json();
            if (payload && message.value("result", json::object()).value("status", "") != "cancelled") {
                accuse(call, "its task was cancelled, and is now " + shortened(*payload));
                return Outcome::wrong;
            }
            return payload ? Outcome::answered : Outcome::again;
        });
        return;
    }
    if (perform(again) && again.answer != call.answer) {
        accuse(call, "sent again, it is answered with " + shortened(*again.answer) + " instead of " + shortened(*call.answer));
    }
}

// The same key with other arguments: nothing runs, and the first call stays what it is.
void Client::contradict(const Call& call) {
    insist("call " + call.key + ", contradicted", [&] {
        const auto payload = ask_stateless(call.request_id, "tools/call", std::string(name_of(call.tool)),
                                           call_params(call, arguments_of(call, 2)).dump(), patience());
        if (!payload) {
            return Outcome::again;
        }
        const json message = json::parse(*payload, nullptr, false);
        if (!message.is_object() || message.value("error", json::object()).value("code", 0) != -32602) {
            accuse(call, "its key with other arguments gets " + shortened(*payload));
            return Outcome::wrong;
        }
        return Outcome::answered;
    });
}

}  // namespace durable_mcp::crash
