// SPDX-License-Identifier: Apache-2.0
// A client's sessions: their beginning, their standalone streams, their end.
#include "crash/client.hpp"

#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

namespace durable_mcp::crash {
namespace {

using nlohmann::json;
using testing_support::Lost;
using testing_support::Silent;

}  // namespace

std::shared_ptr<Session> Client::begin_session(const std::string& revision) {
    auto session = std::make_shared<Session>();
    session->revision = revision;
    const std::string hello = json{{"jsonrpc", "2.0"},
                                   {"id", 0},
                                   {"method", "initialize"},
                                   {"params",
                                    {{"protocolVersion", session->revision},
                                     {"capabilities", {{"elicitation", json::object()}}},
                                     {"clientInfo", {{"name", name_}, {"version", "1"}}}}}}
                                  .dump();
    const std::string ready = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
    while (!stage_.gives_up) {
        try {
            Exchange exchange(stage_.port, "POST", endpoint, headers(*session, true), session->id.empty() ? hello : ready, patience());
            if (exchange.status() == 503) {
                std::this_thread::sleep_for(pause_between_tries);
                continue;
            }
            if (!session->id.empty()) {
                if (exchange.status() == 202) {
                    return session;
                }
                stage_.accuse("session " + session->id + ": its client has it, and the server says " + std::to_string(exchange.status()));
                return nullptr;
            }
            if (exchange.status() != 200) {
                stage_.accuse("initialize: " + std::to_string(exchange.status()) + " " + exchange.read_body(patience()));
                return nullptr;
            }
            session->id = exchange.header("mcp-session-id");
        } catch (const Lost&) {
            std::this_thread::sleep_for(pause_between_tries);
        } catch (const Silent&) {
            stage_.accuse("initialize: no answer");
            return nullptr;
        }
    }
    return nullptr;
}

// ── The standalone stream ──────────────────────────────────────────────────────────────────────────────────────────────────

// What calls announce is an entry of their journal and an event of this stream, in one commit: it is there once, whatever happens.
void Client::listen() {
    if (session_->standalone.empty()) {
        if (!open_standalone()) {
            session_ = nullptr;
            return;
        }
        stage_.publish(session_->id, session_->standalone);
        stage_.remember(session_);
    }
    std::unique_ptr<Exchange> reader;
    if (chance(2)) {
        reader = resume_standalone(*session_, session_->heard);  // is there when it is said
    }
    const std::string key = name_ + "-" + std::to_string(++calls_made_);
    Call call = make_call(session_, name_of(Tool::announce), key, json{{"key", key}}.dump());
    call.tool = Tool::announce;
    if (!perform(call)) {
        session_ = nullptr;
        return;
    }
    stage_.keep(std::move(call));
    session_->announced += std::size(announcements);
    if (!hear_all(*session_, std::move(reader), session_->heard)) {
        session_ = nullptr;
    } else if (chance(3)) {
        listen_again(session_);
    }
}

bool Client::open_standalone() {
    const std::string what = "the standalone stream of session " + session_->id;
    return insist(what, [&] {
        Exchange exchange(stage_.port, "GET", endpoint, headers(*session_, false), {}, patience());
        if (exchange.status() == 503) {
            return Outcome::again;
        }
        const auto event = exchange.status() == 200 ? exchange.next_event(patience()) : std::nullopt;
        if (!event && exchange.status() == 200) {
            return Outcome::again;  // sent away, before a word
        }
        const auto dot = event ? event->id.rfind('.') : std::string::npos;
        // Nobody has announced anything yet, so that there is nothing that this GET could have missed.
        if (!event || !event->data || !event->data->empty() || dot == std::string::npos || event->id.substr(dot) != ".0") {
            stage_.accuse(what + " begins with " + (event ? event->id : "status " + std::to_string(exchange.status())));
            return Outcome::wrong;
        }
        session_->standalone = event->id.substr(0, dot);
        return Outcome::answered;
    });
}

std::unique_ptr<Client::Exchange> Client::resume_standalone(const Session& session, std::uint64_t after) {
    auto fields = headers(session, false);
    fields.emplace_back("Last-Event-ID", session.standalone + "." + std::to_string(after));
    std::unique_ptr<Exchange> exchange;
    attempt("the standalone stream of session " + session.id, [&] {
        exchange = std::make_unique<Exchange>(stage_.port, "GET", endpoint, fields, std::string_view(), patience());
        return Outcome::answered;
    });
    return exchange;
}

bool Client::hear_all(Session& session, std::unique_ptr<Exchange> exchange, std::uint64_t from) {
    const std::string what = "the standalone stream of session " + session.id;
    std::uint64_t at = from;
    return insist(what, [&] {
        if (!exchange) {
            exchange = resume_standalone(session, at);
        }
        const auto current = std::move(exchange);
        if (!current || current->status() == 503) {
            return stage_.accusations().empty() ? Outcome::again : Outcome::wrong;
        }
        if (current->status() != 200) {
            stage_.accuse(what + ", resumed after " + std::to_string(at) + ": " + std::to_string(current->status()));
            return Outcome::wrong;
        }
        return hear(session, *current, at);
    });
}

Client::Outcome Client::hear(Session& session, Exchange& exchange, std::uint64_t& at) {
    const auto accuse_stream = [&](const std::string& what) {
        stage_.accuse("the standalone stream of session " + session.id + ": " + what);
        return Outcome::wrong;
    };
    while (at < session.announced) {
        const auto event = exchange.next_event(patience());
        if (!event) {
            return Outcome::again;
        }
        if (!event->data || event->data->empty()) {
            continue;  // `retry:` alone, or the priming event
        }
        if (event->id != session.standalone + "." + std::to_string(at + 1)) {
            return accuse_stream("event " + event->id + " comes after " + std::to_string(at));
        }
        const auto& expected = announcements[at % std::size(announcements)];
        const json message = json::parse(*event->data, nullptr, false);
        if (!message.is_object() || message.value("method", "") != expected) {
            return accuse_stream("event " + std::to_string(at + 1) + " should be " + std::string(expected) + " and is " + shortened(*event->data));
        }
        ++at;
        session.heard = std::max(session.heard, at);
        if (const auto [known, is_new] = session.events.emplace(at, *event->data); !is_new && known->second != *event->data) {
            return accuse_stream("event " + std::to_string(at) + " was " + shortened(known->second) + " and is now " + shortened(*event->data));
        }
        if (at < session.announced && chance(8)) {
            return Outcome::again;  // leaves, to come back
        }
    }
    return Outcome::answered;
}

void Client::listen_again(const std::shared_ptr<Session>& session) {
    static_cast<void>(hear_all(*session, nullptr, 0));
}

// ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

// A session whose end was confirmed is gone for ever, and what still ran in it does nothing more.
void Client::leave() {
    std::optional<Call> running;
    if (chance(2)) {
        running = everyday_call(Tool::patient);
        if (!begin_call(*running)) {
            session_ = nullptr;
            return;
        }
        if (running->answer) {
            stage_.keep(*running);
            running.reset();
        }
    }
    const auto session = std::exchange(session_, nullptr);
    const std::string what = "the end of session " + session->id;
    bool may_be_gone = false;  // an attempt whose answer was lost may have ended it
    const bool is_done = insist(what, [&] {
        const bool was_tried = std::exchange(may_be_gone, true);
        Exchange exchange(stage_.port, "DELETE", endpoint, headers(*session, false), {}, patience());
        if (exchange.status() == 503) {
            return Outcome::again;
        }
        if (exchange.status() != 200 && !(was_tried && exchange.status() == 404)) {
            stage_.accuse(what + ": " + std::to_string(exchange.status()));
            return Outcome::wrong;
        }
        return Outcome::answered;
    });
    if (!is_done) {
        return;
    }
    if (running) {
        stage_.world.note(Deed::Kind::withdrawn, running->key, "with its session", stage_.boot);
    }
    session->is_ended = true;
    stage_.bury(session);
    look_at_ended(*session);
    const auto others = stage_.buried();
    look_at_ended(*others[random_() % others.size()]);
}

void Client::look_at_ended(const Session& session) {
    const std::string body = R"({"jsonrpc":"2.0","id":"after the end","method":"tools/call","params":{"name":"quick","arguments":{"key":"ghost"}}})";
    const auto kind = random_() % 4;
    const std::string_view verb = kind == 0 ? "POST" : kind == 1 ? "DELETE" : "GET";
    attempt("ended session " + session.id, [&] {
        auto fields = headers(session, kind == 0);
        if (kind == 2 && !session.standalone.empty()) {
            fields.emplace_back("Last-Event-ID", session.standalone + ".0");
        }
        const Exchange exchange(stage_.port, verb, endpoint, fields, kind == 0 ? std::string_view(body) : std::string_view(), patience());
        if (exchange.status() != 404 && exchange.status() != 503) {
            stage_.accuse("session " + session.id + " was ended, and " + std::string(verb) + " finds it: " + std::to_string(exchange.status()));
        }
        return Outcome::answered;
    });
}

}  // namespace durable_mcp::crash
