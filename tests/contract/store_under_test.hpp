// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/temporary_directory.hpp"

namespace durable_mcp::store {

using testing_support::TemporaryDirectory;

/// Commits `groups` as one batch.
inline BatchOutcome commit(Store& store, const std::vector<Group>& groups) {
    std::vector<const Group*> batch;
    for (const Group& group : groups) {
        batch.push_back(&group);
    }
    return store.commit(batch);
}

/// Commits one group and says what became of it.
inline GroupOutcome commit_one(Store& store, Group group) {
    std::vector<Group> groups;
    groups.push_back(std::move(group));
    auto outcome = commit(store, groups);
    EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().sentence);
    return outcome ? outcome->front() : GroupOutcome::conflict;
}

inline CallRow call_row(std::string id, std::string session = "s", std::string request_id = "1") {
    CallRow row;
    row.id = std::move(id);
    row.session = std::move(session);
    row.request_id = std::move(request_id);
    row.digest = "digest";
    row.stream = "stream of " + row.id;
    row.document = R"({"method":"tools/call"})";
    row.accepted_ms = 1'000;
    return row;
}

inline HandleRow handle_row(std::string call, std::string key = "", std::uint32_t reach = 1, std::string owner = "owner") {
    HandleRow row;
    row.call = std::move(call);
    row.owner = std::move(owner);
    row.idempotency_key = std::move(key);
    row.reach = reach;
    row.created_ms = 1'000;
    row.updated_ms = 1'001;
    row.document = R"({"ttl":60000})";
    return row;
}

inline journal::Entry entry(std::uint64_t seq, std::string payload = "1") {
    return {seq, journal::EntryKind::step_completed, "key", "int", std::move(payload)};
}

/// A store, and how it lives on after its process.
class StoreUnderTest {
public:
    virtual ~StoreUnderTest() = default;
    virtual Store& store() = 0;
    virtual void reopen() = 0;
};

class MemoryUnderTest final : public StoreUnderTest {
public:
    Store& store() override { return *store_; }
    void reopen() override { store_->reopen(); }

private:
    std::shared_ptr<MemoryStore> store_ = open_memory_store();
};

class SqliteUnderTest final : public StoreUnderTest {
public:
    SqliteUnderTest() { reopen(); }
    Store& store() override { return *store_; }
    void reopen() override {
        store_.reset();
        auto opened = open_sqlite_store({.path = directory_ / "store.db", .ballast_bytes = 0});
        EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().sentence);
        store_ = opened ? *opened : nullptr;
    }

private:
    TemporaryDirectory directory_;
    std::shared_ptr<Store> store_;
};

/// Runs each TEST_P once per store.
class StoreContract : public ::testing::TestWithParam<const char*> {
protected:
    StoreContract() {
        if (std::string(GetParam()) == "memory") {
            under_test_ = std::make_unique<MemoryUnderTest>();
        } else {
            under_test_ = std::make_unique<SqliteUnderTest>();
        }
    }
    Store& store() { return under_test_->store(); }
    void reopen() { under_test_->reopen(); }

private:
    std::unique_ptr<StoreUnderTest> under_test_;
};

inline std::string name_of_store(const ::testing::TestParamInfo<const char*>& info) {
    return info.param;
}

}  // namespace durable_mcp::store
