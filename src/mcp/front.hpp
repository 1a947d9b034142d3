// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one door for HTTP requests of both eras on one endpoint (protocol §1.3): the body says which era a POST belongs to, and the front of
// that era reads it. GET and DELETE belong to the session era.

#include <string_view>
#include <variant>

#include "mcp/http_facts.hpp"
#include "mcp/session_front.hpp"
#include "mcp/stateless_front.hpp"

namespace durable_mcp::mcp {

using Asked = std::variant<HttpRefusal, Posted, OpenStandalone, Resume, EndSession, StatelessRequest, StatelessNotification>;

/// Reads a request. `body` is parsed within the wire limits. In the session era everything but `initialize` is refused here when it names no
/// session; whether the named one exists is the caller's to find out. A StatelessRequest goes to route_stateless(); a StatelessNotification is
/// answered 202 and does nothing.
///
/// What is asked may look at the request's headers (StatelessRequest::header): it must not outlive them.
[[nodiscard]] Asked read_request(const HttpFacts& facts, std::string_view body);

}  // namespace durable_mcp::mcp
