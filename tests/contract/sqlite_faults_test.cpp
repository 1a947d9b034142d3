// SPDX-License-Identifier: Apache-2.0
// What the SQLite store does when the disk lies, fails or is full.

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/limits.hpp"
#include "contract/faulty_vfs.hpp"
#include "contract/store_under_test.hpp"
#include "store/commit_queue.hpp"
#include "store/sqlite/failure.hpp"

namespace durable_mcp::store {
namespace {

using base::FailureCode;

class sqlite_faults : public ::testing::Test {
protected:
    ~sqlite_faults() override { faults() = {}; }

    std::shared_ptr<Store> open_faulty(const std::string& path) {
        auto opened = open_sqlite_store({.path = path, .ballast_bytes = 0, .vfs = faulty_vfs()});
        EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().sentence);
        return opened ? *opened : nullptr;
    }

    /// Replaces `what` with `with` wherever it stands in the file. Returns how often.
    static int damage(const std::string& path, const std::string& what, const std::string& with) {
        std::ifstream in(path, std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        std::string bytes = text.str();
        int count = 0;
        for (auto at = bytes.find(what); at != std::string::npos; at = bytes.find(what, at + 1)) {
            bytes.replace(at, what.size(), with);
            ++count;
        }
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        return count;
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_ / "store.db";
};

TEST_F(sqlite_faults, a_flipped_byte_is_found_and_the_sentence_names_table_and_key) {
    struct Case {
        const char* what;
        const char* with;
        const char* table;
        const char* key;
    };
    const Case cases[] = {
        {"session-document", "session-dOcument", "'session'", "'the-session'"},
        {"call-document", "call-dOcument", "'call'", "'the-call'"},
        {"entry-payload", "entry-pAyload", "'entry'", "('the-call', 1)"},
        {"event-payload", "event-pAyload", "'event'", "('the-stream', 1)"},
        {"map-value", "map-vAlue", "'map_row'", "('the-map', 'k\\x00\\xff')"},
        {"handle-document", "handle-dOcument", "'handle'", "'the-call'"},
        {"arrival-payload", "arrival-pAyload", "'arrival'", "('the-call', 'the-question')"},
        {"secret-value", "secret-vAlue", "'secret'", "7"},
    };
    for (const Case& one : cases) {
        const std::string path = directory_ / (std::string(one.what) + ".db");
        {
            const auto store = *open_sqlite_store({.path = path});
            CallRow row = call_row("the-call");
            row.document = "call-document";
            HandleRow handle = handle_row("the-call");
            handle.document = "handle-document";
            commit_one(*store, {PutSession{{"the-session", "", "session-document", 1, 1}}, InsertCall{row},
                                AppendEntry{"the-call", entry(1, "entry-payload")}, AppendEvent{{"the-stream", 1, "event-payload"}},
                                PutMapRow{"the-map", std::string("k\0\xff", 3), "map-value"}, PutHandle{handle},
                                InsertArrival{"the-call", {"the-question", "arrival-payload"}}, PutSecret{{7, 1, "secret-value"}}});
        }
        ASSERT_EQ(damage(path, one.what, one.with), 1) << one.what;
        const auto store = *open_sqlite_store({.path = path});
        std::vector<std::string> sentences;
        const auto look = [&](const auto& result) {
            if (!result) {
                EXPECT_EQ(result.error().code, FailureCode::store_damaged);
                sentences.push_back(result.error().sentence);
            }
        };
        look(store->sessions());
        look(store->call("the-call"));
        look(store->entries("the-call"));
        look(store->events("the-stream", 0, 9));
        look(store->handle("the-call"));
        look(store->arrivals("the-call"));
        look(store->secrets());
        look((*store->snapshot())->range("the-map", {.limit = 9}));
        ASSERT_EQ(sentences.size(), 1u) << one.what;
        EXPECT_NE(sentences[0].find(one.table), std::string::npos) << sentences[0];
        EXPECT_NE(sentences[0].find(one.key), std::string::npos) << sentences[0];
    }
}

TEST_F(sqlite_faults, a_changed_state_and_a_changed_count_of_attempts_are_found_too) {
    for (const char* change : {"state = 2", "answer_event = 9", "attempts = 2", "crash_mark = 1"}) {
        const std::string path = directory_ / (std::string(change) + ".db");
        { commit_one(**open_sqlite_store({.path = path}), {InsertCall{call_row("c")}}); }
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(database, (std::string("UPDATE call SET ") + change).c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
        const auto found = (*open_sqlite_store({.path = path}))->call("c");
        ASSERT_FALSE(found) << change;
        EXPECT_EQ(found.error().code, FailureCode::store_damaged);
    }
}

TEST_F(sqlite_faults, every_column_of_the_new_tables_is_covered_by_its_checksum) {
    struct Case {
        const char* change;
        const char* table;
    };
    const Case cases[] = {
        {"UPDATE handle SET owner = 'mallory'", "handle"}, {"UPDATE handle SET idempotency_key = 'x'", "handle"},
        {"UPDATE handle SET reach = 2", "handle"},         {"UPDATE handle SET created_ms = 9", "handle"},
        {"UPDATE handle SET updated_ms = 9", "handle"},    {"UPDATE handle SET ttl_ms = 9", "handle"},
        {"UPDATE handle SET document = '[]'", "handle"},   {"UPDATE handle SET call = 'd'", "handle"},
        {"UPDATE arrival SET key = 'l'", "arrival"},       {"UPDATE arrival SET payload = '2'", "arrival"},
        {"UPDATE arrival SET call = 'd'", "arrival"},      {"UPDATE secret SET created_ms = 9", "secret"},
        {"UPDATE secret SET value = x'00'", "secret"},     {"UPDATE secret SET id = 8", "secret"},
    };
    for (const Case& one : cases) {
        const std::string path = directory_ / (std::string(one.change) + ".db");
        {
            commit_one(**open_sqlite_store({.path = path}),
                       {InsertCall{call_row("c", "")}, InsertCall{call_row("d", "")}, PutHandle{handle_row("c", "key")},
                        InsertArrival{"c", {"k", "1"}}, PutSecret{{7, 1, "secret"}}});
        }
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(database, one.change, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
        sqlite3_close(database);
        const auto store = *open_sqlite_store({.path = path});
        const std::string table = one.table;
        std::vector<base::Failure> failures;
        for (const std::string call : {"c", "d"}) {
            if (const auto handle = store->handle(call); !handle) {
                failures.push_back(handle.error());
            }
            if (const auto arrivals = store->arrivals(call); !arrivals) {
                failures.push_back(arrivals.error());
            }
        }
        if (const auto secrets = store->secrets(); !secrets) {
            failures.push_back(secrets.error());
        }
        ASSERT_EQ(failures.size(), 1u) << one.change;
        EXPECT_EQ(failures[0].code, FailureCode::store_damaged);
        EXPECT_NE(failures[0].sentence.find("'" + table + "'"), std::string::npos) << failures[0].sentence;
    }
}

TEST_F(sqlite_faults, one_commit_is_one_sync) {
    const auto store = open_faulty(path_);
    faults().wal_syncs_seen = 0;
    for (int i = 0; i < 5; ++i) {
        commit(*store, {{PutMapRow{"m", "k", "v"}}, {PutMapRow{"m", "l", "v"}}});
    }
    EXPECT_EQ(faults().wal_syncs_seen, 5);
}

TEST_F(sqlite_faults, a_sync_that_fails_at_commit_leaves_the_outcome_unknown_and_poisons) {
    auto store = open_faulty(path_);
    commit_one(*store, {PutMapRow{"m", "k", "before"}});
    faults().wal_sync = SQLITE_IOERR_FSYNC;
    const auto outcome = commit(*store, {{PutMapRow{"m", "k", "after"}}});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, FailureCode::outcome_unknown) << outcome.error().sentence;
    faults() = {};
    EXPECT_EQ(commit(*store, {{PutMapRow{"m", "x", "y"}}}).error().code, FailureCode::outcome_unknown);  // it never recovers by itself
    EXPECT_EQ(store->snapshot().error().code, FailureCode::store_unavailable);
    EXPECT_EQ(store->call("c").error().code, FailureCode::store_unavailable);
    EXPECT_TRUE(store->tidy().has_value());
    store.reset();
    store = open_faulty(path_);  // only opening anew tells the truth: one or the other, and nothing of the later one
    const auto snapshot = store->snapshot();
    ASSERT_TRUE(snapshot);
    const auto value = (*snapshot)->get("m", "k").value()->value;
    EXPECT_TRUE(value == "before" || value == "after") << value;
    EXPECT_FALSE((*snapshot)->get("m", "x")->has_value());
}

TEST_F(sqlite_faults, a_poisoned_snapshot_says_nothing_more) {
    const auto store = open_faulty(path_);
    commit_one(*store, {PutMapRow{"m", "k", "v"}});
    const auto snapshot = store->snapshot();
    faults().wal_sync = SQLITE_IOERR_FSYNC;
    static_cast<void>(commit(*store, {{PutMapRow{"m", "k", "w"}}}));
    EXPECT_EQ((*snapshot)->get("m", "k").error().code, FailureCode::store_unavailable);
}

TEST_F(sqlite_faults, a_full_disk_rolls_the_batch_back_and_later_ones_get_through) {
    const auto store = open_faulty(path_);
    commit_one(*store, {PutMapRow{"m", "k", "before"}});
    faults().wal_write = SQLITE_FULL;
    EXPECT_EQ(commit(*store, {{PutMapRow{"m", "k", "after"}}}).error().code, FailureCode::store_full);
    EXPECT_EQ((*store->snapshot())->get("m", "k").value()->value, "before");
    faults() = {};
    EXPECT_EQ(commit_one(*store, {PutMapRow{"m", "k", "after"}}), GroupOutcome::committed);
    EXPECT_EQ((*store->snapshot())->get("m", "k").value()->value, "after");
}

TEST_F(sqlite_faults, a_write_that_fails_at_commit_poisons) {
    const auto store = open_faulty(path_);
    faults().wal_write = SQLITE_IOERR_WRITE;
    errno = 0;
    EXPECT_EQ(commit(*store, {{PutMapRow{"m", "k", "v"}}}).error().code, FailureCode::outcome_unknown);
}

TEST_F(sqlite_faults, a_checkpoint_whose_sync_fails_poisons_and_loses_nothing) {
    auto store = open_faulty(path_);
    for (int i = 0; i < 20; ++i) {
        commit_one(*store, {PutMapRow{"m", std::to_string(i), std::string(300'000, 'x')}});
    }
    faults().database_sync = SQLITE_IOERR_FSYNC;
    const auto tidied = store->tidy();
    ASSERT_TRUE(tidied.has_value());
    EXPECT_EQ(tidied->code, FailureCode::outcome_unknown);
    EXPECT_EQ(commit(*store, {{PutMapRow{"m", "x", "y"}}}).error().code, FailureCode::outcome_unknown);
    faults() = {};
    store.reset();
    store = open_faulty(path_);
    EXPECT_EQ(*(*store->snapshot())->count("m"), 20u);
}

TEST_F(sqlite_faults, tidying_and_writing_much_keep_the_log_short) {
    const auto store = open_faulty(path_);
    for (int i = 0; i < 200; ++i) {
        commit_one(*store, {PutMapRow{"m", std::to_string(i % 4), std::string(300'000, 'x')}});
    }
    EXPECT_LE(std::filesystem::file_size(path_ + "-wal"), 20u << 20);  // 60 MB were written, and the file begins anew at 16 MiB
    EXPECT_FALSE(store->tidy().has_value());
    commit_one(*store, {PutMapRow{"m", "k", "v"}});
}

TEST_F(sqlite_faults, a_held_snapshot_does_not_stop_commits_or_tidying) {
    const auto store = open_faulty(path_);
    commit_one(*store, {PutMapRow{"m", "0", "old"}});
    const auto held = store->snapshot();
    for (int i = 0; i < 100; ++i) {
        commit_one(*store, {PutMapRow{"m", "0", std::string(300'000, 'x')}});
        EXPECT_FALSE(store->tidy().has_value());
    }
    EXPECT_EQ((*held)->get("m", "0").value()->value, "old");
}

TEST_F(sqlite_faults, another_writer_makes_it_unavailable_not_unknown) {
    const auto store = *open_sqlite_store({.path = path_, .busy_timeout = std::chrono::milliseconds(10)});
    sqlite3* intruder = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &intruder), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(intruder, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_EQ(commit(*store, {{PutMapRow{"m", "k", "v"}}}).error().code, FailureCode::store_unavailable);
    sqlite3_exec(intruder, "ROLLBACK", nullptr, nullptr, nullptr);
    sqlite3_close(intruder);
    EXPECT_EQ(commit_one(*store, {PutMapRow{"m", "k", "v"}}), GroupOutcome::committed);
}

TEST_F(sqlite_faults, a_row_larger_than_any_may_be_is_refused_with_its_group_and_not_tried_for_ever) {
    const auto store = open_faulty(path_);
    constexpr base::Limits limits;
    EXPECT_LE(std::max({limits.event_bytes, limits.step_value_bytes, limits.result_bytes, limits.body_bytes}) * 2, row_bytes);
    const auto outcome = commit(*store, {{PutMapRow{"m", "a", "1"}},
                                         {PutMapRow{"m", "b", "2"}, PutMapRow{"m", "c", std::string(row_bytes + 1, 'x')}},
                                         {AppendEvent{{"t", 1, std::string(row_bytes, 'x')}}},  // with what is around it
                                         {PutMapRow{"m", "d", "3"}, PutMapRow{"m", "e", std::string(row_bytes / 2, 'x')}}});
    ASSERT_TRUE(outcome) << outcome.error().sentence;
    EXPECT_EQ(*outcome,
              (std::vector{GroupOutcome::committed, GroupOutcome::conflict, GroupOutcome::conflict, GroupOutcome::committed}));
    const auto snapshot = store->snapshot();
    EXPECT_EQ(*(*snapshot)->count("m"), 3u);
    EXPECT_FALSE((*snapshot)->get("m", "b")->has_value());
}

TEST_F(sqlite_faults, what_an_error_means_is_a_table) {
    using sqlite::Meaning;
    using sqlite::meaning_of;
    EXPECT_EQ(meaning_of(SQLITE_FULL, 0), Meaning::full);
    EXPECT_EQ(meaning_of(SQLITE_IOERR_WRITE, EDQUOT), Meaning::full);
    EXPECT_EQ(meaning_of(SQLITE_IOERR_WRITE, EFBIG), Meaning::full);
    EXPECT_EQ(meaning_of(SQLITE_IOERR_WRITE, EIO), Meaning::broken);
    EXPECT_EQ(meaning_of(SQLITE_IOERR_FSYNC, ENOSPC), Meaning::broken);
    EXPECT_EQ(meaning_of(SQLITE_BUSY_SNAPSHOT, 0), Meaning::busy);
    EXPECT_EQ(meaning_of(SQLITE_CORRUPT_INDEX, 0), Meaning::damaged);
    EXPECT_EQ(meaning_of(SQLITE_NOTADB, 0), Meaning::damaged);
    EXPECT_EQ(meaning_of(SQLITE_READONLY, 0), Meaning::broken);
    EXPECT_EQ(meaning_of(SQLITE_NOMEM, 0), Meaning::broken);
}

TEST_F(sqlite_faults, a_file_size_limit_is_a_full_disk) {
    const pid_t child = ::fork();
    if (child == 0) {  // the limit cannot be lifted again, so it is a child's
        const auto store = open_sqlite_store({.path = path_, .ballast_bytes = 0});
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{1 << 20, 2 << 20};
        if (!store || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            ::_exit(10);
        }
        for (int i = 0; i < 20; ++i) {
            const auto outcome = commit(**store, {{PutMapRow{"m", std::to_string(i), std::string(200'000, 'x')}}});
            if (!outcome && outcome.error().code != FailureCode::store_full) {
                std::fprintf(stderr, "%s\n", outcome.error().sentence.c_str());
                ::_exit(11);
            }
            if (!outcome) {
                limit.rlim_cur = limit.rlim_max;
                ::setrlimit(RLIMIT_FSIZE, &limit);
                const auto again = commit(**store, {{PutMapRow{"m", "again", "x"}}});
                const auto snapshot = (*store)->snapshot();
                ::_exit(again && (*snapshot)->get("m", "again")->has_value() && !(*snapshot)->get("m", std::to_string(i))->has_value()
                            ? 0
                            : 12);
            }
        }
        ::_exit(13);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(sqlite_faults, on_a_full_disk_kept_groups_get_through_on_the_ballast_and_it_recovers_when_there_is_room) {
    const std::string mount = directory_ / "small";
    std::filesystem::create_directory(mount);
    if (::mount("none", mount.c_str(), "tmpfs", 0, "size=16m,mode=0700") != 0) {
        GTEST_SKIP() << "mounting a tmpfs is not permitted here: " << std::strerror(errno);
    }
    {
        const std::string path = mount + "/store.db";
        const std::string filler = mount + "/filler";
        const auto store = *open_sqlite_store({.path = path});
        CommitQueue queue(store, base::Limits{});
        const auto submit = [&](const std::string& key, std::size_t size, WhenFull when_full) {
            auto promise = std::make_shared<std::promise<base::Result<GroupOutcome>>>();
            auto future = promise->get_future();
            queue.submit({PutMapRow{"m", key, std::string(size, 'x')}}, Urgency::soon, when_full,
                         [promise](base::Result<GroupOutcome> outcome) { promise->set_value(std::move(outcome)); });
            return future;
        };
        ASSERT_TRUE(submit("first", 1'000, WhenFull::fail).get().has_value());
        {
            std::ofstream file(filler, std::ios::binary);
            const std::string block(4'096, 'f');
            while (file.write(block.data(), 4'096).flush()) {}
        }
        const auto refused = submit("refused", 1'000'000, WhenFull::fail).get();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, FailureCode::store_full) << refused.error().sentence;
        EXPECT_EQ(queue.health(), StoreHealth::full);
        EXPECT_TRUE(submit("kept", 1'000'000, WhenFull::keep).get().has_value());
        EXPECT_FALSE(std::filesystem::exists(path + ".ballast"));
        EXPECT_EQ(submit("refused again", 10, WhenFull::fail).get().error().code, FailureCode::store_full);  // the ballast is not for it
        EXPECT_EQ(queue.health(), StoreHealth::full);
        std::filesystem::remove(filler);
        while (queue.health() != StoreHealth::good) {  // by itself
            std::this_thread::yield();
        }
        EXPECT_TRUE(std::filesystem::exists(path + ".ballast"));
        EXPECT_TRUE(submit("welcome", 1'000, WhenFull::fail).get().has_value());
        EXPECT_EQ(*(*store->snapshot())->count("m"), 3u);
    }
    ::umount2(mount.c_str(), MNT_DETACH);
}

TEST_F(sqlite_faults, there_is_nothing_half_made_after_a_death_during_set_up) {
#if defined(DURABLE_MCP_CRASH_POINTS)
    if (const char* path = std::getenv("DURABLE_MCP_TEST_SET_UP")) {  // this is the child below
        ASSERT_TRUE(open_sqlite_store({.path = path}).has_value());
        return;
    }
    for (int nth = 1; nth < 60; ++nth) {
        const std::string path = directory_ / ("set-up-" + std::to_string(nth) + ".db");
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("DURABLE_MCP_CRASH_AT", ("migrate.each_statement:" + std::to_string(nth)).c_str(), 1);
            ::setenv("DURABLE_MCP_TEST_SET_UP", path.c_str(), 1);
            ::execl("/proc/self/exe", "contract_store", "--gtest_brief=1",
                    "--gtest_filter=sqlite_faults.there_is_nothing_half_made_after_a_death_during_set_up", nullptr);
            ::_exit(127);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        const auto store = open_sqlite_store({.path = path});
        ASSERT_TRUE(store) << nth << ": " << store.error().sentence;
        EXPECT_EQ(commit_one(**store, {PutMapRow{"m", "k", "v"}}), GroupOutcome::committed);
        if (WIFEXITED(status)) {
            EXPECT_EQ(WEXITSTATUS(status), 0);
            EXPECT_GT(nth, 5) << "the crash point was not passed";
            return;
        }
        EXPECT_EQ(WTERMSIG(status), SIGKILL);
    }
    FAIL() << "the set-up never ended";
#else
    GTEST_SKIP() << "crash points are not compiled in";
#endif
}

}  // namespace
}  // namespace durable_mcp::store
