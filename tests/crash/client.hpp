// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client that does not give up: it makes calls one after the other, leaves now and then, comes back to wherever the server is, and
// insists on one answer. What it is told is checked against the script as it comes.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "crash/script.hpp"
#include "crash/world.hpp"
#include "support/sse_client.hpp"

namespace durable_mcp::crash {

struct Session {
    std::string id;
    std::string revision;
    long next_request = 1;
};

/// A call as one client knows it.
struct Call {
    Tool tool = Tool::quick;
    std::string key;
    std::int64_t amount = 0;
    std::shared_ptr<Session> session;
    std::string request_id;
    std::string body;

    std::string stream;                           ///< "" until an event id was received
    std::uint64_t after = 0;                      ///< the newest event received
    std::map<std::uint64_t, std::string> events;  ///< payloads by number, the answer among them
    std::optional<std::string> answer;
    bool is_second_look = false;  ///< asks again for what was answered: nothing new is noted
};

/// What the clients of one campaign have in common.
struct Stage {
    explicit Stage(World& world_in) : world(world_in) {}

    World& world;
    std::atomic<std::uint16_t> port{0};
    std::atomic<int> wants_bulk{0};              ///< calls that somebody should make which write so much that a checkpoint is due
    std::atomic<bool> winds_down{false};         ///< no new calls; what runs is brought to its end
    std::atomic<bool> gives_up{false};           ///< what has not ended by now never will
    std::atomic<bool> is_over{false};            ///< and that is no accusation: there is one already
    std::chrono::milliseconds patience{30'000};  ///< a connection that says nothing for so long is a hang

    void accuse(const std::string& what);
    [[nodiscard]] std::vector<std::string> accusations() const;
    void publish(const Call& call);  ///< an event id that others will try to read
    [[nodiscard]] std::optional<std::string> foreign_event(const std::string& session, std::mt19937& random) const;
    void keep(Call call);
    [[nodiscard]] std::vector<Call> calls() const;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> accusations_;
    std::vector<std::pair<std::string, std::string>> published_;  // session, event id
    std::vector<Call> calls_;
};

class Client {
public:
    Client(Stage& stage, std::string name, unsigned seed) : stage_(stage), name_(std::move(name)), random_(seed) {}

    /// Makes calls until the stage winds down.
    void live();
    /// Brings one call to its answer. False when it never came, or came wrong: then somebody is accused.
    bool perform(Call& call);
    /// The same request again, and the same stream from its beginning: both must say what was said the first time.
    void compare(const Call& call);
    /// A new session; null when the stage gave up.
    [[nodiscard]] std::shared_ptr<Session> begin_session();
    [[nodiscard]] Call make_call(const std::shared_ptr<Session>& session, std::string_view tool, const std::string& key,
                                 const std::string& arguments);

private:
    enum class Outcome : unsigned char { answered, again, wrong };
    using Exchange = testing_support::HttpExchange;

    [[nodiscard]] Call next_call();
    Outcome try_once(Call& call);
    Outcome read_stream(Call& call, Exchange& exchange);
    bool take_event(Call& call, const testing_support::SseEvent& event, std::uint64_t& at);
    bool check_event(const Call& call, std::uint64_t seq, const std::string& payload);
    bool take_answer(Call& call, const std::string& payload);
    void look_at_foreign_stream();
    [[nodiscard]] bool chance(unsigned one_in) { return random_() % one_in == 0; }
    [[nodiscard]] Exchange::Headers headers(const Session& session, bool posts) const;
    [[nodiscard]] Exchange::Clock::time_point patience() const { return Exchange::Clock::now() + stage_.patience; }
    void accuse(const Call& call, const std::string& what);

    Stage& stage_;
    const std::string name_;
    std::mt19937 random_;
    std::shared_ptr<Session> session_;
    long calls_made_ = 0;
};

}  // namespace durable_mcp::crash
