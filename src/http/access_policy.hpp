// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who may talk to this server at all: the defence against DNS rebinding and against web pages of other sites (reliability.md §3.1).
// A page that rebinds its name to 127.0.0.1 still sends its own name as Host, and its own site as Origin.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/head_check.hpp"

namespace durable_mcp::http {

class AccessPolicy {
public:
    /// `loopback`: the server is reachable only from this machine; the loopback names are then admitted with any port, as Host and in
    /// Origin. `hosts`: `name`, `name:port`, or `name:*`; a name without port matches only a Host without port.
    /// `origins`: `https://name[:port]`, exact.
    /// Throws std::invalid_argument for an entry that could never match, and when nothing at all would be admitted.
    AccessPolicy(bool loopback, const std::vector<std::string>& hosts, const std::vector<std::string>& origins);

    /// Nothing, or the 403 with which this request must be answered.
    [[nodiscard]] std::optional<Refusal> check(const CheckedHead& head) const;

    [[nodiscard]] bool admits_host(std::string_view host) const;
    [[nodiscard]] bool admits_origin(std::string_view origin) const;

private:
    struct HostRule {
        std::string host;
        std::string port;  ///< "" none, "*" any
    };

    bool loopback_;
    std::vector<HostRule> hosts_;
    std::vector<std::string> origins_;
};

}  // namespace durable_mcp::http
