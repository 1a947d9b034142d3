// SPDX-License-Identifier: Apache-2.0
// What checking a typical tool call's arguments against their schema costs beside parsing the call. Both in one run, over and over in
// turns, so that a busy machine slows both; the median of the ratios is what counts.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "schema/json_schema.hpp"

namespace {

using namespace durable_mcp;

constexpr std::string_view schema_text = R"json({"type":"object","properties":{
    "account":{"type":"string","pattern":"^[A-Z]{2}[0-9]{8}$","description":"whom to charge"},
    "cents":{"type":"integer","minimum":1,"maximum":10000000},
    "currency":{"type":"string","enum":["EUR","USD","GBP","CHF"]},
    "note":{"type":"string","maxLength":200},
    "notify":{"type":"boolean"},
    "items":{"type":"array","maxItems":50,"items":{"$ref":"#/$defs/item"}}},
    "required":["account","cents","currency"],"additionalProperties":false,
    "$defs":{"item":{"type":"object","properties":{"sku":{"type":"string","minLength":3},"count":{"type":"integer","minimum":1},
        "price":{"type":"number","minimum":0}},"required":["sku","count"],"additionalProperties":false}}})json";

constexpr std::string_view call_text = R"json({"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"charge","arguments":{
    "account":"DE00123456","cents":4990,"currency":"EUR","note":"two books and a lamp","notify":true,
    "items":[{"sku":"book-1","count":2,"price":12.5},{"sku":"lamp-3","count":1,"price":24.9}]},"_meta":{"progressToken":"t-17"}}})json";

double nanoseconds_each(int times, const auto& work) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) {
        work();
    }
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / times;
}

}  // namespace

int main() {
    const auto schema = base::parse_json(schema_text, base::wire_json_limits());
    const auto call = base::parse_json(call_text, base::wire_json_limits());
    const auto compiled = schema::JsonSchemaValidator::compile(schema ? *schema : base::Json());
    if (!compiled || !call) {
        std::fprintf(stderr, "benchmark_schema: the example does not compile\n");
        return EXIT_FAILURE;
    }
    const base::Json& arguments = (*call)["params"]["arguments"];
    std::size_t fitting = 0;
    std::vector<double> parse, check, ratio;
    constexpr int rounds = 50, times = 2'000;
    for (int round = 0; round < rounds; ++round) {
        parse.push_back(
            nanoseconds_each(times, [&] { fitting += base::parse_json(call_text, base::wire_json_limits())->size() == 4 ? 1U : 0U; }));
        check.push_back(nanoseconds_each(times, [&] { fitting += compiled->fits(arguments) ? 1U : 0U; }));
        ratio.push_back(check.back() / parse.back());
    }
    if (fitting != 2U * rounds * times) {
        std::fprintf(stderr, "benchmark_schema: the example does not fit\n");
        return EXIT_FAILURE;
    }
    const auto median = [](std::vector<double>& values) {
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
    };
    std::printf("parse a call of %zu bytes: %.0f ns; check its arguments: %.0f ns; ratio %.2f (below 1 is the goal)\n", call_text.size(),
                median(parse), median(check), median(ratio));
    return EXIT_SUCCESS;
}
