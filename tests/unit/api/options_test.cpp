// SPDX-License-Identifier: Apache-2.0
#include "api/options.hpp"

#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

std::string refused(Options options) {
    return complaint([&] { const DurableMCP server(std::move(options)); });
}

Options good() { return {.name = "n", .store = memory()}; }

TEST(options, each_mistake_is_named) {
    EXPECT_EQ(refused(good()), "no complaint");
    EXPECT_EQ(refused({.store = memory()}).substr(0, 13), "Options::name");
    EXPECT_EQ(refused({.name = "n"}).substr(0, 14), "Options::store");
    const auto with = [](auto change) {
        Options options = good();
        change(options);
        return refused(std::move(options));
    };
    EXPECT_EQ(with([](Options& o) { o.name = "\xFF"; }), "Options::name: this is not UTF-8");
    for (const char* path : {"", "mcp", "/a b", "/a?b", "/a#b", "/\xC3\xA9"}) {
        EXPECT_EQ(with([&](Options& o) { o.path = path; }).substr(0, 13), "Options::path") << path;
    }
    EXPECT_EQ(with([](Options& o) { o.handler_threads = 0; }).substr(0, 24), "Options::handler_threads");
    EXPECT_EQ(with([](Options& o) { o.limits.body_bytes = 0; }), "Options::limits.body_bytes: it must be greater than 0");
    constexpr std::size_t most = std::size_t{24} << 20;
    for (std::size_t Limits::*const member : {&Limits::body_bytes, &Limits::step_value_bytes, &Limits::result_bytes}) {
        EXPECT_EQ(with([&](Options& o) { o.limits.*member = most; }), "no complaint");
        EXPECT_NE(with([&](Options& o) { o.limits.*member = most + 1; }).find("_bytes: it must not be greater than 25165824"), std::string::npos);
    }
    EXPECT_EQ(with([](Options& o) { o.limits.idle_timeout = std::chrono::seconds(-1); }), "Options::limits.idle_timeout: it must be greater than 0");
    const auto begins = [](const std::string& complaint, const std::string& beginning) {
        return complaint.starts_with(beginning) ? testing::AssertionSuccess() : testing::AssertionFailure() << complaint;
    };
    EXPECT_TRUE(begins(with([](Options& o) { o.host = "not an address"; }), "Options::host"));
    EXPECT_TRUE(begins(with([](Options& o) { o.host = "0.0.0.0"; }), "Options::host, allowed_hosts: ")) << "a public address needs allowed_hosts";
    EXPECT_TRUE(begins(with([](Options& o) { o.host = "192.0.2.1"; }), "Options::host, allowed_hosts: "));
    EXPECT_TRUE(begins(with([](Options& o) { o.allowed_hosts = {"not a host"}; }), "Options::allowed_hosts: 'not a host'"));
    EXPECT_TRUE(begins(with([](Options& o) { o.icons = {{.src = ""}}; }), "Options::icons: "));
    EXPECT_TRUE(begins(with([](Options& o) { o.icons = {{.src = "https://x/\xFF"}}; }), "Options::icons: "));
    EXPECT_EQ(with([](Options& o) {
                  o.host = "0.0.0.0";
                  o.allowed_hosts = {"mcp.example.com"};
              }),
              "no complaint");
    EXPECT_TRUE(begins(with([](Options& o) { o.allowed_origins = {"not an origin"}; }), "Options::allowed_origins: 'not an origin'"));
}

TEST(options, what_is_to_be_done_once_needs_a_name_of_its_own_and_something_to_do) {  // B26
    const auto with = [](std::vector<Initialization> list) {
        Options options = good();
        options.initialize = std::move(list);
        return refused(std::move(options));
    };
    const auto nothing = [](Transaction&) {};
    EXPECT_EQ(with({{"a", nothing}, {"b", nothing}}), "no complaint");
    EXPECT_EQ(with({{"", nothing}}), "Options::initialize: each needs an alias of 1 to 1024 bytes: the store knows by it what was done");
    EXPECT_EQ(with({{"\xFF", nothing}}), "Options::initialize: this is not UTF-8");
    EXPECT_EQ(with({{"a", {}}}), "Options::initialize: \"a\" has no function");
    EXPECT_EQ(with({{"a", nothing}, {"a", nothing}}), "Options::initialize: \"a\" is there twice: the second would never be run");
}

