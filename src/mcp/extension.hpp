// SPDX-License-Identifier: Apache-2.0
#pragma once

// The extensions of the stateless era that we speak, as data: what each adds to the protocol. A new one is a row (and its verdicts in the router).

#include <span>
#include <string_view>

#include "base/json.hpp"
#include "mcp/revision.hpp"

namespace durable_mcp::mcp {

/// One request that an extension adds.
struct ExtensionMethod {
    std::string_view name;
    Method method;
    std::string_view routed_by;  ///< the member of params that Mcp-Name repeats; "" is none
};

struct Extension {
    std::string_view id;                              ///< key in the `extensions` of both sides' capabilities
    std::string_view settings;                        ///< what server/discover says under it: JSON text
    std::span<const ExtensionMethod> methods;
    std::span<const std::string_view> notifications;  ///< sent on listen streams
    std::string_view listen_key;                      ///< member of params.notifications of subscriptions/listen; "" is none
};

[[nodiscard]] std::span<const Extension> extensions();
/// io.modelcontextprotocol/tasks
[[nodiscard]] const Extension& tasks_extension();
/// The extension that a request of that name belongs to; null if it is core's, or nobody's.
[[nodiscard]] const Extension* extension_of(std::string_view method);

/// True if ClientCapabilities declare it.
[[nodiscard]] bool declares(const base::Json& client_capabilities, const Extension& extension);
/// The ClientCapabilities that a request needs for it: {"extensions":{id:{}}}
[[nodiscard]] base::Json required_capabilities(const Extension& extension);
/// All of them as `extensions` of ServerCapabilities.
[[nodiscard]] base::Json advertised_extensions();

}  // namespace durable_mcp::mcp
