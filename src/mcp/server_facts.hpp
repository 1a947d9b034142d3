// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/json.hpp"

namespace durable_mcp::mcp {

/// Who we are, for initialize, server/discover and the results of the stateless era.
struct ServerFacts {
    base::Json implementation;           ///< name, version, title, …
    std::string instructions;            ///< "" is none
    std::int64_t list_ttl_ms = 0;        ///< 2026-07-28: how long lists, discover and resources may be cached; cacheScope is private
};

}  // namespace durable_mcp::mcp
