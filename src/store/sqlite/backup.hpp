// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "store/sqlite/connection.hpp"

namespace durable_mcp::store::sqlite {

/// Copies the whole store as `source` sees it, log and all, to the file `target` (mode 0600), which is there whole and on the disk when
/// this returns, or not at all: it is written beside it, as `<target>.part`. An older `target` is replaced. Waits for the disk.
///
/// *Threads.* The one that uses `source`; no transaction is open on it.
/// *Errors.* `store_full` or `io`; the store and an older `target` are as they were, and the part is gone.
[[nodiscard]] std::optional<base::Failure> back_up(Connection& source, const std::string& store, const std::string& target);

/// Removes the copy `target` where it is so old that nobody goes back to it: it holds the secrets of the store, and what was deleted from it since.
void drop_if_outlived(const std::string& target);

}  // namespace durable_mcp::store::sqlite
