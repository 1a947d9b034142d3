// SPDX-License-Identifier: Apache-2.0
// What the SQLite store does with files: which it makes, which it refuses, and what it says then.

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "contract/store_under_test.hpp"
#include "store/sqlite/failure.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/store_files.hpp"

namespace durable_mcp::store {
namespace {

using base::FailureCode;

std::shared_ptr<Store> open_at(const std::string& path) {
    auto opened = open_sqlite_store({.path = path});
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().sentence);
    return opened ? *opened : nullptr;
}

/// Expects opening to fail with `code` and a sentence that holds each of `parts`.
void expect_refused(const std::string& path, FailureCode code, const std::vector<std::string>& parts) {
    const auto opened = open_sqlite_store({.path = path});
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, code) << opened.error().sentence;
    for (const auto& part : parts) {
        EXPECT_NE(opened.error().sentence.find(part), std::string::npos) << opened.error().sentence << "\nlacks: " << part;
    }
}

void run_sql(const std::string& path, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
}

std::string ask_sql(const std::string& path, const std::string& sql) {
    sqlite3* database = nullptr;
    std::string answer;
    EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    const auto take = [](void* to, int, char** values, char**) {
        static_cast<std::string*>(to)->append(values[0] != nullptr ? values[0] : "NULL").append(" ");
        return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), take, &answer, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
    return answer;
}

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

unsigned mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

TEST(sqlite_files, what_it_creates_only_its_user_may_read) {
    const TemporaryDirectory directory;
    const auto before = ::umask(0);
    const std::string path = directory / "new/store.db";
    {
        const auto store = open_at(path);
        commit_one(*store, {PutMapRow{"m", "k", "v"}});
        EXPECT_EQ(mode_of(directory / "new"), 0700u);
        for (const char* suffix : {"", "-wal", "-shm", ".lock", ".ballast"}) {
            EXPECT_EQ(mode_of(path + suffix), 0600u) << suffix;
        }
        struct stat ballast {};
        ::stat((path + ".ballast").c_str(), &ballast);
        EXPECT_EQ(ballast.st_size, 4 << 20);
    }
    ::umask(before);
}

TEST(sqlite_files, only_the_last_directory_is_created_and_the_sentence_says_what_to_do) {
    const TemporaryDirectory directory;
    expect_refused(directory / "a/b/store.db", FailureCode::io, {directory / "a/b", "No such file or directory", "Create the directories"});
    EXPECT_FALSE(std::filesystem::exists(directory / "a"));
}

TEST(sqlite_files, a_path_that_names_no_file_is_refused) {
    const TemporaryDirectory directory;
    expect_refused("", FailureCode::io, {"does not name a file"});
    expect_refused(directory.path() + "/", FailureCode::io, {"does not name a file"});
    expect_refused(directory.path(), FailureCode::io, {"not a plain file"});
}

TEST(sqlite_files, a_second_opener_in_this_process_is_told_so) {
    const TemporaryDirectory directory;
    const auto store = open_at(directory / "store.db");
    expect_refused(directory / "store.db", FailureCode::store_locked, {"this process has it open already"});
    commit_one(*store, {PutMapRow{"m", "k", "v"}});  // and the first one is none the worse
}

