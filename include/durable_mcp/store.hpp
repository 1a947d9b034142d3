// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "durable_mcp/export.hpp"

namespace durable_mcp {

namespace detail {
class StoreFactory;
}

/// Where sessions, calls, journals, events and maps are kept: a shared handle, cheap to copy. Nothing is opened before DurableMCP::start().
///
/// *Threads*: copy and destroy it anywhere. One running server per store; a second one fails to start with `ErrorCode::store_locked`.
class DURABLE_MCP_EXPORT Store {
public:
    /// No store: a server cannot be made with it. There is no default on purpose, since where a server's memory lives is worth a line.
    Store() noexcept;
    explicit Store(std::shared_ptr<detail::StoreFactory> factory) noexcept;
    Store(const Store&) noexcept;
    Store(Store&&) noexcept;
    Store& operator=(const Store&) noexcept;
    Store& operator=(Store&&) noexcept;
    ~Store();

    [[nodiscard]] explicit operator bool() const noexcept { return factory_ != nullptr; }
    [[nodiscard]] const std::shared_ptr<detail::StoreFactory>& factory() const noexcept { return factory_; }

private:
    std::shared_ptr<detail::StoreFactory> factory_;
};

/// A SQLite file, made when it does not exist, with the last folder of its path. Beside it lie `<path>-wal`, `<path>-shm`, `<path>.lock` and
/// `<path>.ballast` (room for the last words when the disk is full); copy none of them while a server runs. On a local disk: start() refuses
/// a network file system. A store of an older release is brought up to date by start(), which leaves a copy, `<path>.before-schema-N`.
///
/// *Durability*: what is acknowledged survives SIGKILL at any moment and, on a disk that honours flushes, the loss of power.
/// *Errors*: std::invalid_argument for an empty path; what the disk says is said by start().
[[nodiscard]] DURABLE_MCP_EXPORT Store sqlite(std::string path);

/// Memory, for tests: lives as long as the last copy of the handle, so that the same handle given to a second server is what a reboot
/// finds.
[[nodiscard]] DURABLE_MCP_EXPORT Store memory();

}  // namespace durable_mcp