TEST(options, bounds_of_the_state_reach_the_house) {  // B25
    Options options = good();
    options.state.user = {7, 8, std::chrono::hours(1)};
    options.state.server.rows = 9;
    const base::Limits limits = house_limits(options);
    EXPECT_EQ(limits.user_maps.rows, 7U);
    EXPECT_EQ(limits.user_maps.bytes, 8U);
    EXPECT_EQ(limits.user_maps.ttl, std::chrono::hours(1));
    EXPECT_EQ(limits.server_maps.rows, 9U);
    options.state.call.ttl = std::chrono::milliseconds(-1);
    EXPECT_EQ(refused(options), "Options::state.call.ttl: it must not be negative; 0 is for ever");
}

TEST(options, limits_reach_the_house) {
    Options options = good();
    options.limits.running_calls = 3;
    options.limits.retry_after = std::chrono::milliseconds(7);
    options.handler_threads = 5;
    const base::Limits limits = house_limits(options);
    EXPECT_EQ(limits.running_calls, 3U);
    EXPECT_EQ(limits.retry_after, std::chrono::milliseconds(7));
    EXPECT_EQ(limits.handler_threads, 5U);
}

TEST(options, the_defaults_shown_to_users_are_those_of_the_house) {
    const base::Limits ours = house_limits(good());
    const base::Limits theirs;
    const auto expect_same = [](const base::ScopeLimits& one, const base::ScopeLimits& other) {
        EXPECT_EQ(one.rows, other.rows);
        EXPECT_EQ(one.bytes, other.bytes);
        EXPECT_EQ(one.ttl, other.ttl);
    };
    expect_same(ours.server_maps, theirs.server_maps);
    expect_same(ours.user_maps, theirs.user_maps);
    expect_same(ours.session_maps, theirs.session_maps);
    expect_same(ours.call_maps, theirs.call_maps);
    EXPECT_EQ(ours.body_bytes, theirs.body_bytes);
    EXPECT_EQ(ours.header_timeout, theirs.header_timeout);
    EXPECT_EQ(ours.body_timeout, theirs.body_timeout);
    EXPECT_EQ(ours.idle_timeout, theirs.idle_timeout);
    EXPECT_EQ(ours.connections, theirs.connections);
    EXPECT_EQ(ours.stream_buffer_bytes, theirs.stream_buffer_bytes);
    EXPECT_EQ(ours.keep_alive_comment, theirs.keep_alive_comment);
    EXPECT_EQ(ours.sessions, theirs.sessions);
    EXPECT_EQ(ours.session_idle, theirs.session_idle);
    EXPECT_EQ(ours.running_calls, theirs.running_calls);
    EXPECT_EQ(ours.running_calls_per_session, theirs.running_calls_per_session);
    EXPECT_EQ(ours.decide_after, theirs.decide_after);
    EXPECT_EQ(ours.retry_after, theirs.retry_after);
    EXPECT_EQ(ours.boot_hold, theirs.boot_hold);
    EXPECT_EQ(ours.reask_after, theirs.reask_after);
    EXPECT_EQ(ours.state_lifetime, theirs.state_lifetime);
    EXPECT_EQ(ours.key_retention, theirs.key_retention);
    EXPECT_EQ(ours.inline_wait, theirs.inline_wait);
    EXPECT_EQ(ours.task_ttl, theirs.task_ttl);
    EXPECT_EQ(ours.recovery_concurrency, theirs.recovery_concurrency);
    EXPECT_EQ(ours.crashed_attempts, theirs.crashed_attempts);
    EXPECT_EQ(ours.step_value_bytes, theirs.step_value_bytes);
    EXPECT_EQ(ours.result_bytes, theirs.result_bytes);
    EXPECT_EQ(ours.events_per_stream, theirs.events_per_stream);
    EXPECT_EQ(ours.entries_per_call, theirs.entries_per_call);
    EXPECT_EQ(ours.list_page, theirs.list_page);
    EXPECT_EQ(ours.handler_threads, theirs.handler_threads);
    const base::Retention our_retention = house_retention(good());
    const base::Retention their_retention;
    EXPECT_EQ(our_retention.calls, their_retention.calls);
    EXPECT_EQ(our_retention.announcements, their_retention.announcements);
    EXPECT_EQ(our_retention.announcements_per_session, their_retention.announcements_per_session);
    EXPECT_EQ(our_retention.finished_calls, their_retention.finished_calls);
    EXPECT_EQ(our_retention.store_bytes, their_retention.store_bytes);
    EXPECT_EQ(our_retention.grace, their_retention.grace);
    EXPECT_EQ(our_retention.interval, their_retention.interval);
}

