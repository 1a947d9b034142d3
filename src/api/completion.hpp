// SPDX-License-Identifier: Apache-2.0
#pragma once

// Completions: an item of the catalog that is on no list, for one argument of a prompt or one variable of a resource template.

#include <string_view>

#include "durable_mcp/detail/binding.hpp"
#include "mcp/catalog.hpp"

namespace durable_mcp::api {

/// `of`: prompt or resource_template. Throws std::invalid_argument for a name that is empty or not UTF-8.
[[nodiscard]] mcp::Item make_completion(mcp::ItemKind of, std::string_view ref, std::string_view argument, const detail::Binding& binding);

/// Throws std::invalid_argument, with a sentence for the author, unless `catalog` has `ref` and that has `argument`.
void check_completed(const mcp::Catalog& catalog, mcp::ItemKind of, std::string_view ref, std::string_view argument);

}  // namespace durable_mcp::api
