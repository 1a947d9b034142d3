// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "durable_mcp/server.hpp"
#include "mcp/catalog.hpp"

namespace durable_mcp::detail {

/// A way in for the rest of the library, and for its tests, that users are not shown.
class ServerDoor {
public:
    /// What the server offers now.
    [[nodiscard]] static std::shared_ptr<const mcp::Catalog> catalog(const DurableMCP& server);
    static void start_on(DurableMCP& server, boost::asio::io_context& context);
};

}  // namespace durable_mcp::detail
