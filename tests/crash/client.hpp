// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client that does not give up: it makes calls one after the other, leaves now and then, comes back to wherever the server is, and
// insists on one answer. What it is told is checked against the script as it comes. Its habits have a file each: single calls in client.cpp,
// batches in client_batch.cpp, taking calls back in client_cancel.cpp, sessions (their standalone streams, their ends) in client_session.cpp, and
// what the revision without sessions has instead (keys, states, tasks) in client_stateless.cpp.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "crash/script.hpp"
#include "crash/world.hpp"
#include "support/sse_client.hpp"

namespace durable_mcp::crash {

struct Session {
    std::string id;
    std::string revision;
    long next_request = 1;
    bool is_ended = false;  ///< by DELETE, and the server has confirmed it

    // The standalone stream, once its first GET is answered.
    std::string standalone;                       ///< its id; "" before
    std::uint64_t heard = 0;                      ///< the newest event received
    std::uint64_t announced = 0;                  ///< what answered calls have said on it
    std::map<std::uint64_t, std::string> events;  ///< payloads by number
};

/// What a client does next.
enum class Habit : unsigned char {
    call,    ///< one call, to its answer
    batch,   ///< several in one POST
    cancel,  ///< a call, and takes it back in the middle
    listen,  ///< to the standalone stream, and makes a call that speaks there
    leave,   ///< ends its session, sometimes with a call that still runs
    ask,     ///< a call that asks its client
    key,     ///< a call without a session, with an idempotency key, which sometimes asks
    task,    ///< a task, and sometimes takes it back
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
    int leaves_after = 0;         ///< events until the client hangs up for once; 0: as chance will have it

    std::string question;     ///< the id under which the server asks, in a session; "" before
    bool is_replied = false;  ///< and has confirmed to have the reply
    [[nodiscard]] bool owes_reply() const { return !is_second_look && !question.empty() && !is_replied; }

    // Without a session.
    bool is_stateless = false;
    std::string state;      ///< requestState of the last leg; "" none, or lost
    bool is_asked = false;  ///< by the last leg
    std::string task;       ///< "" before its handle was received
};

/// A call that was taken back, and that the server has confirmed to be: it has no answer, and never will.
struct Withdrawn {
    Call call;
};

/// What the clients of one campaign have in common.
struct Stage {
    explicit Stage(World& world_in) : world(world_in) {}

