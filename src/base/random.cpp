// SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.hpp"

namespace durable_mcp::base {
namespace {

class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override {
        while (!bytes.empty()) {
            const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
            DURABLE_MCP_ASSERT(got > 0 || errno == EINTR);
            if (got > 0) {
                bytes = bytes.subspan(static_cast<std::size_t>(got));
            }
        }
    }
};

}  // namespace

Random& system_random() {
    static SystemRandom random;
    return random;
}

}  // namespace durable_mcp::base
