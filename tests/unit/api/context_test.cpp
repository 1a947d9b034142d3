// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/context.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "unit/api/fake_port.hpp"

namespace durable_mcp {
namespace {

struct context : testing::Test {
    api::FakePort port;
    DurableContext durable{port};
};

TEST_F(context, a_step_returns_what_was_stored_and_names_its_type) {
    EXPECT_EQ(durable.at_least_once("n", [] { return std::int64_t{9007199254740993}; }), 9007199254740993);
    EXPECT_EQ(durable.at_most_once("s", [] { return "text"; }), "text");
    EXPECT_EQ(durable.at_least_once("v", [] { return std::vector<int>{1, 2}; }), (std::vector<int>{1, 2}));
    EXPECT_EQ(durable.at_least_once("o", [] { return std::optional<int>(); }), std::nullopt);
    EXPECT_EQ(durable.at_least_once("j", [] { return nlohmann::json{{"a", 1.0}}; }).dump(), R"({"a":1.0})");
    durable.at_least_once("nothing", [] {});
    EXPECT_EQ(port.recorded, (std::map<std::string, std::string>{{"n", "9007199254740993"}, {"s", "\"text\""}, {"v", "[1,2]"}, {"o", "null"},
                                                                 {"j", R"({"a":1.0})"}, {"nothing", "null"}}));
    EXPECT_EQ(port.types, (std::map<std::string, std::string>{{"n", "int64"}, {"s", "string"}, {"v", "vector<int32>"}, {"o", "optional<int32>"},
                                                              {"j", "json"}, {"nothing", "void"}}));
    EXPECT_EQ(port.said[1], "at_most_once s");
}

// B1
TEST_F(context, a_recorded_value_is_returned_without_calling_the_function) {
    port.recorded["n"] = "7";
    int calls = 0;
    EXPECT_EQ(durable.at_most_once("n", [&] { return ++calls; }), 7);
    EXPECT_EQ(calls, 0);
}

TEST_F(context, a_function_object_that_cannot_be_copied_will_do) {
    struct Body {
        Body() = default;
        Body(const Body&) = delete;
        Body& operator=(const Body&) = delete;
        int operator()() { return ++calls; }
        int calls = 0;
    } body;
    EXPECT_EQ(durable.at_least_once("n", body), 1);
    EXPECT_EQ(body.calls, 1);
}

struct Timeout : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct ReadTimeout : Timeout {
    using Timeout::Timeout;
};

TEST_F(context, exceptions_that_are_listed_and_those_derived_from_them_are_retryable) {
    const auto thrown = [&](auto exception, const AtMostOnceOptions<void>& options) {
        EXPECT_THROW(durable.at_most_once("x", [&] { throw exception; }, options), decltype(exception));
        return port.retried.value();
    };
    EXPECT_TRUE(thrown(Timeout("t"), {.retryable = retryable<std::bad_alloc, Timeout>}));
    EXPECT_TRUE(thrown(ReadTimeout("t"), {.retryable = retryable<Timeout>}));
    EXPECT_FALSE(thrown(std::runtime_error("t"), {.retryable = retryable<Timeout>}));
    EXPECT_FALSE(thrown(7, {.retryable = retryable<Timeout>}));
    EXPECT_FALSE(thrown(Timeout("t"), {}));
}

TEST_F(context, a_value_that_cannot_be_stored_leaves_the_body_as_not_encodable) {
    EXPECT_THROW(durable.at_most_once("x", [] { return std::nan(""); }), detail::NotEncodable);
    EXPECT_THROW(durable.at_most_once("x", [] { return std::string("\xFF"); }), detail::NotEncodable);
    EXPECT_THROW(durable.transact("x", [](auto&) { return std::nan(""); }), detail::NotEncodable);
}

TEST_F(context, a_transaction_reads_its_own_writes_and_returns_a_value) {
    const auto sum = durable.transact("book", [](Transaction& state) {
        SortedMap ledger = state.map("ledger");
        ledger.insert("a", 1);
        ledger.insert("b", std::int64_t{2});
        ledger.insert(std::map<std::string, int>{{"c", 3}, {"d", 4}});
        ledger.remove("d");
        std::int64_t total = 0;
        for (const auto& [key, value] : ledger.range<std::int64_t>()) {
            total += value;
        }
        return total + static_cast<std::int64_t>(ledger.count());
    });
    EXPECT_EQ(sum, 9);
    EXPECT_EQ(port.types["book"], "int64");
    durable.transact("nothing", [](auto& state) { state.map("m").insert("k", "text"); });
    EXPECT_EQ(port.types["nothing"], "void");
    EXPECT_EQ(port.maps["m"]["k"], "\"text\"");
}

TEST_F(context, a_map_gives_ranges_prefixes_and_both_directions) {
    SortedMap map = durable.map("m");
    for (const char* key : {"a", "b", "ba", "bb", "c"}) {
        map.insert(key, key);
    }
    const auto keys = [](const auto& rows) {
        std::string all;
        for (const auto& [key, value] : rows) {
            EXPECT_EQ(key, value);
            all += key + " ";
        }
        return all;
    };
    EXPECT_EQ(keys(map.range<std::string>()), "a b ba bb c ");
    EXPECT_EQ(keys(map.reverse_range<std::string>()), "c bb ba b a ");
    EXPECT_EQ(keys(map.range<std::string>({.start = "b", .end = "bb"})), "b ba ");
    EXPECT_EQ(keys(map.range<std::string>({.prefix = "b"})), "b ba bb ");
    EXPECT_EQ(keys(map.range<std::string>({.start = "ba", .prefix = "b"})), "ba bb ");
    EXPECT_EQ(keys(map.range<std::string>({.end = "ba", .prefix = "b"})), "b ");
    EXPECT_EQ(keys(map.reverse_range<std::string>({.prefix = "b", .limit = 2})), "bb ba ");
    EXPECT_EQ(keys(map.range<std::string>({.start = "c", .end = "a"})), "");
    EXPECT_EQ(keys(map.range<std::string>({.start = "c", .prefix = "b"})), "");
    map.insert("\xFF\xFF", "\xC3\xBF");
    EXPECT_EQ(map.range<std::string>({.prefix = "\xFF"}).size(), 1U);
    EXPECT_EQ(map.count(), 6U);
}

TEST_F(context, a_map_value_is_read_as_the_type_that_is_asked_for) {
    SortedMap map = durable.map("m");
    map.insert("n", 7);
    EXPECT_EQ(map.get<int>("n"), 7);
    EXPECT_EQ(map.get("n"), nlohmann::json(7));
    EXPECT_EQ(map.get<int>("absent"), std::nullopt);
    EXPECT_THROW(static_cast<void>(map.get<std::string>("n")), ValueMismatchError);
    map.remove("n");
    EXPECT_EQ(map.get<int>("n"), std::nullopt);
}

TEST_F(context, live_reads_say_so) {
    SortedMap map = durable.map("m");
    port.said.clear();
    static_cast<void>(map.get<int>("k"));
    static_cast<void>(map.live().get<int>("k"));
    static_cast<void>(map.live().range<int>());
    static_cast<void>(map.range<int>());
    EXPECT_EQ(port.said, (std::vector<std::string>{"get m", "get m live", "range m live", "range m"}));
}

TEST_F(context, what_goes_to_the_client_goes_through_as_it_is) {
    durable.report_progress(1, 2, "half");
    durable.report_progress(3);
    durable.log(LogLevel::warning, "old rate", "rates");
    durable.log(LogLevel::emergency, nlohmann::json{{"a", 1}});
    durable.send_tools_list_changed();
    durable.send_prompts_list_changed();
    durable.send_resources_list_changed();
    EXPECT_EQ(port.said, (std::vector<std::string>{"progress 1.000000 of 2.000000 half", "progress 3.000000 of ? ", "log 3 \"old rate\" rates",
                                                   "log 7 {\"a\":1} ", "changed tools", "changed prompts", "changed resources"}));
}

TEST_F(context, a_loop_gets_an_alias_for_each_round) {
    EXPECT_EQ(durable.key("charge", 3), "charge[3]");
    EXPECT_EQ(durable.key("charge", std::uint64_t{18446744073709551615U}), "charge[18446744073709551615]");
    EXPECT_EQ(durable.key("pay", "A-17"), "pay[\"A-17\"]");
    EXPECT_NE(durable.key("pay", "3"), durable.key("pay", 3));
    EXPECT_EQ(durable.idempotency_key("x"), "key of x");
    EXPECT_EQ(durable.attempt(), 2U);
    EXPECT_EQ(durable.call_id(), "call-1");
    EXPECT_TRUE(durable.is_replaying());
    EXPECT_FALSE(durable.cancelled());
}

}  // namespace
}  // namespace durable_mcp
