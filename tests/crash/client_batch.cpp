// SPDX-License-Identifier: Apache-2.0
// Several calls in one POST, as revision 2025-03-26 has them. They share a stream: each says its own events in their order and is answered once,
// however they mix, and the numbers on the stream have no gap. A client that has no event id yet sends the whole batch again; what was answered
// is answered the same, and what runs on the stream that it never knew must be waited for.
#include "crash/client.hpp"

#include <charconv>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace durable_mcp::crash {

using nlohmann::json;

namespace {

/// The elements of an array, byte for byte: an answer must be the same text wherever it is met.
std::vector<std::string> elements_of(const std::string& array) {
    std::vector<std::string> elements;
    int depth = 0;
    bool is_in_string = false;
    for (std::size_t i = 0; i < array.size(); ++i) {
        const char c = array[i];
        if (is_in_string && c == '\\') {
            elements.back() += array.substr(i++, 2);
            continue;
        }
        is_in_string = is_in_string != (c == '"');
        const bool closes = !is_in_string && (c == ']' || c == '}');
        depth -= closes ? 1 : 0;
        if (depth == 1 && !is_in_string && c == ',') {
            elements.emplace_back();
        } else if (depth >= 1) {
            elements.back() += c;
        }
        if (!is_in_string && (c == '[' || c == '{') && depth++ == 0) {
            elements.emplace_back();
        }
    }
    return elements;
}

}  // namespace

struct Client::Batch {
    struct Part {
        Call call;
        std::uint64_t events = 0;  ///< received
    };
    std::vector<Part> parts;
    std::string body;

    std::string stream;  ///< "" until an event id was received
    std::uint64_t after = 0;
    std::map<std::string, std::map<std::uint64_t, std::string>> events;  ///< payloads by stream and number
    bool must_post = true;                                               ///< not resume

    [[nodiscard]] std::string name() const { return "the batch of call " + parts.front().call.key; }
    [[nodiscard]] bool is_answered() const {
        for (const Part& part : parts) {
            if (!part.call.answer) {
                return false;
            }
        }
        return true;
    }
};

void Client::make_batch() {
    Batch batch;
    const std::size_t size = 1 + random_() % 4;
    for (std::size_t i = 0; i < size; ++i) {
        batch.parts.push_back({everyday_call(static_cast<Tool>(random_() % static_cast<unsigned>(everyday_tools))), 0});
        batch.body += (i == 0 ? "[" : ",") + batch.parts.back().call.body;
    }
    batch.body += chance(2) ? R"(,{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}])" : "]";
    if (!insist(batch.name(), [&] { return try_batch(batch); })) {
        session_ = nullptr;
        return;
    }
    ++stage_.batches;
    if (chance(2)) {
        read_batch_again(batch);
    }
    for (Batch::Part& part : batch.parts) {
        stage_.keep(std::move(part.call));
    }
}

Client::Outcome Client::try_batch(Batch& batch) {
    const bool posts = batch.stream.empty() || batch.must_post;
    const std::uint64_t before = batch.after;
    auto fields = headers(*session_, posts);
    if (!posts) {
        fields.emplace_back("Last-Event-ID", batch.stream + "." + std::to_string(batch.after));
    }
    Exchange exchange(stage_.port, posts ? "POST" : "GET", endpoint, fields, posts ? std::string_view(batch.body) : std::string_view(), patience());
    if (exchange.status() == 503) {
        return Outcome::again;
    }
    if (exchange.status() != 200) {
        stage_.accuse(batch.name() + (posts ? ", sent: " : ", resumed: ") + std::to_string(exchange.status()) + " " +
                      shortened(exchange.read_body(patience())));
        return Outcome::wrong;
    }
    if (exchange.is_stream()) {
        if (posts) {
            batch.after = 0;
            batch.stream.clear();
        }
        const Outcome outcome = read_batch(batch, exchange);
        // A stream that has no more to say, and calls without an answer: they are on another one, that this client has never heard of.
        batch.must_post = !posts && outcome == Outcome::again && batch.after == before;
        return outcome;
    }
    const std::vector<std::string> answers = elements_of(exchange.read_body(patience()));
    if (answers.size() != batch.parts.size()) {
        stage_.accuse(batch.name() + ": " + std::to_string(answers.size()) + " answers to " + std::to_string(batch.parts.size()) + " requests");
        return Outcome::wrong;
    }
    for (const std::string& answer : answers) {
        if (!take_of_batch(batch, answer, false)) {
            return Outcome::wrong;
        }
    }
    return batch.is_answered() ? Outcome::answered : Outcome::again;
}

