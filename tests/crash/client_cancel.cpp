// SPDX-License-Identifier: Apache-2.0
// A client that changes its mind. What it takes back, and the server has confirmed (202), is withdrawn for ever or was answered before: the same
// request, sent again, says which, and never says the other.
#include "crash/client.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace durable_mcp::crash {

using nlohmann::json;

void Client::change_mind() {
    constexpr Tool choices[] = {Tool::patient, Tool::patient, Tool::steps, Tool::once, Tool::slow, Tool::ask};
    const Tool choice = choices[random_() % std::size(choices)];
    Call call = everyday_call(choice == Tool::ask && session_->revision < "2025-06-18" ? Tool::patient : choice);
    if (!begin_call(call)) {
        session_ = nullptr;
        return;
    }
    Fate fate = Fate::answered;
    if (!call.answer) {
        if (!take_back(call) || (fate = ask_fate(call)) == Fate::unknown) {
            session_ = nullptr;
            return;
        }
    }
    if (fate == Fate::withdrawn) {
        stage_.keep(Withdrawn{std::move(call)});
    } else if (call.answer || perform(call)) {
        stage_.keep(std::move(call));
    }
}

/// Until the client holds an event id of it: the server has taken it on. (Or until it is answered: that may be quick.)
bool Client::begin_call(Call& call) {
    call.leaves_after = 1 + static_cast<int>(random_() % 3);
    return insist("call " + call.key, [&] {
        const Outcome outcome = try_once(call);
        return outcome == Outcome::again && !call.stream.empty() ? Outcome::answered : outcome;
    });
}

bool Client::take_back(const Call& call) {
    const std::string body = R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + call.request_id +
                             R"(,"reason":"it has changed its mind"}})";
    return insist("taking call " + call.key + " back", [&] {
        const Exchange exchange(stage_.port, "POST", endpoint, headers(*call.session, true), body, patience());
        if (exchange.status() == 503) {
            return Outcome::again;
        }
        if (exchange.status() != 202) {
            accuse(call, "taken back, and the server says " + std::to_string(exchange.status()));
            return Outcome::wrong;
        }
        stage_.world.note(Deed::Kind::withdrawn, call.key, "on request", stage_.boot);
        return Outcome::answered;
    });
}

Client::Fate Client::ask_fate(const Call& call) {
    Fate fate = Fate::unknown;
    const auto read = [&](const std::string& payload) {
        const json message = json::parse(payload, nullptr, false);
        if (message.is_object() && message.contains("result")) {
            fate = Fate::answered;
        } else if (message.is_object() && message.contains("error") && message["error"].value("message", "") == "This request was cancelled") {
            fate = Fate::withdrawn;
        }
    };
    insist("call " + call.key + ", taken back", [&] {
        Exchange exchange(stage_.port, "POST", endpoint, headers(*call.session, true), call.body, patience());
        if (exchange.status() == 503) {
            return Outcome::again;
        }
        if (exchange.status() != 200) {
            accuse(call, "taken back and sent again, and the server says " + std::to_string(exchange.status()));
            return Outcome::wrong;
        }
        if (!exchange.is_stream()) {
            read(exchange.read_body(patience()));
        } else {
            while (const auto event = exchange.next_event(patience())) {
                if (event->data && !event->data->empty()) {
                    read(*event->data);
                }
            }
        }
        // Neither, while its handler is on its way out.
        return fate == Fate::unknown ? Outcome::again : Outcome::answered;
    });
    return fate;
}

void Client::compare(const Withdrawn& withdrawn) {
    if (withdrawn.call.is_stateless) {
        compare_stateless(withdrawn.call);
        return;
    }
    if (ask_fate(withdrawn.call) == Fate::answered) {
        accuse(withdrawn.call, "it was withdrawn, and is answered now");
    }
    // Its stream says what it had said, and ends without an answer.
    Session& session = *withdrawn.call.session;
    insist("call " + withdrawn.call.key + ", withdrawn", [&] {
        auto fields = headers(session, false);
        fields.emplace_back("Last-Event-ID", withdrawn.call.stream + ".0");
        Exchange exchange(stage_.port, "GET", endpoint, fields, {}, patience());
        if (exchange.status() == 503) {
            return Outcome::again;
        }
        std::size_t count = 0;
        while (const auto event = exchange.status() == 200 ? exchange.next_event(patience()) : std::nullopt) {
            if (!event->data || event->data->empty()) {
                continue;
            }
            ++count;
            const auto known = withdrawn.call.events.find(count);
            const bool is_same = known == withdrawn.call.events.end() || known->second == *event->data;
            const json message = json::parse(*event->data);
            const bool is_answer = message.contains("id") && !message.contains("method");
            if (event->id != withdrawn.call.stream + "." + std::to_string(count) || !is_same || is_answer) {
                accuse(withdrawn.call, "withdrawn, and its stream says " + event->id + " " + shortened(*event->data));
                return Outcome::wrong;
            }
        }
        if (exchange.status() != 200 || count < withdrawn.call.events.size()) {
            accuse(withdrawn.call, "withdrawn, and its stream has " + std::to_string(count) + " events (status " +
                                       std::to_string(exchange.status()) + ") instead of " + std::to_string(withdrawn.call.events.size()));
            return Outcome::wrong;
        }
        return Outcome::answered;
    });
}

}  // namespace durable_mcp::crash
