// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace durable_mcp::store::sqlite {

/// Every statement that runs more than once; each connection prepares those that it uses, once.
enum class Sql : std::uint8_t {
    begin_immediate,
    begin_deferred,
    commit,
    rollback,
    savepoint,
    release,
    rollback_to,
    put_session,
    touch_session,
    drop_session,
    drop_call_events,
    drop_session_calls,
    drop_stream,
    insert_call,
    update_call,
    count_attempt,
    append_entry,
    drop_entry,
    append_event,
    put_handle,
    insert_arrival,
    drop_call_own_events,
    drop_call,
    put_secret,
    drop_secret,
    put_map_row,
    erase_map_row,
    map_version_of,
    call_state_of,
    put_map_version,
    sessions,
    call,
    call_of_request,
    calls_of_stream,
    unfinished_calls,
    handle,
    handle_of_key,
    handles,
    handles_before,
    expired_handles,
    expired_handles_after,
    arrivals,
    secrets,
    entries,
    events,
    last_event,
    map_row,
    map_range_up,
    map_range_up_open,
    map_range_down,
    map_range_down_open,
    map_count,
    count_of_them,
};

[[nodiscard]] const char* text_of(Sql statement);

}  // namespace durable_mcp::store::sqlite
