// SPDX-License-Identifier: Apache-2.0
#pragma once

// The world that tools act upon. It lives in the test driver's process, which is never killed, and writes down everything in the order in
// which it happened: each effect that a handler caused, and each thing that a client saw. The order is what convicts: an effect of a step
// after something that only the durable record of that step could have let out is a step that ran again.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace durable_mcp::crash {

struct Deed {
    enum class Kind : std::uint8_t {
        effect,    ///< a step's callable had its effect
        refused,   ///< a step's callable was turned away: no effect
        seen,      ///< a client holds what could leave only after `step` was recorded
        answered,  ///< a client holds the call's answer
        withdrawn, ///< the server has confirmed that the client took the call back
    };
    std::uint64_t order = 0;
    Kind kind = Kind::effect;
    std::string call;  ///< the client's name for the call
    std::string step;
    std::string idempotency_key;
    long attempt = 0;
    long boot = 0;
};

/// A socket at `directory`/world and a ledger at `directory`/ledger.
class World {
public:
    explicit World(const std::filesystem::path& directory);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    [[nodiscard]] const std::string& address() const noexcept { return address_; }

    /// What a client saw of `call`: something that needs `step` to be durable, its answer, or that it is withdrawn while boot `boot`, at the
    /// latest, was there.
    void note(Deed::Kind kind, std::string_view call, std::string_view step, long boot = 0);
    /// Returns when everything that a dead process had sent is in the ledger.
    void drain();
    [[nodiscard]] std::vector<Deed> ledger() const;

private:
    void serve();
    std::string take(const std::string& line);
    std::uint64_t append(Deed deed);

    const std::string address_;
    int listener_ = -1;
    int file_ = -1;
    mutable std::mutex mutex_;
    std::vector<Deed> deeds_;
    std::map<std::string, bool> refused_;  ///< steps that were turned away once
    std::thread thread_;
};

/// What a handler does to the world. Each waits until it is in the ledger.
class WorldLink {
public:
    explicit WorldLink(std::string address) : address_(std::move(address)) {}

    /// Causes an effect and returns its number in the ledger, which no other effect has; 0 when the world turned it away.
    [[nodiscard]] std::uint64_t act(std::string_view call, std::string_view step, std::string_view idempotency_key, std::uint32_t attempt,
                                    long boot, bool may_refuse) const;

    /// The number of the effect that has that key; 0 where there is none. Whatever a dead process had sent is in the ledger before this is answered.
    [[nodiscard]] std::uint64_t find(std::string_view idempotency_key) const;

private:
    const std::string address_;
};

/// One line to the world and its answer.
[[nodiscard]] std::string ask_world(const std::string& address, const std::string& line);

}  // namespace durable_mcp::crash
