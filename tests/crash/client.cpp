// SPDX-License-Identifier: Apache-2.0
#include "crash/client.hpp"

#include <charconv>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace durable_mcp::crash {
namespace {

using nlohmann::json;
using testing_support::Lost;
using testing_support::Silent;
using testing_support::SseEvent;

}  // namespace

std::string shortened(const std::string& text) {
    return text.size() > 300 ? text.substr(0, 300) + "…" : text;
}

// ── The stage ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Stage::accuse(const std::string& what) {
    const std::lock_guard lock(mutex_);
    accusations_.push_back(what);
}

std::vector<std::string> Stage::accusations() const {
    const std::lock_guard lock(mutex_);
    return accusations_;
}

void Stage::publish(const std::string& session, const std::string& stream) {
    const std::lock_guard lock(mutex_);
    published_.emplace_back(session, stream + ".0");
}

std::optional<std::string> Stage::foreign_event(const std::string& session, std::mt19937& random) const {
    const std::lock_guard lock(mutex_);
    if (published_.empty()) {
        return std::nullopt;
    }
    const auto& [owner, event] = published_[random() % published_.size()];
    return owner == session ? std::nullopt : std::optional(event);
}

void Stage::keep(Call call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
}

std::vector<Call> Stage::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

void Stage::keep(Withdrawn call) {
    const std::lock_guard lock(mutex_);
    withdrawn_.push_back(std::move(call));
}

std::vector<Withdrawn> Stage::withdrawn() const {
    const std::lock_guard lock(mutex_);
    return withdrawn_;
}

void Stage::bury(const std::shared_ptr<Session>& session) {
    const std::lock_guard lock(mutex_);
    buried_.push_back(session);
}

std::vector<std::shared_ptr<Session>> Stage::buried() const {
    const std::lock_guard lock(mutex_);
    return buried_;
}

void Stage::remember(const std::shared_ptr<Session>& session) {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(session);
}

std::vector<std::shared_ptr<Session>> Stage::listeners() const {
    const std::lock_guard lock(mutex_);
    return listeners_;
}

// ── A life ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Client::accuse(const Call& call, const std::string& what) {
    stage_.accuse("call " + call.key + ": " + what);
}

void Client::live() {
    while (!stage_.winds_down) {
        const Habit habit = stage_.habits[random_() % stage_.habits.size()];
        // Batches are of one revision, which has no questions, and the standalone stream of a later one says at once from where it can be resumed.
        const bool wants_latest = habit == Habit::listen || habit == Habit::ask;
        const std::string revision = habit == Habit::batch ? "2025-03-26" : wants_latest ? "2025-11-25" : "";
        if (!session_ || chance(5) || (!revision.empty() && session_->revision != revision)) {
            session_ = begin_session(!revision.empty() ? revision : chance(3) ? "2025-06-18" : "2025-11-25");
            if (!session_) {
                return;
            }
        }
        follow(habit);
    }
}

void Client::follow(Habit habit) {
    switch (habit) {
        case Habit::call:
            make_one_call();
            break;
        case Habit::batch:
            make_batch();
            break;
        case Habit::cancel:
            change_mind();
            break;
        case Habit::listen:
            listen();
            break;
        case Habit::leave:
            leave();
            break;
        case Habit::ask:
            make_call_that_asks();
            break;
        case Habit::key:
            make_keyed_call();
            break;
        case Habit::task:
            make_task();
            break;
    }
}

void Client::make_call_that_asks() {
    Call call = everyday_call(Tool::ask);
    if (!perform(call)) {
        session_ = nullptr;
        return;
    }
    if (chance(2)) {
        compare(call);
    }
    stage_.keep(std::move(call));
}

void Client::make_one_call() {
    Call call = next_call();
    if (!perform(call)) {
        session_ = nullptr;
        return;
    }
    if (!call.stream.empty()) {
        stage_.publish(call.session->id, call.stream);
    }
    if (chance(2)) {
        compare(call);
    }
    if (chance(6)) {
        look_at_foreign_stream();
    }
    stage_.keep(std::move(call));
}

Client::Exchange::Headers Client::headers(const Session& session, bool posts) const {
    Exchange::Headers headers{{"Accept", posts ? "application/json, text/event-stream" : "text/event-stream"}};
    if (posts) {
        headers.emplace_back("Content-Type", "application/json");
    }
    if (!session.id.empty()) {
        headers.emplace_back("Mcp-Session-Id", session.id);
        headers.emplace_back("MCP-Protocol-Version", session.revision);
    }
    return headers;
}

Call Client::make_call(const std::shared_ptr<Session>& session, std::string_view tool, const std::string& key,
                       const std::string& arguments) {
    Call call;
    call.key = key;
    call.session = session;
    const long number = session->next_request++;
    call.request_id = number % 3 == 0 ? "\"r/" + std::to_string(number) + "\"" : std::to_string(number);
    call.body = R"({"jsonrpc":"2.0","id":)" + call.request_id + R"(,"method":"tools/call","params":{"name":")" + std::string(tool) +
                R"(","arguments":)" + arguments + R"(,"_meta":{"progressToken":"p )" + key + R"("}}})";
    return call;
}

