// SPDX-License-Identifier: Apache-2.0
// Resources: fixed ones, and a template for many.
#include <string>

#include <durable_mcp/durable_mcp.hpp>

#include "conformance_server/fixtures.hpp"

namespace conformance {

void add_resources(durable_mcp::DurableMCP& mcp) {
    mcp.resource("test://static-text", "static-text", [] { return "This is the content of the static text resource."; },
                 {.description = "A text.", .mime_type = "text/plain"});
    mcp.resource("test://static-binary", "static-binary", [] { return png(); }, {.description = "A picture.", .mime_type = "image/png"});
    mcp.resource("test://watched-resource", "watched-resource", [] { return "Watched resource content"; },
                 {.description = "A text that may change.", .mime_type = "text/plain"});
    mcp.resource_template("test://template/{id}/data", "template-data", {"id"},
                          [](const std::string& id) {
                              return nlohmann::json{{"id", id}, {"templateTest", true}, {"data", "Data for ID: " + id}};
                          },
                          {.description = "One of many.", .mime_type = "application/json"});
}

}  // namespace conformance
