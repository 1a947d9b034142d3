// SPDX-License-Identifier: Apache-2.0
//
// What one durable row costs on this disk: SQLite, WAL, synchronous=FULL, one row per commit. Prints the median in microseconds as JSON.

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
    sqlite3* database = nullptr;
    if (argc < 2 || sqlite3_open(argv[1], &database) != SQLITE_OK) {
        std::fprintf(stderr, "commit_cost PATH\n");
        return 1;
    }
    sqlite3_exec(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB) STRICT;", nullptr, nullptr,
                 nullptr);
    sqlite3_stmt* insert = nullptr;
    if (sqlite3_prepare_v2(database, "INSERT INTO t(v) VALUES (zeroblob(200))", -1, &insert, nullptr) != SQLITE_OK) {
        std::fprintf(stderr, "%s\n", sqlite3_errmsg(database));
        return 1;
    }
    std::vector<double> times;
    for (int i = 0; i < 2000; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        if (sqlite3_step(insert) != SQLITE_DONE) {
            std::fprintf(stderr, "%s\n", sqlite3_errmsg(database));
            return 1;
        }
        sqlite3_reset(insert);
        times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count());
    }
    std::sort(times.begin(), times.end());
    std::printf(R"({"commit_p50_us":%.1f,"commit_p99_us":%.1f})" "\n", times[times.size() / 2], times[times.size() * 99 / 100]);
    sqlite3_finalize(insert);
    sqlite3_close(database);
}
