// SPDX-License-Identifier: Apache-2.0
#include "api/options.hpp"

#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "api/registration.hpp"
#include "durable_mcp/state.hpp"
#include "store/store.hpp"

namespace durable_mcp::api {

using base::Json;

namespace {

[[noreturn]] void refuse(const std::string& member, const std::string& why) { throw std::invalid_argument("Options::" + member + ": " + why); }

void check_text(const char* member, std::string_view text) {
    if (!base::dump_json(Json(text))) {
        refuse(member, "this is not UTF-8");
    }
}

/// A path as it stands in a request line: no query, nothing that a client would have to encode.
bool is_path(std::string_view path) {
    if (path.empty() || path.front() != '/') {
        return false;
    }
    for (const char c : path) {
        if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F || c == '?' || c == '#' || c == '"') {
            return false;
        }
    }
    return true;
}

void check_limits(const Limits& limits) {
    const auto positive = [](const char* member, auto value) {
        if (value <= decltype(value){}) {
            refuse(std::string("limits.") + member, "it must be greater than 0");
        }
    };
    positive("body_bytes", limits.body_bytes);
    positive("header_timeout", limits.header_timeout);
    positive("body_timeout", limits.body_timeout);
    positive("idle_timeout", limits.idle_timeout);
    positive("connections", limits.connections);
    positive("stream_buffer_bytes", limits.stream_buffer_bytes);
    positive("keep_alive_comment", limits.keep_alive_comment);
    positive("sessions", limits.sessions);
    positive("running_calls", limits.running_calls);
    positive("running_calls_per_session", limits.running_calls_per_session);
    positive("decide_after", limits.decide_after);
    positive("retry_after", limits.retry_after);
    positive("boot_hold", limits.boot_hold);
    positive("reask_after", limits.reask_after);
    positive("state_lifetime", limits.state_lifetime);
    positive("recovery_concurrency", limits.recovery_concurrency);
    positive("crashed_attempts", limits.crashed_attempts);
    positive("step_value_bytes", limits.step_value_bytes);
    positive("result_bytes", limits.result_bytes);
    positive("events_per_stream", limits.events_per_stream);
    positive("entries_per_call", limits.entries_per_call);
    positive("list_page", limits.list_page);
    const auto fits_in_a_row = [](const char* member, std::size_t value) {
        constexpr std::size_t most = store::row_bytes / 4 * 3;
        if (value > most) {
            refuse(std::string("limits.") + member, "it must not be greater than " + std::to_string(most) + ": more is not kept in one place");
        }
    };
    fits_in_a_row("body_bytes", limits.body_bytes);
    fits_in_a_row("step_value_bytes", limits.step_value_bytes);
    fits_in_a_row("result_bytes", limits.result_bytes);
}

void check_state(const StateOptions& state) {
    const auto check = [](const char* member, const ScopeLimits& limits) {
        if (limits.ttl.count() < 0) {
            refuse(std::string("state.") + member + ".ttl", "it must not be negative; 0 is for ever");
        }
    };
    check("server", state.server);
    check("user", state.user);
    check("session", state.session);
    check("call", state.call);
}

void check_initialize(const std::vector<Initialization>& list) {
    std::set<std::string_view> aliases;
    for (const Initialization& one : list) {
        if (one.alias.empty() || one.alias.size() > base::Limits{}.alias_bytes) {
            refuse("initialize", "each needs an alias of 1 to " + std::to_string(base::Limits{}.alias_bytes) + " bytes: the store knows by it what was done");
        }
        check_text("initialize", one.alias);
        if (!one.function) {
            refuse("initialize", "\"" + one.alias + "\" has no function");
        }
        if (!aliases.insert(one.alias).second) {
            refuse("initialize", "\"" + one.alias + "\" is there twice: the second would never be run");
        }
    }
}

base::ScopeLimits house_scope(const ScopeLimits& from) { return {from.rows, from.bytes, from.ttl}; }

void check_retention(const RetentionPolicy& policy) {
    // Longer than the protocol's clocks count: what is added to the time of day must stay a number.
    constexpr auto longest = std::chrono::hours(24 * 366 * 1'000);
    const auto kept_for = [longest](const char* member, std::chrono::milliseconds time) {
        if (time.count() <= 0 || time > longest) {
            refuse(std::string("retention.") + member, "it must be greater than 0, and at most a thousand years");
        }
    };
    kept_for("sessions", policy.sessions);
    kept_for("calls", policy.calls);
    kept_for("keys", policy.keys);
    kept_for("tasks", policy.tasks);
    kept_for("announcements", policy.announcements);
    kept_for("grace", policy.grace);
    kept_for("interval", policy.interval);
    const auto at_most = [](const char* member, std::uint64_t amount) {
        if (amount == 0) {
            refuse(std::string("retention.") + member, "it must be greater than 0; RetentionPolicy::unlimited is no bound");
        }
    };
    at_most("announcements_per_session", policy.announcements_per_session);
    at_most("finished_calls", policy.finished_calls);
    at_most("store_bytes", policy.store_bytes);
}

}  // namespace

void check_options(const Options& options) {
    if (options.name.empty()) {
        refuse("name", "a server needs one; clients show it");
    }
    check_text("name", options.name);
    check_text("version", options.version);
    check_text("title", options.title);
    check_text("description", options.description);
    check_text("website_url", options.website_url);
    check_text("instructions", options.instructions);
    if (!is_path(options.path)) {
        refuse("path", "it begins with \"/\" and has neither query nor spaces, as in \"/mcp\"");
    }
    if (options.host.empty()) {
        refuse("host", "an IP address is needed, as in \"127.0.0.1\"");
    }
    if (!options.store) {
        refuse("store", "say where the server's memory is kept: .store = durable_mcp::sqlite(\"server.db\")");
    }
    if (options.handler_threads == 0) {
        refuse("handler_threads", "it must be greater than 0");
    }
    if (options.inline_wait.count() < 0) {
        refuse("inline_wait", "it must not be negative; 0 is at once");
    }
    if (options.list_cache.count() < 0) {
        refuse("list_cache", "it must not be negative; 0 is not at all");
    }
    if (!base::dump_json(describe_icons("Options::icons", options.icons))) {
        refuse("icons", "this is not UTF-8");
    }
    check_limits(options.limits);
    check_state(options.state);
    check_initialize(options.initialize);
    check_retention(options.retention);
}

base::Limits house_limits(const Options& options) {
    const Limits& from = options.limits;
    base::Limits limits;
    limits.body_bytes = from.body_bytes;
    limits.header_timeout = from.header_timeout;
    limits.body_timeout = from.body_timeout;
    limits.idle_timeout = from.idle_timeout;
    limits.connections = from.connections;
    limits.stream_buffer_bytes = from.stream_buffer_bytes;
    limits.keep_alive_comment = from.keep_alive_comment;
    limits.sessions = from.sessions;
    limits.running_calls = from.running_calls;
    limits.running_calls_per_session = from.running_calls_per_session;
    limits.decide_after = from.decide_after;
    limits.retry_after = from.retry_after;
    limits.boot_hold = from.boot_hold;
    limits.reask_after = from.reask_after;
    limits.state_lifetime = from.state_lifetime;
    limits.recovery_concurrency = from.recovery_concurrency;
    limits.crashed_attempts = from.crashed_attempts;
    limits.step_value_bytes = from.step_value_bytes;
    limits.result_bytes = from.result_bytes;
    limits.events_per_stream = from.events_per_stream;
    limits.entries_per_call = from.entries_per_call;
    limits.list_page = from.list_page;
    limits.inline_wait = options.inline_wait;
    limits.session_idle = options.retention.sessions;
    limits.key_retention = options.retention.keys;
    limits.task_ttl = options.retention.tasks;
    limits.handler_threads = options.handler_threads;
    limits.server_maps = house_scope(options.state.server);
    limits.user_maps = house_scope(options.state.user);
    limits.session_maps = house_scope(options.state.session);
    limits.call_maps = house_scope(options.state.call);
    return limits;
}

std::vector<runtime::Initialization> initializations(const Options& options) {
    std::vector<runtime::Initialization> list;
    for (const Initialization& one : options.initialize) {
        list.push_back({one.alias, [function = one.function](detail::TransactionPort& port) {
                            Transaction state(port);
                            function(state);
                        }});
    }
    return list;
}

base::Retention house_retention(const Options& options) {
    const RetentionPolicy& from = options.retention;
    base::Retention retention;
    retention.calls = from.calls;
    retention.announcements = from.announcements;
    retention.announcements_per_session = from.announcements_per_session;
    retention.finished_calls = from.finished_calls;
    retention.store_bytes = from.store_bytes;
    retention.grace = from.grace;
    retention.interval = from.interval;
    return retention;
}

Json describe_implementation(const Options& options) {
    Json implementation{{"name", options.name}, {"version", options.version}};
    const auto set = [&implementation](const char* key, const std::string& text) {
        if (!text.empty()) {
            implementation[key] = text;
        }
    };
    set("title", options.title);
    set("description", options.description);
    set("websiteUrl", options.website_url);
    if (!options.icons.empty()) {
        implementation["icons"] = describe_icons("Options::icons", options.icons);
    }
    return implementation;
}

}  // namespace durable_mcp::api
