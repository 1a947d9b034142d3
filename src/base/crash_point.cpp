// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"

#if defined(DURABLE_MCP_CRASH_POINTS)

#include <csignal>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace durable_mcp::base {
namespace {

struct Armed {
    std::string name;
    long nth = 1;
    std::string bug;
};

const Armed& armed() {
    static const Armed value = [] {
        Armed armed;
        if (const char* at = std::getenv("DURABLE_MCP_CRASH_AT")) {
            armed.name = at;
            if (const auto colon = armed.name.rfind(':'); colon != std::string::npos) {
                armed.nth = std::strtol(armed.name.c_str() + colon + 1, nullptr, 10);
                armed.name.resize(colon);
            }
        }
        if (const char* bug = std::getenv("DURABLE_MCP_BUG")) {
            armed.bug = bug;
        }
        return armed;
    }();
    return value;
}

std::atomic<long> passed{0};

bool is_armed(const char* name) noexcept { return !armed().name.empty() && armed().name == name; }

}  // namespace

void pass_crash_point(const char* name) noexcept {
    if (is_armed(name) && passed.fetch_add(1) + 1 == armed().nth) {
        ::kill(::getpid(), SIGKILL);
    }
}

bool crash_point_is_next(const char* name) noexcept { return is_armed(name) && passed.load() + 1 == armed().nth; }

bool bug_is_planted(const char* name) noexcept { return !armed().bug.empty() && armed().bug == name; }

}  // namespace durable_mcp::base

#endif
