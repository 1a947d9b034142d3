// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loop's side of waits that no client ends: calls that rest until a moment, a signal, or a change of the state, and what wakes them.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/alarms.hpp"
#include "runtime/call.hpp"

namespace durable_mcp::runtime {

class CallRegistry;

/// What became of a signal.
enum class SignalOutcome : std::uint8_t {
    taken,     ///< it is on disk, and its call hears of it, now or when it first waits for it
    repeated,  ///< a signal of that name was there before: that one counts
    no_call,   ///< there is no such call, or it has ended
};

class WaitDesk {
public:
    WaitDesk(CallRegistry& calls, std::shared_ptr<Services> services, std::shared_ptr<Alarms> alarms)
        : calls_(calls), services_(std::move(services)), alarms_(std::move(alarms)) {}

    /// The call was put down: wakes it when what it rests on has come.
    void rest(const std::shared_ptr<Call>& call);
    /// It rests no longer.
    void forget(Call& call);

    using Done = std::function<void(base::Result<SignalOutcome>)>;
    /// `payload`: JSON text. `done`, on the loop, when the signal is durable or refused.
    void signal(const std::string& id, const std::string& name, const std::string& payload, Done done);

private:
    void ring(const std::shared_ptr<Call>& call, const Due& due, const std::string& key);

    CallRegistry& calls_;
    const std::shared_ptr<Services> services_;
    const std::shared_ptr<Alarms> alarms_;
};

}  // namespace durable_mcp::runtime
