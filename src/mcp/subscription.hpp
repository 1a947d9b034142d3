// SPDX-License-Identifier: Apache-2.0
#pragma once

// The messages of a listen stream (2026-07-28; protocol §3.2). Each carries the id of the subscriptions/listen request, in the type that it has.

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/router.hpp"
#include "mcp/server_facts.hpp"

namespace durable_mcp::mcp {

/// The first message: notifications/subscriptions/acknowledged, which names what is honoured of what was asked for.
[[nodiscard]] std::string acknowledge(const jsonrpc::Id& subscription, const ListenFilter& honoured);

/// A notification as this stream carries it. `params` is an object, or null.
[[nodiscard]] std::string tagged_notification(const jsonrpc::Id& subscription, std::string_view method, base::Json params);

/// The last message: the response to subscriptions/listen, after which the stream closes.
[[nodiscard]] std::string end_of_subscription(const jsonrpc::Id& subscription, const ServerFacts& facts);

}  // namespace durable_mcp::mcp
