// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "store/sqlite/connection.hpp"
#include "store/store.hpp"

namespace durable_mcp::store::sqlite {

// What Store says of what may be forgotten, on one connection. `path` is for the sentence of a failure.
[[nodiscard]] base::Result<std::uint64_t> read_first_event(Connection& reader, std::string_view path, std::string_view stream);
[[nodiscard]] base::Result<std::vector<OldCall>> read_finished_calls(Connection& reader, std::string_view path, std::int64_t from_ms,
                                                                     std::int64_t to_ms, std::size_t limit);
[[nodiscard]] base::Result<std::int64_t> read_finished_since(Connection& reader, std::string_view path, std::size_t count);
[[nodiscard]] base::Result<std::vector<OldCall>> read_calls_of_session(Connection& reader, std::string_view path, std::string_view session,
                                                                       std::size_t limit);
[[nodiscard]] base::Result<std::vector<OldEvents>> read_old_events(Connection& reader, std::string_view path, std::int64_t to_ms,
                                                                   std::size_t limit);
[[nodiscard]] base::Result<Space> read_space(Connection& reader, std::string_view path);

}  // namespace durable_mcp::store::sqlite
