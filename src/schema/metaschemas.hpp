// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/json.hpp"

namespace durable_mcp::schema {

/// The metaschema, or the vocabulary's metaschema, of 2020-12 or draft-07 under that URI (without fragment); nullptr if there is none.
/// Never freed.
[[nodiscard]] const base::Json* find_metaschema(std::string_view uri);

}  // namespace durable_mcp::schema
