// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "journal/fault.hpp"

namespace durable_mcp::journal {

/// What the tries of a step have left behind that is to be tried again.
struct Retry {
    std::uint64_t tries = 0;    ///< so far; all of them threw
    std::int64_t next_ms = 0;   ///< when the next one is due, on the wall clock
    std::int64_t delay_ms = 0;  ///< how long that was from the last one: a clock that was turned back makes nobody wait longer
    Fault last;                 ///< what the last one threw
};

/// An entry's payload, and back. A payload that is none reads as a first try that may be repeated at once.
[[nodiscard]] std::string write_retry(const Retry& retry);
[[nodiscard]] Retry read_retry(std::string_view payload);

}  // namespace durable_mcp::journal
