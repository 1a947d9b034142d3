// SPDX-License-Identifier: Apache-2.0
// What is not the answer to a request: streams that are resumed, and what everybody is told.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/crash_point.hpp"
#include "base/id.hpp"
#include "mcp/projection.hpp"
#include "runtime/engine.hpp"

namespace durable_mcp::runtime {
namespace {

// A stream that has too many events loses its oldest with each new one: more than one, where the limit was lowered.
constexpr std::size_t most_forgotten_with_one = 16;

WholeResponse unavailable(std::string_view sentence) { return response_of(mcp::unavailable(sentence)); }

std::string_view list_name(mcp::ItemKind kind) {
    return kind == mcp::ItemKind::tool ? "tools" : kind == mcp::ItemKind::prompt ? "prompts" : "resources";
}

}  // namespace

void Engine::open_standalone(const std::shared_ptr<SessionState>& session, std::shared_ptr<ResponseSink> sink) {
    session->waiting_announcements.clear();
    if (const auto standalone = session->standalone.load()) {
        standalone->attach_reader(std::move(sink), standalone->released(), true);
        return;
    }
    // The first time. That the stream exists must be on disk before an id of it leaves, and before anything is appended to it.
    session->data.standalone_opened = true;
    sessions_.save(*session, [services = services_, session, sink = std::move(sink)](const base::Result<store::GroupOutcome>& outcome) {
        auto stream = session->standalone.load();
        if (!outcome) {
            session->data.standalone_opened = stream != nullptr;
            sink->respond(unavailable(outcome.error().sentence));
        } else if (session->ended) {
            sink->respond(response_of(mcp::unknown_session()));
        } else {
            if (!stream) {
                stream = std::make_shared<Stream>(session->data.standalone_stream, mcp::traits(session->data.revision).primes_streams, 0, services);
                stream->expect(1);
                session->standalone = stream;
            }
            stream->attach_reader(sink, stream->released(), true);
        }
    });
}

void Engine::resume(const std::shared_ptr<SessionState>& session, const std::string& last_event_id, std::shared_ptr<ResponseSink> sink) {
    const auto id = read_event_id(last_event_id);
    if (!id) {
        sink->respond(response_of(mcp::unknown_event()));
        return;
    }
    std::shared_ptr<Stream> stream = calls_.find_stream(*session, id->stream);
    if (const auto standalone = session->standalone.load(); !stream && standalone && standalone->id() == id->stream) {
        if (id->seq < standalone->released()) {
            resume_standalone(session, standalone, id->seq, std::move(sink));
            return;
        }
        stream = standalone;
        session->waiting_announcements.clear();
    }
    if (!stream) {
        resume_finished(session, *id, std::move(sink));
    } else if (id->seq > stream->released()) {
        sink->respond(response_of(mcp::unknown_event()));
    } else {
        stream->attach_reader(std::move(sink), id->seq, false);
        if (const auto call = calls_.find(id->stream)) {
            calls_.questions().resumed(call, id->seq);
        }
    }
}

// What was said long ago may have been forgotten.
void Engine::resume_standalone(const std::shared_ptr<SessionState>& session, const std::shared_ptr<Stream>& stream, std::uint64_t after,
                               std::shared_ptr<ResponseSink> sink) {
    services_->readers.submit([self = shared_from_this(), session, stream, after, sink = std::move(sink)] {
        auto first = self->services_->store->first_event(stream->id());
        self->services_->inbox->put([self, session, stream, after, sink, first = std::move(first)] {
            if (!first || self->phase_ != Phase::serving) {
                sink->respond(unavailable(first ? "the server is stopping" : "the events cannot be read now"));
            } else if (session->ended) {
                sink->respond(response_of(mcp::unknown_session()));
            } else if (*first > after + 1) {
                sink->respond(response_of(mcp::unknown_event()));
            } else {
                session->waiting_announcements.clear();
                stream->attach_reader(sink, after, false);
            }
        });
    });
}

void Engine::resume_finished(const std::shared_ptr<SessionState>& session, EventId id, std::shared_ptr<ResponseSink> sink) {
    services_->readers.submit([self = shared_from_this(), session, id = std::move(id), sink = std::move(sink)] {
        auto calls = self->services_->store->calls_of_stream(id.stream);
        auto first = self->services_->store->first_event(id.stream);
        auto last = self->services_->store->last_event(id.stream);
        self->services_->inbox->put([self, session, id, sink, calls = std::move(calls), first = std::move(first), last = std::move(last)] {
            const bool may_read = DURABLE_MCP_PLANTED_BUG("read_foreign_stream");
            if (!calls || !first || !last) {
                sink->respond(unavailable("the events cannot be read now"));
            } else if (calls->empty() || (calls->front().session != session->data.id && !may_read) || id.seq > *last || *first > id.seq + 1) {
                sink->respond(response_of(mcp::unknown_event()));
            } else {
                std::make_shared<Stream>(id.stream, true, *last, self->services_)->attach_reader(sink, id.seq, false);
            }
        });
    });
}

void Engine::replace_catalog(std::shared_ptr<const mcp::Catalog> catalog, const std::vector<mcp::ItemKind>& changed) {
    {
        const std::lock_guard lock(catalog_mutex_);
        catalog_ = std::move(catalog);
    }
    services_->inbox->put([self = shared_from_this(), changed] {
        if (self->phase_ == Phase::serving) {
            self->announce(changed);
        }
    });
}

void Engine::announce(const std::vector<mcp::ItemKind>& changed) {
    for (const mcp::ItemKind kind : changed) {
        if (kind == mcp::ItemKind::completion) {
            continue;  // on no list
        }
        listeners_->list_changed(list_name(kind));
        const std::string payload = jsonrpc::write_notification(fmt::format("notifications/{}/list_changed", list_name(kind)), {});
        sessions_.for_each([&](const std::shared_ptr<SessionState>& session) {
            const auto stream = session->standalone.load();
            // Nobody has listened yet, or nobody listens and the same already waits for whoever will.
            if (!stream || (!stream->has_reader() && !session->waiting_announcements.insert(payload).second)) {
                return;
            }
            append_to_standalone(stream, payload, [](bool) {});
        });
    }
}

void Engine::append_to_standalone(const std::shared_ptr<Stream>& stream, const std::string& payload, std::function<void(bool)> done) {
    stream->append([&](std::uint64_t seq) {
        store::Group group{store::AppendEvent{{stream->id(), seq, payload, services_->clock.wall_ms()}}};
        if (const std::size_t most = services_->retention.announcements_per_session; seq > most) {
            group.emplace_back(store::DropEvents{stream->id(), seq - most, most_forgotten_with_one});
        }
        services_->queue->submit(std::move(group), store::Urgency::soon, store::WhenFull::keep,
                                 [inbox = services_->inbox, stream, seq, payload, done](const base::Result<store::GroupOutcome>& outcome) {
                                     const bool is_durable = outcome && *outcome == store::GroupOutcome::committed;
                                     if (is_durable) {
                                         inbox->put([stream, seq, payload] { stream->release(seq, payload); });
                                     }
                                     done(is_durable);
                                 });
        return true;
    });
}

// Every session that has subscribed finds it on its standalone stream, also one whose client is away; listeners hear it while they listen.
void Engine::resource_updated(const std::string& uri, std::function<void(bool)> done) {
    listeners_->resource_updated(uri);
    struct Pending {
        std::atomic<std::size_t> left{1};
        std::atomic<bool> all{true};
        std::function<void(bool)> done;
        void settle(bool is_durable) {
            if (!is_durable) {
                all = false;
            }
            if (--left == 0) {
                done(all);
            }
        }
    };
    const auto pending = std::make_shared<Pending>();
    pending->done = std::move(done);
    const std::string payload =
        jsonrpc::write_notification("notifications/resources/updated", base::Json{{"uri", uri}}.dump(-1, ' ', false, base::Json::error_handler_t::replace));
    sessions_.for_each([&](const std::shared_ptr<SessionState>& session) {
        const auto stream = session->standalone.load();
        if (!stream || !session->data.subscriptions.contains(uri)) {
            return;
        }
        if (!stream->has_reader() && !session->waiting_announcements.insert(payload).second) {
            return;  // the same already waits for whoever listens next
        }
        ++pending->left;
        append_to_standalone(stream, payload, [pending](bool is_durable) { pending->settle(is_durable); });
    });
    pending->settle(true);
}

}  // namespace durable_mcp::runtime
