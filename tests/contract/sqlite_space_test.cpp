// SPDX-License-Identifier: Apache-2.0
// The file gets smaller when what was in it is forgotten (semantics §6, B53), and no batch of forgetting is large.

#include <sqlite3.h>

#include "contract/store_under_test.hpp"

namespace durable_mcp::store {
namespace {

class sqlite_space : public ::testing::Test {
protected:
    std::shared_ptr<Store> open() {
        auto opened = open_sqlite_store({.path = path_, .ballast_bytes = 0});
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().sentence);
        return *opened;
    }
    [[nodiscard]] std::uintmax_t file_size() const { return std::filesystem::file_size(path_); }

    /// A finished call that takes `rows` rows of that size.
    static void keep(Store& store, const std::string& id, std::uint64_t rows, std::size_t bytes) {
        Group group{InsertCall{call_row(id, "s", id)}, UpdateCall{id, CallState::completed, 0, 1}};
        for (std::uint64_t seq = 1; seq <= rows; ++seq) {
            group.emplace_back(AppendEntry{id, entry(seq, std::string(bytes, 'x'))});
        }
        commit_one(store, std::move(group));
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_ / "store.db";
};

TEST_F(sqlite_space, the_file_is_cut_when_space_was_given_back_and_what_is_kept_stays) {  // B53
    const auto store = open();
    for (const char* const id : {"a", "b", "c"}) {
        keep(*store, id, 20, 100'000);
    }
    EXPECT_FALSE(store->tidy());
    const auto full = file_size();
    EXPECT_GT(full, 5'000'000u);
    commit_one(*store, {DropCall{"a"}, DropCall{"b"}});
    EXPECT_GT(store->space()->free_bytes, 3'000'000u);
    int portions = 0;
    for (; store->space()->free_bytes > 0 && portions < 999; ++portions) {
        const auto before = store->space()->free_bytes;
        commit_one(*store, {ReleaseSpace{}});
        EXPECT_GE(store->space()->free_bytes + 600'000, before) << "a portion is small";
    }
    EXPECT_GT(portions, 5);
    EXPECT_FALSE(store->tidy());
    EXPECT_LT(file_size(), full / 2);
    EXPECT_EQ(store->entries("c")->size(), 20u);
    EXPECT_TRUE(store->entries("a")->empty());
}

TEST_F(sqlite_space, a_reader_keeps_the_file_as_it_is_and_the_next_checkpoint_cuts_it) {  // B53
    const auto store = open();
    keep(*store, "a", 60, 100'000);
    EXPECT_FALSE(store->tidy());
    const auto full = file_size();
    EXPECT_GT(full, 5'000'000u);
    auto snapshot = store->snapshot();
    ASSERT_TRUE(snapshot);
    Group group{DropCall{"a"}};
    group.resize(13, ReleaseSpace{});
    commit_one(*store, std::move(group));
    EXPECT_EQ(store->space()->free_bytes, 0u);
    EXPECT_FALSE(store->tidy());
    EXPECT_EQ(file_size(), full);
    snapshot->reset();
    EXPECT_FALSE(store->tidy());
    EXPECT_LT(file_size(), full / 2);
}

TEST_F(sqlite_space, what_a_killed_process_had_given_back_is_no_loss) {  // B53
    {
        const auto store = open();
        keep(*store, "a", 20, 100'000);
        keep(*store, "b", 1, 10);
        commit_one(*store, {DropCall{"a"}, ReleaseSpace{}});
        // What a kill leaves is the log as it is: a copy of all three files is what the next process finds.
        for (const char* const suffix : {"", "-wal"}) {
            std::filesystem::copy_file(path_ + suffix, directory_ / "killed.db" + suffix);
        }
    }
    const auto store = open_sqlite_store({.path = directory_ / "killed.db", .ballast_bytes = 0});
    ASSERT_TRUE(store) << store.error().sentence;
    EXPECT_EQ((*store)->entries("b")->size(), 1u);
    EXPECT_FALSE((*store)->call("a")->has_value());
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((directory_ / "killed.db").c_str(), &database), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(database, "PRAGMA integrity_check", -1, &statement, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
    EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

TEST_F(sqlite_space, a_batch_of_forgetting_ends_when_it_has_freed_much_however_few_rows_that_were) {  // B53
    const auto store = open();
    for (const char* const id : {"a", "b"}) {
        keep(*store, id, 40, 1 << 20);
    }
    const auto before = store->space()->used_bytes;
    commit_one(*store, {DropCall{"a", 500}, DropCall{"b", 500}});
    const auto freed = before - store->space()->used_bytes;
    EXPECT_GT(freed, 8u << 20);
    EXPECT_LT(freed, 26u << 20);
    EXPECT_EQ(store->entries("b")->size(), 40u) << "not begun";
    int commits = 0;
    for (; store->call("b").value(); ++commits) {
        ASSERT_LT(commits, 20);
        commit_one(*store, {DropCall{"a", 500}, DropCall{"b", 500}});
    }
    EXPECT_GE(commits, 3);
    EXPECT_FALSE(store->call("a")->has_value());
}

}  // namespace
}  // namespace durable_mcp::store
