// SPDX-License-Identifier: Apache-2.0
#include "http/access_policy.hpp"

#include <algorithm>
#include <stdexcept>

#include "http/authority.hpp"

namespace durable_mcp::http {
namespace {

bool is_loopback_name(std::string_view host) {
    return equal_without_case(host, "localhost") || host == "127.0.0.1" || host == "[::1]";
}

/// What follows `http://` or `https://`, or null `data()`.
std::string_view after_scheme(std::string_view origin) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (equal_without_case(origin.substr(0, scheme.size()), scheme)) {
            return origin.substr(scheme.size());
        }
    }
    return {};
}

}  // namespace

AccessPolicy::AccessPolicy(bool loopback, const std::vector<std::string>& hosts, const std::vector<std::string>& origins)
    : loopback_(loopback), origins_(origins) {
    for (const auto& entry : hosts) {
        const bool any_port = entry.ends_with(":*");
        const auto authority = parse_authority(std::string_view(entry).substr(0, entry.size() - (any_port ? 2 : 0)));
        if (!authority || (any_port && !authority->port.empty())) {
            throw std::invalid_argument("'" + entry + "' is not a host name with an optional port (name, name:port or name:*)");
        }
        hosts_.push_back({std::string(authority->host), any_port ? "*" : std::string(authority->port)});
    }
    for (const auto& entry : origins_) {
        if (!parse_authority(after_scheme(entry))) {
            throw std::invalid_argument("'" + entry + "' is not an origin (https://name or https://name:port)");
        }
    }
    if (!loopback_ && hosts_.empty()) {
        throw std::invalid_argument(
            "a server that listens on more than the loopback address needs the list of host names by which its clients know it; without "
            "it, any web "
            "page could reach it by DNS rebinding");
    }
}

bool AccessPolicy::admits_host(std::string_view host) const {
    const auto authority = parse_authority(host);
    if (!authority) {
        return false;
    }
    if (loopback_ && is_loopback_name(authority->host)) {
        return true;
    }
    return std::any_of(hosts_.begin(), hosts_.end(), [&](const HostRule& rule) {
        return equal_without_case(rule.host, authority->host) && (rule.port == "*" || rule.port == authority->port);
    });
}

bool AccessPolicy::admits_origin(std::string_view origin) const {
    const auto authority = parse_authority(after_scheme(origin));
    if (!authority) {
        return false;
    }
    if (loopback_ && is_loopback_name(authority->host)) {
        return true;
    }
    return std::any_of(origins_.begin(), origins_.end(), [&](const std::string& entry) { return equal_without_case(entry, origin); });
}

std::optional<Refusal> AccessPolicy::check(const CheckedHead& head) const {
    if (!admits_host(head.host)) {
        return Refusal{403, "This server is not known by that Host."};
    }
    for (const auto& field : head.fields) {  // every one of them: a second Origin must not slip by
        if (equal_without_case(field.name, "Origin") && !admits_origin(field.value)) {
            return Refusal{403, "Requests from that Origin are not allowed."};
        }
        if (equal_without_case(field.name, "Sec-Fetch-Site") && equal_without_case(field.value, "cross-site")) {
            return Refusal{403, "Requests from pages of other sites are not allowed."};
        }
    }
    return std::nullopt;
}

}  // namespace durable_mcp::http
