// SPDX-License-Identifier: Apache-2.0
#include "journal/fault.hpp"

#include "base/json.hpp"

namespace durable_mcp::journal {

Fault cut_short(Fault fault) {
    if (fault.message.size() > longest_message) {
        std::size_t end = longest_message;
        while (end > longest_message - 4 && (static_cast<unsigned char>(fault.message[end]) & 0xc0) == 0x80) {
            --end;  // not inside of a character
        }
        fault.message.resize(end);
        fault.message += "…";
    }
    return fault;
}

std::string write_fault(const Fault& fault) {
    // What other libraries put into what() is not always UTF-8; a question mark there is better than a step that cannot be recorded.
    return base::Json{{"type", fault.type}, {"message", fault.message}}.dump(-1, ' ', false, base::Json::error_handler_t::replace);
}

Fault read_fault(std::string_view payload) {
    const base::Json json = base::Json::parse(payload, nullptr, false);
    if (!json.is_object() || !json.contains("type") || !json["type"].is_string() || !json.contains("message") || !json["message"].is_string()) {
        return {"", "the recorded failure cannot be read"};
    }
    return {json["type"].get<std::string>(), json["message"].get<std::string>()};
}

}  // namespace durable_mcp::journal
