// SPDX-License-Identifier: Apache-2.0
#include "mcp/session.hpp"

#include <gtest/gtest.h>

#include <string>

namespace durable_mcp::mcp {
namespace {

using base::Json;

Session example() {
    Session session;
    session.id = "s";
    session.owner = "alice";
    session.revision = Revision::r2025_03_26;
    session.client_info = {{"name", "inspector"}, {"version", "1"}, {"title", "\xC3\xA9"}};
    session.capabilities = {{"elicitation", {{"form", Json::object()}}}};
    session.initialized = true;
    session.log_level = LogLevel::alert;
    session.subscriptions = {"a:b", "shop://terms"};
    session.standalone_stream = "stream-1";
    session.standalone_opened = true;
    return session;
}

// B47
TEST(session, B47_a_session_comes_back_from_its_document_as_it_was) {
    const Session before = example();
    const auto after = session_from_document("s", "alice", to_document(before));
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->id, before.id);
    EXPECT_EQ(after->owner, before.owner);
    EXPECT_EQ(after->revision, before.revision);
    EXPECT_EQ(after->client_info, before.client_info);
    EXPECT_EQ(after->capabilities, before.capabilities);
    EXPECT_EQ(after->initialized, before.initialized);
    EXPECT_EQ(after->log_level, before.log_level);
    EXPECT_EQ(after->subscriptions, before.subscriptions);
    EXPECT_EQ(after->standalone_stream, before.standalone_stream);
    EXPECT_EQ(after->standalone_opened, before.standalone_opened);
    EXPECT_TRUE(session_from_document("x", "", to_document(Session{})).has_value());
}

// This text is on disk in every store.
TEST(session, the_document_is_this_one) {
    EXPECT_EQ(to_document(example()),
              "{\"capabilities\":{\"elicitation\":{\"form\":{}}},\"client_info\":{\"name\":\"inspector\",\"title\":\"\xC3\xA9\","
              "\"version\":\"1\"},"
              "\"initialized\":true,\"log_level\":\"alert\",\"revision\":\"2025-03-26\",\"standalone_opened\":true,"
              "\"standalone_stream\":\"stream-1\",\"subscriptions\":[\"a:b\",\"shop://terms\"],\"v\":1}");
}

TEST(session, a_document_with_a_field_of_a_later_release_is_read) {
    Json document = Json::parse(to_document(example()));
    document["of_a_later_release"] = Json::array({"a:b"});
    EXPECT_TRUE(session_from_document("s", "", document.dump()).has_value());
}

// B54: what the first release wrote.
TEST(session, B54_a_document_without_subscriptions_is_one_of_a_session_that_has_none) {
    Json document = Json::parse(to_document(example()));
    document.erase("subscriptions");
    const auto read = session_from_document("s", "", document.dump());
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(read->subscriptions.empty());
    for (const Json& odd : {Json("a:b"), Json::array({5}), Json(nullptr)}) {
        document["subscriptions"] = odd;
        EXPECT_FALSE(session_from_document("s", "", document.dump()).has_value()) << odd;
    }
}

TEST(session, a_damaged_document_is_called_damaged) {
    const Json good = Json::parse(to_document(example()));
    std::vector<std::string> bad{"", "{", "[]", "{}", "null"};
    for (const auto& [key, value] : good.items()) {
        if (key == "subscriptions") {
            continue;  // may be missing, and is an array
        }
        Json missing = good, wrong = good;
        missing.erase(key);
        wrong[key] = Json::array();
        bad.push_back(missing.dump());
        bad.push_back(wrong.dump());
    }
    for (const auto& [key, value] : {std::pair{"revision", Json("2030-01-01")},
                                     {"revision", Json("2026-07-28")}, {"log_level", Json("loud")}, {"v", Json(2)}}) {
        Json wrong = good;
        wrong[key] = value;
        bad.push_back(wrong.dump());
    }
    for (const std::string& document : bad) {
        const auto session = session_from_document("s", "", document);
        ASSERT_FALSE(session.has_value()) << document;
        EXPECT_EQ(session.error().code, base::FailureCode::store_damaged);
    }
}

TEST(session, log_levels_are_ordered_and_named_as_in_rfc_5424) {
    constexpr std::string_view names[] = {"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};
    std::optional<LogLevel> previous;
    for (const std::string_view name : names) {
        const auto level = log_level_from(name);
        ASSERT_TRUE(level.has_value());
        EXPECT_EQ(name_of(*level), name);
        EXPECT_TRUE(!previous || *previous < *level);
        previous = level;
    }
    EXPECT_FALSE(log_level_from("Info").has_value());
    EXPECT_FALSE(log_level_from("").has_value());
}

}  // namespace
}  // namespace durable_mcp::mcp
