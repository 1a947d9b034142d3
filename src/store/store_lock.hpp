// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.hpp"
#include "store/store.hpp"

namespace durable_mcp::store {

/// The right to a store, before it is opened: nobody else can open it from here on. What is opened keeps the right; a lock that is dropped
/// without gives it back.
class StoreLock {
public:
    virtual ~StoreLock() = default;
    /// Opens what was locked and brings its schema up to date, which may take its time. Called once.
    [[nodiscard]] virtual base::Result<std::shared_ptr<Store>> open() = 0;
};

}  // namespace durable_mcp::store
