// SPDX-License-Identifier: Apache-2.0
// What the writer does for forgetting: a little at a time, so that whoever waits for the next batch does not wait long.

#include <algorithm>

#include "store/sqlite/writer.hpp"

namespace durable_mcp::store::sqlite {
namespace {

constexpr std::size_t rows_at_once = 16;            // between two looks at how much was freed
constexpr std::int64_t enough_freed_pages = 2'048;  // 8 MiB: the most that a batch writes, too

}  // namespace

// `is_whole`: everything that goes before the call itself has gone.
Writer::Applied Writer::trim(const DropCall& write, bool& is_whole) {
    std::size_t left = write.rows;
    for (const Sql which : {Sql::trim_entries, Sql::trim_events}) {
        for (;;) {
            std::int64_t freed = 0;
            if (const Applied asked = freed_pages(freed); asked != Applied::whole) {
                return asked;
            }
            if (left == 0 || freed >= enough_freed_pages) {
                is_whole = false;
                return Applied::whole;
            }
            Statement statement(*connection_, which);
            if (const Applied applied = written(statement.text(write.id).integer(std::min(left, rows_at_once))); applied != Applied::whole) {
                return applied;
            }
            const auto gone = static_cast<std::size_t>(sqlite3_changes(connection_->handle()));
            if (gone == 0) {
                break;
            }
            left -= std::min(left, gone);
        }
    }
    is_whole = true;
    return Applied::whole;
}

Writer::Applied Writer::freed_pages(std::int64_t& pages) {
    Statement statement(*connection_, Sql::free_pages);
    if (const int code = statement.step(); code != SQLITE_ROW) {
        return failed(code);
    }
    const std::int64_t free = statement.integer_at(0);
    free_before_ = free_before_.value_or(free);
    pages = free - *free_before_;
    return Applied::whole;
}

Writer::Applied Writer::apply_one(const DropHandle& write) {
    Statement statement(*connection_, Sql::drop_handle);
    return written(statement.text(write.call));
}

Writer::Applied Writer::apply_one(const DropEvents& write) {
    const std::size_t rows = std::min<std::size_t>(write.rows, 1u << 30);  // a number that can be added to another
    Statement drop(*connection_, Sql::drop_events);
    if (const Applied applied = written(drop.text(write.stream).integer(write.through).integer(rows)); applied != Applied::whole) {
        return applied;
    }
    Statement settle(*connection_, Sql::settle_newest_event);
    return written(settle.text(write.stream).integer(write.through));
}

Writer::Applied Writer::apply_one(const ReleaseSpace&) {
    Statement statement(*connection_, Sql::release_space);
    int code = statement.step();
    while (code == SQLITE_ROW) {
        code = statement.step();
    }
    if (code != SQLITE_DONE) {
        return failed(code);
    }
    has_shrunk_ = true;
    return Applied::whole;
}

}  // namespace durable_mcp::store::sqlite
