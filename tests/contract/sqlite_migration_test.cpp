// SPDX-License-Identifier: Apache-2.0
// B54. What becomes of a store that an older version wrote: it opens, nothing is lost, a copy is left, and there is no moment at which a death
// or a full disk would hurt it.

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "contract/faulty_vfs.hpp"
#include "contract/store_under_test.hpp"
#include "store/sqlite/schema.hpp"

namespace durable_mcp::store {
namespace {

using base::FailureCode;

const std::string before_newest = ".before-schema-" + std::to_string(sqlite::schema_version);

class sqlite_migration : public ::testing::Test {
protected:

    /// A copy of the store that the program of an earlier schema wrote (tests/golden/README.md).
    std::string old_store(const std::string& name, const std::string& schema = "1") {
        const std::string path = directory_ / name;
        std::filesystem::copy_file(std::string(DURABLE_MCP_SOURCE_DIR) + "/tests/golden/store-schema-" + schema + ".db", path);
        return path;
    }

    static std::string contents(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    static std::int64_t number(const std::string& path, const char* sql) {
        sqlite3* database = nullptr;
        sqlite3_stmt* statement = nullptr;
        std::int64_t answer = -1;
        EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK) << path;
        EXPECT_EQ(sqlite3_prepare_v2(database, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
        if (sqlite3_step(statement) == SQLITE_ROW) {
            answer = sqlite3_column_int64(statement, 0);
        }
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return answer;
    }

    static void expect_what_was_written(Store& store) {
        const auto sessions = store.sessions();
        ASSERT_TRUE(sessions) << sessions.error().sentence;
        ASSERT_EQ(sessions->size(), 1u);
        EXPECT_EQ(sessions->front().owner, "owner-1");
        const auto finished = store.call("call-1");
        ASSERT_TRUE(finished) << finished.error().sentence;
        EXPECT_EQ((*finished)->state, CallState::completed);
        EXPECT_EQ((*finished)->answer_event, 1u);
        const auto unfinished = store.unfinished_calls();
        ASSERT_TRUE(unfinished) << unfinished.error().sentence;
        ASSERT_EQ(unfinished->size(), 1u);
        EXPECT_EQ(unfinished->front().id, "call-2");
        EXPECT_EQ(unfinished->front().attempts, 2u);
        EXPECT_EQ(store.entries("call-1")->front().payload, "42");
        EXPECT_EQ(store.entries("call-2")->front().kind, journal::EntryKind::once_started);
        EXPECT_EQ(store.events("stream-1", 0, 9)->front().payload, R"({"jsonrpc":"2.0","id":1,"result":{}})");
        EXPECT_EQ(*store.last_event("stream-2"), 1u);
        const auto snapshot = store.snapshot();
        ASSERT_TRUE(snapshot);
        EXPECT_EQ((*snapshot)->get("notes", "a").value()->value, "\"third\"");
        EXPECT_EQ(*(*snapshot)->count("notes"), 2u);
        EXPECT_EQ((*snapshot)->usage("")->rows, 2u) << "what was there is counted";
        EXPECT_GT((*snapshot)->usage("")->bytes, 10u);
    }

    /// Nothing of what schema 2's program wrote is lost or damaged: all of it is read, which verifies every checksum.
    static void expect_all_of_schema_2(Store& store) {
        ASSERT_EQ(store.sessions().value().size(), 4u);
        std::size_t calls = 0;
        std::size_t entries = 0;
        std::size_t events = 0;
        std::vector<std::string> ids;
        for (const SessionRow& session : *store.sessions()) {
            for (const OldCall& call : *store.calls_of_session(session.id, 99)) {
                ids.push_back(call.id);
            }
        }
        for (const HandleRow& handle : *store.handles("", ~0u, "", 99)) {
            ids.push_back(handle.call);
        }
        for (const std::string& id : ids) {
            const auto row = store.call(id).value();
            ASSERT_TRUE(row);
            ++calls;
            entries += store.entries(id).value().size();
            events += store.events(row->stream, 0, 99).value().size();
        }
        EXPECT_EQ(calls, 12u);
        EXPECT_EQ(entries, 15u);
        EXPECT_EQ(events, 8u);
        EXPECT_EQ(store.unfinished_calls().value().size(), 10u);
        EXPECT_EQ(store.secrets().value().size(), 1u);
        const auto snapshot = store.snapshot();
        EXPECT_EQ((*snapshot)->get("counts", "calls").value()->value, "1");
        EXPECT_EQ((*snapshot)->get("notes", "last").value()->value, "\"count\"");
    }

    TemporaryDirectory directory_;
};

TEST_F(sqlite_migration, a_store_of_schema_1_opens_with_all_that_was_in_it_and_takes_the_new_rows) {
    const std::string path = old_store("store.db");
    ASSERT_EQ(number(path, "PRAGMA user_version"), 1);
    {
        const auto store = open_sqlite_store({.path = path, .ballast_bytes = 0});
        ASSERT_TRUE(store) << store.error().sentence;
        expect_what_was_written(**store);
        EXPECT_EQ(
            commit_one(**store, {PutHandle{handle_row("call-2", "key")}, InsertArrival{"call-2", {"k", "1"}}, PutSecret{{1, 1, "x"}}}),
            GroupOutcome::committed);
    }
    EXPECT_EQ(number(path, "PRAGMA user_version"), sqlite::schema_version);
    const auto again = open_sqlite_store({.path = path, .ballast_bytes = 0});
    ASSERT_TRUE(again) << again.error().sentence;
    expect_what_was_written(**again);
    EXPECT_EQ((*(*again)->handle_of_key("key"))->call, "call-2");
}

TEST_F(sqlite_migration, a_store_of_schema_2_opens_with_all_that_was_in_it_and_what_may_be_forgotten_is_found) {  // B54, B53
    const std::string path = old_store("store.db", "2-server");
    ASSERT_EQ(number(path, "PRAGMA user_version"), 2);
    {
        const auto store = open_sqlite_store({.path = path, .ballast_bytes = 0});
        ASSERT_TRUE(store) << store.error().sentence;
        expect_all_of_schema_2(**store);
        EXPECT_EQ((*store)->finished_calls(0, 1'800'000'000'000, 9)->size(), 2u) << "one was answered, one cancelled";
        EXPECT_TRUE((*store)->old_events(1'900'000'000'000, 9)->empty()) << "nobody wrote down when they were said";
    }
    EXPECT_EQ(number(path, "PRAGMA user_version"), sqlite::schema_version);
    EXPECT_EQ(number(path, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    EXPECT_EQ(number(path + before_newest, "PRAGMA user_version"), 2);
    const auto again = open_sqlite_store({.path = path, .ballast_bytes = 0});
    ASSERT_TRUE(again) << again.error().sentence;
    expect_all_of_schema_2(**again);
}

TEST_F(sqlite_migration, a_store_of_schema_2_that_an_earlier_build_wrote_is_read_whole) {
    const std::string path = old_store("store.db", "2");
    ASSERT_EQ(number(path, "PRAGMA user_version"), 2);
    const auto opened = open_sqlite_store({.path = path, .ballast_bytes = 0});
    ASSERT_TRUE(opened) << opened.error().sentence;
    Store& store = **opened;
    expect_what_was_written(store);
    const auto handle = store.handle_of_key("key-digest");
    ASSERT_TRUE(handle) << handle.error().sentence;
    ASSERT_TRUE(handle->has_value());
    EXPECT_EQ((*handle)->call, "call-2");
    EXPECT_EQ((*handle)->owner, "owner-1");
    EXPECT_EQ((*handle)->reach, 7u);
    EXPECT_EQ((*handle)->ttl_ms, 60'000);
    EXPECT_EQ((*handle)->document, R"({"digest":"d"})");
    EXPECT_EQ(store.expired_handles((*handle)->created_ms + 60'000, nullptr, 9)->size(), 1u);
    EXPECT_EQ(store.handles("owner-1", 4, "", 9)->size(), 1u);
    const auto arrivals = store.arrivals("call-2");
    ASSERT_TRUE(arrivals) << arrivals.error().sentence;
    ASSERT_EQ(arrivals->size(), 1u);
    EXPECT_EQ(arrivals->front().key, "q:size");
    EXPECT_EQ(arrivals->front().payload, R"({"result":{"action":"accept"}})");
    const auto secrets = store.secrets();
    ASSERT_TRUE(secrets) << secrets.error().sentence;
    ASSERT_EQ(secrets->size(), 1u);
    EXPECT_EQ(secrets->front().value, std::string(32, '\x7f'));
    EXPECT_EQ(commit_one(store, {PutMapRow{"notes", "c", "1", 100}, LimitScope{"", 3, 0}}), GroupOutcome::committed);
    EXPECT_EQ(*(*store.snapshot(100))->count("notes"), 2u);
    EXPECT_EQ(number(path + before_newest, "PRAGMA user_version"), 2);
}

TEST_F(sqlite_migration, what_it_was_before_is_left_beside_it_for_its_owner_alone) {
    const std::string path = old_store("store.db");
    const std::string copy = path + before_newest;
    const auto before = ::umask(0);
    ASSERT_TRUE(open_sqlite_store({.path = path, .ballast_bytes = 0}));
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat(copy.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    EXPECT_FALSE(std::filesystem::exists(copy + ".part"));
    EXPECT_EQ(number(copy, "PRAGMA user_version"), 1);
    EXPECT_EQ(number(copy, "PRAGMA application_id"), sqlite::application_id);
    EXPECT_EQ(number(copy, "SELECT count(*) FROM entry"), 2);
    EXPECT_EQ(number(copy, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    const auto from_copy = open_sqlite_store({.path = copy, .ballast_bytes = 0});
    ASSERT_TRUE(from_copy) << from_copy.error().sentence;
    expect_what_was_written(**from_copy);
}

TEST_F(sqlite_migration, the_copy_is_named_until_it_is_so_old_that_nobody_goes_back_to_it) {
    const std::string path = old_store("store.db");
    const std::string copy = path + before_newest;
    const auto copies_told = [&] {
        const auto store = open_sqlite_store({.path = path, .ballast_bytes = 0});
        EXPECT_TRUE(store) << store.error().sentence;
        return nlohmann::json::parse((*store)->describe()).value("copies", std::vector<std::string>());
    };
    const auto make_older_by_days = [&](int days) {
        const auto now = std::filesystem::file_time_type::clock::now();
        std::filesystem::last_write_time(copy, now - std::chrono::hours(24 * days));
    };
    EXPECT_EQ(copies_told(), std::vector<std::string>{copy});
    make_older_by_days(29);
    EXPECT_EQ(copies_told(), std::vector<std::string>{copy});
    make_older_by_days(31);
    EXPECT_EQ(copies_told(), std::vector<std::string>());
    EXPECT_FALSE(std::filesystem::exists(copy));
    expect_what_was_written(**open_sqlite_store({.path = path, .ballast_bytes = 0}));
}

TEST_F(sqlite_migration, any_operation_of_it_may_fail_and_what_is_said_of_it_is_true) {
    const auto open_faulty = [](const std::string& path) {
        return open_sqlite_store({.path = path, .ballast_bytes = 0, .vfs = faulty_vfs()});
    };
    faults() = {};
    ASSERT_TRUE(open_faulty(old_store("whole.db")));
    const int operations = faults().operations_seen;
    bool was_in_doubt = false;
    for (int nth = 1; nth <= operations; ++nth) {
        const std::string path = old_store(std::to_string(nth) + ".db");
        faults() = {};
        faults().fail_at = nth;
        const auto opened = open_faulty(path);
        faults() = {};
        if (!opened) {
            const std::string& sentence = opened.error().sentence;
            was_in_doubt = was_in_doubt || sentence.find("nobody knows which; check the disk, and start again") != std::string::npos;
            if (sentence.find("Nothing was changed") != std::string::npos) {
                EXPECT_EQ(number(path, "PRAGMA user_version"), 1) << nth << ": " << sentence;
            }
        }
        const auto again = opened ? opened : open_sqlite_store({.path = path, .ballast_bytes = 0});
        ASSERT_TRUE(again) << nth << ": " << again.error().sentence;
        expect_what_was_written(**again);
    }
    EXPECT_TRUE(was_in_doubt) << "no COMMIT failed";
}

TEST_F(sqlite_migration, what_was_only_in_the_log_is_in_the_copy) {
    const std::string path = old_store("store.db");
    {  // killed: what it wrote last is in the log only
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
        sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        ASSERT_EQ(sqlite3_exec(database, "DELETE FROM map_row WHERE key = x'62'", nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
        ASSERT_GT(std::filesystem::file_size(path + "-wal"), 0u);
    }
    ASSERT_TRUE(open_sqlite_store({.path = path, .ballast_bytes = 0}));
    EXPECT_EQ(number(path + before_newest, "SELECT count(*) FROM map_row"), 1);
}

TEST_F(sqlite_migration, a_new_store_and_one_that_is_up_to_date_are_not_copied) {
    const std::string path = directory_ / "store.db";
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(open_sqlite_store({.path = path, .ballast_bytes = 0}));
        for (const auto& file : std::filesystem::directory_iterator(directory_.path())) {
            EXPECT_EQ(file.path().string().find("before"), std::string::npos) << file.path();
        }
    }
}

TEST_F(sqlite_migration, an_older_program_refuses_what_a_newer_one_wrote) {  // B54
    const std::string path = directory_ / "store.db";
    ASSERT_TRUE(open_sqlite_store({.path = path, .ballast_bytes = 0}));
    const std::string newer = std::to_string(sqlite::schema_version + 1);
    number(path, ("PRAGMA user_version = " + newer).c_str());
    const auto opened = open_sqlite_store({.path = path, .ballast_bytes = 0});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, FailureCode::store_incompatible);
    EXPECT_NE(
        opened.error().sentence.find("its schema is " + newer + ", and this program reads up to " + std::to_string(sqlite::schema_version)),
        std::string::npos)
        << opened.error().sentence;
}

TEST_F(sqlite_migration, where_the_copy_does_not_fit_nothing_is_changed_and_the_sentence_says_what_to_do) {
    const std::string path = old_store("store.db");
    const std::string before = contents(path);
    const pid_t child = ::fork();
    if (child == 0) {  // the limit cannot be lifted again, so it is a child's
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{40'000, 40'000};  // SQLite's -shm fits (32 kB), the copy (45 kB) does not
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            ::_exit(10);
        }
        const auto opened = open_sqlite_store({.path = path, .ballast_bytes = 0});
        const auto says = [&](const char* part) { return opened.error().sentence.find(part) != std::string::npos; };
        if (opened || opened.error().code != FailureCode::store_full || !says("has schema 1") || !says(path.c_str()) ||
            !says("Nothing was changed; free some space")) {
            std::fprintf(stderr, "%s\n", opened ? "it opened" : opened.error().sentence.c_str());
            ::_exit(11);
        }
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(contents(path), before);
    EXPECT_FALSE(std::filesystem::exists(path + before_newest));
    EXPECT_FALSE(std::filesystem::exists(path + before_newest + ".part"));
    EXPECT_TRUE(open_sqlite_store({.path = path, .ballast_bytes = 0}));
}

TEST_F(sqlite_migration, where_the_copy_cannot_be_made_nothing_is_changed) {
    const std::string path = old_store("store.db");
    std::filesystem::create_directory(path + before_newest);
    const auto opened = open_sqlite_store({.path = path, .ballast_bytes = 0});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, FailureCode::io) << opened.error().sentence;
    EXPECT_EQ(number(path, "PRAGMA user_version"), 1);
    EXPECT_FALSE(std::filesystem::exists(path + before_newest + ".part"));
    std::filesystem::remove(path + before_newest);
    EXPECT_TRUE(open_sqlite_store({.path = path, .ballast_bytes = 0}));
}

TEST_F(sqlite_migration, a_death_at_any_moment_of_it_leaves_a_store_that_opens) {
#if defined(DURABLE_MCP_CRASH_POINTS)
    if (const char* path = std::getenv("DURABLE_MCP_TEST_MIGRATE")) {  // this is the child below
        ASSERT_TRUE(open_sqlite_store({.path = path, .ballast_bytes = 0}).has_value());
        return;
    }
    const std::pair<std::string, std::string> cases[] = {{"migrate.back_up", "1"}, {"migrate.each_statement", "1"}, {"migrate.each_statement", "2-server"}};
    for (const auto& [point, schema] : cases) {
        bool ended = false;
        for (int nth = 1; nth < 60 && !ended; ++nth) {
            const std::string path = old_store(point + "-" + schema + "-" + std::to_string(nth) + ".db", schema);
            const pid_t child = ::fork();
            if (child == 0) {
                ::setenv("DURABLE_MCP_CRASH_AT", (point + ":" + std::to_string(nth)).c_str(), 1);
                ::setenv("DURABLE_MCP_TEST_MIGRATE", path.c_str(), 1);
                ::execl("/proc/self/exe", "contract_store", "--gtest_brief=1",
                        "--gtest_filter=sqlite_migration.a_death_at_any_moment_of_it_leaves_a_store_that_opens", nullptr);
                ::_exit(127);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            ended = WIFEXITED(status);
            if (ended) {
                EXPECT_EQ(WEXITSTATUS(status), 0);
                EXPECT_GT(nth, point == "migrate.back_up" ? 1 : 3) << "the crash point was not passed";
            } else {
                EXPECT_EQ(WTERMSIG(status), SIGKILL);
                EXPECT_EQ(number(path, "PRAGMA user_version"), schema == "1" ? 1 : 2) << "half of the way is none of it";
            }
            const auto store = open_sqlite_store({.path = path, .ballast_bytes = 0});
            ASSERT_TRUE(store) << point << nth << ": " << store.error().sentence;
            schema == "1" ? expect_what_was_written(**store) : expect_all_of_schema_2(**store);
            EXPECT_EQ(number(path + before_newest, "PRAGMA user_version"), schema == "1" ? 1 : 2);
            EXPECT_FALSE(std::filesystem::exists(path + before_newest + ".part"));
        }
        EXPECT_TRUE(ended) << "the migration never ended";
    }
#else
    GTEST_SKIP() << "crash points are not compiled in";
#endif
}

}  // namespace
}  // namespace durable_mcp::store
