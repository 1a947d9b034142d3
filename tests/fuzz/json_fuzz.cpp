// SPDX-License-Identifier: Apache-2.0
// The bounded reader beside the parser that it is built around: it may refuse more, for the reasons that it documents, and must never read
// something else. The first byte chooses the limits.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "fuzz/demand.hpp"

namespace {

using durable_mcp::fuzz::demand;
using namespace durable_mcp::base;

struct Size {
    std::size_t nodes = 1;
    std::size_t depth = 0;
};

Size size_of(const Json& value) {
    Size size;
    if (value.is_structured()) {
        size.depth = 1;
        for (const Json& child : value) {
            const Size inner = size_of(child);
            size.nodes += inner.nodes;
            size.depth = std::max(size.depth, inner.depth + 1);
        }
    }
    return size;
}

void judge(std::string_view text, const JsonLimits& limits) {
    const Result<Json> parsed = parse_json(text, limits);
    if (!parsed) {
        const Failure& failure = parsed.error();
        demand(failure.code == FailureCode::malformed || failure.code == FailureCode::too_large);
        demand(!failure.sentence.empty() && is_utf8(failure.sentence));
        demand(failure.sentence.find("byte") != std::string::npos);
        return;
    }
    const Size size = size_of(*parsed);
    demand(size.nodes <= limits.nodes && size.depth <= limits.depth);
    const Json plain = Json::parse(text, nullptr, false);
    demand(!plain.is_discarded() && plain == *parsed && plain.dump() == parsed->dump());
    // What was read can be written, and read again as the same.
    const Result<std::string> written = dump_json(*parsed);
    demand(written.has_value());
    const Result<Json> again = parse_json(*written, stored_json_limits());
    demand(again.has_value() && *again == *parsed);
    demand(*dump_json(*again) == *written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    judge(text, wire_json_limits());
    judge(text, {data[0] % 8U, data[0] / 8U});
    return 0;
}
