// SPDX-License-Identifier: Apache-2.0
#include "journal/retry.hpp"

#include "base/json.hpp"

namespace durable_mcp::journal {
namespace {

template <class Number>
Number number_in(const base::Json& json, const char* name, Number otherwise) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number_integer() ? found->get<Number>() : otherwise;
}

}  // namespace

std::string write_retry(const Retry& retry) {
    base::Json json = base::Json::parse(write_fault(retry.last));
    json["tries"] = retry.tries;
    json["next"] = retry.next_ms;
    json["delay"] = retry.delay_ms;
    return json.dump();
}

Retry read_retry(std::string_view payload) {
    const base::Json json = base::Json::parse(payload, nullptr, false);
    if (!json.is_object()) {
        return {1, 0, 0, read_fault(payload)};
    }
    return {number_in<std::uint64_t>(json, "tries", 1), number_in<std::int64_t>(json, "next", 0), number_in<std::int64_t>(json, "delay", 0),
            read_fault(payload)};
}

}  // namespace durable_mcp::journal
