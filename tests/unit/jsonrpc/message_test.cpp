// SPDX-License-Identifier: Apache-2.0
#include "jsonrpc/message.hpp"

#include <gtest/gtest.h>

#include <string>

namespace durable_mcp::jsonrpc {
namespace {

using base::Json;

Message read(std::string_view text) {
    auto json = base::parse_json(text, base::wire_json_limits());
    EXPECT_TRUE(json.has_value()) << text;
    return read_message(std::move(*json));
}

// B43
TEST(message, B43_ids_come_back_exactly_as_they_were) {
    for (const std::string_view id :
         {"1", "\"1\"", "0", "-5", "9007199254740993", "18446744073709551615", "-9223372036854775808", "\"\"", "\"a/b?c#d\"",
          "\"\xC3\xA9\xF0\x9F\x98\x80\"", "\"quote \\\" backslash \\\\ line \\n\"", "\"9007199254740993\""}) {
        const auto message = read(R"({"jsonrpc":"2.0","method":"ping","id":)" + std::string(id) + "}");
        const auto* request = std::get_if<Request>(&message);
        ASSERT_NE(request, nullptr) << id;
        EXPECT_EQ(request->id.text, id);
        EXPECT_EQ(write_result(request->id, "{}"), R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":{}})");
    }
}

TEST(message, two_spellings_of_one_string_are_one_id) {
    const auto a = read(R"({"jsonrpc":"2.0","method":"m","id":"\u0061\/"})"), b = read(R"({"jsonrpc":"2.0","method":"m","id":"a/"})");
    EXPECT_EQ(std::get<Request>(a).id, std::get<Request>(b).id);
}

TEST(message, requests_and_notifications_differ_by_their_id_alone) {
    const auto request = read(R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"add"},"extra":[1]})");
    EXPECT_EQ(std::get<Request>(request).method, "tools/call");
    EXPECT_EQ(std::get<Request>(request).params, Json({{"name", "add"}}));
    const auto notification = read(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
    EXPECT_EQ(std::get<Notification>(notification).method, "notifications/initialized");
    EXPECT_TRUE(std::get<Notification>(notification).params.is_null());
}

TEST(message, responses_carry_a_result_or_an_error) {
    const auto result = read(R"({"jsonrpc":"2.0","id":"s-1","result":{"action":"accept"}})");
    EXPECT_EQ(std::get<Response>(result).id.text, "\"s-1\"");
    EXPECT_EQ(std::get<Json>(std::get<Response>(result).outcome), Json({{"action", "accept"}}));

    const auto error = read(R"({"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"no","data":[1]}})");
    const auto& outcome = std::get<Error>(std::get<Response>(error).outcome);
    EXPECT_EQ(outcome.code, -1);
    EXPECT_EQ(outcome.message, "no");
    EXPECT_EQ(outcome.data, Json::array({1}));
}

TEST(message, an_error_may_go_without_an_id_when_ours_could_not_be_read) {
    for (const std::string_view text :
         {R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"?"}})", R"({"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}})"}) {
        const auto message = read(text);
        ASSERT_TRUE(std::holds_alternative<Response>(message)) << text;
        EXPECT_TRUE(std::get<Response>(message).id.text.empty());
    }
}

struct BadShape {
    std::string_view text;
    std::string_view id;  ///< "" when it cannot be echoed
    std::string_view because;
};