    World& world;
    std::atomic<std::uint16_t> port{0};
    std::atomic<long> boot{0};                   ///< of the server that is there, or about to be
    std::atomic<std::size_t> batches{0};         ///< that were answered
    std::vector<Habit> habits{Habit::call, Habit::call,   Habit::call,   Habit::call,   Habit::call,
                              Habit::call, Habit::batch, Habit::cancel, Habit::listen, Habit::leave,
                              Habit::ask,  Habit::key,   Habit::key,    Habit::task};  ///< each as often as it stands here
    std::atomic<int> wants_bulk{0};              ///< calls that somebody should make which write so much that a checkpoint is due
    std::atomic<bool> winds_down{false};         ///< no new calls; what runs is brought to its end
    std::atomic<bool> gives_up{false};           ///< what has not ended by now never will
    std::atomic<bool> is_over{false};            ///< and that is no accusation: there is one already
    std::chrono::milliseconds patience{30'000};  ///< a connection that says nothing for so long is a hang

    void accuse(const std::string& what);
    [[nodiscard]] std::vector<std::string> accusations() const;
    void publish(const std::string& session, const std::string& stream);  ///< whose events others will try to read
    [[nodiscard]] std::optional<std::string> foreign_event(const std::string& session, std::mt19937& random) const;
    void keep(Call call);
    [[nodiscard]] std::vector<Call> calls() const;
    void keep(Withdrawn call);
    [[nodiscard]] std::vector<Withdrawn> withdrawn() const;
    void bury(const std::shared_ptr<Session>& session);  ///< it is ended, for ever
    [[nodiscard]] std::vector<std::shared_ptr<Session>> buried() const;
    void remember(const std::shared_ptr<Session>& session);  ///< one whose standalone stream is to be read again in the end
    [[nodiscard]] std::vector<std::shared_ptr<Session>> listeners() const;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> accusations_;
    std::vector<std::pair<std::string, std::string>> published_;  // session, event id
    std::vector<Call> calls_;
    std::vector<Withdrawn> withdrawn_;
    std::vector<std::shared_ptr<Session>> buried_;
    std::vector<std::shared_ptr<Session>> listeners_;
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
    /// The request of a call that was taken back, again: it must still be withdrawn.
    void compare(const Withdrawn& withdrawn);
    /// The standalone stream of a session again, from its beginning: it must say what it said.
    void listen_again(const std::shared_ptr<Session>& session);
    /// Tries to use a session that was ended: it must not be there.
    void look_at_ended(const Session& session);
    /// A new session; null when the stage gave up.
    [[nodiscard]] std::shared_ptr<Session> begin_session(const std::string& revision = "2025-11-25");
    [[nodiscard]] Call make_call(const std::shared_ptr<Session>& session, std::string_view tool, const std::string& key,
                                 const std::string& arguments);

private:
    enum class Outcome : unsigned char { answered, again, wrong };
    using Exchange = testing_support::HttpExchange;

    struct Batch;

    void follow(Habit habit);
    void make_one_call();
    void make_batch();
    void change_mind();
    void listen();
    void leave();
    void make_call_that_asks();
    void make_keyed_call();
    void make_task();

    [[nodiscard]] Call next_call();
    [[nodiscard]] Call everyday_call(Tool tool);
    /// One attempt to reach the server: what `act` says, or "again" where it was not there.
    template <class Act>
    Outcome attempt(const std::string& what, Act act);
    /// Tries until it is done; false when the stage gave up, or somebody was accused.
    template <class Try>
    bool insist(const std::string& what, Try once);

    [[nodiscard]] Outcome try_batch(Batch& batch);
    [[nodiscard]] Outcome read_batch(Batch& batch, Exchange& exchange);
    [[nodiscard]] bool take_of_batch(Batch& batch, const std::string& payload, bool has_id);
    void read_batch_again(const Batch& batch);

    [[nodiscard]] bool begin_call(Call& call);
    [[nodiscard]] bool take_back(const Call& call);
    enum class Fate : unsigned char { withdrawn, answered, unknown };
    [[nodiscard]] Fate ask_fate(const Call& call);

    [[nodiscard]] bool open_standalone();
    [[nodiscard]] Outcome hear(Session& session, Exchange& exchange, std::uint64_t& at);
    [[nodiscard]] bool hear_all(Session& session, std::unique_ptr<Exchange> exchange, std::uint64_t from);
    [[nodiscard]] std::unique_ptr<Exchange> resume_standalone(const Session& session, std::uint64_t after);

    /// Answers the question that a call has put. Throws Lost, Silent.
    [[nodiscard]] Outcome reply(Call& call);

    [[nodiscard]] Call stateless_call(Tool tool);
    /// One request without a session and its response; nothing where the server says 503. Throws Lost, Silent.
    [[nodiscard]] std::optional<std::string> ask_stateless(const std::string& request_id, const std::string& method, const std::string& name,
                                                           const std::string& params, Exchange::Clock::time_point until);
    [[nodiscard]] Outcome try_stateless(Call& call);
    [[nodiscard]] Outcome look_at_task(Call& call);
    [[nodiscard]] bool take_task_back(Call& call);
    void compare_stateless(const Call& call);
    void contradict(const Call& call);

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

inline constexpr std::chrono::milliseconds pause_between_tries{3};
inline constexpr std::string_view endpoint = "/mcp";
[[nodiscard]] std::string shortened(const std::string& text);

template <class Act>
Client::Outcome Client::attempt(const std::string& what, Act act) {
    try {
        return act();
    } catch (const testing_support::Lost&) {
        return Outcome::again;
    } catch (const testing_support::Silent&) {
        stage_.accuse(what + ": the server holds the connection and says nothing");
        return Outcome::wrong;
    }
}

template <class Try>
bool Client::insist(const std::string& what, Try once) {
    for (;;) {
        switch (attempt(what, once)) {
            case Outcome::answered:
                return true;
            case Outcome::wrong:
                return false;
            case Outcome::again:
                break;
        }
        if (stage_.gives_up) {
            if (!stage_.is_over) {
                stage_.accuse(what + ": it never ended");
            }
            return false;
        }
        std::this_thread::sleep_for(pause_between_tries);
    }
}

}  // namespace durable_mcp::crash
