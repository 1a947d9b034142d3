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

std::uint64_t random_number(Random& random) {
    std::uint64_t number = 0;
    random.fill(std::as_writable_bytes(std::span(&number, 1)));
    return number;
}

std::uint64_t random_number(Random& random, std::uint64_t below) {
    DURABLE_MCP_ASSERT(below > 0);
    // The lowest 2^64 mod `below` numbers would make the remainders uneven.
    const std::uint64_t uneven = (0 - below) % below;
    for (;;) {
        if (const std::uint64_t number = random_number(random); number >= uneven) {
            return number % below;
        }
    }
}

Random& system_random() {
    static SystemRandom random;
    return random;
}

}  // namespace durable_mcp::base