TEST(sqlite_files, a_second_process_is_told_who_has_it_and_may_open_it_afterwards) {
    const TemporaryDirectory directory;
    const std::string path = directory / "store.db";
    int ready[2];
    int go[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(go), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        char byte = 0;
        const auto opened = open_sqlite_store({.path = path});
        byte = opened ? 'y' : 'n';
        if (::write(ready[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'y');
    expect_refused(path, FailureCode::store_locked, {"process " + std::to_string(child) + " has it open", "stop the other one"});
    ASSERT_EQ(::write(go[1], &byte, 1), 1);
    ::waitpid(child, nullptr, 0);
    EXPECT_NE(open_at(path), nullptr);
    for (const int fd : {ready[0], ready[1], go[0], go[1]}) {
        ::close(fd);
    }
}

TEST(sqlite_files, a_forked_child_that_outlives_its_parent_does_not_keep_the_lock) {
    const TemporaryDirectory directory;
    auto store = open_at(directory / "store.db");
    int go[2];
    ASSERT_EQ(::pipe(go), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(go[1]);
        char byte = 0;
        ::_exit(::read(go[0], &byte, 1) == 0 ? 0 : 1);
    }
    store.reset();
    EXPECT_NE(open_at(directory / "store.db"), nullptr);
    ::close(go[1]);
    ::waitpid(child, nullptr, 0);
    ::close(go[0]);
}

TEST(sqlite_files, use_in_a_forked_child_ends_the_child_with_a_sentence) {
    ::testing::FLAGS_gtest_death_test_style = "fast";  // the child is a fork of this process, store and all
    const TemporaryDirectory directory;
    const auto store = open_at(directory / "store.db");
    EXPECT_DEATH(commit_one(*store, {PutMapRow{"m", "k", "v"}}), "used in a forked child");
    EXPECT_DEATH(static_cast<void>(store->sessions()), "used in a forked child");
    commit_one(*store, {PutMapRow{"m", "k", "v"}});
}

TEST(sqlite_files, a_directory_that_everybody_may_write_to_is_refused_unless_it_is_sticky) {
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "open");
    ::chmod((directory / "open").c_str(), 0777);
    expect_refused(directory / "open/store.db", FailureCode::io, {"everybody may write", "chmod o-w"});
    ::chmod((directory / "open").c_str(), 01777);
    EXPECT_NE(open_at(directory / "open/store.db"), nullptr);
}

TEST(sqlite_files, a_link_in_place_of_the_file_or_its_lock_is_refused_and_one_to_the_directory_is_not) {
    const TemporaryDirectory directory;
    std::filesystem::create_symlink("/etc/passwd", directory / "link.db");
    expect_refused(directory / "link.db", FailureCode::io, {"symbolic link"});
    std::filesystem::create_symlink(directory / "elsewhere", directory / "locked.db.lock");
    expect_refused(directory / "locked.db", FailureCode::io, {"locked.db.lock"});
    EXPECT_FALSE(std::filesystem::exists(directory / "elsewhere"));
    std::filesystem::create_directory(directory / "real");
    ::chmod((directory / "real").c_str(), 0700);
    std::filesystem::create_directory_symlink(directory / "real", directory / "alias");
    EXPECT_NE(open_at(directory / "alias/store.db"), nullptr);
    EXPECT_TRUE(std::filesystem::exists(directory / "real/store.db"));
}

TEST(sqlite_files, a_file_that_is_no_database_is_refused_and_left_as_it_is) {
    const TemporaryDirectory directory;
    const std::string path = directory / "notes.txt";
    const std::string text(8'192, 'n');
    std::ofstream(path) << text;
    expect_refused(path, FailureCode::store_incompatible, {path, "not a SQLite database"});
    EXPECT_EQ(contents(path), text);
}

TEST(sqlite_files, a_database_of_another_program_is_refused_and_left_as_it_is) {
    const TemporaryDirectory directory;
    const std::string path = directory / "other.db";
    run_sql(path, "CREATE TABLE precious(x); PRAGMA user_version = 1");
    const std::string before = contents(path);
    expect_refused(path, FailureCode::store_incompatible, {"another program"});
    EXPECT_EQ(contents(path), before);
    run_sql(path, "PRAGMA application_id = 4711");
    expect_refused(path, FailureCode::store_incompatible, {"0x00001267"});
}

TEST(sqlite_files, a_newer_schema_is_refused_with_both_numbers) {
    const TemporaryDirectory directory;
    const std::string path = directory / "store.db";
    static_cast<void>(open_at(path));
    run_sql(path, "PRAGMA user_version = 42");
    expect_refused(path, FailureCode::store_incompatible, {"42", "reads up to " + std::to_string(sqlite::schema_version), "newer"});
    run_sql(path, "PRAGMA user_version = " + std::to_string(sqlite::schema_version));
    EXPECT_NE(open_at(path), nullptr);
}

TEST(sqlite_files, the_schema_is_what_the_format_document_says) {
    const TemporaryDirectory directory;
    const std::string path = directory / "store.db";
    static_cast<void>(open_at(path));
    EXPECT_EQ(ask_sql(path, "PRAGMA application_id"), std::to_string(0x444d4350) + " ");
    EXPECT_EQ(ask_sql(path, "PRAGMA auto_vacuum"), "2 ");
    EXPECT_EQ(ask_sql(path, "PRAGMA journal_mode"), "wal ");
    EXPECT_EQ(
        ask_sql(path,
                "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND (strict = 0 OR wr = 0)"),
        "0 ");
    const std::string format = contents(std::string(DURABLE_MCP_SOURCE_DIR) + "/src/journal/FORMAT.md");
    ASSERT_FALSE(format.empty());
    std::istringstream names(ask_sql(path, "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"));
    for (std::string name; names >> name;) {
        EXPECT_NE(format.find("`" + name + "`"), std::string::npos) << name << " is not in FORMAT.md";
    }
    std::istringstream columns(
        ask_sql(path, "SELECT DISTINCT c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"));
    for (std::string name; columns >> name;) {
        EXPECT_NE(format.find("`" + name + "`"), std::string::npos) << "column " << name << " is not in FORMAT.md";
    }
    EXPECT_NE(format.find("schema " + std::to_string(sqlite::schema_version)), std::string::npos);
}

TEST(sqlite_files, the_lookups_use_an_index_however_much_there_is) {
    const TemporaryDirectory directory;
    const std::string path = directory / "store.db";
    static_cast<void>(open_at(path));
    using sqlite::Sql;
    for (const Sql which : {Sql::call,
                            Sql::call_of_request,
                            Sql::calls_of_stream,
                            Sql::unfinished_calls,
                            Sql::entries,
                            Sql::events,
                            Sql::last_event,
                            Sql::map_row,
                            Sql::map_range_up,
                            Sql::map_range_down,
                            Sql::drop_session_calls,
                            Sql::drop_call_events,
                            Sql::drop_call_own_events,
                            Sql::drop_call,
                            Sql::insert_arrival,
                            Sql::handle,
                            Sql::handle_of_key,
                            Sql::handles,
                            Sql::handles_before,
                            Sql::expired_handles,
                            Sql::expired_handles_after,
                            Sql::arrivals}) {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
        sqlite3_stmt* plan = nullptr;
        ASSERT_EQ(sqlite3_prepare_v2(database, (std::string("EXPLAIN QUERY PLAN ") + sqlite::text_of(which)).c_str(), -1, &plan, nullptr),
                  SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const std::string step = reinterpret_cast<const char*>(sqlite3_column_text(plan, 3));
            const bool whole_table = step.rfind("SCAN", 0) == 0 && step.find("call_unfinished") == std::string::npos;
            EXPECT_FALSE(whole_table) << sqlite::text_of(which) << "\n" << step;
            EXPECT_EQ(step.find("TEMP B-TREE"), std::string::npos) << sqlite::text_of(which) << "\n" << step;
        }
        sqlite3_finalize(plan);
        sqlite3_close(database);
    }
}

TEST(sqlite_files, it_tells_its_version_durability_and_the_verdict_on_the_wal_reset_bug) {
    const TemporaryDirectory directory;
    const auto facts = nlohmann::json::parse(open_at(directory / "store.db")->describe());
    EXPECT_EQ(facts["engine_version"], sqlite3_libversion());
    EXPECT_EQ(facts["durability"], "full");
    EXPECT_NE(
        facts["wal_reset_bug"].get<std::string>().find(sqlite::has_wal_reset_bug(sqlite3_libversion_number()) ? "has it" : "does not"),
        std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(
                  (*open_sqlite_store({.path = directory / "r.db", .durability = SqliteDurability::relaxed}))->describe())["durability"]
                  .get<std::string>()
                  .substr(0, 7),
              "relaxed");
}

TEST(sqlite_files, the_versions_with_the_wal_reset_bug_are_known) {
    for (const int bad : {3'007'000, 3'040'001, 3'044'005, 3'045'000, 3'050'006, 3'051'000, 3'051'002}) {
        EXPECT_TRUE(sqlite::has_wal_reset_bug(bad)) << bad;
    }
    for (const int good : {3'006'023, 3'044'006, 3'050'007, 3'051'003, 3'052'000}) {
        EXPECT_FALSE(sqlite::has_wal_reset_bug(good)) << good;
    }
}

TEST(sqlite_files, network_file_systems_are_known_by_number) {
    EXPECT_STREQ(sqlite::network_file_system(0x6969), "NFS");
    EXPECT_STREQ(sqlite::network_file_system(0xff534d42), "CIFS");
    EXPECT_STREQ(sqlite::network_file_system(static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(0xff534d42)))),
                 "CIFS");
    EXPECT_STREQ(sqlite::network_file_system(0x01021997), "9p");
    EXPECT_EQ(sqlite::network_file_system(0xef53), nullptr);      // ext4
    EXPECT_EQ(sqlite::network_file_system(0x01021994), nullptr);  // tmpfs
}

}  // namespace
}  // namespace durable_mcp::store
