// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

namespace durable_mcp::fuzz {

/// Ends the process, and thereby the run, with the place of what does not hold. (Clang 14 has no std::source_location.)
inline void demand(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    if (!holds) {
        std::fprintf(stderr, "%s:%d: this does not hold\n", file, line);
        std::abort();
    }
}

}  // namespace durable_mcp::fuzz
