// SPDX-License-Identifier: Apache-2.0
#include "mcp/http_facts.hpp"

namespace durable_mcp::mcp {

std::string_view find_header(const HeaderLookup& header, std::string_view name) {
    return header ? header(name) : std::string_view();
}

HttpRefusal refuse_http(unsigned status, const jsonrpc::Error& error, const std::optional<jsonrpc::Id>& id) {
    return {status, {}, jsonrpc::write_error(id, error)};
}

HttpRefusal method_not_allowed(std::string allowed) {
    HttpRefusal refusal = refuse_http(405, {jsonrpc::transport_error, "Method not allowed", {}});
    refusal.headers.emplace_back("Allow", std::move(allowed));
    return refusal;
}

}  // namespace durable_mcp::mcp
