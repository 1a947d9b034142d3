// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/error.hpp"

#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

TEST(errors, what_goes_to_clients_as_json_is_json) {
    EXPECT_EQ(ProtocolError(1, "m").data(), "");
    EXPECT_EQ(ProtocolError(1, "m", R"({"a":[1]})").data(), R"({"a":[1]})");
    EXPECT_EQ(ProtocolError(1, "m", "\"text\"").data(), "\"text\"");
    for (const char* wrong : {"text", "{", "{} {}", "\"\xFF\""}) {
        EXPECT_NE(complaint([&] { throw ProtocolError(1, "m", wrong); }), "no complaint") << wrong;
    }
    EXPECT_EQ(MissingCapability(R"({"sampling":{}})", "m").required(), R"({"sampling":{}})");
    EXPECT_NE(complaint([] { throw MissingCapability("sampling", "m"); }), "no complaint");
    EXPECT_NE(complaint([] { throw MissingCapability("[]", "m"); }), "no complaint");
}

}  // namespace
}  // namespace durable_mcp::api
