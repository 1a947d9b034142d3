// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/store.hpp"

#include <mutex>
#include <stdexcept>
#include <utility>

#include "api/store_factory.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace durable_mcp {

namespace {

class SqliteFactory final : public detail::StoreFactory {
public:
    explicit SqliteFactory(std::string path) : path_(std::move(path)) {}
    base::Result<std::unique_ptr<store::StoreLock>> lock() override { return store::lock_sqlite_store({.path = path_}); }

private:
    std::string path_;
};

/// One MemoryStore for all copies of a handle, open in one server at a time, as a file is.
class MemoryFactory final : public detail::StoreFactory {
public:
    base::Result<std::unique_ptr<store::StoreLock>> lock() override {
        const std::lock_guard lock(mutex_);
        if (!lease_.expired()) {
            return base::Failure{base::FailureCode::store_locked, "This memory store is in use by another server: stop that one first."};
        }
        // The lease ends with the last owner of the lock and of what is opened; the store itself stays with the handle.
        const auto lease = std::make_shared<std::shared_ptr<store::MemoryStore>>(store_);
        lease_ = lease;
        return std::unique_ptr<store::StoreLock>(std::make_unique<Lock>(lease));
    }

private:
    using Lease = std::shared_ptr<std::shared_ptr<store::MemoryStore>>;
    class Lock final : public store::StoreLock {
    public:
        explicit Lock(Lease lease) : lease_(std::move(lease)) {}
        base::Result<std::shared_ptr<store::Store>> open() override {
            (*lease_)->reopen();
            return std::shared_ptr<store::Store>(lease_, lease_->get());
        }

    private:
        const Lease lease_;
    };

    std::mutex mutex_;
    const std::shared_ptr<store::MemoryStore> store_ = store::open_memory_store();
    std::weak_ptr<void> lease_;
};

}  // namespace

Store::Store() noexcept = default;
Store::Store(std::shared_ptr<detail::StoreFactory> factory) noexcept : factory_(std::move(factory)) {}
Store::Store(const Store&) noexcept = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(const Store&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store sqlite(std::string path) {
    if (path.empty() || path.find('\0') != std::string::npos) {
        throw std::invalid_argument("durable_mcp::sqlite: the path of a file is needed");
    }
    return Store(std::make_shared<SqliteFactory>(std::move(path)));
}

Store memory() { return Store(std::make_shared<MemoryFactory>()); }

}  // namespace durable_mcp