Call Client::next_call() {
    if (int wanted = stage_.wants_bulk; wanted > 0 && stage_.wants_bulk.compare_exchange_strong(wanted, wanted - 1)) {
        const std::string key = name_ + "-bulk-" + std::to_string(++calls_made_);
        return make_call(session_, "bulk", key, json{{"key", key}}.dump());
    }
    return everyday_call(static_cast<Tool>(random_() % static_cast<unsigned>(everyday_tools)));
}

Call Client::everyday_call(Tool tool) {
    const std::string key = name_ + "-" + std::to_string(++calls_made_);
    json arguments = {{"key", key}};
    const auto amount = static_cast<std::int64_t>(1 + random_() % 1000);
    if (tool == Tool::book) {
        arguments["amount"] = amount;
    } else if (tool == Tool::slow) {
        arguments["ms"] = 30 + random_() % 40;
    }
    Call call = make_call(session_, name_of(tool), key, arguments.dump());
    call.tool = tool;
    call.amount = tool == Tool::book ? amount : 0;
    return call;
}

// ── One call ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

bool Client::perform(Call& call) {
    return insist("call " + call.key, [&] { return call.is_stateless ? try_stateless(call) : try_once(call); });
}

Client::Outcome Client::try_once(Call& call) {
    const bool resumes = !call.stream.empty();
    // Sometimes the client loses patience before it has heard a word: it then has no event id, and sends the same request again.
    const bool is_hasty = !call.is_second_look && chance(8);
    try {
        if (call.owes_reply()) {
            if (const Outcome outcome = reply(call); outcome != Outcome::answered) {
                return outcome;
            }
        }
        auto fields = headers(*call.session, !resumes);
        if (resumes) {
            fields.emplace_back("Last-Event-ID", call.stream + "." + std::to_string(call.after));
        }
        Exchange exchange(stage_.port, resumes ? "GET" : "POST", endpoint, fields, resumes ? std::string_view() : std::string_view(call.body),
                          is_hasty ? Exchange::Clock::now() + std::chrono::milliseconds(random_() % 12) : patience());
        if (exchange.status() == 503) {
            return Outcome::again;
        }
        if (exchange.status() != 200) {
            accuse(call, (resumes ? "resumed after " + std::to_string(call.after) : std::string("sent")) + ", and the server says " +
                             std::to_string(exchange.status()) + " " + shortened(exchange.read_body(patience())));
            return Outcome::wrong;
        }
        if (exchange.is_stream()) {
            return read_stream(call, exchange);
        }
        return take_answer(call, exchange.read_body(patience())) ? Outcome::answered : Outcome::wrong;
    } catch (const Lost&) {
        return Outcome::again;
    } catch (const Silent&) {
        if (is_hasty) {
            return Outcome::again;
        }
        accuse(call, "the server holds the connection and says nothing");
        return Outcome::wrong;
    }
}

Client::Outcome Client::read_stream(Call& call, Exchange& exchange) {
    std::uint64_t at = call.after;
    while (const auto event = exchange.next_event(patience())) {
        if (!event->data) {
            continue;  // `retry:` alone
        }
        if (!take_event(call, *event, at)) {
            return Outcome::wrong;
        }
        if (call.answer) {
            return Outcome::answered;
        }
        if (call.owes_reply()) {
            if (chance(2)) {
                return Outcome::again;  // leaves, and replies before it comes back
            }
            if (const Outcome outcome = reply(call); outcome != Outcome::answered) {
                return outcome;
            }
        }
        if (call.leaves_after > 0 ? --call.leaves_after == 0 : !call.is_second_look && chance(14)) {
            return Outcome::again;  // leaves, to come back
        }
    }
    return Outcome::again;
}

bool Client::take_event(Call& call, const SseEvent& event, std::uint64_t& at) {
    const std::string& payload = *event.data;
    if (event.id.empty()) {
        return take_answer(call, payload);  // nobody can ask for this one again: it must be the answer, looked up
    }
    const auto dot = event.id.rfind('.');
    std::uint64_t seq = 0;
    std::from_chars(event.id.data() + dot + 1, event.id.data() + event.id.size(), seq);
    const std::string stream = event.id.substr(0, dot);
    if (!call.stream.empty() && stream != call.stream) {
        accuse(call, "an event of stream " + stream + " on stream " + call.stream);
        return false;
    }
    call.stream = stream;
    if (payload.empty()) {
        if (seq != at) {
            accuse(call, "primed with " + std::to_string(seq) + " after " + std::to_string(at));
            return false;
        }
        return true;
    }
    if (seq != at + 1) {
        accuse(call,
               "event " + std::to_string(seq) + " comes after " + std::to_string(at) + " on stream " + stream + ": " + shortened(payload));
        return false;
    }
    at = seq;
    call.after = std::max(call.after, seq);
    const auto [known, is_new] = call.events.emplace(seq, payload);
    if (!is_new && known->second != payload) {
        accuse(call, "event " + std::to_string(seq) + " was " + shortened(known->second) + " and is now " + shortened(payload));
        return false;
    }
    const json message = json::parse(payload, nullptr, false);
    if (message.is_object() && message.contains("id") && !message.contains("method")) {
        if (!call.is_second_look && seq != expected_events(call.tool, call.key).size() + 1) {
            accuse(call, "the answer is event " + std::to_string(seq) + ": events were lost or repeated");
            return false;
        }
        return take_answer(call, payload);
    }
    if (!call.is_second_look && !check_event(call, seq, payload)) {
        return false;
    }
    if (message.contains("id")) {
        call.question = message["id"].dump();
    }
    return true;
}

