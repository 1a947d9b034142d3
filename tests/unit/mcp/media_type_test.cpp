// SPDX-License-Identifier: Apache-2.0
#include "mcp/media_type.hpp"

#include <gtest/gtest.h>

namespace durable_mcp::mcp {
namespace {

// CVE-2026-33252: a foreign page may send text/plain without asking the browser's user.
TEST(media_type, only_json_is_json) {
    for (const std::string_view yes :
         {"application/json", "Application/JSON", " application/json ", "application/json;charset=utf-8",
          "application/json; charset=\"UTF-8\"", "application/json ; charset=utf-8 ; version=1", "application/json;"}) {
        EXPECT_TRUE(is_json(yes)) << yes;
    }
    for (const std::string_view no : {"",
                                      "json",
                                      "application",
                                      "application/",
                                      "/json",
                                      "application/jsonx",
                                      "application/json-rpc",
                                      "application/vnd.api+json",
                                      "text/json",
                                      "text/plain",
                                      "text/plain; application/json",
                                      "text/plain; a=\"application/json\"",
                                      "text/plain, application/json",
                                      "application/json, text/plain",
                                      "application/json text/plain",
                                      "application/json; charset=latin1",
                                      "application/json; charset",
                                      "application/json; charset=\"utf-8",
                                      "application/json; =utf-8",
                                      "*/*",
                                      "multipart/form-data; boundary=application/json"}) {
        EXPECT_FALSE(is_json(no)) << no;
    }
}

TEST(media_type, the_most_specific_range_decides) {
    struct Row {
        std::string_view accept;
        bool json, stream;
    };
    const Row table[] = {
        {"application/json, text/event-stream", true, true},
        {"text/event-stream,application/json", true, true},
        {"Application/Json;q=0.9 , TEXT/EVENT-STREAM;q=0.1", true, true},
        {"*/*", true, true},
        {"application/*, text/*", true, true},
        {"application/json", true, false},
        {"text/event-stream", false, true},
        {"text/*", false, true},
        {"", false, false},
        {"text/html", false, false},
        {"*/*, text/event-stream;q=0", true, false},
        {"text/event-stream;q=0.000, */*;q=1", true, false},
        {"text/*;q=0, text/event-stream", false, true},
        {"application/json;q=0.001, */*;q=0", true, false},
        {"application/jsonx, text/event-streams", false, false},
        {", ,application/json,,", true, false},
        {"application/json text/event-stream", false, false},
        {"x=application/json", false, false},
        {"text/html;a=\", application/json\"", false, false},
        {"*/json", false, false},
    };
    for (const Row& row : table) {
        EXPECT_EQ(accepts(row.accept, "application", "json"), row.json) << row.accept;
        EXPECT_EQ(accepts(row.accept, "text", "event-stream"), row.stream) << row.accept;
    }
}

}  // namespace
}  // namespace durable_mcp::mcp
