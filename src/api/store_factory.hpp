// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.hpp"
#include "store/store_lock.hpp"

namespace durable_mcp::detail {

/// What a durable_mcp::Store handle stands for. lock() is called once per start of a server; nobody else gets the lock as long as the result, or
/// what was opened with it, lives.
class StoreFactory {
public:
    virtual ~StoreFactory() = default;
    [[nodiscard]] virtual base::Result<std::unique_ptr<store::StoreLock>> lock() = 0;
};

}  // namespace durable_mcp::detail
