// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/json.hpp"
#include "base/limits.hpp"
#include "base/retention.hpp"
#include "durable_mcp/options.hpp"
#include "runtime/outside_state.hpp"

namespace durable_mcp::api {

/// Throws std::invalid_argument, naming the member, for options that no server can be made of.
void check_options(const Options& options);
/// The house's limits with the embedder's in their place.
[[nodiscard]] base::Limits house_limits(const Options& options);
/// Options::initialize as the engine runs it.
[[nodiscard]] std::vector<runtime::Initialization> initializations(const Options& options);
[[nodiscard]] base::Retention house_retention(const Options& options);
/// The Implementation object of `initialize`.
[[nodiscard]] base::Json describe_implementation(const Options& options);

}  // namespace durable_mcp::api
