// SPDX-License-Identifier: Apache-2.0
#include "runtime/session_table.hpp"

#include <utility>

#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "base/id.hpp"
#include "runtime/stream.hpp"

namespace durable_mcp::runtime {
namespace {

store::SessionRow row_of(const SessionState& session) {
    return {session.data.id, session.data.owner, mcp::to_document(session.data), session.created_ms, session.last_seen_ms};
}

}  // namespace

void SessionTable::load(std::vector<store::SessionRow> rows, const std::function<std::uint64_t(const std::string&)>& last_event) {
    for (store::SessionRow& row : rows) {
        auto data = mcp::session_from_document(row.id, row.owner, row.document);
        if (!data) {
            services_->log->error("session {} cannot be read and is left alone: {}", row.id, data.error().sentence);
            continue;
        }
        auto session = std::make_shared<SessionState>();
        session->data = std::move(*data);
        session->log_level = session->data.log_level;
        session->created_ms = row.created_ms;
        session->last_seen_ms = session->stored_seen_ms = row.last_seen_ms;
        if (session->data.standalone_opened) {
            const std::string& stream = session->data.standalone_stream;
            auto standalone = std::make_shared<Stream>(stream, mcp::traits(session->data.revision).primes_streams, last_event(stream), services_);
            standalone->expect(1);
            session->standalone = std::move(standalone);
        }
        ++per_owner_[session->data.owner];
        sessions_.emplace(session->data.id, std::move(session));
    }
}

bool SessionTable::has_expired(const SessionState& session) const {
    if (services_->clock.wall_ms() - session.last_seen_ms <= services_->limits.session_idle.count()) {
        return false;
    }
    const auto standalone = session.standalone.load();
    return session.running.empty() && !(standalone && standalone->has_reader());
}

std::shared_ptr<SessionState> SessionTable::find(std::string_view id, std::string_view owner) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || found->second->data.owner != owner || has_expired(*found->second)) {
        return nullptr;
    }
    SessionState& session = *found->second;
    session.last_seen_ms = services_->clock.wall_ms();
    // The row follows at a distance: a hundredth of the time it may stay idle is exact enough.
    if (session.last_seen_ms - session.stored_seen_ms > services_->limits.session_idle.count() / 100) {
        session.stored_seen_ms = session.last_seen_ms;
        services_->queue->submit({store::TouchSession{session.data.id, session.last_seen_ms}}, store::Urgency::lazy, store::WhenFull::fail);
    }
    return found->second;
}

bool SessionTable::is_full(std::string_view owner) const {
    const auto count = per_owner_.find(owner);
    return sessions_.size() + beginning_ >= services_->limits.sessions ||
           (!owner.empty() && count != per_owner_.end() && count->second >= services_->limits.sessions_per_principal);
}

void SessionTable::begin(mcp::Session draft,
                         std::function<void(std::shared_ptr<SessionState>, const base::Result<store::GroupOutcome>&)> done) {
    auto session = std::make_shared<SessionState>();
    session->data = std::move(draft);
    session->data.id = base::random_id(services_->random);
    session->data.standalone_stream = base::random_id(services_->random);
    session->log_level = session->data.log_level;
    session->created_ms = session->last_seen_ms = session->stored_seen_ms = services_->clock.wall_ms();
    session->born_here = true;
    // Counted from now on, so that many that come at once do not slip past the limit.
    ++beginning_;
    ++per_owner_[session->data.owner];
    save(*session, [this, session, done = std::move(done)](const base::Result<store::GroupOutcome>& outcome) {
        --beginning_;
        if (outcome) {
            sessions_.emplace(session->data.id, session);
        } else {
            --per_owner_[session->data.owner];
        }
        done(session, outcome);
    });
}

void SessionTable::save(const SessionState& session, Done done) { commit({store::PutSession{row_of(session)}}, store::WhenFull::fail, std::move(done)); }

void SessionTable::end(const std::shared_ptr<SessionState>& session, Done done) {
    session->ended = true;
    if (sessions_.erase(session->data.id) > 0) {
        --per_owner_[session->data.owner];
    }
    if (DURABLE_MCP_PLANTED_BUG("end_session_without_record")) {
        done(store::GroupOutcome::committed);
        return;
    }
    // Kept on a full disk: it makes room.
    commit({store::DropSession{session->data.id}, store::DropStream{session->data.standalone_stream}}, store::WhenFull::keep, std::move(done));
}

void SessionTable::commit(store::Group group, store::WhenFull when_full, Done done) {
    services_->queue->submit(std::move(group), store::Urgency::soon, when_full,
                             [inbox = services_->inbox, done = std::move(done)](const base::Result<store::GroupOutcome>& outcome) {
                                 inbox->put([done, outcome] { done(outcome); });
                             });
}

std::vector<std::shared_ptr<SessionState>> SessionTable::take_expired() {
    std::vector<std::shared_ptr<SessionState>> taken;
    std::erase_if(sessions_, [&](const auto& entry) {
        const auto& session = entry.second;
        if (!has_expired(*session)) {
            return false;
        }
        session->ended = true;
        --per_owner_[session->data.owner];
        taken.push_back(session);
        return true;
    });
    return taken;
}

void SessionTable::for_each(const std::function<void(const std::shared_ptr<SessionState>&)>& visit) const {
    for (const auto& [id, session] : sessions_) {
        visit(session);
    }
}

}  // namespace durable_mcp::runtime
