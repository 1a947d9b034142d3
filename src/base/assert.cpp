// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace durable_mcp::base {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    std::fprintf(stderr, "durable_mcp: internal error: '%s' does not hold (%s:%d). Nothing that depends on it was sent; the process ends here.\n",
                 expression, file, line);
    std::abort();
}

}  // namespace durable_mcp::base
