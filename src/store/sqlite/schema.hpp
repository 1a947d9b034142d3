// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/sqlite/connection.hpp"

namespace durable_mcp::store::sqlite {

/// "DMCP": what makes a SQLite file one of ours (journal/FORMAT.md).
constexpr std::int64_t application_id = 0x444d4350;
/// What this program writes, and the newest that it reads.
constexpr std::int64_t schema_version = 4;

/// Looks whether `path` is empty or ours and not newer than we are, before anything is changed. The sentence says what was found.
[[nodiscard]] std::optional<base::Failure> refuse_foreign(Connection& writer, const std::string& path);

/// Brings the schema to `schema_version`, in one transaction. A store that has something in it is copied first, to
/// `<path>.before-schema-<n>` (backup.hpp). When it fails the store is as it was, or, where a COMMIT failed, perhaps there. Copies that
/// nobody goes back to any more are removed.
[[nodiscard]] std::optional<base::Failure> migrate(Connection& writer, const std::string& path);

/// The copies of earlier schemas that lie beside the store.
[[nodiscard]] std::vector<std::string> copies_of(const std::string& path);

}  // namespace durable_mcp::store::sqlite