TEST(options, what_is_forgotten_and_when_is_one_policy_and_each_of_its_members_is_passed_on_and_checked) {  // B53
    using std::chrono::milliseconds;
    Options options = good();
    options.retention = {.sessions = milliseconds(1),
                         .calls = milliseconds(2),
                         .keys = milliseconds(3),
                         .tasks = milliseconds(4),
                         .announcements = milliseconds(5),
                         .announcements_per_session = 6,
                         .finished_calls = 7,
                         .store_bytes = 8,
                         .grace = milliseconds(9),
                         .interval = milliseconds(10)};
    check_options(options);
    const base::Limits limits = house_limits(options);
    EXPECT_EQ(limits.session_idle.count(), 1);
    EXPECT_EQ(limits.key_retention.count(), 3);
    EXPECT_EQ(limits.task_ttl.count(), 4);
    const base::Retention retention = house_retention(options);
    EXPECT_EQ(retention.calls.count(), 2);
    EXPECT_EQ(retention.announcements.count(), 5);
    EXPECT_EQ(retention.announcements_per_session, 6U);
    EXPECT_EQ(retention.finished_calls, 7U);
    EXPECT_EQ(retention.store_bytes, 8U);
    EXPECT_EQ(retention.grace.count(), 9);
    EXPECT_EQ(retention.interval.count(), 10);

    const auto complaint_of = [](auto member, auto value) {
        Options wrong = good();
        wrong.retention.*member = static_cast<std::remove_cvref_t<decltype(wrong.retention.*member)>>(value);
        return refused(std::move(wrong));
    };
    const std::pair<milliseconds RetentionPolicy::*, const char*> times[] = {
        {&RetentionPolicy::sessions, "sessions"}, {&RetentionPolicy::calls, "calls"}, {&RetentionPolicy::keys, "keys"},
        {&RetentionPolicy::tasks, "tasks"},       {&RetentionPolicy::grace, "grace"}, {&RetentionPolicy::interval, "interval"},
        {&RetentionPolicy::announcements, "announcements"}};
    for (const auto& [member, name] : times) {
        for (const milliseconds wrong : {milliseconds(0), milliseconds(-1), milliseconds::max()}) {
            EXPECT_EQ(complaint_of(member, wrong),
                      "Options::retention." + std::string(name) + ": it must be greater than 0, and at most a thousand years");
        }
    }
    const std::string no_amount = ": it must be greater than 0; RetentionPolicy::unlimited is no bound";
    EXPECT_EQ(complaint_of(&RetentionPolicy::finished_calls, 0), "Options::retention.finished_calls" + no_amount);
    EXPECT_EQ(complaint_of(&RetentionPolicy::announcements_per_session, 0), "Options::retention.announcements_per_session" + no_amount);
    EXPECT_EQ(complaint_of(&RetentionPolicy::store_bytes, 0), "Options::retention.store_bytes" + no_amount);
    EXPECT_EQ(complaint_of(&RetentionPolicy::store_bytes, RetentionPolicy::unlimited), "no complaint");
}

TEST(options, times_of_waiting_and_keeping_are_passed_on_and_checked) {
    Options options = good();
    options.inline_wait = std::chrono::milliseconds(0);
    options.limits.reask_after = std::chrono::seconds(5);
    check_options(options);
    EXPECT_EQ(house_limits(options).inline_wait.count(), 0);
    EXPECT_EQ(house_limits(options).reask_after, std::chrono::seconds(5));
    const auto refused = [](auto change) {
        Options wrong = good();
        change(wrong);
        try {
            check_options(wrong);
        } catch (const std::invalid_argument&) {
            return true;
        }
        return false;
    };
    EXPECT_TRUE(refused([](Options& wrong) { wrong.inline_wait = std::chrono::milliseconds(-1); }));
    EXPECT_TRUE(refused([](Options& wrong) { wrong.list_cache = std::chrono::milliseconds(-1); }));
    EXPECT_TRUE(refused([](Options& wrong) { wrong.limits.state_lifetime = std::chrono::milliseconds(0); }));
}

TEST(options, the_implementation_says_only_what_is_known) {
    EXPECT_EQ(describe_implementation(good()).dump(), R"({"name":"n","version":"0"})");
    Options options = good();
    options.title = "T";
    options.website_url = "https://x";
    options.icons = {{.src = "https://x/i.png"}};
    EXPECT_EQ(describe_implementation(options).dump(),
              R"({"icons":[{"src":"https://x/i.png"}],"name":"n","title":"T","version":"0","websiteUrl":"https://x"})");
}

TEST(options, the_version_is_the_one_of_the_header) { EXPECT_STREQ(version(), "0.1.0"); }

}  // namespace
}  // namespace durable_mcp::api