TEST(message, every_bad_shape_is_named_and_its_id_echoed_when_it_is_readable) {
    const std::string long_id = R"({"jsonrpc":"2.0","method":"m","id":")" + std::string(1025, 'x') + "\"}";
    const BadShape table[] = {
        {"1", "", "must be a JSON object"},
        {"null", "", "must be a JSON object"},
        {"\"x\"", "", "must be a JSON object"},
        {"[]", "", "must be a JSON object"},
        {"{}", "", "\"jsonrpc\" must be"},
        {R"({"id":1,"method":"m"})", "1", "\"jsonrpc\" must be"},
        {R"({"jsonrpc":"1.0","id":1,"method":"m"})", "1", "\"jsonrpc\" must be"},
        {R"({"jsonrpc":2.0,"id":"a","method":"m"})", "\"a\"", "\"jsonrpc\" must be"},
        {R"({"jsonrpc":"2.0"})", "", "needs a method"},
        {R"({"jsonrpc":"2.0","id":1})", "1", "needs a method"},
        {R"({"jsonrpc":"2.0","id":1,"method":5})", "1", "method must be a string"},
        {R"({"jsonrpc":"2.0","id":1,"method":null})", "1", "method must be a string"},
        {R"({"jsonrpc":"2.0","method":{}})", "", "method must be a string"},
        {R"({"jsonrpc":"2.0","id":null,"method":"m"})", "", "must not be null"},
        {R"({"jsonrpc":"2.0","id":1.5,"method":"m"})", "", "an id must be"},
        {R"({"jsonrpc":"2.0","id":1.0,"method":"m"})", "", "an id must be"},
        {R"({"jsonrpc":"2.0","id":true,"method":"m"})", "", "an id must be"},
        {R"({"jsonrpc":"2.0","id":[1],"method":"m"})", "", "an id must be"},
        {R"({"jsonrpc":"2.0","id":{},"method":"m"})", "", "an id must be"},
        {long_id, "", "not too long"},
        {R"({"jsonrpc":"2.0","id":1,"method":"m","params":[]})", "1", "params must be an object"},
        {R"({"jsonrpc":"2.0","id":1,"method":"m","params":null})", "1", "params must be an object"},
        {R"({"jsonrpc":"2.0","id":1,"method":"m","params":"x"})", "1", "params must be an object"},
        {R"({"jsonrpc":"2.0","method":"m","params":1})", "", "params must be an object"},
        {R"({"jsonrpc":"2.0","id":1,"method":"m","result":{}})", "1", "neither result nor error"},
        {R"({"jsonrpc":"2.0","id":1,"method":"m","error":{"code":1,"message":""}})", "1", "neither result nor error"},
        {R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}})", "1", "not both"},
        {R"({"jsonrpc":"2.0","result":{}})", "", "needs the id"},
        {R"({"jsonrpc":"2.0","id":null,"result":{}})", "", "needs the id"},
        {R"({"jsonrpc":"2.0","id":1.5,"error":{"code":1,"message":""}})", "", "an id must be"},
        {R"({"jsonrpc":"2.0","id":1,"result":5})", "1", "result must be an object"},
        {R"({"jsonrpc":"2.0","id":1,"result":null})", "1", "result must be an object"},
        {R"({"jsonrpc":"2.0","id":1,"error":"no"})", "1", "error must be an object"},
        {R"({"jsonrpc":"2.0","id":1,"error":{"message":"no"}})", "1", "integer code"},
        {R"({"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"no"}})", "1", "integer code"},
        {R"({"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"no"}})", "1", "integer code"},
        {R"({"jsonrpc":"2.0","id":1,"error":{"code":4294967297,"message":"no"}})", "1", "out of range"},
        {R"({"jsonrpc":"2.0","id":1,"error":{"code":-4294967297,"message":"no"}})", "1", "out of range"},
        {R"({"jsonrpc":"2.0","id":1,"error":{"code":1}})", "1", "needs a message"},
        {R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":5}})", "1", "needs a message"},
    };
    for (const BadShape& row : table) {
        const auto message = read(row.text);
        const auto* malformed = std::get_if<Malformed>(&message);
        ASSERT_NE(malformed, nullptr) << row.text;
        EXPECT_EQ(malformed->error.code, invalid_request) << row.text;
        EXPECT_NE(malformed->error.message.find(row.because), std::string::npos) << row.text << " → " << malformed->error.message;
        EXPECT_EQ(malformed->id ? malformed->id->text : "", row.id) << row.text;
    }
}

TEST(message, errors_are_written_with_an_id_only_when_there_is_one) {
    EXPECT_EQ(write_error(Id{"\"a\""}, {-32602, "Unknown tool: \"x\"", {}}),
              R"({"jsonrpc":"2.0","id":"a","error":{"code":-32602,"message":"Unknown tool: \"x\""}})");
    EXPECT_EQ(write_error(std::nullopt, {-32002, "Resource not found", Json{{"uri", "a:b"}}}),
              R"({"jsonrpc":"2.0","error":{"code":-32002,"message":"Resource not found","data":{"uri":"a:b"}}})");
}

TEST(message, an_error_is_written_whatever_bytes_its_message_has) {
    const auto text = write_error(std::nullopt, {-32603, "bad \xff byte", {}});
    EXPECT_TRUE(base::parse_json(text, base::wire_json_limits()).has_value()) << text;
}

TEST(message, notifications_are_written_around_their_params) {
    EXPECT_EQ(write_notification("notifications/progress", R"({"progress":1})"),
              R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}})");
    EXPECT_EQ(write_notification("notifications/tools/list_changed", ""),
              R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
}

TEST(message, a_request_is_written_with_its_id_as_it_is) {
    EXPECT_EQ(write_request(Id{"\"q/1\""}, "roots/list", ""), R"({"jsonrpc":"2.0","id":"q/1","method":"roots/list"})");
    EXPECT_EQ(write_request(Id{"5"}, "elicitation/create", R"({"a":1})"), R"({"jsonrpc":"2.0","id":5,"method":"elicitation/create","params":{"a":1}})");
}

TEST(message, a_stored_response_is_sent_under_another_id_and_nothing_else_changes) {
    const std::string result = R"({"id":1,"text":"\u00e9 1.0"})";
    EXPECT_EQ(readdress(write_result(Id{"1"}, result), Id{"1"}, Id{"\"other\""}), write_result(Id{"\"other\""}, result));
    const Error error{-32603, "no", {}};
    EXPECT_EQ(readdress(write_error(Id{"\"a\""}, error), Id{"\"a\""}, Id{"7"}), write_error(Id{"7"}, error));
}

}  // namespace
}  // namespace durable_mcp::jsonrpc
