// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "mcp/session.hpp"

namespace durable_mcp::runtime {

class Stream;
class Call;

/// A session in memory: its row, and what goes on in it. Loop only, but for `data.id`, which never changes, and the atomics, which handlers read.
struct SessionState {
    mcp::Session data;
    std::atomic<mcp::LogLevel> log_level{mcp::LogLevel::info};
    std::int64_t created_ms = 0;
    std::int64_t last_seen_ms = 0;
    std::int64_t stored_seen_ms = 0;    ///< what the row says; brought up to date now and then
    std::atomic<std::shared_ptr<Stream>> standalone;  ///< null until the first GET: before it there is no cursor to resume from
    std::unordered_map<std::string, std::shared_ptr<Call>> running;  ///< by the JSON text of the request id
    std::set<std::string> waiting_announcements;  ///< what was said since the last reader left: it waits once for the next one
    std::atomic<bool> ended{false};     ///< deleted or expired; whatever still runs for it must not be heard of again

    // A legal client never uses an id twice, and counts upwards. While the ids seen do so, no id needs to be looked up in the store.
    bool born_here = false;             ///< all its requests have come through this process
    std::int64_t highest_request = -1;
};

}  // namespace durable_mcp::runtime
