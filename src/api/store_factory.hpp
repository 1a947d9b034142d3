// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.hpp"
#include "store/store.hpp"

namespace durable_mcp::detail {

/// What a durable_mcp::Store handle stands for. open() is called once per start of a server; the lock is held as long as the result lives.
class StoreFactory {
public:
    virtual ~StoreFactory() = default;
    [[nodiscard]] virtual base::Result<std::shared_ptr<store::Store>> open() = 0;
};

}  // namespace durable_mcp::detail