Client::Outcome Client::read_batch(Batch& batch, Exchange& exchange) {
    while (const auto event = exchange.next_event(patience())) {
        if (!event->data || event->data->empty()) {
            continue;
        }
        const std::string& payload = *event->data;
        if (!event->id.empty()) {
            const auto dot = event->id.rfind('.');
            std::uint64_t seq = 0;
            std::from_chars(event->id.data() + dot + 1, event->id.data() + event->id.size(), seq);
            const std::string stream = event->id.substr(0, dot);
            if (batch.stream.empty()) {
                batch.stream = stream;
            }
            if (stream != batch.stream || seq != batch.after + 1) {
                stage_.accuse(batch.name() + ": event " + event->id + " comes after " + batch.stream + "." + std::to_string(batch.after));
                return Outcome::wrong;
            }
            batch.after = seq;
            batch.must_post = false;
            if (const auto [known, is_new] = batch.events[stream].emplace(seq, payload); !is_new) {
                stage_.accuse(batch.name() + ": event " + event->id + " comes again: " + shortened(payload));
                return Outcome::wrong;
            }
        }
        if (!take_of_batch(batch, payload, !event->id.empty())) {
            return Outcome::wrong;
        }
        if (chance(20)) {
            return Outcome::again;  // leaves, to come back
        }
    }
    return batch.is_answered() ? Outcome::answered : Outcome::again;
}

bool Client::take_of_batch(Batch& batch, const std::string& payload, bool has_id) {
    const json message = json::parse(payload, nullptr, false);
    for (Batch::Part& part : batch.parts) {
        Call& call = part.call;
        if (message.contains("id") && message["id"].dump() == call.request_id) {
            if (!has_id && message.contains("error") && !call.answer &&
                (message["error"].value("message", "") == "This request id is in use in this session" ||
                 message["error"].value("message", "") == "This request is being answered on another stream")) {
                return true;  // sent again while it runs
            }
            if (has_id && part.events != expected_events(call.tool, call.key).size()) {
                accuse(call, "in a batch: answered after " + std::to_string(part.events) + " events");
                return false;
            }
            const auto before = std::exchange(call.answer, std::nullopt);
            call.is_second_look = before.has_value();
            if (!take_answer(call, payload)) {
                return false;
            }
            call.is_second_look = false;
            if (before && (has_id || *before != payload)) {
                accuse(call, "in a batch: answered with " + shortened(*before) + ", and again with " + shortened(payload));
                return false;
            }
            call.answer = before ? before : call.answer;
            return true;
        }
        const json parameters = message.contains("params") ? message["params"] : json::object();
        const std::string said = parameters.contains("data") && parameters["data"].is_string() ? parameters["data"].get<std::string>()
                                                                                             : parameters.value("progressToken", "");
        if (!message.contains("id") && said.ends_with(" " + call.key)) {
            return check_event(call, ++part.events, payload);
        }
    }
    stage_.accuse(batch.name() + ": nobody asked for " + shortened(payload));
    return false;
}

void Client::read_batch_again(const Batch& batch) {
    for (const auto& [stream, events] : batch.events) {
        insist(batch.name() + ", read again", [&, &name = stream, &known = events] {
            auto fields = headers(*session_, false);
            fields.emplace_back("Last-Event-ID", name + ".0");
            Exchange exchange(stage_.port, "GET", endpoint, fields, {}, patience());
            if (exchange.status() == 503) {
                return Outcome::again;
            }
            std::uint64_t at = 0;
            while (const auto event = exchange.status() == 200 ? exchange.next_event(patience()) : std::nullopt) {
                if (!event->data || event->data->empty()) {
                    continue;
                }
                const auto seen = known.find(++at);
                if (event->id != name + "." + std::to_string(at) || (seen != known.end() && seen->second != *event->data)) {
                    stage_.accuse(batch.name() + ", read again: event " + event->id + " is " + shortened(*event->data));
                    return Outcome::wrong;
                }
            }
            if (exchange.status() != 200 || at < known.size()) {
                stage_.accuse(batch.name() + ", read again: " + std::to_string(at) + " events instead of " + std::to_string(known.size()) +
                              ", status " + std::to_string(exchange.status()));
                return Outcome::wrong;
            }
            return Outcome::answered;
        });
    }
}

}  // namespace durable_mcp::crash
