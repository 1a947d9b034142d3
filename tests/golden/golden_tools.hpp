// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tools whose calls lie in the golden stores from schema 2 on. What they recorded there must mean the same to every later version: never
// change one, add another.

#include <string>

#include "durable_mcp/error.hpp"
#include "unit/runtime/client_parts.hpp"

namespace durable_mcp::golden {

/// When the store was written, to the test that reads it: nothing in it is older than this by its clock.
inline constexpr std::int64_t written_ms = 1'800'000'000'000;
/// The revisions of the session era, oldest first. Each has a session with an unfinished `work` under the request id "unfinished".
inline const std::vector<std::string> session_revisions = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
inline const std::string order = "order 7";  ///< the idempotency key of the keyed call
inline const std::string client_map = "golden client";  ///< its row "requestState": the state with which a stateless client comes back to `ask`
inline test::StatelessClient stateless_asker() {
    return {.capabilities = test::elicitation()};
}

/// `program` is what a step says that this process ran.
inline void add_tools(test::EngineHarness& harness, const std::string& program, const test::Door& door) {
    using base::Json;
    using detail::CallPort;
    const test::ToolFunction work = [program, door](CallPort& port, const Json&) {
        const std::string first = test::run_step(port, "first", [&] { return program; });
        port.log(1, "\"half done\"", "");
        test::run_step(port, "gate", [&] { return door.pass(), "0"; });
        const std::string last = test::run_step(port, "last", [&] { return program; });
        Json result = test::text_result(first + ", " + last);
        result["structuredContent"] = {{"first", first}, {"last", last}};
        return result;
    };
    harness.add_tool("work", work);
    harness.add_tool("job", work, "optional", [](runtime::HandlerTarget& target) { target.inline_wait = std::chrono::milliseconds(0); });
    harness.add_tool("order", work, "forbidden", [](runtime::HandlerTarget& target) { target.idempotency_argument = "order"; });
    harness.add_tool("count", [](CallPort& port, const Json&) {
        const std::string count = port.transact("count", "string", [](detail::TransactionPort& state) {
            const std::string next = std::to_string(std::stoi(state.map_get("counts", "calls").value_or("0")) + 1);
            state.map_put("counts", "calls", next);
            return next;
        });
        port.map_put("notes", "last", "\"count\"");
        return test::text_result(count);
    });
    harness.add_tool("charge", [door](CallPort& port, const Json&) {
        try {
            return test::text_result(test::run_once(port, "pay", [&] { return door.pass(), "paid"; }));
        } catch (const AtMostOnceFailedBeforeCompleting& error) {
            return test::text_result(error.cause() == AtMostOnceFailedBeforeCompleting::Cause::interrupted ? "nobody knows" : "failed");
        }
    });
    harness.add_tool("ask", [](CallPort& port, const Json&) {
        const auto answers = port.ask({test::number_question("a"), test::number_question("b")});
        const auto number_in = [](const std::string& answer) { return Json::parse(answer)["content"]["n"].dump(); };
        return test::text_result(number_in(answers.at(0)) + " and " + number_in(answers.at(1)));
    });
}

}  // namespace durable_mcp::golden