Client::Outcome Client::reply(Call& call) {
    const auto say = [&](const std::string& words) {
        const std::string body = R"({"jsonrpc":"2.0","id":)" + call.question + R"(,"result":)" +
                                 json{{"action", "accept"}, {"content", {{"name", words}}}}.dump() + "}";
        const Exchange exchange(stage_.port, "POST", endpoint, headers(*call.session, true), body, patience());
        if (exchange.status() != 202 && exchange.status() != 503) {
            accuse(call, "its question is answered, and the server says " + std::to_string(exchange.status()));
            return Outcome::wrong;
        }
        return exchange.status() == 202 ? Outcome::answered : Outcome::again;
    };
    const Outcome outcome = say(reply_of(call.key));
    if (outcome != Outcome::answered) {
        return outcome;
    }
    call.is_replied = true;
    // What was confirmed counts, whatever comes later.
    return chance(3) && say("somebody else") == Outcome::wrong ? Outcome::wrong : Outcome::answered;
}

bool Client::check_event(const Call& call, std::uint64_t seq, const std::string& payload) {
    const auto expected = expected_events(call.tool, call.key);
    if (seq > expected.size()) {
        accuse(call, "event " + std::to_string(seq) + " is one too many: " + shortened(payload));
        return false;
    }
    const Expected& event = expected[seq - 1];
    const json message = json::parse(payload, nullptr, false);
    bool fits = message.is_object() && message.contains("params");
    if (fits && event.is_question) {
        fits = message["method"] == "elicitation/create" && message.contains("id");
    } else if (fits && event.is_progress) {
        fits = message["method"] == "notifications/progress" && message["params"]["progress"] == event.progress &&
               message["params"]["progressToken"] == "p " + call.key;
    } else if (fits) {
        fits = message["method"] == "notifications/message" && message["params"]["data"] == event.text;
    }
    if (!fits) {
        accuse(call, "event " + std::to_string(seq) + " should be '" +
                         (event.is_question   ? "a question"
                          : event.is_progress ? "progress " + std::to_string(event.progress)
                                              : event.text) +
                         "' and is " +
                         shortened(payload));
        return false;
    }
    if (!event.needs.empty()) {
        stage_.world.note(Deed::Kind::seen, call.key, event.needs);
    }
    return true;
}

bool Client::take_answer(Call& call, const std::string& payload) {
    const json message = json::parse(payload, nullptr, false);
    if (!message.is_object() || !message.contains("id") || message["id"].dump() != call.request_id) {
        accuse(call, "no answer to it: " + shortened(payload));
        return false;
    }
    if (!message.contains("result") || message["result"].value("isError", false)) {
        accuse(call, "an error: " + shortened(payload));
        return false;
    }
    call.answer = payload;
    if (!call.is_second_look) {
        stage_.world.note(Deed::Kind::answered, call.key, "answer");
    }
    return true;
}

void Client::compare(const Call& call) {
    if (call.is_stateless) {
        compare_stateless(call);
        return;
    }
    Call sent_again = call;
    sent_again.is_second_look = true;
    sent_again.answer.reset();
    sent_again.stream.clear();
    sent_again.after = 0;
    if (perform(sent_again) && sent_again.answer != call.answer) {
        accuse(call, "sent again, it is answered with " + shortened(*sent_again.answer) + " instead of " + shortened(*call.answer));
    }
    // A call whose answer was looked up has a stream too, but it was never read to its end.
    if (call.stream.empty()) {
        return;
    }
    Call read_again = call;
    read_again.is_second_look = true;
    read_again.answer.reset();
    read_again.after = 0;
    if (perform(read_again) &&
        (read_again.answer != call.answer || read_again.events.size() != expected_events(call.tool, call.key).size() + 1)) {
        accuse(call, "its stream, read again from its beginning, ends with " + shortened(*read_again.answer) + " after " +
                         std::to_string(read_again.events.size()) + " events");
    }
}

void Client::look_at_foreign_stream() {
    const auto event = stage_.foreign_event(session_->id, random_);
    if (!event) {
        return;
    }
    try {
        auto fields = headers(*session_, false);
        fields.emplace_back("Last-Event-ID", *event);
        const Exchange exchange(stage_.port, "GET", endpoint, fields, {}, patience());
        if (exchange.status() != 400 && exchange.status() != 404 && exchange.status() != 503) {
            stage_.accuse("session " + session_->id + " may read event " + *event + " of another: " + std::to_string(exchange.status()));
        }
    } catch (const Lost&) {
    } catch (const Silent&) {
        stage_.accuse("event " + *event + " of another session: the server says nothing");
    }
}

}  // namespace durable_mcp::crash
