// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reading what reaches a call from outside its session: handles, arrivals, and the keys of the ring.

#include <optional>
#include <string_view>
#include <vector>

#include "store/sqlite/connection.hpp"
#include "store/store.hpp"

namespace durable_mcp::store::sqlite {

// The checksums of each table: which fields, in which order (journal/FORMAT.md).
[[nodiscard]] std::int64_t handle_checksum(const HandleRow& row);
[[nodiscard]] std::int64_t arrival_checksum(std::string_view call, const ArrivalRow& row);
[[nodiscard]] std::int64_t secret_checksum(const SecretRow& row);

/// `which` is `handle` or `handle_of_key`, with its one parameter.
[[nodiscard]] base::Result<std::optional<HandleRow>> read_handle(Connection& reader, std::string_view path, Sql which,
                                                                 std::string_view parameter);
[[nodiscard]] base::Result<std::vector<HandleRow>> read_handles(Connection& reader, std::string_view path, std::string_view owner,
                                                                std::uint32_t reach, std::string_view before, std::size_t limit);
[[nodiscard]] base::Result<std::vector<HandleRow>> read_expired_handles(Connection& reader, std::string_view path, std::int64_t now_ms,
                                                                        const HandleRow* after, std::size_t limit);
[[nodiscard]] base::Result<std::vector<ArrivalRow>> read_arrivals(Connection& reader, std::string_view path, std::string_view call);
[[nodiscard]] base::Result<std::vector<SecretRow>> read_secrets(Connection& reader, std::string_view path);

}  // namespace durable_mcp::store::sqlite
