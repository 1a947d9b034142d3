// SPDX-License-Identifier: Apache-2.0
// One story of a store, told once for each operation on a file that it makes: that one fails, alone or with all that follow it. Whatever the store
// said is compared with what the next process finds.

#include <cstdio>
#include <set>

#include "contract/faulty_vfs.hpp"
#include "contract/store_under_test.hpp"

namespace durable_mcp::store {
namespace {

using base::FailureCode;

struct Story {
    std::set<std::string> acknowledged;
    std::set<std::string> refused;  ///< certainly did not happen
    bool in_doubt = false;
};

std::shared_ptr<Store> open_faulty(const std::string& path) {
    auto opened = open_sqlite_store({.path = path, .busy_timeout = std::chrono::milliseconds(0), .ballast_bytes = 0, .vfs = faulty_vfs()});
    return opened ? *opened : nullptr;
}

/// Opens, commits small batches and one that is worth a checkpoint, with a conflict in the middle, tidies, reads, and closes.
Story tell(const std::string& path) {
    Story story;
    const auto store = open_faulty(path);
    if (!store) {
        return story;
    }
    const auto put = [&](const std::string& key, std::size_t bytes) {
        const auto outcome = commit(*store, {{PutMapRow{"m", key, std::string(bytes, 'x')}},
                                             {PutMapRow{"m", "torn", "x"}, ExpectRunning{"absent"}},
                                             {PutMapRow{"m", key + " too", key}}});
        if (!outcome) {
            const bool certain = outcome.error().code == FailureCode::store_full || outcome.error().code == FailureCode::store_unavailable;
            EXPECT_TRUE(certain || outcome.error().code == FailureCode::outcome_unknown) << outcome.error().sentence;
            EXPECT_FALSE(certain && story.in_doubt) << "a poisoned store says something for certain";
            story.in_doubt = story.in_doubt || !certain;
            if (certain) {
                story.refused.insert(key);
            }
            return;
        }
        EXPECT_FALSE(story.in_doubt) << "a poisoned store takes something";
        EXPECT_EQ(*outcome, (std::vector{GroupOutcome::committed, GroupOutcome::conflict, GroupOutcome::committed}));
        story.acknowledged.insert(key);
        if (const auto snapshot = store->snapshot()) {
            if (const auto row = (*snapshot)->get("m", key)) {
                EXPECT_TRUE(row->has_value()) << key << " is acknowledged and cannot be seen";
            }
        }
    };
    put("small", 10);
    put("large", 5u << 20);  // 1,280 pages
    story.in_doubt = store->tidy().has_value() || story.in_doubt;
    put("behind it", 5'000);
    put("last", 10);
    return story;
}

void compare(const std::string& path, const Story& story) {
    const auto store = open_faulty(path);
    ASSERT_NE(store, nullptr) << "it does not open again";
    const auto snapshot = store->snapshot();
    ASSERT_TRUE(snapshot) << snapshot.error().sentence;
    for (const std::string& key : story.acknowledged) {
        for (const std::string& one : {key, key + " too"}) {
            const auto row = (*snapshot)->get("m", one);
            ASSERT_TRUE(row) << row.error().sentence;
            EXPECT_TRUE(row->has_value()) << one << " was acknowledged and is lost";
        }
    }
    for (const std::string& key : story.refused) {
        for (const std::string& one : {key, key + " too"}) {
            EXPECT_FALSE((*snapshot)->get("m", one).value().has_value()) << one << " was refused for certain, and is there";
        }
    }
    EXPECT_FALSE((*snapshot)->get("m", "torn").value().has_value());
    EXPECT_EQ(commit_one(*store, {PutMapRow{"m", "after", "x"}}), GroupOutcome::committed);
}

class sqlite_every_fault : public ::testing::TestWithParam<std::pair<bool, bool>> {
protected:
    ~sqlite_every_fault() override { faults() = {}; }
    TemporaryDirectory directory_;
};

TEST_P(sqlite_every_fault, loses_nothing_acknowledged_and_keeps_nothing_refused) {
    const auto [forever, full] = GetParam();
    faults() = {};
    tell(directory_ / "whole.db");
    const int operations = faults().operations_seen;
    ASSERT_GT(operations, 2'500) << "the story has no checkpoint";
    int doubts = 0;
    int refusals = 0;
    // The pages of the large batch, on their way to the log and from there, are alike: some of them will do.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    constexpr int first = 20, last = 10, stride = 601;  // each takes ten times as long, and it is the same code that they pass
#else
    constexpr int first = 120, last = 60, stride = 151;
#endif
    for (int nth = 1; nth <= operations; nth += nth < first || nth > operations - last ? 1 : stride) {
        SCOPED_TRACE("operation " + std::to_string(nth) + " of " + std::to_string(operations));
        const std::string path = directory_ / (std::to_string(nth) + ".db");
        faults() = {};
        faults().fail_at = nth;
        faults().forever = forever;
        faults().full = full;
        const Story story = tell(path);
        faults() = {};
        compare(path, story);
        doubts += story.in_doubt ? 1 : 0;
        refusals += story.refused.empty() ? 0 : 1;
        for (const char* const suffix : {"", "-wal", "-shm", ".lock"}) {
            std::filesystem::remove(path + suffix);
        }
        ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(doubts + refusals, 0) << "no fault was felt";
}

INSTANTIATE_TEST_SUITE_P(of, sqlite_every_fault,
                         ::testing::Values(std::pair(false, false), std::pair(true, false), std::pair(false, true), std::pair(true, true)),
                         [](const auto& chosen) {
                             return std::string(chosen.param.second ? "full_" : "broken_") + (chosen.param.first ? "for_ever" : "once");
                         });

}  // namespace
}  // namespace durable_mcp::store
