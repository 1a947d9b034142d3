// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

namespace durable_mcp::base {
namespace {

class SystemClock final : public Clock {
public:
    std::int64_t wall_ms() const override {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    }
    std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

}  // namespace durable_mcp::base
