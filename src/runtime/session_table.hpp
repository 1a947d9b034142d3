// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sessions of this process, all of them rows of the store. Loop only.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/services.hpp"
#include "runtime/session_state.hpp"

namespace durable_mcp::runtime {

class SessionTable {
public:
    explicit SessionTable(std::shared_ptr<Services> services) : services_(std::move(services)) {}

    using Done = std::function<void(const base::Result<store::GroupOutcome>&)>;

    /// Takes over what the store holds. Rows that cannot be read are logged and left alone.
    void load(std::vector<store::SessionRow> rows, const std::function<std::uint64_t(const std::string& stream)>& last_event);

    /// The session of that id, if it is that owner's and has not expired; counts as a sign of life.
    [[nodiscard]] std::shared_ptr<SessionState> find(std::string_view id, std::string_view owner);

    /// The session of that id, whoever's it is and however long ago it was used. For recovery.
    [[nodiscard]] std::shared_ptr<SessionState> find_whoever(std::string_view id) const {
        const auto found = sessions_.find(id);
        return found == sessions_.end() ? nullptr : found->second;
    }

    /// Makes a session of a draft; it is in the table, and `done` is called on the loop, when its row is durable.
    void begin(mcp::Session draft, std::function<void(std::shared_ptr<SessionState>, const base::Result<store::GroupOutcome>&)> done);
    [[nodiscard]] bool is_full(std::string_view owner) const;
    /// Writes the session's row as it is now. `done` on the loop.
    void save(const SessionState& session, Done done);
    /// Ends a session: from now on it is unknown; `done` when that is durable.
    void end(const std::shared_ptr<SessionState>& session, Done done);

    /// Those that nobody has used for `session_idle`, and that have nothing running. From now on they are unknown; their rows are still there.
    [[nodiscard]] std::vector<std::shared_ptr<SessionState>> take_expired();
    void for_each(const std::function<void(const std::shared_ptr<SessionState>&)>& visit) const;
    [[nodiscard]] std::size_t size() const { return sessions_.size(); }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    [[nodiscard]] bool has_expired(const SessionState& session) const;
    void commit(store::Group group, store::WhenFull when_full, Done done);

    const std::shared_ptr<Services> services_;
    std::unordered_map<std::string, std::shared_ptr<SessionState>, Hash, std::equal_to<>> sessions_;
    std::size_t beginning_ = 0;   // sessions whose rows are on their way to disk
    std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> per_owner_;
};

}  // namespace durable_mcp::runtime
