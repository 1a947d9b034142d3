// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the next page of a list begins, as a text that any process can read at any time: nothing is kept for it.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "mcp/catalog.hpp"

namespace durable_mcp::mcp {

/// "Behind the item `last`, which is the `shown`-th of its list."
struct Cursor {
    ItemKind kind = ItemKind::tool;
    std::size_t shown = 0;
    std::string last;
};

[[nodiscard]] std::string write_cursor(const Cursor& cursor);
/// Nothing for a text that write_cursor() cannot have made.
[[nodiscard]] std::optional<Cursor> read_cursor(std::string_view text);

}  // namespace durable_mcp::mcp
